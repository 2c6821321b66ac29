"""Building a set: planted faults are found, copies stay together, nothing is measured twice, plain loading works."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mvr.datasets.svm10k import inspection as inspecting
from mvr.datasets.svm10k.builder import build, save_decisions
from mvr.datasets.svm10k.duplicates import connected, joined_groups
from mvr.datasets.svm10k.info import describe, plot
from mvr.datasets.svm10k.loader import load_short_videos, media_file
from mvr.datasets.svm10k.review import borderline_clips
from mvr.datasets.svm10k.schema import COLUMNS
from mvr.datasets.svm10k.settings import BuildSettings
from mvr.datasets.svm10k.sources import fetch_urls, find_clips
from mvr.datasets.svm10k.validation import validate
from mvr.errors import DataError, ExtraMissing
from mvr.media.probe import probe

SETTINGS = BuildSettings(val_share=0.25, test_share=0.25)


@pytest.fixture(scope="module")
def folder(render) -> Path:
    """Ten files: good ones, and one each of what a filter is for; with metadata."""
    noise = np.random.default_rng(1).normal(0, 0.2, 5 * 22_050)
    paths = [render(f"good {seed}.mp4", seed=seed, borders=16 if seed == 2 else 0) for seed in (1, 2, 3)]
    clips = paths[0].parent
    shutil.copy(paths[0], clips / "copy of 1.mp4")
    render("quieter.mp4", seed=11, tune=1, level=0.2)
    render("still.mp4", seed=4, still=True)
    render("noise.mp4", seed=5, sound=noise)
    render("silent.mp4", seed=6, sound=np.zeros(5 * 22_050))
    render("short.mp4", seed=7, duration_s=1.5)
    (clips / "text.mp4").write_text("no video")
    rows = [
        "file_name,title,likes,theme,licence,genre",
        "good 1.mp4,Été à la mer,20000,travel,CC0,folk; jazz",
    ]
    rows += ["good 3.mp4,,500,vlog,,", "gone.mp4,Gone,50000,travel,CC0,rock"]
    (clips / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return clips


@pytest.fixture(scope="module")
def first_build(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "set"
    clips, missing = find_clips(folder)
    build(clips, out, SETTINGS, workers=2, missing=missing)
    return out


@pytest.fixture
def built(first_build: Path, tmp_path: Path) -> Path:
    """A copy of the set, free to be changed."""
    return Path(shutil.copytree(first_build, tmp_path / "set"))


def test_every_planted_fault_is_found_and_named(built: Path) -> None:
    report = json.loads((built / "build.json").read_text())
    assert report["dropped"] == {
        "duration": 1, "copy": 1, "likes": 1, "noise": 1, "silent": 1, "still": 1, "unreadable": 1
    } | report["dropped"]  # fmt: skip
    assert report["clips"] == 10 and report["kept"] == 3
    assert report["missing"] == ["gone.mp4"]


def test_clips_with_the_same_music_share_a_group_and_a_split(built: Path) -> None:
    rows = [
        row for path in sorted((built / "data").glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
    by_title = {row["title"]: row for row in rows}
    first = by_title["Été à la mer"] if "Été à la mer" in by_title else by_title["copy of 1"]
    assert by_title["quieter"]["music_group"] == first["music_group"] != by_title["good 2"]["music_group"]
    assert by_title["quieter"]["video_group"] != first["video_group"]
    assert validate(built) == (3, [])


def test_borders_are_measured_and_cut_off(built: Path, tmp_path: Path) -> None:
    rows = [row for path in (built / "data").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    (row,) = [row for row in rows if row["title"] == "good 2"]
    assert abs(row["borders"]["left"] - 16) <= 2 and abs(row["borders"]["right"] - 112) <= 2
    path = media_file(row["video"], tmp_path)
    assert path is not None
    info = probe(path, needs=("picture",))
    assert info.audio is None and info.video is not None and abs(info.video.width_px - 96) <= 4


def test_plain_load_dataset_reads_it_streaming_too(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    # `datasets` knows a folder by its last name: an earlier set called "set" must not stand in for this one
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path))
    split = min((built / "data").glob("*.parquet")).name.split("-")[0]
    for streaming in (False, True):
        rows = datasets.load_dataset(str(built), split=split, streaming=streaming)
        assert list(rows.features) == list(COLUMNS)
        row = next(iter(rows))
        assert row["video"]["bytes"][4:8] == b"ftyp" and row["audio"]["bytes"][4:8] == b"ftyp"


def test_two_sets_of_one_name_and_a_set_built_again_are_read_as_they_are(built: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    shard = min((built / "data").glob("*.parquet"))
    split, table = shard.name.split("-")[0], pq.read_table(shard)
    assert len(table) > 1
    for place, count in (("one", len(table)), ("two", 1), ("one", 1)):
        copy = tmp_path / place / "set"
        (copy / "data").mkdir(parents=True, exist_ok=True)
        (copy / "README.md").write_bytes((built / "README.md").read_bytes())
        pq.write_table(table.slice(0, count), copy / "data" / shard.name)
        assert len(load_short_videos(copy, split)) == count  # type: ignore[arg-type]


def test_a_path_that_climbs_out_of_the_set_is_no_media(built: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"x")
    assert media_file({"bytes": None, "path": "../secret.mp4"}, tmp_path, built) is None


def test_a_second_build_measures_nothing_and_writes_the_same(
    built: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in (built / "data").glob("*.parquet")}
    kept = sorted((built / ".build" / "inspections").iterdir())
    stamps = [path.stat().st_mtime_ns for path in kept]
    monkeypatch.setattr(inspecting, "_measure", None)
    build(find_clips(folder)[0], built, SETTINGS, workers=1)
    assert {path.name: path.read_bytes() for path in (built / "data").glob("*.parquet")} == before
    assert [path.stat().st_mtime_ns for path in kept] == stamps


def test_a_decision_by_hand_is_obeyed_by_the_next_build(folder: Path, built: Path) -> None:
    tight = replace(SETTINGS, min_motion=8.0, margin=3.0)
    out = built
    build(find_clips(folder)[0], out, tight, workers=1)
    clips = borderline_clips(out)
    assert {clip["file"] for clip in clips} >= {"good 2.mp4"}
    (wanted,) = [clip["id"] for clip in clips if clip["file"] == "good 2.mp4"]
    save_decisions(out, {wanted: "drop"})
    report = build(find_clips(folder)[0], out, tight, workers=1)
    assert report.dropped["by hand"] == 1
    assert wanted in {clip["id"] for clip in borderline_clips(out)}


def test_a_damaged_shard_is_told_by_its_checksum(built: Path) -> None:
    import datasets
    import pyarrow as pa

    path = min((built / "data").glob("*.parquet"))
    table = pq.read_table(path)
    sums = ["0" * 64] * table.num_rows
    index = table.column_names.index("audio_sha256")
    pq.write_table(table.set_column(index, "audio_sha256", pa.array(sums)), path)
    datasets.disable_caching()
    assert any("does not match its checksum audio_sha256" in fault for fault in validate(built)[1])


def test_info_counts_what_is_there_and_plots_it(built: Path, tmp_path: Path) -> None:
    found = describe(built)
    assert sum(found["splits"].values()) == 3 and found["music_groups"] == 2
    assert found["numbers"]["duration_s"]["median"] == pytest.approx(5, abs=0.2)
    plot(built, tmp_path / "set.svg")
    assert (tmp_path / "set.svg").read_text().startswith("<?xml")


def test_nothing_left_says_why(folder: Path, built: Path) -> None:
    with pytest.raises(DataError, match=r"none of 10 clips is left: .* too short or too long"):
        build(find_clips(folder)[0], built, replace(SETTINGS, min_s=100.0), workers=1)


def test_a_folder_without_videos_and_metadata_without_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no video file"):
        find_clips(tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "metadata.jsonl").write_text('{"title": "x"}\n')
    with pytest.raises(DataError, match="'file_name' in every row"):
        find_clips(tmp_path)


def test_urls_need_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    (tmp_path / "list.txt").write_text("https://example.org/a\n")
    with pytest.raises(ExtraMissing, match="a list of URLs needs yt_dlp"):
        fetch_urls(tmp_path / "list.txt", tmp_path, print)


def test_sets_say_the_line_to_type_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = r"which is not installed; type: python -m pip install 'mvr\[data\]'"
    with pytest.raises(ExtraMissing, match=f"building a set needs datasets, {line}"):
        build([], tmp_path / "set", BuildSettings())
    assert not (tmp_path / "set").exists()
    with pytest.raises(ExtraMissing, match=f"loading a set needs datasets, {line}"):
        load_short_videos(tmp_path, "train")
    with pytest.raises(ExtraMissing, match=f"a figure of a set needs matplotlib, {line}"):
        plot(tmp_path, tmp_path / "figure.svg")


def test_groups_join_through_any_shared_member() -> None:
    assert connected(4, [(2, 3)]) == [0, 1, 2, 2]
    assert joined_groups([0, 0, 2, 3], [0, 1, 1, 3]) == [0, 0, 0, 3]

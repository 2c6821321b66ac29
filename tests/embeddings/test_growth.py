"""A store that grows: appended rows are those of a store written at once, whenever a writer is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mvr.embeddings import growth
from mvr.embeddings.extraction import ExtractSettings, extract_features
from mvr.embeddings.growth import append_rows, replace_store
from mvr.embeddings.store import FeatureStore, write_store
from mvr.errors import DataError, Leakage, NotFinite, SettingsMismatch, WrongShape

FILES = ("video.npy", "audio.npy")
META = {"video": {"backbone": "descriptors", "settings": {"rate_hz": 2}}}


def part(first: int, last: int, dtype: Any = np.float32) -> dict[str, Any]:
    """Rows `first` to `last` of an endless store."""
    rows = range(first, last)
    features = {
        name: np.stack([np.random.default_rng([row, width]).standard_normal(width) for row in rows])
        for name, width in (("video", 5), ("audio", 3))
    }
    table = {"id": [f"i{row}" for row in rows], "genre": [["jazz"] * (row % 3) for row in rows]}
    columns = {"id": table["id"], "genre": pa.array(table["genre"], pa.list_(pa.string()))}
    return {**{n: f.astype(dtype) for n, f in features.items()}, "manifest": pa.table(columns)}


def content(folder: Path) -> list[object]:
    """Bytes of the matrices and the manifest's rows."""
    return [
        *((folder / name).read_bytes() for name in FILES),
        pq.read_table(folder / "manifest.parquet").to_pydict(),
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_store_written_in_parts_is_the_store_written_at_once(tmp_path: Path, dtype: Any) -> None:
    whole = write_store(tmp_path / "whole", **part(0, 120, dtype), meta=META)
    write_store(tmp_path / "parts", **part(0, 7, dtype), meta=META)
    for first, last in ((7, 8), (8, 99), (99, 120)):  # the number of rows gains a digit, the header no byte
        store = append_rows(tmp_path / "parts", **part(first, last, dtype))
        assert len(store) == last and store.ids[-1] == f"i{last - 1}"
    assert content(tmp_path / "parts") == content(whole.path)


def test_readers_of_before_keep_their_rows(tmp_path: Path) -> None:
    before = write_store(tmp_path / "s", **part(0, 5))
    append_rows(tmp_path / "s", **part(5, 9))
    assert before.video.shape == (5, 5)
    np.testing.assert_array_equal(before.video, part(0, 5)["video"])


@pytest.mark.parametrize("dies_at", range(5))
def test_a_writer_that_dies_between_two_steps_leaves_the_rows_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Steps: rows and header of either matrix flushed, manifest renamed; death after each of the first, in turn."""
    write_store(tmp_path / "s", **part(0, 5))
    steps = iter(range(99))

    def dying(step):
        def run(*arguments: Any) -> None:
            if next(steps) == dies_at:
                raise KeyboardInterrupt
            step(*arguments)

        return run

    monkeypatch.setattr(growth, "_flush", dying(growth._flush))
    monkeypatch.setattr(growth, "write_manifest", dying(growth.write_manifest))
    with pytest.raises(KeyboardInterrupt):
        append_rows(tmp_path / "s", **part(5, 15))
    monkeypatch.undo()
    left = FeatureStore.open(tmp_path / "s")
    assert len(left) == 5
    np.testing.assert_array_equal(left.audio, part(0, 5)["audio"])
    append_rows(tmp_path / "s", **part(5, 8))  # fewer than the dead writer had brought
    again = FeatureStore.open(tmp_path / "s")
    assert again.ids == [f"i{row}" for row in range(8)]
    np.testing.assert_array_equal(again.video, part(0, 8)["video"])


def test_a_label_column_that_one_side_lacks_is_empty_there(tmp_path: Path) -> None:
    write_store(tmp_path / "s", **part(0, 2))
    more = part(2, 4)
    more["manifest"] = (
        more["manifest"].drop_columns(["genre"]).append_column("mood", pa.array([["calm"], []]))
    )
    store = append_rows(tmp_path / "s", **more)
    assert store.labels == {"genre": [[], ["jazz"], [], []], "mood": [[], [], ["calm"], []]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"video": np.zeros((2, 4), np.float32)}, WrongShape, r"is 4 wide, meta\.json says 5"),
        ({"audio": np.zeros((3, 3), np.float32)}, WrongShape, "have 3 rows, the manifest has 2"),
        ({"audio": np.full((2, 3), np.nan)}, NotFinite, "NaN or infinity in row 0"),
        ({"audio": np.full((2, 3), 1e5)}, NotFinite, "in the store's float16: NaN or infinity in row 0"),
        ({"manifest": pa.table({"id": ["i1", "i9"]})}, DataError, "1 ids appear more than once"),
        (
            {"manifest": pa.table({"id": ["x", "y"], "group": ["i0", "y"], "split": ["test", "test"]})},
            Leakage,
            "for example 'i0'",
        ),
        ({"manifest": pa.table({"id": ["x", "y"], "genre": [1, 2]})}, DataError, "do not fit the store's"),
        ({"settings": {"video": {"rate_hz": 3}}}, SettingsMismatch, "rate_hz"),
    ],
)
def test_rows_that_do_not_fit_are_refused_and_change_nothing(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    write_store(tmp_path / "s", **part(0, 4, np.float16), meta=META)
    before = content(tmp_path / "s")
    with pytest.raises(error, match=message):
        append_rows(tmp_path / "s", **(part(4, 6) | change))
    assert content(tmp_path / "s") == before


def test_a_store_in_place_of_another_clears_what_dead_writers_left(tmp_path: Path) -> None:
    write_store(tmp_path / "s", **part(0, 4))
    for rest in (".s.new", ".s.old", "..s.new.123.tmp"):
        (tmp_path / rest).mkdir()
    assert replace_store(tmp_path / "s", **part(2, 9)).ids[0] == "i2"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".s.lock", "s"]


def test_a_growing_store_whose_writer_is_killed_25_times_is_the_store_of_one_run(
    make_clip, make_tone, tiny_assets: Path, tmp_path: Path
) -> None:
    source, folder, out = (tmp_path / name for name in ("source", "folder", "killed"))
    source.mkdir()
    folder.mkdir()
    for number in range(6):
        clip_with_sound(source, number, make_clip, make_tone)
    script = Path(__file__).with_name("killed_process.py")
    command = [sys.executable, str(script), *map(str, (source, folder, out)), "25", "0"]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    killed = json.loads(run.stdout)
    assert len(killed) == 25
    for count in ("rows", "cached"):  # what was there once stays there
        assert [step[count] for step in killed] == sorted(step[count] for step in killed)
    report = extract_features(source, tmp_path / "whole", ExtractSettings(system="tiny", workers=1))
    assert report.rows == 6
    assert content(out) == content(tmp_path / "whole")


def clip_with_sound(folder: Path, number: int, make_clip, make_tone) -> None:
    import imageio_ffmpeg

    clip = make_clip(folder.parent / f"p{number}.mp4", seed=number)
    tone = make_tone(folder.parent / f"s{number}.wav", seed=number, seconds=2.0)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(clip), "-i", str(tone)]
    subprocess.run(
        [*command, "-c:v", "copy", "-c:a", "aac", "-shortest", str(folder / f"v{number}.mp4")], check=True
    )

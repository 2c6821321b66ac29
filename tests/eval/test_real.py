from __future__ import annotations

import itertools
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.real.__main__ import main
from eval.real.apart import _alike, centred_on, has_bridge, shipped_reference
from eval.real.clips import Clip, cut_apart, read_works, with_music
from eval.real.directions import Shift
from eval.real.matching import added_up, percentiles, source_interval, works_needed
from eval.real.report import agreement, as_markdown
from mvr.embeddings.system import load_system
from mvr.errors import DataError
from mvr.heads.bridge import TENSORS
from mvr.metrics.significance import Interval


@pytest.mark.parametrize(
    ("duration_s", "least", "count"), [(8, 2, 2), (30, 2, 3), (70.6, 2, 7), (4, 1, 1), (9.99, 1, 1)]
)
def test_segments_are_disjoint_and_cover_everything(duration_s, least, count):
    segments = cut_apart(duration_s, least)
    assert len(segments) == count
    assert segments[0].start_s == 0 and segments[-1].end_s == pytest.approx(duration_s)
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in itertools.pairwise(segments))


def test_percentiles_equal_the_slow_loop():
    rng = np.random.default_rng(0)
    seen, heard, rivals = (rng.standard_normal((n, 8)).astype(np.float32) for n in (3, 3, 40))
    slow = []
    for i in range(3):
        for j in range(3):
            if i != j:
                target = float(seen[i] @ heard[j])
                slow.append(sum(target > float(seen[i] @ rival) for rival in rivals) / 40)
    assert percentiles(seen, heard, rivals) == pytest.approx(slow)


def test_the_same_sound_for_all_is_chance():
    same = np.ones((4, 3), np.float32)
    assert set(percentiles(same, same, np.ones((7, 3), np.float32))) == {0.5}


def test_a_long_film_counts_once():
    interval = source_interval(np.array([1.0] * 90 + [0.0]), ["long"] * 90 + ["short"])
    assert interval.point == pytest.approx(0.5)


def shift(change: str, measure: str, values: list[float]) -> Shift:
    return Shift(
        system="s", alpha=0.0, change=change, measure=measure,
        per_clip={str(n): value for n, value in enumerate(values)}, interval=Interval(point=0, low=-1, high=1),
    )  # fmt: skip


def test_agreement_counts_clips_that_moved_as_expected():
    assert agreement(shift("faster", "tempo", [1, 2, -1, 0])) == 0.5
    assert agreement(shift("dark and slow", "onset rate", [-1, -2])) == 1
    assert agreement(shift("grey", "tempo", [1])) is None


@pytest.mark.parametrize("folder", ["real", "bridge/real"])
def test_the_committed_report_is_rendered_from_its_results(folder: str | Path):
    import json

    folder = Path(__file__).parents[2] / "eval" / "results" / folder
    values = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    report = (folder / "report.md").read_text(encoding="utf-8")
    command = report.split("`")[1]
    assert as_markdown(values, command) == report
    systems = {row["system"] for row in values["matching"]}
    more = {"control-mvr-mini", "mvbind-mini", "random"} if folder.parent.name == "results" else set()
    assert {"bridge-mini"} | more <= systems
    if not more:
        assert {"bridge-mini (centred on other works)", "bridge (centred on other works)"} <= systems


def test_a_mixture_is_added_up_in_deviations_of_the_rivals():
    rng = np.random.default_rng(0)
    tables = [(rng.normal(size=(2, 2)), rng.normal(3 * k, 1 + k, (2, 9))) for k in range(2)]
    target, others = added_up(tables, [1.0, 2.0])
    for i in range(2):
        for j in range(2):
            wanted = sum(
                w * (own[i, j] - r[i].mean()) / r[i].std() for (own, r), w in zip(tables, (1, 2), strict=True)
            )
            assert target[i, j] == pytest.approx(wanted)
    np.testing.assert_allclose(others.mean(axis=1), 0, atol=1e-12)
    assert added_up(tables[:1], [5.0])[1] is tables[0][1]


def test_the_works_needed_show_the_gain_in_four_of_five_repetitions():
    rng = np.random.default_rng(1)
    means = rng.normal(0.5, 0.12, 400)
    needed = works_needed(means)
    draws = rng.normal(0.55, means.std(ddof=1), (4000, needed))
    seen = np.abs(draws.mean(axis=1) - 0.5) > 1.96 * means.std(ddof=1) / np.sqrt(needed)
    assert seen.mean() == pytest.approx(0.8, abs=0.03)


def test_works_come_from_a_table_or_from_the_name(tmp_path: Path):
    table = tmp_path / "works.csv"
    table.write_text("file,work\nclips/a_1.mp4,Film A\nb.mp4,Film B\n", encoding="utf-8")
    assert read_works(table) == {"a_1.mp4": "Film A", "b.mp4": "Film B"}
    table.write_text("name\nx\n", encoding="utf-8")
    with pytest.raises(DataError, match="columns file and work"):
        read_works(table)


def test_clips_without_music_are_left_out_with_the_reason(
    tmp_path: Path, write_wave_file: Callable[[Path, np.ndarray], Path]
):
    rng = np.random.default_rng(2)
    time = np.arange(8 * 16_000) / 16_000
    chord = 0.1 * sum(np.sin(2 * np.pi * hz * time) for hz in (220, 277, 330))
    sounds = {"chord": chord, "noise": 0.1 * rng.normal(size=len(time)), "silence": np.zeros(len(time))}
    clips = [
        Clip(
            path=write_wave_file(tmp_path / f"{name}.wav", sound),
            source=name,
            duration_s=8.0,
            segments=cut_apart(8.0, 2),
        )
        for name, sound in sounds.items()
    ]
    kept, left_out = with_music(clips)
    assert [clip.source for clip in kept] == ["chord"]
    assert len(left_out) == 2 and left_out[0].startswith("noise.wav: ") and "dBFS" in left_out[1]


@pytest.fixture
def write_wave_file() -> Callable[[Path, np.ndarray], Path]:
    def write(path: Path, samples: np.ndarray) -> Path:
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16_000)
            out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write


def test_without_folders_one_sentence_says_what_to_give(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("sys.argv", ["eval.real", "--out", str(tmp_path / "out")])
    assert main() == 1
    assert "--clips FOLDER and --music FOLDER" in capsys.readouterr().err


def test_a_bridge_centred_on_the_shipped_reference_is_the_shipped_bridge():
    system = load_system("bridge")
    again = centred_on(system, shipped_reference()).tables
    assert again is not None and system.tables is not None
    for name in TENSORS:
        np.testing.assert_allclose(getattr(again, name), getattr(system.tables, name), atol=1e-5)


def test_statistics_of_other_works_do_not_hold_what_is_like_the_clip():
    system, whole = load_system("bridge"), shipped_reference()
    item = whole.concepts[7]
    noise = 0.05 * whole.concepts.std(axis=0) * np.random.default_rng(0).standard_normal(len(item))
    alike = _alike(whole.concepts, (item + noise)[None].astype(np.float32))
    assert alike[7] and alike.sum() <= 6
    fewer = replace(whole, concepts=whole.concepts[~alike])
    tables = centred_on(system, fewer).tables
    assert tables is not None
    rest = np.array([row for row, gone in zip(whole.concepts, alike, strict=True) if not gone])
    np.testing.assert_allclose(tables.concept_mean, rest.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(tables.concept_std, rest.std(axis=0), atol=1e-5)


def test_only_systems_with_a_bridge_are_centred_anew():
    assert has_bridge(load_system("bridge-mini")) and not has_bridge(load_system("mvbind-mini"))
    plain = load_system("mvbind-mini")
    assert centred_on(plain, shipped_reference()) is plain

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from eval.real.clips import cut_apart
from eval.real.directions import Shift
from eval.real.matching import percentiles, source_interval
from eval.real.report import agreement, as_markdown
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


def test_the_committed_report_is_rendered_from_its_results():
    import json

    folder = Path(__file__).parents[2] / "eval" / "results" / "real"
    values = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    report = (folder / "report.md").read_text(encoding="utf-8")
    command = report.split("`")[1]
    assert as_markdown(values, command) == report
    systems = {row["system"] for row in values["matching"]}
    assert {"control-mvr-mini", "mvbind-mini", "random"} <= systems

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from eval.speed.__main__ import main
from eval.speed.contest import Aim, Contest, Timing
from eval.speed.inputs import Inputs
from eval.speed.parts import PARTS, contests_of
from eval.speed.report import document, markdown
from eval.speed.rounds import CandidateFailed, Result, run_contest
from eval.speed.worker import runs, timed

MACHINE = {"processor": "p", "flags": [], "cores": 2, "memory_gb": 8, "system": "s", "python": "3", "ffmpeg": "n",
           "versions": {"av": "1"}}  # fmt: skip


def result(ours_cpu, other_cpu, *, load=0.5, **aim):
    contest = Contest(
        name="c", title="Title", work="work", ours="mvr", media_s=10.0,
        candidates={"mvr": lambda: lambda: None, "other": lambda: lambda: None}, aims=(Aim(text="aim", **aim),),
    )  # fmt: skip
    timings = {
        name: [
            Timing(wall_s=cpu * k, cpu_s=cpu * k, peak_mb=50, child_peak_mb=0, facts={"n": 3})
            for k in (3, 1, 2)
        ]
        for name, cpu in (("mvr", ours_cpu), ("other", other_cpu))
    }
    return Result(part="p", contest=contest, timings=timings, load_before=load, load_after=load)


def test_a_report_gives_minimum_median_ratio_and_multiple_of_real_time():
    report = document([result(0.5, 2.0)], MACHINE, "cmd", "2026-01-01")
    ours, other = report["contests"][0]["rows"]
    assert (ours["wall_s"]["min"], ours["wall_s"]["median"], ours["realtime"]) == (0.5, 1.0, 20.0)
    assert (other["cpu_ratio"], other["wall_ratio"]) == (4.0, 4.0)
    text = markdown(report)
    assert "`cmd` on 2026-01-01" in text and "| **mvr** | 0.5 (1) | 1.00 |" in text and "n 3" in text


@pytest.mark.parametrize(
    ("aim", "verdict"),
    [
        ({"against": "other", "cpu_ratio_at_most": 0.3}, "met"),
        ({"against": "other", "cpu_ratio_at_most": 0.2}, "not met"),
        ({"realtime_at_least": 19.0}, "met"),
        ({"realtime_at_least": 21.0}, "not met"),
        ({"wall_s_at_most": 0.4}, "not met"),
        ({"against": "other", "wall_ratio_at_most": 0.25}, "met"),
        ({"of": "other", "against": "mvr", "cpu_ratio_at_most": 3.9}, "not met"),
    ],
)
def test_aims_are_judged_by_the_smallest_times(aim, verdict):
    report = document([result(0.5, 2.0, **aim)], MACHINE, "cmd", "2026-01-01")
    assert report["contests"][0]["aims"][0]["verdict"] == verdict


def test_a_busy_machine_judges_nothing():
    report = document([result(0.5, 2.0, load=9.0, wall_s_at_most=1.0)], MACHINE, "cmd", "2026-01-01")
    assert report["contests"][0]["aims"][0]["verdict"] == "not judged"


@pytest.mark.parametrize(("peak_mb", "verdict"), [(50.0, "met"), (49.0, "not met")])
def test_memory_is_judged_on_a_busy_machine_too(peak_mb, verdict):
    report = document([result(0.5, 2.0, load=9.0, peak_mb_at_most=peak_mb)], MACHINE, "cmd", "2026-01-01")
    assert report["contests"][0]["aims"][0] == {"aim": "aim", "measured": [50], "verdict": verdict}


@pytest.mark.parametrize(
    ("aim", "verdict"),
    [
        ({"child_peak_mb_at_most": 0.0}, "met"),
        ({"against": "other", "fact": "n", "fact_ratio_at_most": 1.0}, "met"),
        ({"against": "other", "fact": "n", "fact_ratio_at_most": 0.9}, "not met"),
    ],
)
def test_sizes_are_judged_on_a_busy_machine_too(aim, verdict):
    report = document([result(0.5, 2.0, load=9.0, **aim)], MACHINE, "cmd", "2026-01-01")
    assert report["contests"][0]["aims"][0]["verdict"] == verdict


def test_a_timing_counts_work_and_keeps_facts():
    def work():
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        return {"frames": 16}

    timing = timed(work)
    assert timing.cpu_s >= 0.045 and timing.wall_s >= 0.045 and timing.facts == {"frames": 16}
    assert timing.peak_mb > 1


@pytest.mark.parametrize(("long_s", "before"), [(60.0, 1), (0.0, 0)])
def test_only_a_short_work_runs_once_before_it_is_timed(long_s, before, monkeypatch):
    monkeypatch.setattr("eval.speed.worker.LONG_S", long_s)
    done = []

    def work():
        done.append(1)
        return {"run": len(done)}

    timings = runs(work)
    assert [next(timings).facts["run"] for _ in range(2)] == [before + 1, before + 2]


def test_generated_inputs_are_the_same_every_time(tmp_path):
    from mvr.media.frames import sample_frames

    first, second = (Inputs(tmp_path / name).video("clip", seconds=1, size=(64, 36)) for name in "ab")
    np.testing.assert_array_equal(sample_frames(first, count=3).images, sample_frames(second, count=3).images)


@pytest.mark.parametrize("part", ["frames", "mux", "timing"])
def test_a_part_names_its_contests_once(part, tmp_path):
    assert part in PARTS
    names = [contest.name for contest in contests_of(part, Inputs(tmp_path, short=True))]
    assert names and len(set(names)) == len(names)


def test_a_list_and_a_long_film_are_judged_and_every_frame_of_a_short_clip_is_not(tmp_path):
    contests = {contest.name: contest for contest in contests_of("timing", Inputs(tmp_path, short=True))}
    (listed,), (film,) = contests["timing-listed-3"].aims, contests["timing-film-180"].aims
    assert (listed.cpu_ratio_at_most, film.cpu_ratio_at_most, film.against) == (1.05, 1.0, "decoded")
    assert contests["timing-clip-180"].aims == ()


def test_the_command_writes_both_reports(tmp_path, capsys):
    assert (
        main(
            [
                "--out",
                str(tmp_path),
                "--short",
                "--part",
                "mux",
                "--rounds",
                "1",
                "--inputs",
                str(tmp_path / "i"),
            ]
        )
        == 0
    )
    report = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert report["command"].startswith("python -m eval.speed --out") and report["machine"]["cores"] >= 1
    table = report["contests"][0]["rows"]
    assert next(row["candidate"] for row in table) == "mvr, picture copied"
    assert all(row["wall_s"]["min"] > 0 and row["peak_mb"] > 1 for row in table)
    assert "## Music on a clip" in (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert "## Music on a clip" in capsys.readouterr().out


def test_a_candidate_that_fails_is_named(tmp_path):
    contest = Contest(name="mux", title="t", work="w", ours="gone", candidates={"gone": lambda: lambda: None})
    with pytest.raises(CandidateFailed, match="'gone' of mux"):
        run_contest("mux", contest, Inputs(tmp_path, short=True), rounds=1)


def test_contests_of_one_table_stand_side_by_side():
    def part(title, rate):
        contest = Contest(
            name=title, title=title, work="w", ours="mvr", candidates={"mvr": lambda: None}, table="All"
        )
        facts = {"queries": 20, "build s": 1.5, "recall@10": 0.995}
        timing = Timing(wall_s=20 / rate, cpu_s=1, peak_mb=80, child_peak_mb=0, facts=facts)
        return Result(part="p", contest=contest, timings={"mvr": [timing]}, load_before=0, load_after=0)

    text = markdown(document([part("10 rows", 400), part("99 rows", 50)], MACHINE, "cmd", "2026-01-01"))
    section = text.split("## All")[1].split("\n## ")[0]
    assert "|  | candidate | build s | recall@10 | queries/s | peak MB, mapped files included |" in section
    assert "| 10 rows | **mvr** | 1.5 | 0.995 | 400 | 80 |" in section
    assert "| 99 rows | **mvr** | 1.5 | 0.995 | 50 | 80 |" in section


@pytest.mark.slow
def test_a_store_is_indexed_and_searched_by_every_candidate_with_the_recall_it_says(tmp_path):
    from eval.speed.index_large import QUERIES

    contest = next(contests_of("index-large", Inputs(tmp_path, short=True)))
    assert contest.ours == "mvr flat" and len(contest.candidates) >= 4
    for name, prepare in contest.candidates.items():
        facts = prepare()()
        assert facts["queries"] == QUERIES and facts["build s"] > 0
        assert facts["recall@10"] >= (
            1.0 if name in ("mvr flat", "numpy exact", "usearch exact") else 0.95
        ), name


def test_bulk_embedding_tells_files_a_second_and_the_share_of_decoding(tmp_path):
    contest = next(contests_of("extract", Inputs(tmp_path, short=True)))
    ones = [Timing(wall_s=w, cpu_s=c, peak_mb=1, child_peak_mb=1, facts={"files": 12})
            for w, c in ((3.0, 5.5), (5.0, 5.0), (2.0, 2.0))]  # fmt: skip
    timings = dict(
        zip(
            ("2 processes", "1 process", "decoding alone, in one process"),
            [[one] for one in ones],
            strict=True,
        )
    )
    report = document(
        [Result(part="extract", contest=contest, timings=timings, load_before=0, load_after=0)],
        MACHINE,
        "c",
        "d",
    )
    rows = {row["candidate"]: row["facts"] for row in report["contests"][0]["rows"]}
    assert rows["2 processes"]["files/s"] == 4.0 and rows["1 process"]["files/s"] == 2.4
    assert rows["2 processes"]["efficiency"] == pytest.approx(5 / 6)
    assert rows["decoding alone, in one process"]["share of 1 process"] == 0.4


@pytest.mark.slow
def test_bulk_embedding_and_decoding_do_the_same_files(tmp_path):
    contest = next(contests_of("extract", Inputs(tmp_path, short=True)))
    decoding, two = (contest.candidates[name]() for name in ("decoding alone, in one process", "2 processes"))
    assert decoding() == two() == {"files": 2}

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eval.timing import trackers
from eval.timing.cuts import Count, thumbs_of
from eval.timing.films.joined import single_shots
from eval.timing.films.shots import RATE_FPS, paint_film
from eval.timing.offsets import Clip, find_clips, measure_offsets, windows
from eval.timing.outcomes import Outcome, summary, within
from eval.timing.report import _worth, write_report
from eval.timing.verdicts import verdicts
from mvr.errors import UsageError
from mvr.signal.picture import Watcher, points_of_thumb


def outcome(work: str, percentile: float, hit: float, sound: str = "") -> Outcome:
    rows = np.full(9, percentile, np.float32), np.full(9, hit, np.float32)
    return Outcome(work=work, sound=sound or work, clip=f"{work}.mp4", percentile=rows[0], hit=rows[1])


def test_works_are_the_manifests_column_or_else_the_stem(tmp_path):
    for name in ("a.mp4", "b.webm", "sub/c.MKV", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert sorted(find_clips(tmp_path).values()) == ["a", "b", "c"]
    (tmp_path / "manifest.csv").write_text("file,work\na.mp4,bunny\nsub/c.MKV,bunny\n", encoding="utf-8")
    assert sorted(find_clips(tmp_path).values()) == ["b", "bunny", "bunny"]


def test_a_folder_without_clips_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="no video files"):
        find_clips(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        find_clips(tmp_path / "nowhere")


def test_every_work_weighs_the_same_however_many_windows_it_has():
    own = [outcome("long", 1.0, 1.0)] * 9 + [outcome("short", 0.0, 0.0)]
    document = summary(own, [outcome("long", 0.5, 0.0), outcome("short", 0.5, 0.2)])
    assert (document["works"], document["clips"], document["windows"]) == (2, 2, 10)
    assert document["percentile"] == document["best_tenth"] == 0.5
    assert document["interval"] == [0.0, 1.0] and document["control_best_tenth"] == pytest.approx(0.1)


def test_words_are_worth_how_often_they_are_true_and_how_seldom_foreign_music_earns_them():
    def told(hit: float, words: str, off_s: float) -> Outcome:
        return dataclasses.replace(outcome("a", 0.5, hit), told=(words, off_s))

    own = [told(1.0, "stands out", 0.4), told(0.0, "stands out", -7.0), told(0.0, "better than most", 0.6)]
    foreign = [told(0.0, "better than most", 9.0)] * 3 + [told(0.0, "stands out", 3.0)]
    document = summary(own, foreign)
    most, stands = document["words"]
    assert (stands["words"], stands["windows"], stands["found"], stands["best_tenth"]) == (
        "stands out",
        2,
        0.5,
        0.5,
    )
    assert (stands["said"], stands["said_of_foreign"]) == (pytest.approx(2 / 3, abs=1e-4), 0.25)
    assert (most["windows"], most["found"], most["said_of_foreign"]) == (1, 0.0, 0.75)
    assert "| strict | stands out | 2 | 0.667 | 0.500 | 0.500 | 0.250 |" in _worth({"strict": document})
    assert "words" not in summary([outcome("a", 0.5, 1.0)], [])


def test_a_set_of_works_keeps_no_sound_of_another_set():
    own, foreign = outcome("a", 1.0, 1.0), [outcome("a", 0.5, 0.0, "b"), outcome("a", 0.5, 1.0, "c")]
    assert within([own, *foreign], {"a", "b"}) == [own, foreign[0]]
    assert within([own, *foreign], {"b", "c"}) == []


def test_two_variants_are_compared_work_by_work():
    rows = [outcome(work, percentile, hit) for work, percentile, hit in (("a", 0.2, 0.0), ("b", 0.9, 1.0))]
    for (
        each
    ) in rows:  # the plain sum is as much worse in either: that is sure, though the works differ widely
        each.percentile[5] -= 0.1
    document = summary(rows, [])
    assert document["sum_less_five"]["interval"] == pytest.approx([0.1, 0.1], abs=1e-4)
    assert document["interval"] == pytest.approx([0.2, 0.9], abs=1e-4)
    assert document["variants"]["sum of five"]["percentile"] == pytest.approx(0.45, abs=1e-4)


def test_no_clip_gives_a_document_that_says_so():
    assert summary([], [])["works"] == 0


def test_windows_are_whole_steps_and_a_short_rest_is_left_out():
    assert windows(0.0, 70.4) == [(0.0, 30.0), (30.0, 60.0), (60.0, 70.25)]
    assert windows(2.0, 36.0) == [(2.0, 32.0)]
    assert windows(0.0, 7.9) == []


def test_a_cut_is_hit_once_and_false_alarms_are_counted():
    count = Count()
    count.add(np.array([1.0, 2.0]), np.array([1.01, 1.02, 5.0]))
    assert (count.hits, count.false, count.missed) == (1, 2, 1) and count.f1 == pytest.approx(0.4)
    assert Count().f1 is None


@pytest.mark.parametrize(("spec", "missing"), [(None, ["madmom-infer HMM"]), (object(), [])])
def test_a_tracker_that_is_not_installed_is_named_instead_of_measured(monkeypatch, spec, missing):
    monkeypatch.setattr(trackers, "find_spec", lambda module: spec)
    present, absent = trackers.present_trackers()
    assert absent == missing and list(present) == [
        "mvr",
        "librosa",
        *([] if missing else ["madmom-infer HMM"]),
    ]


def test_stretches_with_a_cut_of_their_own_are_not_joined():
    rng = np.random.default_rng(9)
    whole, cut = paint_film("plain", rng, 1, length=31), paint_film("plain", rng, 2, length=16)
    assert len(single_shots(whole.frames)) == 1 and single_shots(cut.frames) == []


def test_a_miss_says_what_would_settle_it_and_a_form_whose_control_fails_does_not_count():
    own = [outcome(str(n), 0.6, float(n % 3 == 0)) for n in range(9)]
    document = summary(own, [outcome(str(n), 0.9, 1.0, "x") for n in range(9)])
    text = verdicts(document | {"strict": summary(own[:1], [])})
    circular, strict = text.strip().split("\n\n")
    assert "of 9 works; wanted 0.40 and 0.2: missed; about" in circular and "works like these" in circular
    assert circular.endswith(
        "Foreign sounds: 1.00 [1.00, 1.00], not as chance (0.105) does: this form does not count."
    )
    assert (
        "of 1 work; wanted 0.30 and 0.105: so few works tell nothing" in strict
        and "Foreign sounds: none" in strict
    )


def test_a_window_may_begin_with_a_cut():
    """The row that a window begins with still tells how far it lies from the frame before the window."""
    frames = np.concatenate(
        [paint_film("plain", np.random.default_rng(seed), 1, length=300).frames for seed in (1, 2)]
    )
    watcher = Watcher()
    for number, thumb in enumerate(thumbs_of(frames)):
        watcher.see(number / RATE_FPS, points_of_thumb(thumb))
    cut_s, end_s = 300 / RATE_FPS, 599 / RATE_FPS
    clip = Clip(name="a", work="a", changes=watcher.changes(), samples=np.zeros(1, np.float32), end_s=end_s)
    assert clip.film(0.0, end_s).cuts_s == pytest.approx([cut_s])
    assert len(clip.film(cut_s, end_s).cuts_s) == 0


def test_a_folder_of_which_no_clip_can_be_used_says_why_of_each(tmp_path, make_clip):
    make_clip(tmp_path / "mute.mp4", seconds=2.0)
    (tmp_path / "text.mp4").write_text("no film")
    document = measure_offsets(tmp_path, lambda line: None)
    text = write_report({"real_offset": document}, tmp_path)
    assert "Not measured: no clip could be used." in text
    assert "left out: mute.mp4: the file has no sound" in text and "left out: text.mp4" in text

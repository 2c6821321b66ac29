from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from eval.timing.planted import Follows, hear_source, plant
from mvr.timing.film import FilmTiming, film_timing
from mvr.timing.music import MusicTiming, measure_music, nearest, strongest_apart
from mvr.timing.placing.cuts import cuts_on_beats
from mvr.timing.placing.pictures import Pictures, picture_curves
from mvr.timing.placing.places import Placing, near_beats, place_tracks, words_of
from mvr.timing.placing.pulses import Pulses, beat_nearness
from mvr.timing.placing.sliding import STEP_S, Slide, score_starts
from mvr.timing.placing.sounds import sound_curves
from mvr.timing.store import VERSION, TimingStore, pack, unpack


def a_track(seconds: int = 40, seed: int = 0) -> MusicTiming:
    rng = np.random.default_rng(seed)
    bins = seconds * 8
    return dataclasses.replace(
        measure_music(np.zeros(22_050, np.float32)),
        duration_s=float(seconds), beats_s=np.arange(0.1, seconds, 0.5), downbeats_s=np.arange(0.1, seconds, 2.0),
        tempo_bpm=120.0, loudness_db=rng.normal(-20, 4, bins).astype(np.float32),
        onset=rng.gamma(1, 1, bins).astype(np.float32), novelty=rng.random((3, bins)).astype(np.float32),
        strokes=rng.normal(0, 1, 4 * bins).astype(np.float32),
    )  # fmt: skip


def a_film(seconds: int = 10, seed: int = 1, cuts: int = 5) -> FilmTiming:
    rng = np.random.default_rng(seed)
    return FilmTiming(
        duration_s=float(seconds), cuts_s=np.sort(rng.uniform(0, seconds, cuts)), fades_s=(), flashes_s=np.zeros(0),
        energy=rng.random(seconds * 8).astype(np.float32), novelty=rng.random((3, seconds * 8)).astype(np.float32),
        motion=rng.normal(0, 1, 32 * seconds).astype(np.float32),
    )  # fmt: skip


@pytest.fixture(scope="module")
def source():
    return hear_source("rock", 83_000)


@pytest.fixture(scope="module")
def planted(source):
    return plant(source, 83_000, Follows())


def test_a_corrupted_film_is_as_long_as_asked_begins_inside_the_trimmed_track_and_moves_less(source):
    whole, half = (plant(source, 3, Follows(film_s=4.0, hidden=hidden), 20.0) for hidden in (0.0, 0.5))
    assert whole.start_s == half.start_s and 20.0 <= half.start_s <= 60.0 - 20.0 - 4.0
    change = [float(np.expm1(planted.film.energy).mean()) for planted in (whole, half)]
    assert (
        len(half.film.energy) == 32 and 0.3 < change[1] / change[0] < 0.7
    )  # half of the picture stands still


def test_where_evidence_is_too_little_strokes_that_meet_lean_the_sum():
    film, track = a_film(), a_track(14)
    starts = score_starts(film, [track])
    met = starts.meeting.correlation[0]
    lean = (starts.settles - starts.meeting.evidence)[0]
    np.testing.assert_allclose(lean, 0.5 * (met - met.mean()) / met.std(), atol=1e-4)


def test_the_stretch_that_a_film_was_painted_to_is_found(planted):
    total = score_starts(planted.film, [planted.track]).total[0]
    assert abs(int(total.argmax()) * STEP_S - planted.start_s) <= 0.5
    [placing] = place_tracks(planted.film, [planted.track], [(0.0, planted.track.duration_s)])
    assert placing.start_s == pytest.approx(planted.start_s, abs=0.05) and placing.words == "stands out"


def test_chance_seldom_stands_out_however_many_starts_it_has():
    rng, told = np.random.default_rng(9), []
    for starts in (20, 200, 2000):
        scores = rng.normal(size=(400, starts))
        peaks = (scores.max(axis=1) - scores.mean(axis=1)) / scores.std(axis=1)
        told.append(np.mean([words_of(float(peak), starts) == "stands out" for peak in peaks]))
    assert max(told) < 0.1  # 2.5 deviations are passed by 93 % of 200 and by all of 2,000
    assert words_of(4.2, 200) == "stands out"


def test_evidence_of_meeting_equals_the_slow_loop():
    film, track = a_film(), a_track(14)
    found = score_starts(film, [track]).meeting
    motion = (film.motion - film.motion.mean()) / film.motion.std()
    shares, windows = [], 4 * 14 * 8 - 320 + 1
    for first in range(windows):
        window = track.strokes[first : first + 320]
        shares.append(np.mean(motion * window) / np.sqrt(window.std() ** 2 + 0.09))
    for start in range(len(found.evidence[0])):
        near = [(shares[at], at) for at in range(8 * start - 4, 8 * start + 5) if 0 <= at < len(shares)]
        best, at = max(near)
        nats = -0.5 * 10 * 10 * np.log(1 - max(best, 0) ** 2) - np.log(10 / 32 * windows) - 3
        assert found.evidence[0, start] == pytest.approx(2 * np.log1p(np.exp(nats)), abs=1e-3)
        if best > 0.01:
            assert found.later_s(0, start) == pytest.approx(at / 32 - start / 4)


def test_the_same_meeting_is_less_evidence_among_more_starts():
    film, track = a_film(), a_track(20)
    track.strokes[160:480] = film.motion  # 5 s in
    longer = dataclasses.replace(
        a_track(60), strokes=np.concatenate([track.strokes, a_track(40, seed=7).strokes])
    )
    short, long = (score_starts(film, [each]).meeting.evidence[0, 20] for each in (track, longer))
    windows = 4 * 20 * 8 - 320 + 1, 4 * 60 * 8 - 320 + 1
    assert short > 100  # what is far over 0 is 2 for each nat
    assert (short - long) / 2 == pytest.approx(np.log(windows[1] / windows[0]), abs=1e-3)


def test_a_picture_that_does_not_move_with_the_music_is_placed_by_the_five_curves_alone():
    still = dataclasses.replace(a_film(), motion=np.zeros(320, np.float32))
    starts = score_starts(still, [a_track()])
    np.testing.assert_allclose(starts.total, starts.five, atol=1e-5)


def test_correlations_equal_the_slow_loop():
    film, track = a_film(), a_track()
    starts = score_starts(film, [track])
    picture, sound = picture_curves(film), sound_curves([track])[:, 0]
    slow = [float(np.mean(picture[1] * sound[1][start : start + 80])) for start in range(0, 320 - 80 + 1, 2)]
    expected = (np.array(slow) - np.mean(slow)) / np.std(slow)
    np.testing.assert_allclose(starts.scores[1, 0], expected, atol=1e-3)


def test_moments_that_are_not_new_at_all_are_the_least_new_ones_and_ends_are_neutral():
    from mvr.timing.placing.sounds import sound_curves

    rng, tracks = np.random.default_rng(6), [a_track(40, 1), a_track(30, 2)]
    for number, track in enumerate(tracks):
        bins = len(track.onset)
        novelty = np.zeros((3, bins), np.float32)
        for row, half in zip(novelty, (4, 16, 32), strict=True):
            row[half : bins - half + 1] = rng.uniform(0.1, 1, bins - 2 * half + 1)
        novelty[:, 100:120] = 0  # as alike across as within: the kernel finds nothing new
        tracks[number] = dataclasses.replace(track, novelty=novelty)
    new = sound_curves(tracks)[2]
    for row, track in zip(new, tracks, strict=True):
        bins = len(track.onset)
        assert row[100:120].max() < np.delete(row[:bins], np.arange(100, 120)).min()
        assert not row[:4].any() and not row[bins - 3 :].any()


def test_many_tracks_of_many_lengths_are_the_tracks_one_by_one():
    film, tracks = a_film(), [a_track(seconds, seed) for seed, seconds in enumerate((40, 25, 61, 9))]
    together = score_starts(film, tracks)
    for row, track in enumerate(tracks):
        alone = score_starts(film, [track])
        count = int(alone.counts[0])
        assert together.counts[row] == count
        np.testing.assert_allclose(together.total[row, :count], alone.total[0, :count], atol=2e-3)


@pytest.mark.parametrize("cuts", [0, 1, 5])
def test_a_clip_with_other_cuts_scores_as_a_clip_of_its_own(cuts):
    film, tracks = a_film(cuts=cuts), [a_track(seconds, seconds) for seconds in (40, 25, 9, 3)]
    others_s = [np.sort(np.random.default_rng(seed).uniform(0, 10, cuts)) for seed in range(2)]
    totals, meeting = Slide(tracks, 80).totals(Pictures(film, others_s))
    for total, cuts_s in zip(totals, [film.cuts_s, *others_s], strict=True):
        own = score_starts(dataclasses.replace(film, cuts_s=cuts_s), tracks)
        np.testing.assert_allclose(total, own.total, atol=2e-5)
        np.testing.assert_array_equal(meeting.evidence, own.meeting.evidence)


def test_a_list_takes_its_memory_once_not_block_by_block():
    code = (
        "from resource import RUSAGE_SELF, getrusage\n"
        "from mvr.timing.placing.places import place_tracks\n"
        "from tests.timing.test_placing import a_film, a_track\n"
        "tracks, parts = [a_track(120, seed % 3) for seed in range(144)], [(0.0, 60.0)] * 144\n"
        "for _ in range(2):\n"
        "    before = getrusage(RUSAGE_SELF).ru_minflt\n"
        "    place_tracks(a_film(20), tracks, parts, draws=0)\n"
        "    print(getrusage(RUSAGE_SELF).ru_minflt - before)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(said.stdout.split()[1]) < 1_000  # pages; 4,850 before


def test_a_start_stays_within_the_part_that_content_chose():
    film, tracks = a_film(), [a_track(60, seed) for seed in range(8)]
    for placing in place_tracks(film, tracks, [(20.0, 30.0)] * 8):
        assert 20.0 - STEP_S / 2 <= placing.start_s <= 30.0


def test_a_still_clip_says_that_it_cannot_be_placed_and_moves_nothing():
    still = dataclasses.replace(
        a_film(cuts=0), energy=np.zeros(80, np.float32), novelty=np.zeros((3, 80), np.float32)
    )
    [placing] = place_tracks(still, [a_track()], [(12.0, 22.0)])
    assert placing.start_s == 12.0 and placing.peak is None and "cannot be placed" in placing.words


def test_a_track_shorter_than_the_clip_starts_where_content_says():
    [placing] = place_tracks(a_film(20), [a_track(9)], [(3.0, 9.0)])
    assert placing.start_s == 3.0 and placing.peak is None
    assert placing.words == "the track is shorter than the clip"
    [placing] = place_tracks(a_film(20), [a_track(21)], [(0.5, 9.0)])
    assert placing.start_s == 0.5 and placing.words == "the track is hardly longer than the clip"


def test_cuts_near_beats_are_counted_beside_random_ones():
    track = a_track()
    film = dataclasses.replace(a_film(), cuts_s=np.array([0.1, 1.1, 2.35, 4.6]))
    assert near_beats(film.cuts_s, track.beats_s, 0.0) == 0.75
    [placing] = place_tracks(film, [track], [(0.0, 30.0)])
    assert placing.near_beats is not None and 0 <= placing.near_beats_random <= 1


def test_the_start_near_another_that_brings_most_cuts_on_beats_is_the_best_of_all_tried_one_by_one():
    beats = np.cumsum(
        np.random.default_rng(2).uniform(0.1, 0.8, 80)
    )  # some so close that their surroundings meet
    film, track = a_film(seed=4, cuts=9), dataclasses.replace(a_track(), beats_s=beats)
    for near_s, reach_s in ((3.0, 10.0), (17.304, 10.0), (29.0, 10.0), (12.0, 1.5)):
        found = cuts_on_beats(film, track, near_s, reach_s)
        tried = np.arange(max(0.0, near_s - reach_s), min(30.0, near_s + reach_s) + 1e-9, 0.001)
        away_s = Pulses([beats], 40.0).distances(film.cuts_s + tried[:, None, None])[:, 0]
        counts = np.count_nonzero(away_s < 0.0795, axis=1)
        best = tried[counts == counts.max()]
        assert found.share == pytest.approx(counts.max() / 9) == near_beats(film.cuts_s, beats, found.start_s)
        assert round(found.start_s, 3) == found.start_s <= 30.0
        assert abs(found.start_s - near_s) == pytest.approx(np.abs(best - near_s).min(), abs=0.0021)
    film, track = a_film(seed=4, cuts=9), a_track()
    cuts = dataclasses.replace(film, cuts_s=np.arange(0.35, 9, 1.0))  # a quarter of a second off all beats
    moved = cuts_on_beats(cuts, track, 3.0)
    assert moved.share == 1.0 and abs(moved.start_s - 3.0) == pytest.approx(0.171, abs=0.001)
    assert 0 < moved.random < 1


@pytest.mark.parametrize("clip, track", [(a_film(cuts=1), a_track()), (a_film(20), a_track(20))])
def test_a_clip_of_one_cut_and_a_track_as_long_as_the_clip_are_not_moved_to_beats(clip, track):
    assert cuts_on_beats(clip, track, 0.0) is None


def test_distances_to_beats_are_those_of_each_track_alone():
    rng = np.random.default_rng(6)
    beats = [np.sort(rng.uniform(0, 50, count)) for count in (40, 0, 1, 7)]
    times = np.sort(rng.uniform(0, 90, (4, 30)))
    found = Pulses(beats, 90.0)
    for row, own in enumerate(beats):
        expected = np.abs(times[row][:, None] - own).min(axis=1) if len(own) else np.full(30, np.nan)
        np.testing.assert_allclose(found.distances(times)[row], expected, atol=1e-9)
    moments = (np.arange(4 * 400) + 0.5) / 32
    near = beat_nearness(beats, len(moments))
    for row, own in enumerate(beats):
        slow = np.exp(-0.5 * (np.abs(moments[:, None] - own).min(axis=1, initial=np.inf) / 0.08) ** 2)
        np.testing.assert_allclose(near[row], slow, atol=1e-5)
    assert not Pulses([], 1.0).shares(np.zeros((0, 3))).size


def placed_slowly(
    film: FilmTiming, track: MusicTiming, part: tuple[float, float]
) -> tuple[float, list[float]]:
    """Start and best places of one track, as the words of `Placing` say it; from none of them does it end too soon."""
    latest_s = track.duration_s - film.duration_s
    starts = score_starts(film, [track])
    total = starts.total[0, : starts.counts[0]]
    places = [min(place * STEP_S, latest_s) for place in strongest_apart(total, round(2 / STEP_S), 3, 0.0)]
    inside = [n for n in range(len(total)) if part[0] - 1e-6 <= n * STEP_S < part[1]] or [len(total) - 1]
    best = max(inside, key=lambda n: total[n])
    if total[best] <= 1:
        return min(part[0], (len(total) - 1) * STEP_S), places
    if starts.meeting.evidence[0, best] > 4:
        exact_s = best * STEP_S + starts.meeting.later_s(0, best)
        return float(np.clip(exact_s, 0, (len(total) - 1) * STEP_S)), places
    beat = nearest(track.beats_s, best * STEP_S)

    def nearness(start_s: float) -> float:
        distance = np.abs(film.cuts_s[:, None] + start_s - track.beats_s).min(axis=1)
        return float(np.exp(-0.5 * (distance / 0.08) ** 2).mean())

    if beat is None or abs(beat - best * STEP_S) > STEP_S / 2 or beat > latest_s:
        return best * STEP_S, places
    return (beat if nearness(beat) >= nearness(best * STEP_S) - 1e-9 else best * STEP_S), places


def test_a_list_is_placed_as_its_tracks_one_by_one_and_slowly():
    film, moving = a_film(), a_film().motion
    tracks = [a_track(seconds, seed) for seed, seconds in enumerate((40, 25, 61, 13) * 10)]
    for number, track in enumerate(
        tracks
    ):  # every third one moves with the picture, every fifth has no beats
        if number % 3 == 0:
            track.strokes[200 : 200 + len(moving)] += 3 * moving[: len(track.strokes) - 200]
        if number % 5 == 0:
            tracks[number] = dataclasses.replace(track, beats_s=np.zeros(0))
    rng = np.random.default_rng(2)
    parts = [(first, first + length) for first, length in rng.uniform((0, 1), (30, 12), (40, 2)).tolist()]
    together = place_tracks(film, tracks, parts)
    for track, part, placing in zip(tracks, parts, together, strict=True):
        start_s, places = placed_slowly(film, track, part)
        assert placing.start_s == pytest.approx(start_s, abs=1e-6)
        np.testing.assert_allclose(placing.places_s, places, atol=1e-9)
        assert placing.near_beats == near_beats(film.cuts_s, track.beats_s, placing.start_s)
        assert (placing.near_beats_random is None) == (len(track.beats_s) < 2)


def test_no_start_lets_a_track_end_before_the_clip_which_would_start_it_over():
    film = a_film(10)
    tracks = [dataclasses.replace(a_track(21, seed), duration_s=20.68) for seed in range(60)]
    for placing in place_tracks(film, tracks, [(8.0, 20.68)] * len(tracks)):
        assert max(placing.start_s, *placing.places_s) <= 10.68


def test_where_a_track_starts_over_cuts_under_its_first_run_count():
    film, track = (
        a_film(20),
        a_track(13),
    )  # beats at 0.1, 0.6, ...; from 3.1 s on the first run sounds for 8.9 s
    cuts_s = np.array([1.0, 4.25, 8.5, 12.0, 15.5])
    [placing] = place_tracks(dataclasses.replace(film, cuts_s=cuts_s), [track], [(3.1, 13.0)])
    assert placing.near_beats == pytest.approx(2 / 3)
    [placing] = place_tracks(dataclasses.replace(film, cuts_s=cuts_s[3:]), [track], [(3.1, 13.0)])
    assert placing.near_beats is None


def test_a_number_that_rounds_to_nothing_has_no_minus():
    placing = Placing(start_s=0.0, peak=-0.0003, words=words_of(-0.0003, 200))
    assert "-0" not in placing.told and "-0.0" not in json.dumps(placing.to_json())


def test_silence_and_one_frame_are_placed_without_an_error():
    silent = measure_music(np.zeros(22_050 * 30, np.float32))
    from mvr.signal.picture import Watcher

    watcher = Watcher()
    watcher.see(0.0, np.zeros((6, 27, 48), np.uint8))
    placings = place_tracks(film_timing(watcher.changes()), [silent, a_track()], [(5.0, 15.0)] * 2)
    assert [placing.start_s for placing in placings] == [5.0, 5.0]


@pytest.mark.parametrize("sound", ["silence", "one voltage", "a tone", "hiss"])
def test_music_that_sounds_the_same_throughout_cannot_be_placed_and_is_not_moved(sound):
    """What the ends of its file leave in its curves is no music; of one voltage it stood out by four deviations."""
    time = np.arange(20 * 22_050) / 22_050
    samples = {
        "silence": 0 * time, "one voltage": 0 * time + 0.4, "a tone": 0.3 * np.sin(2 * np.pi * 440 * time),
        "hiss": np.sign(np.random.default_rng(1).standard_normal(len(time))),
    }[sound]  # fmt: skip
    music = measure_music(samples.astype(np.float32))
    inside, late = place_tracks(a_film(), [music, music], [(4.0, 14.0), (12.0, 20.0)])
    assert "cannot be placed" in inside.words and inside.peak is None and inside.places_s == ()
    assert (inside.start_s, late.start_s) == (4.0, 10.0)
    assert "cannot" not in place_tracks(a_film(), [a_track()], [(4.0, 14.0)])[0].words


def test_a_start_is_the_one_that_is_told_and_so_is_what_it_brings():
    """A clip of 25 frames a second over beats of half a second has cuts at exactly 80 ms from a beat."""
    track = dataclasses.replace(a_track(), beats_s=0.36836 + 0.5 * np.arange(79))
    film = dataclasses.replace(a_film(), cuts_s=np.array([2.0, 3.52, 5.08, 8.04]))
    [placing] = place_tracks(film, [track], [(0.0, 40.0)])
    assert placing.start_s == round(placing.start_s, 3)
    assert placing.near_beats == near_beats(film.cuts_s, track.beats_s, round(placing.start_s, 3))


def test_what_is_stored_comes_back_and_damage_is_measured_anew(tmp_path):
    track, film = a_track(), a_film()
    for timing in (track, film):
        again = unpack(pack(timing), type(timing))
        for field in dataclasses.fields(timing):
            stored, given = getattr(again, field.name), getattr(timing, field.name)
            np.testing.assert_allclose(np.array(stored, float), np.array(given, float), rtol=2e-3, atol=2e-3)
    store = TimingStore(tmp_path)
    store.put("ab" * 32, track)
    assert TimingStore(tmp_path).music("ab" * 32).tempo_bpm == 120.0
    file = next(tmp_path.rglob("*.npz"))
    whole = file.read_bytes()
    for damaged in (b"damaged", b"", whole[:-30], whole[:40] + b"\0" * 30 + whole[70:]):
        file.write_bytes(damaged)
        assert TimingStore(tmp_path).music("ab" * 32) is None
        assert not TimingStore(tmp_path).holds("ab" * 32, "music")
    store.put("cd" * 32, film, on_disk=False)
    assert store.film("cd" * 32) is film and TimingStore(tmp_path).film("cd" * 32) is None


def test_what_a_library_lacks_is_found_without_unpacking_what_it_has(tmp_path, monkeypatch):
    TimingStore(tmp_path).put("ab" * 32, a_track())
    monkeypatch.setattr(
        "mvr.timing.store.unpack", lambda *_: pytest.fail("a large library takes half a minute so")
    )
    store = TimingStore(tmp_path)
    assert [
        store.holds(content * 32, kind)
        for content, kind in (("ab", "music"), ("ab", "film"), ("cd", "music"))
    ] == [
        True,
        False,
        False,
    ]
    monkeypatch.setattr("mvr.timing.store.VERSION", VERSION + 1)
    assert not store.holds("ab" * 32, "music"), "measured anew"


def test_a_library_that_is_gone_is_not_made_again_by_what_was_still_being_measured(tmp_path):
    store = TimingStore(tmp_path / "visit" / "library" / "timing")
    store.put("ab" * 32, a_track())
    assert not (tmp_path / "visit").exists() and store.music("ab" * 32) is not None

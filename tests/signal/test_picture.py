from __future__ import annotations

import numpy as np
import pytest

from eval.timing.cuts import adaptive_cuts, compare_cuts, our_cuts, quiet_windows, thumbs_of
from eval.timing.shots import RATE_FPS, draw_films, paint_shot
from mvr.signal.picture import Watcher, find_cuts, find_fades, find_flashes


def changes_of(frames: np.ndarray):
    watcher = Watcher()
    for number, thumb in enumerate(thumbs_of(frames)):
        watcher.see(number / RATE_FPS, thumb)
    return watcher.changes()


def shot(seed: int, length: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(paint_shot(rng, length, rng.uniform(10, 245, (3, 3))), 0, 255).astype(np.uint8)


def test_cuts_are_found_to_the_frame():
    frames = np.concatenate([shot(1), shot(2, 25), shot(3)])
    np.testing.assert_allclose(our_cuts(frames), [30 / RATE_FPS, 55 / RATE_FPS])


def test_cuts_are_found_better_than_by_pyscenedetect():
    counts = compare_cuts(draw_films(1, seed=81, shots=6))
    assert counts["mvr"]["all"]["f1"] > 0.9
    assert counts["mvr"]["all"]["f1"] > counts["AdaptiveDetector"]["all"]["f1"]


def test_windows_of_one_shot_have_no_cut():
    assert sum(len(our_cuts(film.frames)) for film in quiet_windows(48, seed=82)) == 0


def test_the_rival_finds_a_plain_cut_too():
    np.testing.assert_allclose(adaptive_cuts(np.concatenate([shot(1), shot(2)])), [30 / RATE_FPS])


def test_a_flash_is_a_flash_and_no_cut():
    frames = shot(4, 40)
    frames[20:22] = 250
    changes = changes_of(frames)
    assert len(find_cuts(changes)) == 0
    np.testing.assert_allclose(find_flashes(changes), [20 / RATE_FPS])


def test_a_fade_through_black_is_a_fade_and_no_cut():
    out, into = shot(5, 40).astype(float), shot(6, 40).astype(float)
    ramp = np.linspace(1, 0, 12)[:, None, None, None]
    out[-12:], into[:12] = out[-12:] * ramp, into[:12] * ramp[::-1]
    changes = changes_of(np.concatenate([out, into]).astype(np.uint8))
    assert len(find_cuts(changes)) == 0
    [(start, end)] = find_fades(changes)
    assert start < 40 / RATE_FPS < end


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_frames_and_a_still_picture_change_nothing(count):
    changes = changes_of(np.full((max(count, 1), 72, 128, 3), 90, np.uint8)[:count])
    assert len(find_cuts(changes)) == len(find_fades(changes)) == len(find_flashes(changes)) == 0


def test_a_frame_that_is_not_later_is_left_out():
    watcher = Watcher()
    for time_s in (0.0, 0.04, 0.04, 0.02, 0.08):
        watcher.see(time_s, np.zeros((27, 48, 3), np.uint8))
    np.testing.assert_allclose(watcher.changes().times_s, [0.0, 0.04, 0.08])

from __future__ import annotations

import numpy as np
import pytest

from eval.timing.cuts import thumbs_of
from eval.timing.films.shots import RATE_FPS, paint_shot
from mvr.signal.cuts import find_cuts
from mvr.signal.picture import LAGS, Watcher, find_fades, find_flashes, points_of_thumb


def changes_of(frames: np.ndarray):
    watcher = Watcher()
    for number, thumb in enumerate(thumbs_of(frames)):
        watcher.see(number / RATE_FPS, points_of_thumb(thumb))
    return watcher.changes()


def shot(seed: int, length: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(paint_shot(rng, length, rng.uniform(10, 245, (3, 3))), 0, 255).astype(np.uint8)


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
        watcher.see(time_s, np.zeros((6, 27, 48), np.uint8))
    np.testing.assert_allclose(watcher.changes().times_s, [0.0, 0.04, 0.08])


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """As the module's docstring says it, of two points (6, 27, 48)."""
    small = [
        np.stack([each[:4].astype(int).sum(axis=0) // 4, *each[4:].astype(int)]) for each in (one, other)
    ]
    level = [each[0].mean() for each in small]
    layout = [each[0] - mean for each, mean in zip(small, level, strict=True)]
    moved = np.abs(layout[1] - layout[0]).mean() + 0.25 * abs(level[1] - level[0])
    colour = np.abs(small[1][1:, ::2, ::2] - small[0][1:, ::2, ::2]).mean()
    return (moved + colour) / (4.0 + sum(np.abs(each).mean() for each in layout))


def test_frames_are_compared_across_blocks_wherever_a_cut_may_be():
    rng = np.random.default_rng(8)
    shots = [rng.integers(0, 256, (6, 27, 48)) for _ in range(3)]
    film = np.stack([shots[0]] * 61 + [shots[1]] * 40 + [shots[2]] * 60) + rng.integers(
        -9, 10, (161, 6, 27, 48)
    )
    film = np.clip(film, 0, 255).astype(np.uint8)
    watcher = Watcher()
    for number, points in enumerate(film):
        watcher.see(number / 25, points)
    changes = watcher.changes()
    np.testing.assert_allclose(find_cuts(changes), [61 / 25, 101 / 25])
    np.testing.assert_allclose(
        changes.distances[1:, 0], [distance(*film[row - 1 : row + 1]) for row in range(1, 161)], rtol=1e-5
    )
    for row in range(61, 61 + LAGS):  # the second block begins at 64
        for lag in range(row - 60, LAGS + 1):
            assert changes.distances[row, lag - 1] == pytest.approx(
                distance(film[row - lag], film[row]), rel=1e-5
            )
    luma = film[:, :4].astype(int).sum(axis=1) // 4
    np.testing.assert_allclose(changes.luma, luma.mean(axis=(1, 2)), rtol=1e-6)
    for row in (0, 63, 64, 70, 160):
        np.testing.assert_allclose(changes.features[row], features(luma[row], *film[row, 4:]), rtol=1e-6)


def features(*planes: np.ndarray) -> list[float]:
    """Of each cell of a 3 x 3 grid, every third column: means of luma, Cb, Cr (27, 48) and of steps left and up."""
    every = [plane[:, 1:45:3].astype(float) for plane in planes]
    edges = np.zeros((27, 15))
    edges[:, 1:] += np.abs(np.diff(every[0], axis=1))
    edges[1:] += np.abs(np.diff(every[0], axis=0))
    return [
        plane[9 * down : 9 * down + 9, 5 * across : 5 * across + 5].mean()
        for down in range(3)
        for across in range(3)
        for plane in (*every, edges)
    ]

"""What changes in a picture: distances of frames, fades, flashes, change energy and features for novelty, of small
frames.

Frames are seen as 48 x 27 points of luma, Cb, Cr in 0..255 at ascending times, read from decoded frames. The
distance of two frames is how much moved between them for so much contrast as they have, so that dark films
are judged by their own measure; cuts are found in them by `mvr.signal.cuts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.beats import Times

THUMB_PX = (48, 27)  # wide, high
LAGS = 8  # frames apart that are compared: a flash may last one less
_FLOOR = 4.0  # levels of contrast that every picture is given: noise of a codec in black is no change
LEAST = 0.14  # distance of a cut at least
_BLACK = 24.0  # mean luma of a faded-out picture (16 is black)
_FADE_S = 0.25  # shortest fade
_BLOCK = 64  # frames that are compared at once
_LUMA = 4  # samples of luma around each point, of which the mean counts
_CELLS = np.kron(np.eye(3), np.ones((9, 1)))[:, None, :, None] * np.kron(np.eye(3), np.ones((5, 1)))[:, None]
_CELLS = _CELLS.reshape(27 * 15, 9).astype(np.float32)  # which of a 3 x 3 grid's cells each point lies in
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What `Watcher` keeps of frames.

    Attributes:
        times_s: (N,) of the frames.
        distances: (N, LAGS) of a frame to the frame 1, 2, ... before it; 0 where there is none, and beyond the first
            where no cut can be: only a step over the least distance of a cut is looked at further.
        energy: (N,) change of luma from the frame before, of layout and of light, in levels.
        luma: (N,) mean luma.
        contrast: (N,) mean distance of luma from its mean.
        features: (N, 36) means of a 3 x 3 grid of luma, Cb, Cr and edges.
    """

    times_s: Times
    distances: FloatArray
    energy: FloatArray
    luma: FloatArray
    contrast: FloatArray
    features: FloatArray


def points_of_thumb(thumb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a `Watcher` sees of a small picture (27, 48, 3) of luma, Cb, Cr: (6, 27, 48)."""
    return np.repeat(np.moveaxis(thumb, -1, 0), (_LUMA, 1, 1), axis=0)


class Watcher:
    """Takes frames one by one and keeps `Changes`; memory grows by 200 bytes a frame."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._waiting: list[npt.NDArray[np.uint8]] = []
        self._before = np.zeros((0, 3, 27, 48), np.uint8)  # the last frames of the block before
        self._blocks: list[_Compared] = []

    def __len__(self) -> int:
        return len(self._times)

    def see(self, time_s: float, points: npt.NDArray[np.uint8]) -> None:
        """Take the next frame, (6, 27, 48); one that is not later than the last is left out.

        Args:
            time_s: when it is shown.
            points: four samples of luma around each point, one of Cb, one of Cr (`mvr.media.watching.points_of`).
        """
        if self._times and time_s <= self._times[-1]:
            return
        self._times.append(time_s)
        self._waiting.append(points)
        if len(self._waiting) == _BLOCK:
            self._work()

    def _work(self) -> None:
        frames = np.concatenate([self._before, _small(np.stack(self._waiting))])
        self._blocks.append(_compare(frames, len(self._before)))
        self._before, self._waiting = frames[-LAGS:], []

    def changes(self) -> Changes:
        """What was seen so far."""
        if self._waiting:
            self._work()
        blocks = [_NOTHING, *self._blocks]
        return Changes(
            times_s=np.array(self._times, np.float64),
            distances=np.concatenate([block.distances for block in blocks]),
            energy=np.concatenate([block.energy for block in blocks]),
            luma=np.concatenate([block.luma for block in blocks]),
            contrast=np.concatenate([block.contrast for block in blocks]),
            features=np.concatenate([block.features for block in blocks]),
        )


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """What is kept of some frames; see `Changes`."""

    distances: FloatArray
    energy: FloatArray
    luma: FloatArray
    contrast: FloatArray
    features: FloatArray


_NOTHING = _Compared(
    distances=np.zeros((0, LAGS), np.float32),
    energy=np.zeros(0, np.float32),
    luma=np.zeros(0, np.float32),
    contrast=np.zeros(0, np.float32),
    features=np.zeros((0, 36), np.float32),
)


def _small(points: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Means of the samples of luma (N, 6, 27, 48), with Cb and Cr: (N, 3, 27, 48)."""
    frames = np.empty((len(points), 3, *points.shape[2:]), np.uint8)
    luma = points[:, 0].astype(np.uint16)
    for sample in range(1, _LUMA):
        luma += points[:, sample]
    luma //= _LUMA
    frames[:, 0], frames[:, 1:] = luma, points[:, _LUMA:]
    return frames


def _compare(frames: npt.NDArray[np.uint8], known: int) -> _Compared:
    """The frames (N, 3, 27, 48) after the first `known`, each against those before it."""
    count = len(frames)
    luma = frames[:, 0].reshape(count, -1).astype(np.float32)
    chroma = frames[:, 1:, ::2, ::2].reshape(count, -1).astype(np.float32)
    mean = luma.mean(axis=1)
    luma -= mean[:, None]
    contrast = np.abs(luma).mean(axis=1)
    distances = np.zeros((count, LAGS), np.float32)
    energy = np.zeros(count, np.float32)
    for lag in range(1, min(LAGS + 1, count)):
        now = np.arange(1, count) if lag == 1 else _after_steps(distances[:, 0], lag)
        if not len(now):
            continue
        before = now - lag
        layout, colour = _apart(luma, now, lag), _apart(chroma, now, lag)
        light = np.abs(mean[now] - mean[before])
        distances[now, lag - 1] = (layout + 0.25 * light + colour) / (
            _FLOOR + contrast[now] + contrast[before]
        )
        if lag == 1:
            energy[1:] = layout + light
    return _Compared(
        distances=distances[known:],
        energy=energy[known:],
        luma=mean[known:],
        contrast=contrast[known:],
        features=_grids(frames[known:]),
    )


def _apart(rows: FloatArray, now: Rows, lag: int) -> FloatArray:
    """Mean distance of rows to those `lag` before them: (len(now),). At a lag of 1 they are all rows but the first."""
    difference = rows[1:] - rows[:-1] if lag == 1 else rows[now] - rows[now - lag]
    np.abs(difference, out=difference)
    mean: FloatArray = difference.mean(axis=1)
    return mean


def _after_steps(step: FloatArray, lag: int) -> Rows:
    """Frames of which the one `lag` before lies across a step that may be a cut."""
    candidates = np.flatnonzero(step > LEAST)
    later = (candidates[:, None] + np.arange(lag)).ravel()
    return np.unique(later[(later >= lag) & (later < len(step))])


def _grids(frames: npt.NDArray[np.uint8]) -> FloatArray:
    """Means over a 3 x 3 grid of luma, Cb, Cr and edges: (N, 36)."""
    planes = np.zeros((len(frames), 4, 27, 15), np.float32)
    planes[:, :3] = frames[..., 1:45:3]  # every third column
    luma, edges = planes[:, 0], planes[:, 3]
    np.abs(np.diff(luma, axis=2), out=edges[:, :, 1:])
    edges[:, 1:] += np.abs(np.diff(luma, axis=1))
    sums = (planes.reshape(-1, 27 * 15) @ _CELLS).reshape(-1, 4, 9)  # of whole numbers, so exact
    means: FloatArray = (sums / np.float32(45)).transpose(0, 2, 1).reshape(-1, 36)
    return means


def find_fades(changes: Changes) -> list[tuple[float, float]]:
    """(start, end) in s of stretches of black that the picture fades into or out of."""
    dark = changes.luma < _BLACK
    if not dark.any() or dark.all():
        return []
    edges = np.flatnonzero(np.diff(dark.astype(np.int8), prepend=0, append=0))
    fades = []
    for first, last in edges.reshape(-1, 2):
        start, end = _slope(changes, int(first), -1), _slope(changes, int(last) - 1, 1)
        if end - start >= _FADE_S and not _hard(changes, int(first), int(last)):
            fades.append((start, end))
    return fades


def _slope(changes: Changes, row: int, way: int) -> float:
    """Time up to which luma rises steadily from a row on, walking `way`."""
    while 0 <= row + way < len(changes.luma) and changes.luma[row + way] > changes.luma[row] + 0.5:
        row += way
    return float(changes.times_s[row])


def _hard(changes: Changes, first: int, last: int) -> bool:
    """Whether black begins and ends from one frame to the next, as between two cuts."""
    steps = [row for row in (first, last) if 0 < row < len(changes.luma)]
    return all(abs(changes.luma[row] - changes.luma[row - 1]) > _BLACK for row in steps)


def find_flashes(changes: Changes) -> Times:
    """Times of frames that are much brighter than the one before and than what follows within `LAGS` frames."""
    luma = changes.luma
    if len(luma) < 3:
        return np.zeros(0)
    rise = np.diff(luma, prepend=luma[:1])
    padded = np.append(luma, np.full(LAGS, luma[-1]))
    lowest = np.lib.stride_tricks.sliding_window_view(padded, LAGS + 1).min(axis=1)
    flashes: Times = changes.times_s[
        (rise > 40) & (luma - lowest > 0.7 * rise) & (np.arange(len(luma)) < len(luma) - 1)
    ]
    return flashes

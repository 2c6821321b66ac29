"""What changes in a picture: distances of frames, fades, flashes, change energy and features for novelty, of small
frames.

Frames are seen as 48 x 27 points of luma, Cb, Cr in 0..255 at ascending times, read from decoded frames. The
distance of two frames is how much moved between them for so much contrast as they have, so that dark films
are judged by their own measure; cuts are found in them by `mvr.signal.cuts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times

THUMB_PX = (48, 27)  # wide, high
LAGS = 8  # frames apart that are compared: a flash may last one less
_FLOOR = 4.0  # levels of contrast that every picture is given: noise of a codec in black is no change
LEAST = 0.14  # distance of a cut at least
_BLACK = 24.0  # mean luma of a faded-out picture (16 is black)
_FADE_S = 0.25  # shortest fade
_BLOCK = 64  # frames that are compared at once
_LUMA = 4  # samples of luma around each point, of which the mean counts
_POINTS = THUMB_PX[0] * THUMB_PX[1]
_PLACES = np.arange(2 * _POINTS).reshape(2, *THUMB_PX[::-1])
_SECOND = _PLACES[:, ::2, ::2].ravel()  # points of which Cb and Cr are compared
_THIRD = _PLACES[0, :, 1:45:3].ravel()  # points that features are made of
_WIDE = 15  # of them in a row
_CELLS = np.kron(np.eye(3), np.ones((9, 1)))[:, None, :, None] * np.kron(np.eye(3), np.ones((5, 1)))[:, None]
_CELLS = _CELLS.reshape(27 * _WIDE, 9).astype(
    np.float32
)  # which of a 3 x 3 grid's cells each of those lies in
_ACROSS = (_CELLS * (np.arange(27 * _WIDE) % _WIDE > 0)[:, None])[
    1:
]  # none of them has a neighbour in another row
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
        self._waiting = np.empty(
            (_BLOCK, _LUMA + 2, *THUMB_PX[::-1]), np.uint8
        )  # frames that are not compared yet
        self._count = 0
        self._rows = _Rows()
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
        self._waiting[self._count] = points
        self._count += 1
        if self._count == _BLOCK:
            self._work()

    def _work(self) -> None:
        self._blocks.append(self._rows.compare(self._waiting[: self._count].reshape(-1, _LUMA + 2, _POINTS)))
        self._count = 0

    def changes(self) -> Changes:
        """What was seen so far."""
        if self._count:
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


class _Rows:
    """Frames as rows, each compared with those before it: a block at a time, in memory that is used again.

    Attributes, of the last `known` frames of the blocks before and then of the block, as far as there are any:
        luma: (rows, 1296) less its mean.   chroma: (rows, 672) of every second point.
        mean, contrast: (rows,) of luma.   step: (rows,) distance to the frame before.
    """

    def __init__(self) -> None:
        rows = LAGS + _BLOCK
        self.luma = np.empty((rows, _POINTS), np.float32)
        self.chroma = np.empty((rows, len(_SECOND)), np.float32)
        self.mean, self.contrast, self.step = (np.zeros(rows, np.float32) for _ in range(3))
        self.known = 0
        self._scratch = np.empty((_BLOCK, _POINTS), np.float32)

    def compare(self, points: npt.NDArray[np.uint8]) -> _Compared:
        """The next block (N, 6, 1296)."""
        known, end = self.known, self.known + len(points)
        new = slice(known, end)
        features = self._take(points, new)
        first = max(known, 1)
        distances = np.zeros((end, LAGS), np.float32)
        energy = np.zeros(end, np.float32)
        layout, light, distances[first:end, 0] = self._apart(slice(first, end), slice(first - 1, end - 1))
        energy[first:end] = layout + light
        self.step[new] = distances[new, 0]
        for lag, now in self._after_steps(new):
            distances[now, lag - 1] = self._apart(now, now - lag)[2]
        found = _Compared(
            distances=distances[new],
            energy=energy[new],
            luma=self.mean[new].copy(),
            contrast=self.contrast[new].copy(),
            features=features,
        )
        self._keep_last(end)
        return found

    def _take(self, points: npt.NDArray[np.uint8], new: slice) -> FloatArray:
        """Fill the rows of a block; returns its features."""
        samples = points[:, 0].astype(np.uint16)
        for sample in range(1, _LUMA):
            samples += points[:, sample]
        samples >>= 2  # their mean
        luma, scratch = self.luma[new], self._scratch[: len(points)]
        luma[:] = samples
        features = _grids(luma, points[:, _LUMA:])
        self.mean[new] = luma.mean(axis=1)
        luma -= self.mean[new, None]
        self.contrast[new] = np.abs(luma, out=scratch).mean(axis=1)
        self.chroma[new] = points[:, _LUMA:].reshape(len(points), -1).take(_SECOND, 1)
        return features

    def _apart(self, now: Rows | slice, before: Rows | slice) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of rows and others: mean difference in layout, in light, and their distance."""
        layout, colour = self._difference(self.luma, now, before), self._difference(self.chroma, now, before)
        light = np.abs(self.mean[now] - self.mean[before])
        contrast = _FLOOR + self.contrast[now] + self.contrast[before]
        distance = (layout + 0.25 * light + colour) / contrast
        return layout, light, distance

    def _difference(self, rows: FloatArray, now: Rows | slice, before: Rows | slice) -> FloatArray:
        """Mean distance of rows."""
        later, earlier = rows[now], rows[before]
        difference = self._scratch.reshape(-1)[: later.size].reshape(later.shape)
        np.subtract(later, earlier, out=difference)
        mean: FloatArray = np.abs(difference, out=difference).mean(axis=1)
        return mean

    def _after_steps(self, new: slice) -> Iterator[tuple[int, Rows]]:
        """Each lag above 1 and the new frames of which the one so far before lies across a step that may be a cut."""
        rows = np.arange(new.stop)
        candidates = np.where(self.step[: new.stop] > LEAST, rows, -LAGS)
        since = rows - np.maximum.accumulate(candidates)
        for lag in range(2, LAGS + 1):
            now = np.flatnonzero(since < lag)
            now = now[now >= max(lag, new.start)]
            if len(now):
                yield lag, now

    def _keep_last(self, end: int) -> None:
        """The last rows become the first, those of the next block come after them."""
        self.known = min(LAGS, end)
        for rows in (self.luma, self.chroma, self.mean, self.contrast, self.step):
            rows[: self.known] = rows[end - self.known : end]


def _grids(luma: FloatArray, chroma: npt.NDArray[np.uint8]) -> FloatArray:
    """Means over a 3 x 3 grid of luma (N, 1296), Cb, Cr (N, 2, 1296) and edges, of every third column: (N, 36)."""
    some = luma.take(_THIRD, 1)  # (N, 27 * 15)
    across, down = np.abs(some[:, 1:] - some[:, :-1]), np.abs(some[:, _WIDE:] - some[:, :-_WIDE])
    means = np.empty((len(luma), 9, 4), np.float32)
    means[..., 0] = some @ _CELLS
    for column in (1, 2):
        means[..., column] = chroma[:, column - 1].take(_THIRD, 1).astype(np.float32) @ _CELLS
    means[..., 3] = across @ _ACROSS + down @ _CELLS[_WIDE:]  # all sums are of whole numbers, so exact
    means /= np.float32(45)
    return means.reshape(-1, 36)


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

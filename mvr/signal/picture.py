"""What changes in a picture: cuts, fades, flashes, change energy and features for novelty, of small frames.

Frames are thumbnails (N, 27, 48, 3) of luma, Cb, Cr in 0..255 at ascending times, taken from decoded
frames. The distance of two frames is how much moved between them for so much contrast as they have, so that
dark films are judged by their own measure. A cut is a distance that stands out from those around it and
that the picture does not come back from; a flash comes back, fast motion does not stand out, a fade has no
single step.
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
_LEAST = 0.14  # distance of a cut at least
_STANDS_OUT = 2.1  # times the distances around it
_STAYS = 0.5  # share of the distance that must still be there up to LAGS frames later
_AROUND_S = 0.3
_BLACK = 24.0  # mean luma of a faded-out picture (16 is black)
_FADE_S = 0.25  # shortest fade
_BLOCK = 64  # frames that are compared at once


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What `Watcher` keeps of frames.

    Attributes:
        times_s: (N,) of the frames.
        distances: (N, LAGS) of a frame to the frame 1, 2, ... before it; 0 where there is none.
        energy: (N,) change of luma from the frame before, of layout and of light, in levels.
        luma: (N,) mean luma.
        features: (N, 36) means of a 3 x 3 grid of luma, Cb, Cr and edges.
    """

    times_s: Times
    distances: FloatArray
    energy: FloatArray
    luma: FloatArray
    features: FloatArray


class Watcher:
    """Takes thumbnails one by one and keeps `Changes`; memory grows by 200 bytes a frame."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._waiting: list[npt.NDArray[np.uint8]] = []
        self._before = np.zeros((0, 27, 48, 3), np.uint8)  # the last frames of the block before
        self._blocks: list[_Compared] = []

    def __len__(self) -> int:
        return len(self._times)

    def see(self, time_s: float, thumb: npt.NDArray[np.uint8]) -> None:
        """Take the next frame, (27, 48, 3); one that is not later than the last is left out."""
        if self._times and time_s <= self._times[-1]:
            return
        self._times.append(time_s)
        self._waiting.append(thumb)
        if len(self._waiting) == _BLOCK:
            self._work()

    def _work(self) -> None:
        frames = np.concatenate([self._before, np.stack(self._waiting)])
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
            features=np.concatenate([block.features for block in blocks]),
        )


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """What is kept of some frames; see `Changes`."""

    distances: FloatArray
    energy: FloatArray
    luma: FloatArray
    features: FloatArray


_NOTHING = _Compared(
    distances=np.zeros((0, LAGS), np.float32),
    energy=np.zeros(0, np.float32),
    luma=np.zeros(0, np.float32),
    features=np.zeros((0, 36), np.float32),
)


def _compare(frames: npt.NDArray[np.uint8], known: int) -> _Compared:
    """The frames (N, 27, 48, 3) after the first `known`, each against those before it."""
    count = len(frames)
    luma = frames[..., 0].reshape(count, -1).astype(np.float32)
    chroma = frames[:, ::2, ::2, 1:].reshape(count, -1).astype(np.float32)
    mean = luma.mean(axis=1)
    luma -= mean[:, None]
    contrast = _FLOOR / 2 + np.abs(luma).mean(axis=1)
    distances = np.zeros((count, LAGS), np.float32)
    energy = np.zeros(count, np.float32)
    for lag in range(1, min(LAGS + 1, count)):
        layout = np.abs(luma[lag:] - luma[:-lag]).mean(axis=1)
        colour = np.abs(chroma[lag:] - chroma[:-lag]).mean(axis=1)
        light = np.abs(mean[lag:] - mean[:-lag])
        distances[lag:, lag - 1] = (layout + 0.25 * light + colour) / (contrast[lag:] + contrast[:-lag])
        if lag == 1:
            energy[1:] = layout + light
    return _Compared(
        distances=distances[known:],
        energy=energy[known:],
        luma=mean[known:],
        features=_grids(frames[known:]),
    )


def _grids(frames: npt.NDArray[np.uint8]) -> FloatArray:
    """Means over a 3 x 3 grid of luma, Cb, Cr and edges: (N, 36)."""
    small = frames.reshape(len(frames), 27, 16, 3, 3)[..., 1, :].astype(np.float32)  # every third column
    edges = np.abs(np.diff(small[..., 0], axis=2, prepend=small[:, :, :1, 0]))
    edges += np.abs(np.diff(small[..., 0], axis=1, prepend=small[:, :1, :, 0]))
    planes = np.concatenate([small[:, :, :15], edges[:, :, :15, None]], axis=3)
    cells: FloatArray = planes.reshape(len(frames), 3, 9, 3, 5, 4).mean(axis=(2, 4)).reshape(len(frames), 36)
    return cells


def find_cuts(changes: Changes) -> Times:
    """Times of the first frames after cuts, ascending."""
    count = len(changes.times_s)
    if count < 2:
        return np.zeros(0)
    step = changes.distances[:, 0]
    least, around = _stays(changes.distances), _around(step, changes.times_s)
    cut = (step > _LEAST) & (step > _STANDS_OUT * around) & (least > _STAYS * step)
    cut[0] = False
    return changes.times_s[_strongest(cut, step, changes.times_s)]


def _stays(distances: FloatArray) -> FloatArray:
    """Least distance of any frame before a step to any from it on, at most `LAGS` frames apart: (N,)."""
    count = len(distances)
    least = distances[:, 0].copy()
    for lag in range(2, min(LAGS + 1, count)):
        pairs = distances[lag:, lag - 1]  # of frame `row` with frame `row + lag`
        for behind in range(lag):  # the step lies `behind` frames before the later one
            rows = slice(lag - behind, count - behind)
            least[rows] = np.minimum(least[rows], pairs)
    return least


def _around(step: FloatArray, times_s: Times) -> FloatArray:
    """A high distance (the third largest) within 0.3 s of each step, the step itself left out: (N,)."""
    spacing = float(np.median(np.diff(times_s)))
    reach = int(np.clip(round(_AROUND_S / max(spacing, 1e-3)), 3, 24))
    padded = np.pad(step, reach)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).copy()
    windows[:, reach] = 0
    third: FloatArray = np.partition(windows, -3, axis=1)[:, -3]
    return third


def _strongest(cut: npt.NDArray[np.bool_], step: FloatArray, times_s: Times) -> npt.NDArray[np.int64]:
    """Of cuts closer than 0.1 s the strongest one."""
    kept: list[int] = []
    for row in np.flatnonzero(cut):
        if kept and times_s[row] - times_s[kept[-1]] < 0.1:
            if step[row] > step[kept[-1]]:
                kept[-1] = int(row)
        else:
            kept.append(int(row))
    return np.array(kept, np.int64)


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

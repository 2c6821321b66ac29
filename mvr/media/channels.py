"""From the channels of a file to the ones that are wanted: mono, one channel, stereo.

FFmpeg's own mixdown is not used: its float stereo-to-mono is 3 dB louder than the mean. Samples come in blocks (C, n)
with FFmpeg's names of the channels and leave as (n, channels wanted).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

FloatSamples = npt.NDArray[np.float32]

_CANCELS, _GONE = 0.05, 0.01  # power of the mean over the channels' own
_HALF = math.sqrt(0.5)
_LEFT = {"FL": 1.0, "DL": 1.0, "FC": _HALF, "BL": _HALF, "SL": _HALF, "FLC": _HALF, "BC": 0.5, "WL": 1.0}
_RIGHT = {"FR": 1.0, "DR": 1.0, "FC": _HALF, "BR": _HALF, "SR": _HALF, "FRC": _HALF, "BC": 0.5, "WR": 1.0}


class Mono:
    """The mean of all channels, (n, 1), with what differs between them where the mean cancels.

    Sound whose right channel is minus the left has a mean of nothing, though it is heard. Where the mean's power falls
    below 5 % of the channels' own (two channels alike but for their sign by more than nine tenths), the difference of
    the channels is added, all of it at 1 % and below. Powers are taken over the last 0.3 s, so what is added comes and
    goes without a click. Ordinary stereo is its mean, bit by bit.
    """

    def __init__(self, rate_hz: int) -> None:
        self._cell = max(1, rate_hz // 10)
        self._waiting: list[FloatSamples] = []
        self._powers: deque[tuple[float, float]] = deque(maxlen=3)
        self._share = 0.0  # of the difference, at the end of the last cell
        self._loudest: FloatSamples | None = None  # energy of each channel up to now

    def push(self, planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
        """The mix of all whole cells of 0.1 s that a block fills."""
        if len(planar) == 1:
            return np.concatenate([self.rest(), planar.T])
        if self._waiting and len(self._waiting[0]) != len(planar):  # the file changes its layout midway
            return np.concatenate([self.rest(), self.push(planar, names)])
        self._waiting.append(planar)
        if sum(block.shape[1] for block in self._waiting) < self._cell:
            return np.zeros((0, 1), np.float32)
        held = np.concatenate(self._waiting, axis=1)
        whole = held.shape[1] // self._cell * self._cell
        self._waiting = [held[:, whole:]]
        cells = range(0, whole, self._cell)
        return np.concatenate([self._mix(held[:, begin : begin + self._cell]) for begin in cells])

    def rest(self) -> FloatSamples:
        """The mix of what does not fill a cell."""
        held = np.concatenate(self._waiting, axis=1) if self._waiting else np.zeros((1, 0), np.float32)
        self._waiting = []
        return self._mix(held) if held.shape[1] else np.zeros((0, 1), np.float32)

    def _mix(self, planar: FloatSamples) -> FloatSamples:
        mono: FloatSamples = planar.mean(axis=0, dtype=np.float32)
        own = np.square(planar).sum(axis=1)
        self._powers.append((float(np.dot(mono, mono)), float(own.mean())))
        self._loudest = (
            own if self._loudest is None or len(own) != len(self._loudest) else self._loudest + own
        )
        mixed, channels = (sum(values) for values in zip(*self._powers, strict=True))
        before = self._share
        if channels > 0 and math.isfinite(channels):
            self._share = min(1.0, max(0.0, (_CANCELS - mixed / channels) / (_CANCELS - _GONE)))
        if before or self._share:
            if len(self._powers) == 1:  # the first cell has nothing to come from
                before = self._share
            share = np.linspace(before, self._share, len(mono), dtype=np.float32)
            mono += share * self._difference(planar)
        return mono[:, None]

    def _difference(self, planar: FloatSamples) -> FloatSamples:
        if len(planar) == 2:
            half: FloatSamples = (planar[0] - planar[1]) / np.float32(2)
            return half
        assert self._loudest is not None
        loudest: FloatSamples = planar[int(np.argmax(self._loudest))]
        return loudest


class EachBlock:
    """A mix that needs nothing but the block: see `first` and `stereo`."""

    def __init__(self, mix: Callable[[FloatSamples, Sequence[str]], FloatSamples], channels: int) -> None:
        self._mix, self._channels = mix, channels

    def push(self, planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
        """The mix of a block, (n, channels)."""
        return self._mix(planar, names)

    def rest(self) -> FloatSamples:
        """Nothing is held back."""
        return np.zeros((0, self._channels), np.float32)


def first(planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
    """The first channel alone, (n, 1)."""
    alone: FloatSamples = planar[0][:, None]
    return alone


def stereo(planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
    """Two channels (n, 2): mono on both sides, surround by the weights of ITU-R BS.775 (no LFE), never clipping."""
    if len(planar) == 1:
        planar = np.repeat(planar, 2, axis=0)
    if len(planar) == 2:
        return planar.T
    weights = np.array([[side.get(name, 0.0) for name in names] for side in (_LEFT, _RIGHT)], np.float32)
    if not weights.any(axis=1).all():  # channels without names: nothing better is known
        weights = np.ones_like(weights)
    mixed: FloatSamples = (weights / weights.sum(axis=1).max() @ planar).T
    return mixed


def create_mix(name: str, rate_hz: int) -> Mono | EachBlock:
    """The mix called "mean", "first" or "stereo", for one pass over sound at a rate."""
    if name == "mean":
        return Mono(rate_hz)
    return EachBlock(first, 1) if name == "first" else EachBlock(stereo, 2)

"""Trackers of tempo and beats beside each other: ours, librosa, and madmom-infer's HMM on our envelope where installed.

madmom-infer's code is BSD-2-Clause and nothing else of it is used: its networks' weights are CC BY-NC-SA and come
from a server. It is in no extra; `pip install madmom-infer` puts its row into the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from eval.timing.patterns import Times
from mvr.datatypes import FloatArray
from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.hearing import find_rhythm, hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ

SLOWEST_BPM, FASTEST_BPM = 50.0, 220.0
TEMPO_LAMBDA, BEAT_PARTS = 100, 16  # madmom's defaults


@dataclass(frozen=True, kw_only=True)
class Found:
    """Attributes: bpm, 0 where none was found.   beats_s.   downbeats_s and bar_beats, None where not sought."""

    bpm: float
    beats_s: Times
    downbeats_s: Times | None = None
    bar_beats: int | None = None


Tracker = Callable[[FloatArray], Found]


def ours(samples: FloatArray) -> Found:
    """By `mvr.signal`."""
    rhythm = find_rhythm(hear(samples))
    return Found(
        bpm=rhythm.tempo_bpm or 0.0, beats_s=rhythm.beats_s, downbeats_s=rhythm.downbeats_s, bar_beats=rhythm.bar_beats
    )  # fmt: skip


def librosas(samples: FloatArray) -> Found:
    """By librosa's `beat_track` with its defaults."""
    from librosa import frames_to_time
    from librosa.beat import beat_track

    tempo, frames = beat_track(y=samples, sr=SAMPLE_RATE_HZ)
    beats = frames_to_time(frames, sr=SAMPLE_RATE_HZ)
    return Found(bpm=float(np.atleast_1d(tempo)[0]), beats_s=np.asarray(beats))


def madmoms(samples: FloatArray) -> Found:
    """By madmom-infer's beat HMM (Krebs, Boeck, Widmer 2015) on our onset envelope, no network."""
    from madmom_infer.features.beats_hmm import BeatStateSpace, BeatTransitionModel
    from madmom_infer.ml.hmm import HiddenMarkovModel, ObservationModel

    class Envelope(ObservationModel):  # type: ignore[misc]
        """Beat or none; madmom-infer's own stops on `numpy.asarray(ndmin=)`, which numpy 2.4 does not have."""

        def log_densities(self, observations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return np.log(np.stack([(1 - observations) / (BEAT_PARTS - 1), observations], axis=1))

    heard = hear(samples)
    if heard is None:
        return Found(bpm=0.0, beats_s=np.zeros(0))
    onset = heard.envelopes[0].astype(np.float64)
    share = np.clip(onset / max(float(np.percentile(onset, 99)), 1e-6), 1e-3, 0.999)
    space = BeatStateSpace(60 * FRAME_RATE_HZ / FASTEST_BPM, 60 * FRAME_RATE_HZ / SLOWEST_BPM)
    pointers = (space.state_positions < 1 / BEAT_PARTS).astype(np.uint32)
    path, _ = HiddenMarkovModel(BeatTransitionModel(space, TEMPO_LAMBDA), Envelope(pointers)).viterbi(share)
    position = space.state_positions[path]
    beats = (np.flatnonzero(np.diff(position) < 0) + 1) / FRAME_RATE_HZ
    return Found(bpm=60 * FRAME_RATE_HZ / float(np.median(space.state_intervals[path])), beats_s=beats)


TRACKERS: dict[str, Tracker] = {"mvr": ours, "librosa": librosas}
OPTIONAL: dict[str, tuple[str, Tracker]] = {"madmom-infer HMM": ("madmom_infer", madmoms)}


def present_trackers() -> tuple[dict[str, Tracker], list[str]]:
    """Trackers that can run here, and the names of those that are not installed."""
    present = {name: track for name, (module, track) in OPTIONAL.items() if find_spec(module)}
    return TRACKERS | present, [name for name in OPTIONAL if name not in present]

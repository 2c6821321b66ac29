"""Sound -> ImageBind's mel spectrograms: a Kaldi filter bank in float32, and where the 2 s pieces lie.

Conventions: 16 kHz mono in, (clips, 1, 128, 204) out; log power in 128 mel bins, 25 ms Hanning frames every
10 ms, no dither, no energy, pre-emphasis 0.97, 20 Hz to 8 kHz, snip edges; then (value + 4.268) / 9.138.
Sources: Kaldi's `feature-window` and `mel-computations` definitions, the published loader's constants.
float32 on purpose: it is closer to the published numbers than float64 is (7e-5 against 1e-3 in log units).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mvr.backbones.imagebind.stems import MEL_BINS, MEL_FRAMES
from mvr.datatypes import FloatArray
from mvr.errors import NoSound, UsageError, WrongShape

SAMPLE_RATE_HZ = 16_000
FRAME, HOP, FFT = 400, 160, 512  # samples: 25 ms, 10 ms, the next power of two
PRE_EMPHASIS = 0.97
LOW_HZ = 20.0
MEL_MEAN, MEL_STD = -4.268, 9.138
LOG_FLOOR = 2.0**-23  # float32's epsilon, as Kaldi floors the energies


@dataclass(frozen=True, kw_only=True)
class AudioClips:
    """Which pieces of a sound the model sees; the defaults are the published loader's."""

    clips: int = 3
    clip_s: float = 2.0

    def __post_init__(self) -> None:
        if self.clips < 1 or not self.clip_s * SAMPLE_RATE_HZ >= FRAME:
            raise UsageError(f"clips={self.clips}, clip_s={self.clip_s}: give at least 1 clip of 0.025 s")


def preprocess_audio(waveform: FloatArray, settings: AudioClips | None = None) -> FloatArray:
    """Mel spectrograms of the clips of one sound.

    Args:
        waveform: (n,) or (channels, n) float32 at 16 kHz; of several channels the first is taken, as the published
            loader does. Not edited.
        settings: number and length of the clips, spread evenly from the start to the end.

    Returns:
        (clips, 1, 128, 204) float32.

    Raises:
        WrongShape: neither (n,) nor (channels, n).
        NoSound: shorter than one 25 ms frame.
    """
    settings = settings or AudioClips()
    if waveform.ndim not in (1, 2):
        raise WrongShape(f"a waveform is (n,) or (channels, n), not {tuple(waveform.shape)}")
    waveform = np.asarray(waveform) if waveform.ndim == 1 else np.asarray(waveform)[0]
    if len(waveform) < FRAME:
        raise NoSound(f"the sound has {len(waveform)} samples at 16 kHz; at least {FRAME} (25 ms) are needed")
    spans = clip_spans(len(waveform) / SAMPLE_RATE_HZ, settings)
    sound = torch.from_numpy(waveform.astype(np.float32))  # a copy: the mean is subtracted from it
    pieces = [sound[int(start * SAMPLE_RATE_HZ) : int(end * SAMPLE_RATE_HZ)] for start, end in spans]
    mel: FloatArray = torch.stack([_normalised_mel(piece) for piece in pieces]).numpy()
    return mel


def clip_spans(duration_s: float, settings: AudioClips) -> list[tuple[float, float]]:
    """(start, end) in seconds of clips spread evenly over a sound, both ends included.

    >>> clip_spans(10.0, AudioClips())
    [(0.0, 2.0), (4.0, 6.0), (8.0, 10.0)]
    >>> clip_spans(1.2, AudioClips(clips=2))
    [(0.0, 1.2), (0.0, 1.2)]
    """
    last = max(0.0, duration_s - settings.clip_s)
    starts = np.linspace(0.0, last, settings.clips) if settings.clips > 1 else np.array([last / 2])
    return [(float(start), min(duration_s, float(start) + settings.clip_s)) for start in starts]


def _normalised_mel(piece: Tensor) -> Tensor:
    mel = kaldi_fbank(piece - piece.mean())[:MEL_FRAMES].T
    mel = F.pad(mel, (0, MEL_FRAMES - mel.shape[1]))
    return ((mel - MEL_MEAN) / MEL_STD).unsqueeze(0)  # (1, 128, 204)


def kaldi_fbank(waveform: Tensor) -> Tensor:
    """Kaldi log-mel filter bank of a 16 kHz waveform: (n,) -> (1 + (n - 400) // 160, 128) float32."""
    frames = waveform.unfold(0, FRAME, HOP)
    frames = frames - frames.mean(dim=1, keepdim=True)
    previous = F.pad(frames.unsqueeze(0), (1, 0), mode="replicate").squeeze(0)[:, :-1]
    frames = (frames - PRE_EMPHASIS * previous) * torch.hann_window(FRAME, periodic=False)
    power = torch.fft.rfft(F.pad(frames, (0, FFT - FRAME))).abs().pow(2.0)
    log_mel: Tensor = (power[:, :-1] @ _mel_filters()).clip(min=LOG_FLOOR).log()
    return log_mel


@functools.cache
def _mel_filters() -> Tensor:
    """(256, 128) triangles, equally wide in mel; the bin at half the rate has no weight, as in Kaldi."""
    low, high = _mel(LOW_HZ), _mel(SAMPLE_RATE_HZ / 2)
    step = (high - low) / (MEL_BINS + 1)
    left = low + torch.arange(MEL_BINS) * step  # (128,)
    bins = 1127.0 * (1.0 + SAMPLE_RATE_HZ / FFT * torch.arange(FFT // 2) / 700.0).log()
    rise = (bins[:, None] - left) / step
    filters: Tensor = torch.minimum(rise, 2.0 - rise).clip(min=0.0)
    return filters


def _mel(frequency_hz: float) -> float:
    return 1127.0 * math.log(1.0 + frequency_hz / 700.0)

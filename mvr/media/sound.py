"""Reading sound: any stream to float32 samples at a wanted rate.

FFmpeg decodes to planar float at the file's own rate, the channels are mixed by an explicit rule, and soxr
(HQ) resamples. FFmpeg's own mixdown is not used: its float stereo-to-mono is 3 dB louder than the mean. Gaps
in the time stamps become silence, so that sample n is at n / rate seconds of the file's clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import soxr
from av.audio.resampler import AudioResampler

from mvr.errors import NoSound, NotFinite, Truncated, UsageError
from mvr.media.container import OpenMedia, open_media, require_decoder
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.probe import check_complete, check_duration

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream as AvAudioStream

FloatSamples = npt.NDArray[np.float32]
_GAP_S = 0.1  # jumps of the time stamps below this are rounding, not gaps
_HALF = math.sqrt(0.5)
_LEFT = {"FL": 1.0, "DL": 1.0, "FC": _HALF, "BL": _HALF, "SL": _HALF, "FLC": _HALF, "BC": 0.5, "WL": 1.0}
_RIGHT = {"FR": 1.0, "DR": 1.0, "FC": _HALF, "BR": _HALF, "SR": _HALF, "FRC": _HALF, "BC": 0.5, "WR": 1.0}


def read_sound(
    path: str | Path,
    sample_rate_hz: int,
    *,
    channels: Literal["mean", "first"] = "mean",
    start_s: float = 0.0,
    duration_s: float | None = None,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> FloatSamples:
    """Mono sound of a file.

    Args:
        path: any file with sound.
        sample_rate_hz: the wanted rate.
        channels: "mean" of all channels, or the "first" one alone (what ImageBind's fbank reads).
        start_s, duration_s: the wanted span; it may reach beyond the end, then fewer samples come back.
        limits: what the file may cost.

    Returns:
        (n,) float32; full scale is 1.

    Raises:
        NoSound, Truncated, UnsupportedCodec, TooLong, ...: see `MediaError`.
        NotFinite: the file holds NaN or infinite samples.
    """
    mix = _mean if channels == "mean" else _first
    return _read(path, _Span(sample_rate_hz, start_s, duration_s), limits, mix)[:, 0]


def read_stereo(
    path: str | Path,
    sample_rate_hz: int,
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> FloatSamples:
    """Stereo sound (n, 2): mono goes to both sides unchanged, surround is mixed down.

    Surround uses the weights of ITU-R BS.775 (centre and surrounds at -3 dB, no LFE), scaled so that it
    cannot clip.
    Arguments and errors as for `read_sound`.
    """
    return _read(path, _Span(sample_rate_hz, start_s, duration_s), limits, _stereo)


@dataclass(frozen=True)
class _Span:
    sample_rate_hz: int
    start_s: float
    duration_s: float | None

    def __post_init__(self) -> None:
        if self.sample_rate_hz < 1:
            raise UsageError(f"sample_rate_hz is {self.sample_rate_hz}; it must be positive")
        if self.start_s < 0 or (self.duration_s is not None and self.duration_s <= 0):
            raise UsageError("start_s must not be negative and duration_s must be positive")


def _mean(planar: FloatSamples, names: list[str]) -> FloatSamples:
    mono: FloatSamples = planar.mean(axis=0, dtype=np.float32)[:, None]
    return mono


def _first(planar: FloatSamples, names: list[str]) -> FloatSamples:
    first: FloatSamples = planar[0][:, None]
    return first


def _stereo(planar: FloatSamples, names: list[str]) -> FloatSamples:
    if len(planar) == 1:
        return np.repeat(planar.T, 2, axis=1)
    if len(planar) == 2:
        return planar.T
    weights = np.array([[side.get(name, 0.0) for name in names] for side in (_LEFT, _RIGHT)], np.float32)
    if not weights.any(axis=1).all():  # channels without names: nothing better is known
        weights = np.ones_like(weights)
    mixed: FloatSamples = (weights / weights.sum(axis=1).max() @ planar).T
    return mixed


def _read(path: str | Path, span: _Span, limits: MediaLimits, mix: object) -> FloatSamples:
    with open_media(path, limits) as media:
        stream = _sound(media)
        rate_hz = stream.codec_context.sample_rate
        blocks = _window(_timeline(media, stream, mix), rate_hz, span)
        parts = [part for part in _resample(blocks, rate_hz, span.sample_rate_hz) if len(part)]
    if not parts:
        if span.start_s > 0:
            raise UsageError(f"{Path(path).name}: there is no sound from {span.start_s:g} s on")
        raise Truncated(f"{Path(path).name}: no sound can be decoded; the file breaks off or is damaged")
    samples = np.concatenate(parts)
    if not np.isfinite(samples).all():
        raise NotFinite(f"{Path(path).name}: the sound holds NaN or infinite samples")
    return samples


def _sound(media: OpenMedia) -> AvAudioStream:
    stream = media.sound()
    if stream is None:
        raise NoSound(f"{media.path.name}: the file has no sound; sound is needed")
    if media.container.duration is not None:
        check_duration(media.path, media.container.duration / 1e6, media.limits.music_s)
    require_decoder(media.path, stream, "sound")
    if not stream.codec_context.sample_rate:
        raise Truncated(f"{media.path.name}: the sound has no sample rate; the file is damaged")
    return stream


def _planar(media: OpenMedia, stream: AvAudioStream) -> Iterator[AudioFrame]:
    """Frames as planar float at the stream's rate, whatever the decoder gives."""
    rate_hz, resampler, key = stream.codec_context.sample_rate, None, None
    for packet in media.packets(stream):
        for frame in media.decode(packet):
            if resampler is None or key != (frame.format.name, frame.layout.name, frame.sample_rate):
                key = (frame.format.name, frame.layout.name, frame.sample_rate)
                resampler = AudioResampler(format="fltp", layout=frame.layout.name, rate=rate_hz)
            yield from resampler.resample(frame)


def _timeline(media: OpenMedia, stream: AvAudioStream, mix: object) -> Iterator[FloatSamples]:
    """Mixed blocks (n, C) without gaps or overlaps, from the start of the file's clock."""
    assert callable(mix)
    rate_hz = stream.codec_context.sample_rate
    at = 0
    for frame in _planar(media, stream):
        block = np.asarray(mix(frame.to_ndarray(), [c.name for c in frame.layout.channels]), np.float32)
        if frame.pts is not None and frame.time_base is not None:
            due = round((float(frame.pts * frame.time_base) - media.start_s) * rate_hz)
            if due - at > _GAP_S * rate_hz:
                check_duration(media.path, due / rate_hz, media.limits.music_s)
                yield np.zeros((due - at, block.shape[1]), np.float32)
                at = due
            elif at - due > _GAP_S * rate_hz:  # time stamps that jump back: this was heard already
                block = block[at - due :]
        check_duration(media.path, (at + len(block)) / rate_hz, media.limits.music_s)
        at += len(block)
        yield block
    if (
        stream.duration is not None and stream.time_base is not None
    ):  # not reached where the caller has enough
        check_complete(media.path, at / rate_hz, float(stream.duration * stream.time_base))


def _window(blocks: Iterator[FloatSamples], rate_hz: int, span: _Span) -> Iterator[FloatSamples]:
    begin = round(span.start_s * rate_hz)
    end = None if span.duration_s is None else begin + round(span.duration_s * rate_hz)
    at = 0
    for block in blocks:
        yield block[max(0, begin - at) : None if end is None else max(0, end - at)]
        at += len(block)
        if end is not None and at >= end:
            return


def _resample(blocks: Iterator[FloatSamples], from_hz: int, to_hz: int) -> Iterator[FloatSamples]:
    resampler: soxr.ResampleStream | None = None
    for block in blocks:
        if from_hz == to_hz:
            yield np.ascontiguousarray(block)
            continue
        if resampler is None:
            resampler = soxr.ResampleStream(from_hz, to_hz, block.shape[1], dtype="float32", quality="HQ")
        yield resampler.resample_chunk(np.ascontiguousarray(block))
    if resampler is not None:
        channels = 2 if block.shape[1] == 2 else 1
        yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)

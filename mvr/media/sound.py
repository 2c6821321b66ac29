"""Reading sound: any stream to float32 samples at a wanted rate.

FFmpeg decodes to planar float at the file's own rate, the channels are mixed by an explicit rule
(`mvr.media.channels`), and soxr (HQ) resamples. Sound that begins later than the picture begins with silence, and gaps
in the time stamps become silence, so that sample n is at n / rate seconds of the file's clock. One decoding serves
several wishes.
"""

from __future__ import annotations

import itertools
import statistics
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import soxr
from av.audio.resampler import AudioResampler

from mvr.errors import NotFinite, Truncated, UsageError
from mvr.media.channels import FloatSamples, create_mix
from mvr.media.container import OpenMedia, open_media, require_decoder
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.promise import check_complete, check_duration, promised_s
from mvr.media.refusals import no_sound

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream as AvAudioStream

_AGREEING = 8  # so many frames must lie off before silence is put in or sound left out
_SLACK_S = 0.015  # a lost packet is longer (AAC 21 ms, Opus 20 ms), what recorders stray by is shorter
_START_SLACK_S = 0.0015  # in the first second, where muxers leave room for an encoder's delay: rounding only
_ABSURD = 1e6  # times full scale: what is computed of such sound overflows
_WIDTHS = {"mean": 1, "first": 1, "stereo": 2}


@dataclass(frozen=True, kw_only=True)
class SoundWish:
    """What is wanted of a file's sound.

    Attributes:
        sample_rate_hz: the wanted rate.
        channels: "mean" of all (`mvr.media.channels.Mono`), the "first" alone (for ImageBind's fbank), or "stereo".
        start_s, duration_s: the wanted span; it may reach beyond the end, then fewer samples come back.
        keep: called with blocks (n, channels) instead of their being kept; the array that comes back is empty.
    """

    sample_rate_hz: int
    channels: Literal["mean", "first", "stereo"] = "mean"
    start_s: float = 0.0
    duration_s: float | None = None
    keep: Callable[[FloatSamples], None] | None = None

    def __post_init__(self) -> None:
        if self.sample_rate_hz < 1:
            raise UsageError(f"sample_rate_hz is {self.sample_rate_hz}; it must be positive")
        if self.start_s < 0 or (self.duration_s is not None and self.duration_s <= 0):
            raise UsageError("start_s must not be negative and duration_s must be positive")


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
        sample_rate_hz, channels, start_s, duration_s: see `SoundWish`.
        limits: what the file may cost.

    Returns:
        (n,) float32; full scale is 1.

    Raises:
        NoSound, Truncated, UnsupportedCodec, TooLong, ...: see `MediaError`.
        NotFinite: the file holds NaN, infinite or absurdly large samples.
    """
    wish = SoundWish(sample_rate_hz=sample_rate_hz, channels=channels, start_s=start_s, duration_s=duration_s)
    return read_sounds(path, [wish], limits)[0][:, 0]


def read_stereo(
    path: str | Path,
    sample_rate_hz: int,
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> FloatSamples:
    """Stereo sound (n, 2): mono goes to both sides unchanged, surround is mixed down (`mvr.media.channels.stereo`).

    Arguments and errors as for `read_sound`.
    """
    wish = SoundWish(sample_rate_hz=sample_rate_hz, channels="stereo", start_s=start_s, duration_s=duration_s)
    return read_sounds(path, [wish], limits)[0]


def read_sounds(
    path: str | Path, wishes: Sequence[SoundWish], limits: MediaLimits = DEFAULT_LIMITS
) -> list[FloatSamples]:
    """Several wishes from one decoding: (n, 1) or, for stereo, (n, 2) each; errors as for `read_sound`."""
    path = Path(path)
    with open_media(path, limits) as media:
        stream = _sound(media)
        taps = [_Tap(path, wish, stream.codec_context.sample_rate) for wish in wishes]
        for planar, names in _timeline(media, stream):
            for tap in taps:
                tap.push(planar, names)
            if all(tap.full for tap in taps):
                break
    return [tap.finish() for tap in taps]


def stereo_blocks(
    path: str | Path, sample_rate_hz: int, limits: MediaLimits = DEFAULT_LIMITS
) -> Iterator[FloatSamples]:
    """What `read_stereo` gives of the whole file, in blocks (n, 2) as they are decoded: nothing is kept."""
    path, blocks = Path(path), list[FloatSamples]()
    wish = SoundWish(sample_rate_hz=sample_rate_hz, channels="stereo", keep=blocks.append)
    with open_media(path, limits) as media:
        stream = _sound(media)
        tap = _Tap(path, wish, stream.codec_context.sample_rate)
        for planar, names in _timeline(media, stream):
            tap.push(planar, names)
            yield from blocks
            blocks.clear()
    tap.finish()
    yield from blocks


def _sound(media: OpenMedia) -> AvAudioStream:
    stream = media.sound()
    if stream is None:
        raise no_sound(media.path)
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


def _timeline(media: OpenMedia, stream: AvAudioStream) -> Iterator[tuple[FloatSamples, list[str]]]:
    """Planar blocks (C, n) with the channels' names, without gaps or overlaps, from the start of the file's clock."""
    rate_hz = stream.codec_context.sample_rate
    header_s = (media.container.duration or 0) / 1e6
    at = 0
    for frame, off in _jumps(media, _planar(media, stream), rate_hz):
        block = np.asarray(frame.to_ndarray(), np.float32)
        names = [channel.name for channel in frame.layout.channels]
        check_duration(media.path, (at + off) / rate_hz, media.limits.music_s, header_s)
        if off > 0:
            yield np.zeros((len(block), off), np.float32), names
        elif off < 0:  # time stamps that jump back: this was heard already
            block = block[:, -off:]
        at += max(off, 0) + block.shape[1]
        check_duration(media.path, at / rate_hz, media.limits.music_s, header_s)
        yield block, names
    check_complete(media.path, at / rate_hz, promised_s(media, stream))  # not reached where there was enough


def _jumps(media: OpenMedia, frames: Iterator[AudioFrame], rate_hz: int) -> Iterator[tuple[AudioFrame, int]]:
    """Each frame and the samples of silence before it, or, below 0, how many of its samples are too many.

    Time stamps are rounded and jitter, so they count only where the next frames agree; where the sound begins is exact.
    """
    at, started = 0, False
    waiting: deque[tuple[AudioFrame, float | None]] = deque()
    for frame in itertools.chain(frames, [None]):
        if frame is not None:
            clock_s = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
            waiting.append((frame, None if clock_s is None else (float(clock_s) - media.start_s) * rate_hz))
        while waiting and (frame is None or len(waiting) > _AGREEING):
            slack = 0.0 if not started else (_START_SLACK_S if at < rate_hz else _SLACK_S) * rate_hz
            off = _agreed_jump(waiting, at, slack, frames=_AGREEING if started else 1)
            first, _ = waiting.popleft()
            at += max(off + first.samples, 0)
            started = True
            yield first, off


def _agreed_jump(
    waiting: Sequence[tuple[AudioFrame, float | None]], at: int, slack: float, frames: int
) -> int:
    """By how many samples the next frames lie off (median); 0 within the slack or where they do not agree."""
    due = waiting[0][1]
    if due is None or abs(due - at) <= slack:
        return 0
    offs = []
    for frame, due in itertools.islice(waiting, frames):
        if due is not None:
            offs.append(due - at)
        at += frame.samples
    agreed = min(offs) > slack or max(offs) < -slack
    return round(statistics.median(offs)) if agreed else 0


class _Tap:
    """One wish's way from planar blocks to its samples."""

    def __init__(self, path: Path, wish: SoundWish, rate_hz: int) -> None:
        self._path, self._wish = path, wish
        self._mix, channels = create_mix(wish.channels, rate_hz), _WIDTHS[wish.channels]
        self._begin = round(wish.start_s * rate_hz)
        self._end = None if wish.duration_s is None else self._begin + round(wish.duration_s * rate_hz)
        self._at = 0
        self._heard = 0
        self._kept = _Recording(channels)
        self._resampler = (
            None
            if rate_hz == wish.sample_rate_hz
            else soxr.ResampleStream(rate_hz, wish.sample_rate_hz, channels, dtype="float32", quality="HQ")
        )

    @property
    def full(self) -> bool:
        """Whether the span is over."""
        return self._end is not None and self._at >= self._end

    def push(self, planar: FloatSamples, names: Sequence[str]) -> None:
        """Take the next block of the file."""
        last = None if self._end is None else max(0, self._end - self._at)
        inside = planar[:, max(0, self._begin - self._at) : last]
        self._at += planar.shape[1]
        if inside.shape[1]:
            self._take(self._mix.push(inside, names))

    def finish(self) -> FloatSamples:
        """All samples of the span that were not handed on.

        Raises:
            UsageError: the sound ends before the span begins. Truncated: there is no sound at all.
        """
        self._take(self._mix.rest(), last=True)
        if not self._heard and self._wish.start_s > 0:
            raise UsageError(f"{self._path.name}: there is no sound from {self._wish.start_s:g} s on")
        if not self._heard:
            raise Truncated(f"{self._path.name}: no sound can be decoded; the file breaks off or is damaged")
        return self._kept.samples

    def _take(self, block: FloatSamples, last: bool = False) -> None:
        block = np.ascontiguousarray(block, np.float32)
        if self._resampler is not None:
            block = self._resampler.resample_chunk(block, last=last)
        if not (np.abs(block) < _ABSURD).all():  # NaN is not below anything
            raise NotFinite(f"{self._path.name}: the sound holds NaN, infinite or absurdly large samples")
        self._heard += len(block)
        if len(block):
            (self._wish.keep or self._kept.append)(block)


class _Recording:
    """Samples (n, channels) that grow block by block; the whole is never held twice for long."""

    def __init__(self, channels: int) -> None:
        self._held = np.empty((1 << 16, channels), np.float32)
        self._length = 0

    def append(self, block: FloatSamples) -> None:
        """Add a block at the end."""
        length = self._length + len(block)
        if length > len(self._held):
            self._held.resize((max(length, len(self._held) * 3 // 2), self._held.shape[1]), refcheck=False)
        self._held[self._length : length] = block
        self._length = length

    @property
    def samples(self) -> FloatSamples:
        """All that was added; nothing may be added after it was asked for."""
        self._held.resize((self._length, self._held.shape[1]), refcheck=False)
        return self._held

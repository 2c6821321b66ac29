"""What is in a media file: streams, size, duration, orientation; or one sentence on why it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from av.error import FFmpegError

from mvr.errors import NotMedia, Truncated
from mvr.media.container import (
    OpenMedia,
    can_wind_back,
    from_start,
    open_media,
    require_decoder,
    wind_back,
)
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.picture import (
    check_side,
    color_matrix_of,
    display_size,
    orientation_of,
    sane_aspect,
    transfer_of,
)
from mvr.media.promise import check_complete, check_duration, promised_by_file_s
from mvr.media.refusals import no_picture, no_sound, undecodable
from mvr.media.tonemap import Transfer

if TYPE_CHECKING:
    from av.audio.stream import AudioStream as AvAudioStream
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvVideoStream

__all__ = ["AudioStream", "MediaInfo", "MediaLimits", "Need", "VideoStream", "probe"]

Need = Literal["picture", "sound"]


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """The picture of a file.

    Attributes:
        index: number of the stream in the file.
        codec: FFmpeg's name ("h264", "hevc", "av1", ...).
        width_px, height_px: as displayed: turned, with square pixels.
        coded_width_px, coded_height_px: as stored.
        sample_aspect: width over height of a stored pixel.
        aspect_is_sure: whether the container and the coded picture say the same of it, or only one of them speaks.
        rotation_deg: clockwise turn for display, 0, 90, 180 or 270.
        mirrored: whether display also swaps left and right.
        frame_rate_hz: average frame rate; None when the file does not say.
        pixel_format: FFmpeg's name ("yuv420p", ...).
        color_matrix: from luma and chroma to RGB: "rgb", "bt709", "bt601", "bt2020", "other" or "unspecified".
        transfer: standard dynamic range, PQ or HLG.
    """

    index: int
    codec: str
    width_px: int
    height_px: int
    coded_width_px: int
    coded_height_px: int
    sample_aspect: Fraction
    aspect_is_sure: bool
    rotation_deg: int
    mirrored: bool
    frame_rate_hz: float | None
    pixel_format: str
    color_matrix: str
    transfer: Transfer


@dataclass(frozen=True, kw_only=True)
class AudioStream:
    """The sound of a file: stream number, codec, sample rate, number of channels and FFmpeg's layout name."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    layout: str


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What `probe` found.

    Attributes:
        path, size_bytes: the file.
        container: FFmpeg's name of the demuxer, such as "mov,mp4,m4a,3gp,3g2,mj2".
        duration_s: to the end of picture or sound, whichever ends last.
        video, audio: None where there is none.
        start_s: where its clock starts.
        straight: whether FFmpeg alone reads it with the right times; see `mvr.media.straight`.
    """

    path: Path
    container: str
    duration_s: float
    size_bytes: int
    video: VideoStream | None
    audio: AudioStream | None
    start_s: float = 0.0
    straight: bool = True


def probe(path: str | Path, limits: MediaLimits = DEFAULT_LIMITS, needs: tuple[Need, ...] = ()) -> MediaInfo:
    """Look into a file and decode its first picture.

    Args:
        path: the file.
        limits: what it may cost.
        needs: "picture" and/or "sound": what the caller cannot do without. A file needed for its sound alone
            has the time limit of music, and a damaged picture in it does not matter.

    Raises:
        NotMedia, Truncated, TooLarge: see `open_media`.
        UnsupportedCodec, NoPicture, NoSound, TooLong, TooManyPixels, TooSlow: as named.
    """
    path = Path(path)
    version = path.stat() if path.is_file() else None
    return _probe(path, limits, needs, version and (version.st_ino, version.st_size, version.st_mtime_ns))


@lru_cache(maxsize=256)  # one upload is looked into by the page, by the system and by the muxer
def _probe(
    path: Path, limits: MediaLimits, needs: tuple[Need, ...], version: tuple[int, int, int] | None
) -> MediaInfo:
    with open_media(path, limits) as first:
        _check_needs(first, needs)
        only_sound = first.picture() is None or needs == ("sound",)
        duration_s = _duration(first, only_sound)
        straight = first.joins is None and not first.late_s
        with from_start(first) as media:
            picture, sound = media.picture(), media.sound()
            return MediaInfo(
                path=media.path,
                container=media.container.format.name,
                duration_s=duration_s,
                size_bytes=media.path.stat().st_size,
                video=None if picture is None or only_sound else _video(media, picture),
                audio=None if sound is None else _audio(media.path, sound),
                start_s=media.start_s,
                straight=straight,
            )


def _check_needs(media: OpenMedia, needs: tuple[Need, ...]) -> None:
    """Refuse from the header what can be refused from the header."""
    name, picture, sound = media.path.name, media.picture(), media.sound()
    if "picture" in needs and picture is None:
        raise no_picture(media.path)
    if "sound" in needs and sound is None:
        raise no_sound(media.path)
    if picture is None and sound is None:
        raise NotMedia(f"{name}: the file holds neither picture nor sound")
    if picture is not None and needs != ("sound",):
        require_decoder(media.path, picture, "picture")
        check_side(media.path, (picture.width, picture.height), media.limits)


def _duration(media: OpenMedia, only_sound: bool) -> float:
    measured_s = _measure(media, media.limits.music_s if only_sound else media.limits.video_s)
    check_complete(media.path, measured_s, promised_by_file_s(media))
    return measured_s


def _measure(media: OpenMedia, limit_s: float) -> float:
    """Seconds to the end of the last packet: headers are often missing and sometimes wrong."""
    end_s, header_s = media.start_s, (media.container.duration or 0) / 1e6
    streams = [s for s in (media.picture(), media.sound()) if s is not None]
    for packet in _last_packets(media) or media.packets(streams):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base is not None:
            end_s = max(end_s, float((time + (packet.duration or 0)) * packet.time_base))
            check_duration(media.path, end_s - media.start_s, limit_s, header_s)
    if end_s <= media.start_s:
        raise Truncated(f"{media.path.name}: the file ends before any picture or sound")
    return end_s - media.start_s


def _last_packets(media: OpenMedia) -> list[Packet[Any]]:
    """The packets from each stream's last key frame on, where the file's table can be believed; else none.

    The file is at its first packet afterwards, as before.
    """
    if not can_wind_back(media):
        return []
    packets: list[Packet[Any]] = []
    for stream in (media.picture(), media.sound()):
        if stream is None:
            continue
        last = _packets_to_end(media, stream)
        if not last:
            wind_back(media)
            return []
        packets += last
    wind_back(media)
    return packets


def _packets_to_end(media: OpenMedia, stream: AvVideoStream | AvAudioStream) -> list[Packet[Any]]:
    """The packets of a stream from its last key frame on; none where its table says more than there is."""
    if stream.duration is None:
        return []
    media.container.seek((stream.start_time or 0) + stream.duration, stream=stream, backward=True)
    last = [packet for packet in media.packets(stream) if packet.size]
    ends = ((packet.pts or 0) + (packet.duration or 0) for packet in last)
    return last if max(ends, default=0) >= stream.duration else []


def _audio(path: Path, stream: AvAudioStream) -> AudioStream:
    require_decoder(path, stream, "sound")
    context = stream.codec_context
    if not context.sample_rate or not context.channels:
        raise Truncated(f"{path.name}: the sound has no sample rate or no channels; the file is damaged")
    return AudioStream(
        index=stream.index,
        codec=context.codec.canonical_name,
        sample_rate_hz=context.sample_rate,
        channels=context.channels,
        layout=context.layout.name,
    )


def _video(media: OpenMedia, stream: AvVideoStream) -> VideoStream:
    require_decoder(media.path, stream, "picture")
    check_side(media.path, (stream.width, stream.height), media.limits)
    frame = _first_frame(media, stream)
    aspect, orientation = sane_aspect(stream.sample_aspect_ratio), orientation_of(frame)
    width, height = display_size(frame.width, frame.height, aspect, orientation)
    check_side(media.path, (width, height), media.limits)
    rate = stream.average_rate or stream.guessed_rate
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        width_px=width,
        height_px=height,
        coded_width_px=frame.width,
        coded_height_px=frame.height,
        sample_aspect=aspect,
        aspect_is_sure=_agree(stream.codec_context.sample_aspect_ratio, aspect),
        rotation_deg=orientation.rotation_deg,
        mirrored=orientation.mirrored,
        frame_rate_hz=None if rate is None else float(rate),
        pixel_format=frame.format.name,
        color_matrix=color_matrix_of(frame),
        transfer=transfer_of(frame),
    )


def _agree(coded: Fraction | None, aspect: Fraction) -> bool:
    """Whether the coded picture says nothing of its pixels or the same within half a percent: muxers round."""
    return not coded or abs(coded / aspect - 1) < Fraction(1, 200)


def _first_frame(media: OpenMedia, stream: AvVideoStream) -> VideoFrame:
    """The first picture: a key frame decoded alone, else what comes out first.

    A decoder gives a picture when it has decoded those that might be shown before it, which takes up to four more.
    """
    frame = _key_frame(media, stream)
    if frame is not None:
        return frame
    with open_media(media.path, media.limits) as again:
        first: VideoFrame | None = next(again.pictures(again.picture()), None)
        if first is not None:
            return first
    raise undecodable(media.path)


def _key_frame(media: OpenMedia, stream: AvVideoStream) -> VideoFrame | None:
    """The picture of the first packet; None where that is no key frame, gives no picture or a damaged one."""
    packet = next(media.packets(stream), None)
    if packet is None or not packet.is_keyframe:
        return None
    try:
        frames: list[VideoFrame] = media.decode(packet) or stream.codec_context.decode(None)
    except FFmpegError:
        return None
    return frames[0] if frames and not media.errors and not frames[0].is_corrupt else None

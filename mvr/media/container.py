"""Opening a media file with every guard in one place.

A user's file is never trusted: only demuxers and decoders on these lists may touch it, only the `file`
protocol may be used (a playlist that calls itself .mp4 could otherwise open other files or addresses), the
decoder may not allocate a picture beyond the limit, each damaged packet is counted, and a deadline runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.stream import Disposition

from mvr.errors import NotMedia, TooLarge, Truncated, UnsupportedCodec
from mvr.media.boxes import encrypted_tracks, is_whole_mp4
from mvr.media.clock import Joins, PacketClock, find_joins, late_picture_s
from mvr.media.kinds import other_kind
from mvr.media.limits import Deadline, MediaLimits
from mvr.media.progress import is_told, tell_done
from mvr.media.stopping import check_wanted, wanted_here

if TYPE_CHECKING:
    from av.audio.stream import AudioStream as AvAudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream as AvVideoStream

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg",
    "wav", "w64", "mp3", "flac", "aac", "aiff", "amr", "caf", "au",
)  # fmt: skip
"""Demuxers that a file may use: no playlists, no image sequences, no capture devices."""

VIDEO_DECODERS = (
    "h264", "hevc", "libdav1d", "av1", "libaom-av1", "vp8", "vp9", "mpeg4", "h263", "flv", "theora",
    "msmpeg4", "msmpeg4v1", "msmpeg4v2", "vc1", "wmv1", "wmv2", "wmv3", "mpeg1video", "mpeg2video", "mjpeg",
    "prores", "dnxhd", "dvvideo", "ffv1", "rawvideo", "huffyuv", "vvc",
)  # fmt: skip
AUDIO_DECODERS = (
    "aac", "aac_fixed", "mp3", "mp3float", "mp2", "mp2float", "mp1", "mp1float", "opus", "libopus", "vorbis",
    "libvorbis", "flac", "alac", "ac3", "eac3", "dca", "truehd", "amrnb", "amrwb", "wmav1", "wmav2", "wmapro",
    "wmalossless",
    "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_swf", "nellymoser", "speex", "wavpack",
    "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le",
    "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw", "pcm_bluray", "pcm_dvd",
)  # fmt: skip
"""Decoders that a stream may use."""

_MAGIC: tuple[tuple[int, bytes], ...] = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"), (0, b"OggS"),
    (0, b"FLV"), (0, b"\x30\x26\xb2\x75"), (0, b"fLaC"), (0, b"ID3"), (0, b"FORM"), (0, b"caff"), (0, b"#!AMR"),
    (0, b"\x00\x00\x01\xba"),
)  # fmt: skip


class OpenMedia:
    """An open file, its deadline and its count of damaged packets. Use `open_media`."""

    def __init__(self, container: InputContainer, path: Path, limits: MediaLimits) -> None:
        self.container = container
        self.path = path
        self.limits = limits
        self.deadline = Deadline(path, limits.timeout_s)
        self.errors = 0
        self.joins: Joins | None = None  # looked for where a clock goes back, and not before
        self._told, self._wanted = is_told(), wanted_here()

    @cached_property
    def start_s(self) -> float:
        """Where the file's own clock starts; times handed out are relative to it."""
        start = self.container.start_time
        if start is None or not self.late_s:
            return 0.0 if start is None else start / 1e6
        starts = [
            float(stream.start_time * stream.time_base) - self.late_s.get(stream.index, 0.0)
            for stream in (self.picture(), self.sound())
            if stream is not None and stream.start_time is not None and stream.time_base is not None
        ]
        return min(starts, default=start / 1e6)

    @cached_property
    def late_s(self) -> dict[int, float]:
        """By how much FFmpeg gives a stream's pictures too late: seconds by stream number, mostly none."""
        picture = self.picture()
        if picture is None or not self.container.format.name.startswith("mov"):
            return {}
        late = late_picture_s(self.path).get(picture.id)
        return {} if late is None else {picture.index: late}

    def picture(self) -> AvVideoStream | None:
        """The stream that shows the picture: default before others, then the largest; cover art is none."""
        streams = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            return None
        return max(streams, key=_picture_rank)

    def sound(self) -> AvAudioStream | None:
        """The stream to listen to: default before others, then the one with the most channels."""
        if not self.container.streams.audio:
            return None
        return max(self.container.streams.audio, key=_sound_rank)

    def packets(self, stream: Any) -> Iterator[Packet[Any]]:
        """Packets of a stream or streams in file order, on one clock, until the file or the deadline ends.

        Damage ends the file.
        """
        clock = PacketClock()
        for packet in self._packets(stream):
            self._place(packet, clock)
            yield packet

    def _place(self, packet: Packet[Any], clock: PacketClock) -> None:
        """Move a packet's time stamps to where it belongs."""
        number, back = clock.count(packet)
        if back and self.joins is None:
            with open_media(self.path, self.limits) as again:
                streams = [s for s in (again.picture(), again.sound()) if s is not None]
                self.joins = find_joins(self.path, again._packets(streams))
        if self.joins is None and not self.late_s:
            return  # nearly every file
        later_s = 0.0 if self.joins is None else self.joins.offset_s(packet.stream_index, number)
        later_s -= self.late_s.get(packet.stream_index, 0.0)
        if later_s and packet.time_base is not None:
            later = round(later_s / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + later
            packet.dts = None if packet.dts is None else packet.dts + later

    def _packets(self, stream: Any) -> Iterator[Packet[Any]]:
        packets = self.container.demux(stream)
        while True:
            self.deadline.check()
            check_wanted(self._wanted)
            try:
                packet = next(packets, None)
            except av.error.ExitError:  # the reading timed out
                self.deadline.expire()
            except (av.error.FFmpegError, OSError) as error:
                self.count_error(error)
                return
            if packet is None:
                return
            yield packet

    def decode(self, packet: Packet[Any]) -> list[Any]:
        """Frames of one packet; a damaged packet gives none and is counted."""
        if self._told:
            self._tell(packet)
        if not packet.size and packet.pts is not None:
            return []  # so Theora says that the picture stays; FFmpeg's decoders refuse it, only the last may be empty
        try:
            return list(packet.decode())
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.BugError) as error:
            self.count_error(error)
        except av.error.EOFError:  # a flushed decoder that is flushed again
            return []
        except av.error.FFmpegError as error:
            self.count_error(error)
        return []

    def _tell(self, packet: Packet[Any]) -> None:
        """Say how much of the file's length is decoded."""
        length_s = (self.container.duration or 0) / 1e6
        if length_s > 0 and packet.pts is not None and packet.time_base is not None:
            tell_done((float(packet.pts * packet.time_base) - self.start_s) / length_s)

    def pictures(self, stream: Any, wanted: Container[int] | None = None) -> Iterator[Any]:
        """Frames that can be trusted: not damaged, and after damage only from the next key frame on.

        Decoders conceal damage and go on; the grey or smeared frames that follow would pass in silence.

        Args:
            stream: a picture stream of this file.
            wanted: times in its units; other frames may be left out where no frame depends on them, which
                spares the decoder up to a third of its work.
        """
        trusted, errors, decoder = True, self.errors, stream.codec_context
        said: bool | None = None  # to the decoder, of the packet before
        for packet in self.packets(stream):
            if wanted is not None:
                needed = packet.pts is None or packet.pts in wanted
                if needed is not said:
                    decoder.skip_frame, said = "DEFAULT" if needed else "NONREF", needed
            for frame in self.decode(packet):
                trusted = (trusted or frame.key_frame) and not frame.is_corrupt
                if frame.is_corrupt:
                    self.count_error(av.error.InvalidDataError(0, "damaged frame"))
                if trusted:
                    yield frame
            if self.errors != errors:
                errors = self.errors
                trusted = False

    def count_error(self, error: Exception) -> None:
        """Count one damaged packet; raises Truncated beyond the limit."""
        self.errors += 1
        if self.errors > self.limits.decode_errors:
            raise Truncated(
                f"{self.path.name}: too damaged to use, {self.errors} packets cannot be decoded"
            ) from error


def _sound_rank(stream: AvAudioStream) -> tuple[bool, bool, int, int]:
    context = stream.codec_context
    default = bool(stream.disposition & Disposition.default)
    return (context is not None, default, 0 if context is None else context.channels, -stream.index)


def _picture_rank(stream: AvVideoStream) -> tuple[bool, bool, bool, int, int]:
    default = bool(stream.disposition & Disposition.default)
    context = stream.codec_context
    if context is None:  # no decoder: such a stream has no size either
        return (False, False, default, 0, -stream.index)
    return (True, context.pix_fmt is not None, default, context.width * context.height, -stream.index)


@contextlib.contextmanager
def open_media(path: str | Path, limits: MediaLimits) -> Iterator[OpenMedia]:
    """Open a file for reading behind all guards.

    Raises:
        NotMedia: no such file, an empty file, or bytes of no known container.
        Truncated: a known container that breaks off before its tables.
        TooLarge: more bytes than the limit.
    """
    path = Path(path)
    _check_file(path, limits)
    guards = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(FORMATS),
        "codec_whitelist": ",".join((*VIDEO_DECODERS, *AUDIO_DECODERS)),
        "max_pixels": str(limits.side_px**2),
    }
    try:
        container = av.open(
            str(path.absolute()), options=guards, timeout=limits.timeout_s, metadata_errors="replace"
        )
    except av.error.ExitError:
        Deadline(path, limits.timeout_s).expire()
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _opening_error(path) from error
    with container:
        yield OpenMedia(container, path, limits)


def opened(
    source: str | Path | OpenMedia, limits: MediaLimits
) -> contextlib.AbstractContextManager[OpenMedia]:
    """A file that is opened, or one that is open already and stays so; errors as `open_media`."""
    return contextlib.nullcontext(source) if isinstance(source, OpenMedia) else open_media(source, limits)


def can_wind_back(media: OpenMedia) -> bool:
    """Whether the file can be read again from its first packet as if it were opened afresh: a whole MP4 that nothing
    was decoded of yet.
    """
    stream = media.picture() or media.sound()
    if stream is None or media.late_s or media.joins is not None or not is_whole_mp4(media.path):
        return False
    entries = stream.index_entries
    return len(entries) > 0 and bool(entries[0].is_keyframe) and not stream.codec_context.is_open


def wind_back(media: OpenMedia) -> None:
    """Go back to the first packet of a file of which `can_wind_back` is true."""
    stream = media.picture() or media.sound()
    assert stream is not None
    media.container.seek(stream.index_entries[0].timestamp, stream=stream, backward=True)


@contextlib.contextmanager
def from_start(media: OpenMedia) -> Iterator[OpenMedia]:
    """The same file from its first packet: wound back, or opened afresh where it cannot be.

    To open a file costs as much as to decode some twenty frames: FFmpeg looks how far they are reordered.
    """
    if can_wind_back(media):
        wind_back(media)
        yield OpenMedia(media.container, media.path, media.limits)
    else:
        with open_media(media.path, media.limits) as again:
            yield again


def _check_file(path: Path, limits: MediaLimits) -> None:
    if not path.is_file():
        raise NotMedia(
            f"{path.name}: {'is a folder' if path.is_dir() else 'no such file'}; give a media file"
        )
    size = path.stat().st_size
    if size == 0:
        raise NotMedia(f"{path.name}: the file is empty")
    with path.open("rb") as file:
        kind = other_kind(file.read(64))
    if kind is not None:
        raise NotMedia(
            f"{path.name}: this is {kind}; give a video or a sound file, such as MP4, WebM, MP3 or WAV"
        )
    if size > limits.size_mb * 1e6:
        raise TooLarge(f"{path.name}: {size / 1e6:.0f} MB; at most {limits.size_mb:g} MB are accepted")


def _opening_error(path: Path) -> Exception:
    with path.open("rb") as file:
        head = file.read(16)
    if any(head[at : at + len(magic)] == magic for at, magic in _MAGIC):
        return Truncated(f"{path.name}: the file breaks off or is damaged; its tables cannot be read")
    return NotMedia(f"{path.name}: not a video or sound file of a kind that can be read")


def require_decoder(path: Path, stream: Any, kind: str) -> None:
    """Raise UnsupportedCodec for a stream without a decoder on the list."""
    context = stream.codec_context
    if stream.container.format.name.startswith("mov") and stream.id in encrypted_tracks(path):
        raise UnsupportedCodec(
            f"{path.name}: the {kind} is encrypted (copy protection) and cannot be read; give a file without it"
        )
    if context is None:
        raise UnsupportedCodec(
            f"{path.name}: the {kind} uses an unknown codec; convert it to MP4 (H.264, AAC)"
        )
    allowed = VIDEO_DECODERS if stream.type == "video" else AUDIO_DECODERS
    if context.name not in allowed:
        raise UnsupportedCodec(
            f"{path.name}: the {kind} uses the codec {context.name}, which is not accepted; "
            "convert it to MP4 (H.264, AAC)"
        )

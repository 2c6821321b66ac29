"""What a file promises: how long it says it is, where that can be believed, and that it is all there.

The length of a file is what is in it; a promise serves to tell damage from a header that is wrong. Some lengths are
guesses from the bit rate (ADTS, MP3 without a table of contents), some cover more than picture and sound (Matroska
counts subtitles: RFC 9559, 5.1.2.12), so there a promise counts only where bytes are missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from mvr.errors import TooLong, Truncated

if TYPE_CHECKING:
    from mvr.media.container import OpenMedia

_GUESSED = ("mpegts", "mpeg", "flv", "aac", "amr", "ogg")  # no length in the header, or one that was guessed
_MATROSKA = "matroska,webm"
_MP3_TABLES = (b"Xing", b"Info", b"VBRI")
_SEGMENT = b"\x18\x53\x80\x67"
_MOST_CHUNKS = 100  # before the sound: a file of nothing else is not walked through to its end
_ENDLESS = 2**31 - 2**16  # and more: of writers to a pipe, who cannot go back and say how much it was


class _Chunks(NamedTuple):
    """How a file is divided: where the first chunk begins, bytes of a chunk's name and of its size, how many of them
    the size counts in, and what it is filled up to."""

    begin: int
    name: int
    size: int
    counted: int
    filled: int


_CHUNKS = {"wav": _Chunks(12, 4, 4, 0, 2), "w64": _Chunks(40, 16, 8, 24, 8)}


def promised_s(media: OpenMedia, stream: Any) -> float | None:
    """Seconds that a stream has by the file's header; None where it does not say or only guesses."""
    name = media.container.format.name
    if name in (*_GUESSED, _MATROSKA) or (name == "mp3" and not _has_mp3_table(media.path)):
        return None
    if stream.duration is None or stream.time_base is None:
        return None
    # of AVI, CAF and samples in WAV and W64 FFmpeg makes the duration fit the bytes that are there
    units = max(stream.duration, stream.frames) if name in ("avi", "caf") else stream.duration
    return max(float(units * stream.time_base), _sized_s(media.path, name, stream.codec_context))


def promised_by_file_s(media: OpenMedia) -> float:
    """Seconds of picture and sound by the file's header; 0 where it does not say or only guesses."""
    if media.container.format.name == _MATROSKA:
        return (media.container.duration or 0) / 1e6 if _segment_is_cut(media.path) else 0.0
    streams = (s for s in (media.picture(), media.sound()) if s is not None)
    return max((promised_s(media, stream) or 0.0 for stream in streams), default=0.0)


def check_complete(path: Path, measured_s: float, promise_s: float | None) -> None:
    """Raise Truncated where clearly less is there (by over 1 s and a tenth) than the header promises."""
    if promise_s is not None and promise_s - measured_s > max(1.0, 0.1 * promise_s):
        raise Truncated(
            f"{path.name}: the file breaks off after {measured_s:.1f} of {promise_s:.1f} s; copy or upload it again"
        )


def check_duration(path: Path, reached_s: float, limit_s: float, header_s: float = 0.0) -> None:
    """Raise TooLong where more than the limit is really there; the header, if longer still, only says how long."""
    if reached_s > limit_s:
        longest = max(reached_s, header_s)
        raise TooLong(f"{path.name}: {longest:.0f} s long; at most {limit_s:g} s are accepted")


def _sized_s(path: Path, format_name: str, codec: Any) -> float:
    """Seconds of the samples that a WAV or W64 file says it has; 0 of others, and where it does not say."""
    chunks = _CHUNKS.get(format_name)
    if chunks is None or not codec.name.startswith("pcm_") or not codec.bit_rate:
        return 0.0
    with path.open("rb") as file:
        length = _data_bytes(file, chunks)
    return length * 8 / codec.bit_rate if 0 < length < _ENDLESS else 0.0


def _data_bytes(file: BinaryIO, chunks: _Chunks) -> int:
    """The size of the chunk of samples as the file says it; 0 where there is none."""
    file.seek(chunks.begin)
    for _ in range(_MOST_CHUNKS):
        head = file.read(chunks.name + chunks.size)
        length = int.from_bytes(head[chunks.name :], "little") - chunks.counted
        if len(head) < chunks.name + chunks.size or length < 0:
            break
        if head[:4] == b"data":
            return length
        file.seek(length + -length % chunks.filled, 1)
    return 0


def _has_mp3_table(path: Path) -> bool:
    """Whether the first frame of an MP3 says how many follow (Xing, Info or VBRI header)."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":  # its size is four bytes of seven bits
            size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
        else:
            file.seek(0)
        first = file.read(2048)
    return any(table in first for table in _MP3_TABLES)


def _segment_is_cut(path: Path) -> bool:
    """Whether a Matroska segment says that it is longer than the file (RFC 8794, 4 and 6.2)."""
    with path.open("rb") as file:
        if file.read(4) != b"\x1a\x45\xdf\xa3":
            return False
        header = _ebml_size(file)
        if header is None:
            return False
        file.seek(header, 1)
        if file.read(4) != _SEGMENT:
            return False
        size = _ebml_size(file)
        return size is not None and file.tell() + size > path.stat().st_size


def _ebml_size(file: BinaryIO) -> int | None:
    """A data size at the file's position; None for "unknown", which streams have."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1), "big") & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value

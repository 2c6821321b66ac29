"""Boxes of MP4 and MOV files (ISO/IEC 14496-12, section 4.2), where FFmpeg does not say what they say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_LARGEST = 1 << 24  # bytes; what is looked for is small
_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts")


def read_boxes(path: Path, wanted: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and bodies of the wanted boxes inside `moov` and `moof`, in file order; all others are stepped over."""
    with path.open("rb") as file:
        yield from _inside(file, (0, path.stat().st_size), wanted)


def _inside(
    file: BinaryIO, span: tuple[int, int], wanted: Collection[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    begin, end = span
    while begin + 8 <= end:
        box = _head(file, begin, end)
        if box.size < box.start:
            return
        if box.kind in _PARENTS:
            yield from _inside(file, (begin + box.start, min(end, begin + box.size)), wanted)
        elif box.kind in wanted and box.size <= _LARGEST:
            file.seek(begin + box.start)
            yield box.kind, file.read(box.size - box.start)
        begin += box.size


@dataclass(frozen=True, kw_only=True)
class _Box:
    """Kind of a box, where its body starts in it, and its size."""

    kind: bytes
    start: int
    size: int


def _head(file: BinaryIO, begin: int, end: int) -> _Box:
    """The box at `begin`; size 0 in the file means to the end."""
    file.seek(begin)
    head = file.read(16)
    size, start = int.from_bytes(head[:4], "big"), 8
    if size == 1:
        size, start = int.from_bytes(head[8:16], "big"), 16
    return _Box(kind=head[4:8], start=start, size=size or end - begin)


def is_whole_mp4(path: Path) -> bool:
    """Whether an MP4 (or MOV) is all there and has one table of all its frames, so that the table can be believed."""
    kinds = _outermost(path, _version(path))
    return b"moov" in kinds and b"moof" not in kinds and b"" not in kinds


def encrypted_tracks(path: Path) -> frozenset[int]:
    """Ids of the tracks whose samples are encrypted (ISO/IEC 23001-7: sample entries `encv` and `enca`)."""
    return _encrypted(path, _version(path))


def track_id(kind: bytes, body: bytes) -> int:
    """The id that a `tkhd` or a `tfhd` names."""
    at = 4 if kind == b"tfhd" else 20 if body[0] else 12
    return int.from_bytes(body[at : at + 4], "big")


def _version(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=256)
def _outermost(path: Path, _of: tuple[int, int]) -> tuple[bytes, ...]:
    """Kinds of the outermost boxes; a last one of `b""` where the file ends within one."""
    kinds: list[bytes] = []
    with path.open("rb") as file:
        at, end = 0, path.stat().st_size
        while at < end:
            box = _head(file, at, end)
            kinds.append(box.kind)
            if box.size < box.start or at + box.size > end:
                return (*kinds, b"")
            at += box.size
    return tuple(kinds)


@lru_cache(maxsize=256)
def _encrypted(path: Path, _of: tuple[int, int]) -> frozenset[int]:
    found, track = set(), 0
    for kind, body in read_boxes(path, (b"tkhd", b"stsd")):
        if kind == b"tkhd":
            track = track_id(kind, body)
        elif body[12:16] in (b"encv", b"enca"):  # the kind of the first sample entry
            found.add(track)
    return frozenset(found)

"""One clock for a whole file: where a clock starts again, and where a fragmented MP4 is read late.

Files that were joined by copying one behind the other (MPEG-TS and VOB recordings, chained Ogg: RFC 3533, section 4)
count their time from the start again. Each part is put behind the one before it, by the same amount for picture and
sound, so that they stay together. What is told from a restart: a time stamp that is damaged comes alone.

FFmpeg shows the pictures of a fragmented MP4 with negative composition offsets (`trun` version 1, as the flag `cmaf`
writes them) later by the largest of them, and its sound not: by ISO/IEC 14496-12, 8.8.8, the offset is what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvr.errors import BrokenClock
from mvr.media.boxes import read_boxes, track_id

if TYPE_CHECKING:
    from av.packet import Packet

_BACK_S = 0.5  # a clock that goes back by more was started again
_CONFIRMED = 3  # so many packets later it must still be there


@dataclass(frozen=True)
class Part:
    """What is recorded between two restarts of one stream's clock.

    Attributes:
        first: number of its first packet in the stream.
        begin_s, end_s: its earliest and latest moment by its own clock.
    """

    first: int
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Joins:
    """Where the parts of each stream begin (packet numbers) and how much later they belong, in seconds."""

    firsts: dict[int, list[int]]
    offsets_s: list[float]

    def offset_s(self, stream: int, number: int) -> float:
        """How much later packet `number` of a stream belongs than its time stamp says."""
        return self.offsets_s[sum(number >= first for first in self.firsts.get(stream, []))]


class PacketClock:
    """Follows the packets of one reading from the start of a file."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._last_s: dict[int, float] = {}
        self._units: dict[int, tuple[int, int]] = {}  # of a stream's clock: whole numbers, for speed

    def count(self, packet: Packet[Any]) -> tuple[int, bool]:
        """The packet's number in its stream, and whether the stream's clock went back with it."""
        index = packet.stream_index
        number = self._numbers.get(index, 0)
        self._numbers[index] = number + 1
        dts = packet.dts
        if dts is None:
            return number, False
        if index not in self._units:
            if packet.time_base is None:
                return number, False
            self._units[index] = packet.time_base.as_integer_ratio()
        above, below = self._units[index]
        at_s = dts * above / below
        back = at_s < self._last_s.get(index, at_s) - _BACK_S
        self._last_s[index] = at_s
        return number, back


def find_joins(path: Path, packets: Iterable[Packet[Any]]) -> Joins:
    """Lay the parts of a file's streams behind each other.

    Args:
        path: the file, for the message.
        packets: all packets of picture and sound, in file order.

    Raises:
        BrokenClock: the clocks of picture and sound start again a different number of times.
    """
    rows: dict[int, list[_Row]] = {}
    for packet in packets:
        rows.setdefault(packet.stream_index, []).append(_row(packet))
    parts = {index: _parts(found) for index, found in rows.items()}
    if len({len(found) for found in parts.values()}) != 1:
        raise BrokenClock(
            f"{path.name}: the clock jumps back, in picture and sound a different number of times; "
            "convert the file to MP4 (H.264, AAC)"
        )
    offsets, end_s = [0.0], 0.0
    for together in zip(*parts.values(), strict=True):
        begin_s = min(part.begin_s for part in together)
        if together[0].first:
            offsets.append(end_s - begin_s)
        end_s = max(part.end_s for part in together) + offsets[-1]
    firsts = {index: [part.first for part in found[1:]] for index, found in parts.items()}
    return Joins(firsts=firsts, offsets_s=offsets)


_Row = tuple[float, float, float] | None
"""Decoding time, begin and end of a packet in seconds; None where it has no time."""


def _row(packet: Packet[Any]) -> _Row:
    shown = packet.pts if packet.pts is not None else packet.dts
    if shown is None or packet.time_base is None or not packet.size:
        return None
    order = shown if packet.dts is None else packet.dts
    begin, end, at = (float(t * packet.time_base) for t in (shown, shown + (packet.duration or 0), order))
    return at, begin, end


def _parts(rows: list[_Row]) -> list[Part]:
    """Split one stream's packets where its clock starts again."""
    timed = [(number, row) for number, row in enumerate(rows) if row is not None]
    starts = [0]
    for i in range(1, len(timed)):
        before = timed[i - 1][1][0] - _BACK_S
        if all(row[0] < before for _, row in timed[i : i + _CONFIRMED]):
            starts.append(i)
    spans = zip(starts, [*starts[1:], len(timed)], strict=True)
    return [
        Part(
            timed[a][0] if a else 0,
            min((row[1] for _, row in timed[a:b]), default=0.0),
            max((row[2] for _, row in timed[a:b]), default=0.0),
        )
        for a, b in spans
    ]


def late_picture_s(path: Path) -> dict[int, float]:
    """How much too late FFmpeg shows the picture of a fragmented MP4: seconds by track id; empty where it does not.

    The largest negative composition offset of its `trun` boxes, where no edit list has the last word.
    """
    units: dict[int, int] = {}
    edited: set[int] = set()
    lowest: dict[int, int] = {}
    track = 0
    for kind, body in read_boxes(path, (b"tkhd", b"tfhd", b"mdhd", b"elst", b"trun")):
        if kind in (b"tkhd", b"tfhd"):
            track = track_id(kind, body)
        elif kind == b"mdhd":
            units[track] = int.from_bytes(body[20:24] if body[0] else body[12:16], "big")
        elif kind == b"elst":
            edited.add(track)
        elif kind == b"trun":
            lowest[track] = min(lowest.get(track, 0), _least_offset(body))
    return {
        index: -low / units[index]
        for index, low in lowest.items()
        if low < 0 and index not in edited and units.get(index)
    }


def _least_offset(body: bytes) -> int:
    """Least composition offset in a `trun`; version 0 has none below zero."""
    flags, count = int.from_bytes(body[1:4], "big"), int.from_bytes(body[4:8], "big")
    if not body[0] or not flags & 0x800:
        return 0
    width = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))  # the offset is the last field
    start = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    ends = range(start + width, min(len(body), start + width * count) + 1, width)
    return min((int.from_bytes(body[end - 4 : end], "big", signed=True) for end in ends), default=0)

"""`python -m eval.timelines`: see the package's docstring."""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

from eval.timelines.clips import MadeClip, make_clips
from eval.timelines.reading import read_timeline
from eval.timelines.xml_reader import read_xml
from mvr.delivery.laying import lay_film
from mvr.delivery.plan import Delivery, Film, Marker, MarkerKind, Sound, join_markers, plain_pieces
from mvr.delivery.writing import TimelineSettings, write_timeline

_FORMATS = ("a.otio", "a.otioz", "a.xml")
_READERS = ("OTIO", "OTIOZ", "FCP7 XML, same library", "FCP7 XML, own reader")
Points = list[tuple[int, int, int, int, int]]  # track, start, end, in, out


@dataclass(frozen=True)
class Row:
    """One clip: points compared, points off by a frame or more for each reader, the largest rounding in frames."""

    clip: MadeClip
    frames_right: bool
    points: int
    wrong: tuple[int, ...]
    rounding: float
    muted_right: bool


def compare(clip: MadeClip, folder: Path) -> Row:
    """Lay a clip out in every format and count the points that are not where they belong."""
    film = lay_film(clip.path)
    delivery = _delivery(film, folder)
    wanted, rounding = _wanted(delivery, clip.wanted)
    settings = TimelineSettings(link=True, drop_frame=clip.drop_frame)
    found: list[Points] = []
    muted = True
    for name in _FORMATS:
        out = folder / name
        write_timeline(
            delivery, out, settings if name.endswith("z") else TimelineSettings(drop_frame=clip.drop_frame)
        )
        placed = read_timeline(out).placed
        found.append([(p.track, p.start, p.end, p.source_start, p.source_end) for p in placed])
        muted &= all(p.heard == (p.track < 3) for p in placed)
    sequence, items = read_xml(folder / "a.xml")
    found.append([(c.track, c.start, c.end, c.source_in, c.source_out) for c in items])
    muted &= all(c.heard == (c.track < 3) for c in items)
    muted &= sequence.findtext("timecode/displayformat") == ("DF" if clip.drop_frame else "NDF")
    return Row(
        clip=clip,
        frames_right=film.clock.frames == _nearest(clip.pictures / clip.made_at * clip.wanted)
        and film.clock.rate.per_s == clip.wanted,
        points=4 * len(wanted),
        wrong=tuple(_wrong(wanted, points) for points in found),
        rounding=rounding,
        muted_right=muted,
    )


def _delivery(film: Film, folder: Path) -> Delivery:
    """A looped track and four alternates that begin on odd moments."""
    sounds = [
        Sound(
            path=folder / f"音楽 {number} #.flac", title=f"track {number}", duration_s=duration_s,
            pieces=plain_pieces(start_s, duration_s, film.length_s),
        )
        for number, (duration_s, start_s) in enumerate(
            [(41.7, 10.61), (200.0, 3.0), (1650.1, 60.2572), (33.33, 0.0), (1000.0, 77.7)]
        )
    ]  # fmt: skip
    hit = Marker(at_s=film.length_s / 3, kind=MarkerKind.HIT, name="hit")
    markers = (hit, *join_markers(sounds[0].pieces))
    return Delivery(film=film, chosen=sounds[0], alternates=tuple(sounds[1:]), markers=markers)


def _wanted(delivery: Delivery, rate: Fraction) -> tuple[Points, float]:
    """Where everything belongs, by exact fractions, and how far the nearest frame is from a wished time at most."""
    length = delivery.film.clock.frames
    points: Points = [(0, 0, length, 0, length), (1, 0, length, 0, length)]
    worst = Fraction(0)
    for track, sound in enumerate((delivery.chosen, *delivery.alternates), start=2):
        for piece in sound.pieces:
            start = _nearest(Fraction(piece.start_s) * rate)
            end = min(length, _nearest(Fraction(piece.start_s + piece.duration_s) * rate))
            source = _nearest(Fraction(piece.source_start_s) * rate)
            points.append((track, start, end, source, source + end - start))
            for frame, second in ((start, piece.start_s), (source, piece.source_start_s)):
                worst = max(worst, abs(frame - Fraction(second) * rate))
    return points, float(worst)


def _nearest(frames: Fraction) -> int:
    return math.floor(frames + Fraction(1, 2))


def _wrong(wanted: Points, found: Points) -> int:
    """Points that are missing or not where they belong."""
    missing = 4 * abs(len(wanted) - len(found))
    pairs = zip(wanted, found, strict=False)
    return missing + sum(w != f for one, other in pairs for w, f in zip(one[1:], other[1:], strict=True))


def markdown(rows: list[Row]) -> str:
    """The report."""
    lines = [
        "# Timelines, read back", "",
        "Printed by `python -m eval.timelines --out eval/results`. Clips are made, laid out with a looped track, four "
        "muted alternates and markers, written, and read back. A point is the in or out of a clip in its media or on "
        "the timeline; it is wrong when it is not the frame nearest to the wished time (by exact fractions).", "",
        f"opentimelineio {version('opentimelineio')}, otio-fcp-adapter {version('otio-fcp-adapter')}. The last reader "
        "is the standard library's XML parser and code of `eval/timelines`. No editor was run.", "",
        "| clip | rate | frames right | points | " + " | ".join(f"wrong: {name}" for name in _READERS)
        + " | rounding at most (frames) | muted and clock right |",
        "| --- | ---: | --- | ---: |" + " ---: |" * len(_READERS) + " ---: | --- |",
    ]  # fmt: skip
    for row in rows:
        rate = f"{float(row.clip.wanted):.3f}".rstrip("0").rstrip(".")
        wrong = " | ".join(map(str, row.wrong))
        right, muted = ("yes" if each else "NO" for each in (row.frames_right, row.muted_right))
        lines.append(
            f"| {row.clip.name} | {rate} | {right} | {row.points} | {wrong} | {row.rounding:.3f} | {muted} |"
        )
    total, wrong_in_all = sum(row.points for row in rows), sum(sum(row.wrong) for row in rows)
    lines += [
        "", f"{len(rows)} cases, {total} points, each read four times: {wrong_in_all} wrong. A frame grid moves the "
        "music by half a frame at most (20 ms at 25 frames a second); the exact second stands in every marker's "
        "comment and in the table of markers.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def rows_of(folder: Path) -> Iterator[Row]:
    """Every clip in turn."""
    for clip in make_clips(folder):
        yield compare(clip, folder)


def main(argv: list[str] | None = None) -> int:
    """Write `timelines.md`; 1 if any point is wrong."""
    parser = argparse.ArgumentParser(prog="python -m eval.timelines")
    parser.add_argument("--out", type=Path, required=True, help="folder of timelines.md")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="mvr-timelines-") as scratch:
        rows = list(rows_of(Path(scratch)))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "timelines.md").write_text(markdown(rows), encoding="utf-8")
    print(markdown(rows))
    return int(any(sum(row.wrong) or not row.frames_right or not row.muted_right for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())

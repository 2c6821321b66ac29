"""A result cut to the clip's length by whole bars: its plan in words, the sound that is heard and taken away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.errors import NotInLibrary, UsageError
from mvr.page import texts
from mvr.page.search.audition import write_lossless
from mvr.page.search.controls import number
from mvr.page.search.exports import timeline_link
from mvr.page.search.preview import Preview, export_name, video_and_music
from mvr.page.serving import Shelf, ShelfItem
from mvr.page.templates import render
from mvr.timing.fitting.paths import FitWish
from mvr.timing.fitting.plan import Ending, FitPlan, Method, Piece

if TYPE_CHECKING:
    from mvr.page.library import Row
    from mvr.page.search.desk import Desk
    from mvr.page.search.exports import Links
    from mvr.page.serving import Visit

FIT = "fit"  # what stands after the @ of an item that is taken away as it was fitted


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What was asked for, as it was typed: the second to hit (may be empty), and how to end."""

    hit: str = ""
    ending: str = Ending.REAL


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A track cut to the clip's length, with its plan.

    Attributes:
        row: which result, from where its music would have begun.
        typed: what was asked for.
        plan: how it was cut.
        sound: the fitted music, 24-bit WAV at the export's loudness, exactly as long as the clip.
    """

    row: Row
    typed: Typed
    plan: FitPlan
    sound: Path


def fit_result(visit: Visit, desk: Desk, row: Row, typed: Typed) -> Fitted:
    """Plan and write the fitted music of one result.

    Raises:
        UsageError: a hit that is no second of the clip, or an unknown ending. MediaError: the track cannot be used.
    """
    from mvr.media.probe import probe
    from mvr.timing.files import plan_file, write_fit

    if typed.ending not in list(Ending):
        raise UsageError(f"the ending is {typed.ending!r}; choose from {', '.join(Ending)}")
    video, music = video_and_music(desk, row)
    length_s = probe(video, needs=("picture",)).duration_s
    wish = FitWish(
        length_s=length_s, start_s=row.music_from_s, ending=Ending(typed.ending), hit_s=_second(typed.hit)
    )
    plan = plan_file(music, wish)
    sound = visit.new_file(".wav")
    write_fit(music, plan, sound)
    return Fitted(row=row, typed=typed, plan=plan, sound=sound)


def discard(fitted: Fitted | None) -> None:
    """Delete a fitted sound that is heard no more, and what was made from it."""
    for suffix in (".wav", ".flac", ".otioz"):
        if fitted is not None:
            fitted.sound.with_suffix(suffix).unlink(missing_ok=True)


def _second(typed: str) -> float | None:
    return None if not typed.strip() else (number(texts.FIT_HIT, typed) or 0.0)


def fitted_of(desk: Desk, item_id: str) -> Fitted | None:
    """The fitted music that `ID@fit` asks for; None for any other id.

    Raises:
        NotInLibrary: another track was fitted meanwhile.
    """
    wanted, _, how = item_id.partition("@")
    if how != FIT:
        return None
    if desk.fitted is None or desk.fitted.row.id != wanted:
        raise NotInLibrary(texts.FIT_GONE)
    return desk.fitted


def fit_html(shelf: Shelf, visit: Visit, desk: Desk) -> str:
    """What is asked for, and the plan of the fitted track where there is one."""
    fitted = desk.fitted
    if fitted is None:
        return render(
            "fit.html",
            fitted=None,
            typed=Typed(),
            lines=[],
            links=[],
            heard=None,
            hint=texts.FIT_HINT[desk.direction],
        )
    stem = Path(export_name(desk.clip.name if desk.clip else "", fitted.row.title)).stem
    heard = ShelfItem(
        path=fitted.sound.with_suffix(".flac"),
        name="fitted.flac",
        owner=visit.id,
        make=lambda out: write_lossless(fitted.sound, out),
    )
    spans = [[piece.start_s, piece.source_start_s, piece.duration_s] for piece in fitted.plan.pieces]
    return render(
        "fit.html",
        fitted=fitted,
        typed=fitted.typed,
        lines=plan_words(fitted.plan),
        links=_links(shelf, visit, desk, fitted, stem),
        heard={"url": shelf.put(heard), "key": fitted.sound.stem, "pieces": json.dumps(spans)},
        hint=texts.FIT_HINT[desk.direction],
    )


def _links(shelf: Shelf, visit: Visit, desk: Desk, fitted: Fitted, stem: str) -> Links:
    """The fitted music as WAV, and the timeline with its pieces."""
    wav = shelf.put(ShelfItem(path=fitted.sound, name=f"{stem}.wav", owner=visit.id, download=True))
    preview = Preview(
        item_id=fitted.row.id, path=fitted.sound, name=f"{stem}.mp4", original="mute", start_s=fitted.row.music_from_s,
        shown=fitted.row.title, credit=fitted.row.credit, plan=fitted.plan,
    )  # fmt: skip
    return [(texts.EXPORT_MUSIC, wav, "music"), *timeline_link(shelf, visit, desk, preview)]


def plan_words(plan: FitPlan) -> list[str]:
    """A plan in sentences: its pieces with their joins, the end, the hit, what could not be done.

    >>> pieces = (Piece(source_start_s=0.0, source_end_s=8.0, start_s=0.0),)
    >>> plan_words(FitPlan(pieces=pieces, length_s=8.0, method=Method.BARS, ending=Ending.FADE, fade_s=2.0))
    ['0.00 s: the track from 0.00 to 8.00 s', "Ends with a fade-out of 2.0 s, exactly at the clip's end."]
    """
    lines = [line for pieces in plan.rounds() for line in _round_words(pieces)]
    if len(plan.joins) == 0 and plan.method is not Method.PLAIN:
        lines[0] += texts.FIT_NO_JOIN if plan.ending is Ending.REAL else ""
    return lines + [f"{line[0].upper()}{line[1:]}." for line in plan.told]


def _round_words(pieces: tuple[Piece, ...]) -> list[str]:
    """A piece in a line, one that is repeated often in two."""
    again = texts.FIT_AGAIN.format(count=len(pieces) - 1, until=pieces[-1].end_s)
    return [_piece_words(pieces[0]), again] if len(pieces) > 1 else [_piece_words(pieces[0])]


def _piece_words(piece: Piece) -> str:
    line = texts.FIT_PIECE.format(at=piece.start_s, start=piece.source_start_s, end=piece.source_end_s)
    return f"{line}, {piece.join_told}" if piece.join_told else line

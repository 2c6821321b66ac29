"""The cue sheet: what a broadcaster or a collecting society is told about the music in a film.

Columns follow what societies ask for: title, composer, publisher and their numbers (ISRC of the recording, ISWC of the
work, IPI of the composer), where it stands in the film, how long and how it is used. What no tag says stays empty.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict

from mvr.config.cells import spreadsheet_cell
from mvr.delivery.grid import framed
from mvr.delivery.plan import Delivery

COLUMNS = (
    "cue", "title", "artist", "composer", "publisher", "isrc", "iswc", "ipi", "in", "out", "in_s", "out_s",
    "duration_s", "source_in_s", "use", "licence", "licence_url", "credit",
)  # fmt: skip
USE = "background"  # heard under the picture, not seen to be played


def cue_rows(delivery: Delivery, *, drop_frame: bool = False) -> list[dict[str, object]]:
    """One row for each stretch of the chosen music, with its in and out as timecode and in seconds."""
    sound, clock = delivery.chosen, delivery.film.clock
    rate = clock.rate
    pieces = framed(sound.pieces, rate, clock.frames, rate.frames_within(sound.duration_s))
    return [
        {
            "cue": number,
            "title": sound.title,
            "artist": sound.artist,
            **asdict(sound.rights_holders),
            "in": rate.timecode(piece.start, drop=drop_frame),
            "out": rate.timecode(piece.end, drop=drop_frame),
            "in_s": round(float(rate.second_of(piece.start)), 6),
            "out_s": round(float(rate.second_of(piece.end)), 6),
            "duration_s": round(float(rate.second_of(piece.frames)), 6),
            "source_in_s": round(float(rate.second_of(piece.source_start)), 6),
            "use": USE,
            "licence": sound.licence,
            "licence_url": sound.licence_url,
            "credit": sound.credit,
        }
        for number, piece in enumerate(pieces, start=1)
    ]


def cue_sheet(delivery: Delivery, *, drop_frame: bool = False) -> str:
    """The cue sheet as CSV; words that a spreadsheet would run as a formula get an apostrophe in front."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for row in cue_rows(delivery, drop_frame=drop_frame):
        writer.writerow({name: spreadsheet_cell(value) for name, value in row.items()})
    return out.getvalue()

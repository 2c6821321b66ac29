"""How often a word is wrong by eye: a sheet that an observer filled in, counted.

A line of the sheet is one word that `bridge` said of one clip (first digits of the file's SHA-256), with how far it
stood out and whether it is in the picture. Only words for what is seen can be judged so: whether a clip asks for soul
or for punk cannot be seen, and is not in the sheet. Intervals: Wilson, 95 %, words taken as independent (they are not
quite: three come from one clip).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from mvr.errors import DataError

COLUMNS = ("clip", "what_is_there", "place", "word", "deviations", "right")
LEAST = (1.0, 2.0, 3.0, 4.0)
_Z = 1.96


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One word of one clip: its place among the clip's words, its deviations, and whether it is right."""

    clip: str
    place: int
    word: str
    deviations: float
    right: bool


def read_sheet(path: Path) -> list[Judged]:
    """The sheet's lines. Raises DataError: no such table, or a judgement other than yes and no."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return [
            Judged(
                clip=row["clip"],
                place=int(row["place"]),
                word=row["word"],
                deviations=float(row["deviations"]),
                right={"yes": True, "no": False}[row["right"]],
            )
            for row in rows
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no sheet with the columns {', '.join(COLUMNS)}: {error!r}") from error


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share.

    >>> [round(side, 3) for side in wilson(5, 10)]
    [0.237, 0.763]
    """
    share, spare = hits / count, _Z**2 / count
    middle = (share + spare / 2) / (1 + spare)
    half = _Z * (share * (1 - share) / count + spare / (4 * count)) ** 0.5 / (1 + spare)
    return middle - half, middle + half


def eye_markdown(rows: list[Judged], command: str) -> str:
    """The report for readers."""
    clips = {row.clip for row in rows}
    helped = {row.clip for row in rows if row.right}
    lines = [
        "# Words that are wrong by eye",
        "",
        f"Counted by `{command}`; one observer looked at six frames of each of {len(clips)} clips of the developers' "
        "that show anything (test patterns, noise and black pictures left out: there every word is arbitrary). A word "
        "is right if the thing is in the picture. The statistics that centre the concepts come from these very clips. "
        f"{len(helped)} of {len(clips)} clips got at least one right word.",
        "",
        "What a clip asks for cannot be judged by eye: no picture shows whether soul or punk belongs under it. It is "
        "not counted here; eval/results/real says how the systems do on the clips' own music.",
        "",
        "| words | said | wrong | share | interval |",
        "|---|---|---|---|---|",
        _line("all", rows),
        _line("the strongest of each clip", [row for row in rows if row.place == 1]),
    ]
    lines += [
        _line(f"at least {least:g} deviations", [row for row in rows if row.deviations >= least])
        for least in LEAST[1:]
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, rows: list[Judged]) -> str:
    if not rows:
        return f"| {name} | 0 | | | |"
    wrong = sum(not row.right for row in rows)
    low, high = wilson(wrong, len(rows))
    return f"| {name} | {len(rows)} | {wrong} | {wrong / len(rows):.2f} | {low:.2f} .. {high:.2f} |"

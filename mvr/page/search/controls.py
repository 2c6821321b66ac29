"""What the controls of a search tab say, by name, and the question that they ask. Knows no Gradio."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mvr.errors import UsageError
from mvr.page import texts
from mvr.page.search.desk import Ask

PACES_BPM: dict[str, tuple[float | None, float | None]] = {
    "any": (None, None),
    "slow": (None, 90.0),
    "medium": (90.0, 120.0),
    "fast": (120.0, None),
}


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The values of one tab's controls, as they stand; `voter` is the signed id that the tab Vote keeps."""

    alpha: float
    library: str
    system: str
    text: str | None
    genre: list[str] | None
    licence: list[str] | None
    mood: list[str] | None
    pace: str | None
    tempo_min: str | None
    tempo_max: str | None
    duration_max: str | None
    earn: bool
    variety: float
    taste: str | None
    voter: str
    timing: bool = True
    instrument: list[str] | None = None


def ask_of(controls: Controls, library_key: str, count: int) -> Ask:
    """The question of the controls.

    Args:
        controls: as they stand.
        library_key: of the chosen library in the catalogue.
        count: how many results.

    Raises:
        UsageError: a number that is none.
    """
    from mvr.retrieval import Filters

    slowest, fastest = PACES_BPM.get(controls.pace or "any", (None, None))
    filters = Filters(
        genres=tuple(controls.genre or ()),
        licences=tuple(controls.licence or ()),
        moods=tuple(controls.mood or ()),
        instruments=tuple(controls.instrument or ()),
        min_tempo_bpm=slowest
        if (typed := number(texts.TEMPO_MIN_LABEL, controls.tempo_min)) is None
        else typed,
        max_tempo_bpm=fastest
        if (typed := number(texts.TEMPO_MAX_LABEL, controls.tempo_max)) is None
        else typed,
        commercial=bool(controls.earn),
        max_duration_s=number(texts.DURATION_MAX_LABEL, controls.duration_max),
    )
    return Ask(
        alpha=controls.alpha,
        library=library_key,
        system=controls.system,
        filters=filters,
        diversity=controls.variety,
        text=(controls.text or "").strip(),
        count=count,
        taste=controls.taste or "plain",
        timing=controls.timing,
    )


def alpha_of(words: str) -> float | None:
    """The slider's value in an address, on its own steps; None for anything else.

    >>> alpha_of("0.31"), alpha_of("2"), alpha_of("")
    (0.3, None, None)
    """
    try:
        alpha = float(words)
    except ValueError:
        return None
    return round(round(alpha / 0.05) * 0.05, 2) if 0 <= alpha <= 1 else None


def number(label: str, typed: str | None) -> float | None:
    """A number as it was typed, None for an empty box.

    >>> number("Tempo", " 92,5 ")
    92.5

    Raises:
        UsageError: something else, or one that no filter can use.
    """
    words = (typed or "").strip().replace(",", ".")
    if not words:
        return None
    try:
        value = float(words)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(texts.NOT_A_NUMBER.format(label=label, typed=words))
    return value or None

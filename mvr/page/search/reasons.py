"""Why it fits, in words that need no glossary: one line for the clip, one for each result, all of it measured.

The numbers are `mvr.retrieval.facts`; a system whose backbones have none of them says nothing rather than something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mvr.page import texts
from mvr.page.templates import clock
from mvr.timing.placing.places import percent

if TYPE_CHECKING:
    from mvr.timing.placing.places import Placing

_CALM_PER_S, _LIVELY_PER_S = 1.5, 4.0  # onsets of notes
_STILL, _QUICK = 0.03, 0.2  # picture widths per second
_DARK, _BRIGHT = 35.0, 65.0  # CIE lightness
_TONE = 4.0  # CIE b* and a* apart from grey
_MODE = 0.1
_CUT_EVERY_S = 10.0  # rarer cuts are not worth a word
STRONG, FAIR = 1.5, 0.5  # spreads above the average item of the library


def clip_words(facts: dict[str, float]) -> str:
    """What is seen in a clip.

    >>> clip_words({"lightness": 20.0, "motion_widths_per_s": 0.1, "cuts_per_s": 0.417})
    'dark, lively, a cut every 2.4 s'
    >>> clip_words({})
    ''
    """
    words = []
    if "lightness" in facts and not _DARK <= facts["lightness"] <= _BRIGHT:
        words.append(texts.DARK if facts["lightness"] < _DARK else texts.BRIGHT)
    if abs(facts.get("warm_less_cold", 0)) > _TONE:
        words.append(texts.WARM if facts["warm_less_cold"] > 0 else texts.COLD)
    if "motion_widths_per_s" in facts:
        speed = facts["motion_widths_per_s"]
        words.append(texts.STILL if speed < _STILL else texts.LIVELY if speed < _QUICK else texts.QUICK)
    if facts.get("cuts_per_s", 0) > 1 / _CUT_EVERY_S:
        words.append(texts.CUTS.format(seconds=1 / facts["cuts_per_s"]))
    return ", ".join(words)


def music_words(facts: dict[str, float]) -> str:
    """What is heard in a piece of music.

    >>> music_words({"tempo_bpm": 101.7, "onsets_per_s": 1.2, "major_less_minor": 0.4})
    '102 bpm, calm, major'
    """
    words = []
    if facts.get("tempo_bpm"):
        words.append(texts.BPM.format(bpm=facts["tempo_bpm"]))
    if "onsets_per_s" in facts:
        rate = facts["onsets_per_s"]
        if not _CALM_PER_S <= rate <= _LIVELY_PER_S:
            words.append(texts.CALM if rate < _CALM_PER_S else texts.LIVELY)
    if abs(facts.get("major_less_minor", 0)) > _MODE:
        words.append(texts.MAJOR if facts["major_less_minor"] > 0 else texts.MINOR)
    return ", ".join(words)


def start_words(start_s: float) -> str:
    """Where the music starts.

    >>> start_words(0.0), start_words(75.0)
    ('from the beginning', 'from 1:15')
    """
    return texts.FROM_BEGINNING if start_s < 0.5 else texts.FROM.format(at=clock(start_s))


def music_start_words(start_s: float) -> str:
    """Where the music starts under a video.

    >>> music_start_words(0.0), music_start_words(75.0)
    ('music from the beginning', 'music from 1:15')
    """
    return texts.MUSIC_STARTS.format(start=start_words(start_s))


def placed_words(placing: Placing | None) -> str:
    """How sure a start is: in words and as a number, cuts near beats beside what random cuts would have."""
    if placing is None:
        return ""
    if placing.near_beats is None or placing.near_beats_random is None:
        return placing.told
    near, random = percent(placing.near_beats), percent(placing.near_beats_random)
    return f"{placing.told} · {texts.SCRIPTS['near_beats'].format(share=near, random=random)}"


def strength(above: float) -> str:
    """How a result stands against an item of the library taken at random: strong, fair or weak.

    Args:
        above: score less the average score of the library's items, in spreads (standard deviations).

    >>> strength(2.0), strength(1.0), strength(-0.2)
    ('strong', 'fair', 'weak')
    """
    return texts.STRONG if above >= STRONG else texts.FAIR if above >= FAIR else texts.WEAK


def bar_percent(above: float) -> float:
    """Length of the bar beside the word: empty at the library's average, full two and a half spreads above it.

    >>> bar_percent(1.25), bar_percent(-1.0), bar_percent(9.0)
    (50.0, 0.0, 100.0)
    """
    return 100.0 * min(1.0, max(0.0, above / 2.5))


def strength_told(score: float, above: float, beats: float) -> str:
    """The numbers behind the word, for whoever wants them.

    >>> strength_told(0.771, 2.04, 0.96)
    'Fits better than 96 % of this library, 2.0 standard deviations above its average; score 0.77 of 1.'
    """
    where = texts.ABOVE if above >= 0 else texts.BELOW
    return texts.STRENGTH.format(percent=100 * beats, spreads=abs(above), where=where, score=score)

"""A ranked list, as the command line, the page and other programs see it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mvr.config.cells import spreadsheet_cell
from mvr.datatypes import Direction, JsonDict, Modality
from mvr.library import Item
from mvr.library.guesses import Guess
from mvr.retrieval.facts import words_of
from mvr.retrieval.query import Query

if TYPE_CHECKING:
    from mvr.timing.film import FilmTiming
    from mvr.timing.music import MusicTiming
    from mvr.timing.placing.cuts import CutsOnBeats
    from mvr.timing.placing.places import Placing

COLUMNS = [
    "rank",
    "id",
    "title",
    "artist",
    "genre",
    "score",
    "start_s",
    "end_s",
    "duration_s",
    "tempo_bpm",
    "licence",
    "may_use",
    "may_redistribute",
    "credit",
    "path",
]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One ranked item.

    Attributes:
        rank: 1 = best.
        item: the track or video.
        score: cosine of the best pair of segments at this alpha, -1 to 1.
        start_s, end_s: the item's best segment: where the music should start.
        query_start_s, query_end_s: the query's segment that it fits.
        branches: cosine of that pair per branch ("ssl", "genre", ...): what the match rests on.
        facts: what can be heard or seen of the item's best segment, see `mvr.retrieval.facts`.
        because: words that the query asks for and the item has (systems that explain themselves).
        heard: what the music is like (or what is seen in the video), in the words of the same system.
        guessed: words that a network guessed for a track, whatever the system; no tags.
        placing: how the music's start was found, where the list was placed in time (`mvr.retrieval.timed`).
        music, film: what was measured of the pair's track and clip, where the list was placed.
        beats: share of the library's items that score less, 0 to 1; None where not all of them were scored.
        above: score less the library's average, in standard deviations of its items' scores.
    """

    rank: int
    item: Item
    score: float
    start_s: float
    end_s: float
    query_start_s: float
    query_end_s: float
    branches: dict[str, float]
    facts: dict[str, float] = field(default_factory=dict)
    because: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    guessed: tuple[Guess, ...] = ()
    placing: Placing | None = None
    music: MusicTiming | None = None
    film: FilmTiming | None = None
    beats: float | None = None
    above: float | None = None

    @property
    def why(self) -> list[str]:
        """The facts as short phrases: "112 bpm", "a cut every 2.0 s"."""
        return words_of(self.facts)

    @property
    def music_start_s(self) -> float:
        """Where the pair's music starts, in the found track or in the music that asked."""
        return self.start_s if self.item.modality is Modality.AUDIO else self.query_start_s

    def to_json(self) -> JsonDict:
        """JSON-able form: the item's facts with rank, score and times."""
        item = self.item.to_json()
        shown = (
            "id",
            "title",
            "artist",
            "album",
            "path",
            "name",
            "genre",
            "mood",
            "licence",
            "may_use",
            "may_redistribute",
            "credit",
            "source",
        )
        measured = ("duration_s", "tempo_bpm", "loudness_lufs", "true_peak_dbtp", "width_px", "height_px")
        return {
            "rank": self.rank,
            **{key: item[key] for key in shown},
            "score": round(self.score, 6),
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "query_start_s": round(self.query_start_s, 3),
            "query_end_s": round(self.query_end_s, 3),
            "branches": {name: round(value, 6) for name, value in self.branches.items()},
            "facts": self.facts,
            "why": self.why,
            "because": list(self.because),
            "heard": list(self.heard),
            "guessed": [guess.to_json() for guess in self.guessed],
            "beats": None if self.beats is None else round(self.beats, 4),
            "above": None if self.above is None else round(self.above, 4),
            **{key: item[key] for key in measured},
            **self._timing(),
        }

    def _timing(self) -> JsonDict:
        """`placed` and `timing`, only of a list that was placed in time."""
        if self.placing is None or self.music is None:
            return {}
        found = self.cuts_on_beats()
        on_beats = None if found is None else found.to_json()
        document = {
            "placed": {
                "start_s": round(self.music_start_s, 3),
                **self.placing.to_json(),
                "cuts_on_beats": on_beats,
            },
            "timing": self.music.to_json(),
        }
        if self.film is not None and self.item.modality is Modality.VIDEO:
            document["picture"] = self.film.to_json()
        return document

    def cuts_on_beats(self) -> CutsOnBeats | None:
        """The start near the placed one from which most cuts lie near beats; None where there is none, or no list was
        placed.
        """
        if self.placing is None or self.music is None or self.film is None:
            return None
        from mvr.timing.placing.cuts import cuts_on_beats

        return cuts_on_beats(self.film, self.music, self.placing.start_s)


@dataclass(frozen=True, kw_only=True)
class RankedList:
    """The best items for a query.

    Attributes:
        query: what was asked.
        system: name of the system.
        alpha: as asked; it changes nothing where the system has one branch.
        results: best first.
        candidates: items that the filters let through.
        library_items: items of the asked modality that are embedded.
        missing: items that this system has not embedded (see `Retriever.prepare`).
        answer: "exact" where every item was compared, "proven complete" where candidates were and nothing better can
            be left, otherwise what is not proven.
        mixture: of a mixture, per member: weight, alpha, and the mean and spread that its scores were standardised by,
            over the whole library for this query whatever the filters.
    """

    query: Query
    system: str
    alpha: float
    results: tuple[Result, ...]
    candidates: int
    library_items: int
    missing: int = 0
    answer: str = "exact"
    mixture: tuple[JsonDict, ...] = ()

    @property
    def sees(self) -> tuple[str, ...]:
        """What a system that explains itself sees in the clip."""
        return self.query.words.sees if self.query.words else ()

    @property
    def asks_for(self) -> tuple[str, ...]:
        """What music under such pictures is like, in words."""
        return self.query.words.asks_for if self.query.words else ()

    def to_json(self) -> JsonDict:
        """The form that DESIGN.md fixes for `mvr recommend --json`."""
        return {
            "query": self.query.to_json() | self._picture(),
            "system": self.system,
            "alpha": self.alpha,
            "candidates": self.candidates,
            "library_items": self.library_items,
            "missing": self.missing,
            "answer": self.answer,
            "sees": list(self.sees),
            "asks_for": list(self.asks_for),
            "mixture": list(self.mixture),
            "results": [result.to_json() for result in self.results],
        }

    def _picture(self) -> JsonDict:
        """`picture` of the clip that asks, only of a list that was placed in time; found clips carry their own."""
        film = next((result.film for result in self.results if result.film is not None), None)
        asked = self.query.direction is Direction.VIDEO_TO_MUSIC
        return {"picture": film.to_json()} if asked and film is not None else {}

    def to_csv(self) -> str:
        """One line per result under `COLUMNS`; several labels are separated by `;`."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for result in self.results:
            row = result.to_json()
            writer.writerow(
                {
                    key: spreadsheet_cell(";".join(row[key]) if isinstance(row[key], list) else row[key])
                    for key in COLUMNS
                }
            )
        return out.getvalue()

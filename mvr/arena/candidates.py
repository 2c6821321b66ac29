"""What the arena asks of the outside: queries, systems and ranked lists. The page fills it from retrieval.

The arena never imports retrieval: both stand on one floor. Anything with these methods will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mvr.datatypes import Direction
from mvr.votes.records import Side, competitor_name

ORIGINAL = "original"  # the competitor that no system is: what the clip's makers put under it


@dataclass(frozen=True, kw_only=True)
class Competitor:
    """A system (at one alpha) that takes part. `version` is its identity: card, weights, preprocessing.

    Attributes:
        direction: the only one in which it takes part; None for both.
        trained_on: sources of queries whose votes it learned from: it is never shown for those.
    """

    system_id: str
    version: str
    alpha: float | None = None
    direction: Direction | None = None
    trained_on: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """As on the leaderboard: "control-mvr-mini@0.25"."""
        return competitor_name(self.system_id, self.alpha)

    def meets(self, query: QueryItem, direction: Direction) -> bool:
        """Whether it may be shown for this query: what it was trained on never rates it."""
        if self.system_id == ORIGINAL and not query.own_music:
            return False
        return self.direction in (None, direction) and query.group_id not in self.trained_on


@dataclass(frozen=True, kw_only=True)
class QueryItem:
    """A video (or a track) that candidates are compared for.

    Attributes:
        group_id: the source that it was cut from; votes of one group are not independent.
        sha256: of the file, None for a visitor's own upload (nothing of an upload is stored).
        source: "demo", "library" or "upload".
        own_music: the clip's own sound is music and may compete as `original` (of an upload by its owner's word only).
    """

    query_id: str
    group_id: str
    duration_s: float
    sha256: str | None = None
    genre: str | None = None
    source: str = "demo"
    own_music: bool = False

    @property
    def original(self) -> Candidate:
        """What the clip's own sound is as an item: of the clip itself, the same music as no other item."""
        return Candidate(item_id=self.query_id, group_id=f"{ORIGINAL}-{self.group_id}", rank=1, score=1.0)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One item of a ranked list: same `group_id` means same music under another file."""

    item_id: str
    group_id: str
    rank: int
    score: float
    start_s: float = 0.0
    gain_db: float = 0.0

    def side(self, competitor: Competitor | None, item_prob: float = 1.0) -> Side:
        """The half of a battle that this item makes; no competitor stands behind a planted mismatch."""
        return Side(
            system_id=competitor.system_id if competitor else "",
            system_version=competitor.version if competitor else "",
            alpha=competitor.alpha if competitor else None,
            item_id=self.item_id,
            item_group_id=self.group_id,
            rank=self.rank,
            score=self.score,
            excerpt_start_s=self.start_s,
            gain_db=self.gain_db,
            item_prob=item_prob,
        )


class Candidates(Protocol):
    """Where queries and ranked lists come from."""

    @property
    def pool_version(self) -> str:
        """Changes whenever the set of items changes."""

    def queries(self, direction: Direction) -> Sequence[QueryItem]:
        """What may be asked in this direction, in a stable order."""

    def top(self, query: QueryItem, competitor: Competitor, k: int) -> Sequence[Candidate]:
        """The best `k` items of one system for one query, best first, one per group, ranks from 1."""

    def items(self, direction: Direction) -> Sequence[Candidate]:
        """All items that could be ranked in this direction, in a stable order (rank and score mean
        nothing)."""

"""What the vote store holds: frozen rows, checked when they are made.

Every table is append-only. Taking a vote back is a `Vote` of kind "undo" that names the vote it undoes, a
withdrawn consent is a `Consent` with decision "withdrawn" and a `Flag` on the voter; nothing is ever updated.
Times are milliseconds since 1970 in UTC, taken from the server's clock. `sequence` counts a voter's rows in each table
(a target's, of flags) from 1 and is given when a row is stored: clocks of two servers differ, this order does not.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mvr.datatypes import Direction
from mvr.errors import DataError
from mvr.votes.ids import new_id, now_ms
from mvr.votes.record import Aspect, BattleKind, Outcome, Record

SCHEMA_VERSION = 2
__all__ = [
    "JUDGED_ONCE", "RECORDS", "SCHEMA_VERSION", "Aspect", "Battle", "BattleKind", "Consent", "Flag", "Judgment",
    "Outcome", "Participant", "PoolItem", "Record", "Side", "Vote", "competitor_name",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Side:
    """One half of a battle: which system put which item there, and how it was played.

    Attributes:
        system_id: name of the system that ranked the item ("" of a planted mismatch: nobody's choice).
        system_version: identity hash of its card, weights and preprocessing.
        alpha: mixture of artistic and label similarity, None where the system has none.
        item_group_id: same music (or same source video) under another file has the same group.
        rank, score: 1-based place and similarity in that system's list.
        excerpt_start_s: where playing starts; gain_db: what loudness normalisation added.
        item_prob: probability that this item stood for this system (1 for its top item).
    """

    system_id: str
    system_version: str
    alpha: float | None = None
    item_id: str
    item_group_id: str
    rank: int = 1
    score: float = 0.0
    excerpt_start_s: float = 0.0
    gain_db: float = 0.0
    item_prob: float = 1.0

    @property
    def competitor(self) -> str:
        """The name that stands on the leaderboard: the system, and its alpha where it has one."""
        return competitor_name(self.system_id, self.alpha)


def competitor_name(system_id: str, alpha: float | None) -> str:
    """One name for a system at one alpha.

    >>> competitor_name("control-mvr-mini", 0.25)
    'control-mvr-mini@0.25'
    """
    return system_id if alpha is None else f"{system_id}@{alpha:g}"


@dataclass(frozen=True, kw_only=True)
class Battle(Record):
    """One question put to one voter: which of two items fits the query better.

    Attributes:
        pair_prob: probability of this unordered pair of systems under `policy_id`; slot_prob: of this side
            order.
        needed_ms: how long each side has to be played before a vote counts.
        gold_answer: the right side of a check, else None; repeat_of: the battle whose sides are swapped here.
        source: "demo", "library" or "upload": where the query came from (an upload itself is never stored).
    """

    table: ClassVar[str] = "battle"
    key: ClassVar[tuple[str, ...]] = ("battle_id",)
    choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": tuple(BattleKind),
        "direction": tuple(Direction),
        "source": ("demo", "library", "upload"),
    }
    battle_id: str = field(default_factory=new_id)
    schema_version: int = SCHEMA_VERSION
    created_at_ms: int = field(default_factory=now_ms)
    voter_id: str
    session_id: str
    direction: str
    kind: str = BattleKind.REGULAR
    source: str = "demo"
    query_id: str
    query_group_id: str
    query_sha256: str | None = None
    query_genre: str | None = None
    left: Side
    right: Side
    pool_version: str
    pool_size: int
    policy_id: str
    pair_prob: float
    slot_prob: float = 0.5
    seed: int
    needed_ms: int = 5000
    gold_answer: str | None = None
    repeat_of: str | None = None
    study_id: str | None = None
    ui_version: str
    sequence: int = 0

    def to_row(self) -> dict[str, Any]:
        """One flat dictionary; the sides become `left_...` and `right_...` columns."""
        row = super().to_row()
        for name in ("left", "right"):
            side = row.pop(name)
            row |= {f"{name}_{f.name}": getattr(side, f.name) for f in dataclasses.fields(Side)}
        return row

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Battle:
        """The battle of one flat dictionary."""
        flat = dict(row)
        sides = {}
        for name in ("left", "right"):
            values = {f.name: flat.pop(f"{name}_{f.name}", None) for f in dataclasses.fields(Side)}
            sides[name] = Side(**values)
        battle: Battle = super().from_row(flat | sides)
        return battle

    def side(self, name: str) -> Side:
        """The side called "left" or "right"."""
        return self.left if name == "left" else self.right


@dataclass(frozen=True, kw_only=True)
class Vote(Record):
    """What one voter said of one battle, or that an earlier vote is taken back (kind "undo").

    Attributes:
        attempt: 0 for the first vote on the battle, one more after each undo: (battle, aspect, kind,
            attempt) is unique.
        undoes: the vote that this row takes back.
        account: "anonymous", "login" (signed in) or "study" (came with a participant id).
        listen_left_ms, listen_right_ms: played time of each side; decision_ms: from showing to voting.
        reasons: JSON list of tags, from a fixed list (no free text).
        prev_hash: SHA-256 over the voter's previous row, so that a removed or changed row shows.
        group_label: a random name of the network address, drawn in memory and new each day and at each start of a
            server: votes that came together can be counted together, and nothing of the address is stored.
        recognised: 1 where the voter marked that they knew a side (the clip's own sound gives itself away).
    """

    table: ClassVar[str] = "vote"
    key: ClassVar[tuple[str, ...]] = ("vote_id",)
    choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "kind": ("vote", "undo"),
        "outcome": tuple(Outcome),
        "aspect": tuple(Aspect),
        "account": ("anonymous", "login", "study"),
    }
    vote_id: str = field(default_factory=new_id)
    schema_version: int = SCHEMA_VERSION
    created_at_ms: int = field(default_factory=now_ms)
    kind: str = "vote"
    battle_id: str
    attempt: int = 0
    undoes: str | None = None
    voter_id: str
    session_id: str
    account: str = "anonymous"
    consent_version: str
    outcome: str
    aspect: str = Aspect.FIT
    confidence: int | None = None
    listen_left_ms: int = 0
    listen_right_ms: int = 0
    video_ms: int = 0
    switches: int = 0
    decision_ms: int = 0
    reasons: str = "[]"
    prev_hash: str = ""
    sequence: int = 0
    group_label: str | None = None
    recognised: int = 0


@dataclass(frozen=True, kw_only=True)
class Judgment(Record):
    """How relevant one item is to one query: 0 not, 1 slightly, 2 well, 3 perfectly; None was seen, not
    judged."""

    table: ClassVar[str] = "judgment"
    key: ClassVar[tuple[str, ...]] = ("judgment_id",)
    choices: ClassVar[dict[str, tuple[str, ...]]] = {"direction": tuple(Direction)}
    judgment_id: str = field(default_factory=new_id)
    schema_version: int = SCHEMA_VERSION
    created_at_ms: int = field(default_factory=now_ms)
    battle_id: str | None = None
    direction: str
    query_id: str
    item_id: str
    item_group_id: str
    grade: int | None
    gold_grade: int | None = None
    guideline_version: str
    pool_version: str
    found_by: str = "{}"
    voter_id: str
    session_id: str
    consent_version: str
    listen_ms: int = 0
    reasons: str = "[]"
    sequence: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grade is not None and self.grade not in (0, 1, 2, 3):
            raise DataError(
                f"judgment.grade is {self.grade!r}; choose from 0, 1, 2, 3, or none for not judged"
            )


JUDGED_ONCE = ("voter_id", "pool_version", "direction", "query_id", "item_group_id")
"""What of several judgments makes them one and the same question: the newest answer replaces the others."""


@dataclass(frozen=True, kw_only=True)
class Flag(Record):
    """A rule's verdict on a vote, voter, battle or judgment; the newest verdict per target and rule is in
    force."""

    table: ClassVar[str] = "flag"
    key: ClassVar[tuple[str, ...]] = ("flag_id",)
    choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "target_kind": ("vote", "voter", "battle", "judgment"),
        "verdict": ("exclude", "clear"),
    }
    flag_id: str = field(default_factory=new_id)
    schema_version: int = SCHEMA_VERSION
    created_at_ms: int = field(default_factory=now_ms)
    target_kind: str
    target_id: str
    rule_id: str
    rule_version: int = 1
    verdict: str = "exclude"
    sequence: int = 0


@dataclass(frozen=True, kw_only=True)
class Consent(Record):
    """That a voter read one version of the consent text and what they decided."""

    table: ClassVar[str] = "consent"
    key: ClassVar[tuple[str, ...]] = ("consent_id",)
    choices: ClassVar[dict[str, tuple[str, ...]]] = {"decision": ("given", "declined", "withdrawn")}
    consent_id: str = field(default_factory=new_id)
    schema_version: int = SCHEMA_VERSION
    created_at_ms: int = field(default_factory=now_ms)
    voter_id: str
    session_id: str
    version: str
    text_sha256: str
    decision: str = "given"
    sequence: int = 0


@dataclass(frozen=True, kw_only=True)
class PoolItem(Record):
    """One item that judges are asked about: who ranked it where (JSON), or nobody (drawn at random)."""

    table: ClassVar[str] = "pool_item"
    key: ClassVar[tuple[str, ...]] = ("pool_version", "query_id", "item_group_id")
    choices: ClassVar[dict[str, tuple[str, ...]]] = {"direction": tuple(Direction)}
    pool_version: str
    direction: str
    query_id: str
    item_group_id: str
    item_id: str
    found_by: str = "{}"
    created_at_ms: int = field(default_factory=now_ms)

    @property
    def ranks(self) -> dict[str, int]:
        """Place in the list of each system that found it."""
        ranks: dict[str, int] = json.loads(self.found_by)
        return ranks


@dataclass(frozen=True, kw_only=True)
class Participant(Record):
    """The number of one voter in one study: it picks the row of the Latin square."""

    table: ClassVar[str] = "participant"
    key: ClassVar[tuple[str, ...]] = ("study_id", "voter_id")
    study_id: str
    voter_id: str
    number: int
    created_at_ms: int = field(default_factory=now_ms)


RECORDS: tuple[type[Record], ...] = (Battle, Vote, Judgment, Flag, Consent, PoolItem, Participant)

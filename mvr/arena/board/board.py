"""The whole leaderboard as one JSON document: the page and the command line print the same numbers from it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import mvr
from mvr.arena.board.audit import AuditInput, audit_section
from mvr.arena.board.campaigns import new_voters
from mvr.arena.board.exclusion import ExclusionSettings, judge_voters
from mvr.arena.board.inputs import BoardInput, Row, read_input
from mvr.arena.board.original import original_section
from mvr.arena.board.relevance import judge_agreement, relevance_section
from mvr.arena.board.sections import (
    alpha_section,
    offline_section,
    pair_votes,
    quality_section,
    rating_section,
)
from mvr.datatypes import Direction, JsonDict
from mvr.metrics.preference import RatingSettings, Ties, rate
from mvr.metrics.preference.sensitivity import Sensitivity, sensitivity
from mvr.votes.records import Aspect
from mvr.votes.store import VoteStore

DECIMALS = 6
PROVISIONAL = "votes on the board that are provisional (their voters are new)"


@dataclass(frozen=True, kw_only=True)
class BoardSettings:
    """Choices of what a board computes.

    Attributes:
        training_groups: per competitor, sources of queries whose votes it learned from; those votes do not rate it.
        least_genre_votes: genres with fewer counted votes have no table of their own.
    """

    aspect: str = Aspect.FIT
    ratings: RatingSettings = field(default_factory=RatingSettings)
    exclusion: ExclusionSettings = field(default_factory=ExclusionSettings)
    training_groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    least_genre_votes: int = 30


@dataclass(frozen=True, kw_only=True)
class Board:
    """A computed leaderboard.

    Attributes:
        document: plain JSON with numbers rounded to six decimals.
        set_aside: ids of the voters whom rules set aside; they are in no document.
    """

    document: JsonDict
    set_aside: frozenset[str] = frozenset()

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same votes and settings give the same bytes."""
        text = json.dumps(self.document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()

    @property
    def sections(self) -> list[JsonDict]:
        """Rating tables: "all", each direction, each genre."""
        sections: list[JsonDict] = self.document["boards"]
        return sections

    def section(self, name: str) -> JsonDict:
        """The rating table of one name."""
        return next(section for section in self.sections if section["name"] == name)


def build_board(
    store: VoteStore, settings: BoardSettings | None = None, *, offline: Mapping[str, Any] | None = None
) -> Board:
    """Compute the leaderboard of a store.

    Args:
        store: votes, battles, judgments.
        settings: choices of the recipe.
        offline: results of `python -m eval.retrieval`, to compare its order with people's.
    """
    settings = settings or BoardSettings()
    data = read_input(store, settings.aspect)
    verdict = judge_voters(data, settings.exclusion)
    by_rule, barred = verdict.by_rule, verdict.barred
    kept = [row for row in data.counted if row["voter_id"] not in barred]
    rows = [row for row in kept if not _trained_on(row, settings.training_groups)]
    before = [row for row in data.counted if not _trained_on(row, settings.training_groups)]
    sensitive, ratings = _model(rows, settings.ratings)
    audited = AuditInput(rows=rows, before=before, by_rule=by_rule, settings=ratings)
    sections = _sections(audited, settings.least_genre_votes)
    document: JsonDict = {
        "schema": 1,
        "inputs": _inputs(data, rows),
        "code": mvr.__version__,
        "settings": _settings(settings),
        "excluded_voters": {rule: len(voters) for rule, voters in by_rule.items()},
        "campaigns": [one.to_dict(data.counted) for one in verdict.campaigns],
        "votes": dict(data.tallies)
        | {
            "votes of excluded voters": len(data.counted) - len(kept),
            "votes that a system was trained on": len(kept) - len(rows),
            "votes on the board": len(rows),
            PROVISIONAL: _provisional(rows, data, settings),
        },
        "boards": sections,
        "sensitivity": _sensitivity_rows(sensitive, rows, settings.ratings),
        "published_model": str(ratings.ties),
        "alphas": alpha_section(rows),
        "original": original_section(rows),
        "quality": quality_section(data.checks, data.repeats) | {"judges": judge_agreement(data.judgments)},
        "relevance": relevance_section(data.judgments, data.pool),
        "offline": offline_section([s for s in sections if s["name"] in tuple(Direction)], offline),
    }
    return Board(document=_rounded(document), set_aside=barred)


def _provisional(rows: Sequence[Row], data: BoardInput, settings: BoardSettings) -> int:
    fresh = new_voters(rows, data.checks, settings.exclusion.campaigns.least_checks)
    return sum(row["voter_id"] in fresh for row in rows)


def _model(rows: Sequence[Row], settings: RatingSettings) -> tuple[Sensitivity | None, RatingSettings]:
    """The sensitivity block, and the settings to publish: decisive votes only where ties bend the scale."""
    votes = pair_votes(rows)
    if len(votes) == 0 or not (votes.outcome != 2).any():
        return None, settings
    found = sensitivity(votes, settings)
    return found, replace(settings, ties=Ties.DROP) if found.publish_decisive_only else settings


def _sections(data: AuditInput, least: int) -> list[JsonDict]:
    """All votes, each direction, each genre with enough votes, and what speaks against each table."""
    kept: list[tuple[str, Callable[[Row], bool]]] = [("all", lambda row: True)]
    kept += [(str(direction), partial(_is, "direction", str(direction))) for direction in Direction]
    genres = Counter(row["query_genre"] for row in data.rows if row["query_genre"])
    kept += [
        (f"genre: {genre}", partial(_is, "query_genre", genre))
        for genre, count in sorted(genres.items())
        if count >= least
    ]
    sections = []
    for name, inside in kept:
        part = replace(
            data,
            rows=[row for row in data.rows if inside(row)],
            before=[row for row in data.before if inside(row)],
        )
        sections.append(rating_section(name, part.rows, data.settings) | {"audit": audit_section(part)})
    return sections


def _is(column: str, value: str, row: Row) -> bool:
    return bool(row[column] == value)


def _sensitivity_rows(
    found: Sensitivity | None, rows: Sequence[Row], settings: RatingSettings
) -> list[JsonDict]:
    if found is None:
        return []
    table = [
        {
            "name": other.name,
            "largest_change_nats": other.largest_change,
            "same_order": other.same_order,
            "separated": other.separated,
            "theta": dict(zip(other.systems, other.theta, strict=True)),
        }
        for other in found.alternatives
    ]
    return [*table, _bad_as_tie(rows, settings)]


def _bad_as_tie(rows: Sequence[Row], settings: RatingSettings) -> JsonDict:
    """ "Both bad" counted as a tie: line 2 of the recipe asks for it beside the rest."""
    base = rate(pair_votes(rows), settings).fit
    fit = rate(pair_votes(rows, bad_as_tie=True), settings).fit
    theta = dict(zip(fit.systems, fit.theta.tolist(), strict=True))
    shared = [name for name in base.systems if name in theta]
    change = [
        theta[name] - strength
        for name, strength in zip(base.systems, base.theta, strict=True)
        if name in theta
    ]
    order = sorted(shared, key=lambda name: -theta[name])
    before = sorted(shared, key=lambda name: -base.theta[base.systems.index(name)])
    return {
        "name": "both bad as a tie",
        "largest_change_nats": max(change) - min(change),
        "same_order": order == before,
        "separated": fit.separated,
        "theta": theta,
    }


def _trained_on(row: Row, training: Mapping[str, frozenset[str]]) -> bool:
    groups = (training.get(row[side], frozenset()) for side in ("left", "right"))
    return any(row["query_group_id"] in group for group in groups)


def _inputs(data: BoardInput, rows: Sequence[Row]) -> JsonDict:
    times = [row["created_at_ms"] for row in rows]
    return {
        "sha256": data.sha256,
        "voters": len({row["voter_id"] for row in rows}),
        "first_vote": _day(min(times)) if times else None,
        "last_vote": _day(max(times)) if times else None,
        "signed_in_votes": sum(row["account"] == "login" for row in rows),
        "pool_versions": sorted({row["pool_version"] for row in rows}),
    }


def _settings(settings: BoardSettings) -> JsonDict:
    ratings = vars(settings.ratings) | {"ties": str(settings.ratings.ties)}
    if settings.ratings.cap is not None and math.isinf(settings.ratings.cap):
        ratings["cap"] = "none"
    return {
        "aspect": settings.aspect,
        "ratings": ratings,
        "exclusion": asdict(settings.exclusion),
        "training_groups": {name: sorted(groups) for name, groups in settings.training_groups.items()},
        "least_genre_votes": settings.least_genre_votes,
    }


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d")


def _rounded(value: Any) -> Any:
    """Round all numbers, so that the last bits of linear algebra do not change the bytes; infinity becomes None."""
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(one) for one in value]
    return value

"""Graded relevance that is given with the names of a battle."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mvr.arena.judging import GUIDELINE_VERSION
from mvr.page.voting.reception import CONSENT_VERSION
from mvr.votes.records import Battle, Judgment


@dataclass(frozen=True, kw_only=True)
class Grades:
    """Grades of both sides of a battle; None is no judgment, not 0."""

    left: int | None = None
    right: int | None = None


def judgments(voter: str, session: str, battle: Battle, grades: Grades) -> list[Judgment]:
    """The grades as rows of the store."""
    return [
        Judgment(
            battle_id=battle.battle_id,
            direction=battle.direction,
            query_id=battle.query_id,
            item_id=side.item_id,
            item_group_id=side.item_group_id,
            grade=grade,
            guideline_version=GUIDELINE_VERSION,
            pool_version=battle.pool_version,
            found_by=json.dumps({side.competitor: side.rank} if side.system_id else {}),
            voter_id=voter,
            session_id=session,
            consent_version=CONSENT_VERSION,
        )
        for side, grade in ((battle.left, grades.left), (battle.right, grades.right))
        if grade is not None
    ]

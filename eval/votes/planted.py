"""Boards with one planted fault each (arenakit's nine) as vote tables that `mvr votes import` reads.

arenakit (PyPI, MIT; in requirements-dev.txt) makes the votes; nothing of its checks is used. Every battle gets a
moment of its own, a day's worth after another, so that a board sees as many days as the votes are given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mvr.errors import UsageError
from mvr.metrics.preference import PairVotes
from mvr.votes.formats.tables import Format, Tables, write_tables
from mvr.votes.records import RECORDS, Battle, Consent, Side, Vote

FIRST_MS = 1_790_000_000_000
DAY_MS = 86_400_000
DAYS = 20
OUTCOMES = ("left", "right", "tie")


def planted_boards(seed: int) -> dict[str, PairVotes]:
    """Key of each of arenakit's nine boards -> its votes; the system shown first stands left.

    Raises:
        UsageError: arenakit is not installed.
    """
    try:
        from arenakit.demo import DEMOS
    except ImportError as error:
        raise UsageError(
            "the planted boards come from arenakit; install it: pip install arenakit==0.1.1"
        ) from error
    return {demo.key: as_votes(demo.build(seed)) for demo in DEMOS}


def as_votes(arena: Any) -> PairVotes:
    """The arrays of one of arenakit's arenas."""
    from arenakit.schema import A_WINS, B_WINS

    return PairVotes(
        systems=tuple(arena.models),
        left=arena.a,
        right=arena.b,
        outcome=np.select([arena.y == A_WINS, arena.y == B_WINS], [0, 1], 2),
        voter=arena.voter,
        video=arena.item,
    )


def write_votes(votes: PairVotes, folder: Path) -> None:
    """Tables of these votes as `mvr votes export` writes them; voter and video must be known."""
    assert votes.voter is not None and votes.video is not None
    tables: Tables = {record.table: [] for record in RECORDS}
    tables["consent"] = [_consent(f"voter-{number}").to_row() for number in np.unique(votes.voter)]
    for number in range(len(votes)):
        battle = _battle(votes, number)
        tables["battle"].append(battle.to_row())
        tables["vote"].append(_vote(battle, OUTCOMES[votes.outcome[number]]).to_row())
    folder.mkdir(parents=True, exist_ok=True)
    write_tables(tables, folder, Format.JSONL)


def _consent(voter: str) -> Consent:
    return Consent(
        consent_id=f"consent-{voter}",
        created_at_ms=FIRST_MS,
        voter_id=voter,
        session_id="s",
        version="1",
        text_sha256="0",
    )


def _side(name: str) -> Side:
    return Side(system_id=name, system_version="1", item_id=name, item_group_id=name)


def _battle(votes: PairVotes, number: int) -> Battle:
    assert votes.voter is not None and votes.video is not None
    video = f"video-{votes.video[number]}"
    return Battle(
        battle_id=f"battle-{number:07d}",
        created_at_ms=FIRST_MS + number * DAYS * DAY_MS // len(votes),
        voter_id=f"voter-{votes.voter[number]}",
        session_id="s",
        direction="v2m",
        query_id=video,
        query_group_id=video,
        left=_side(votes.systems[votes.left[number]]),
        right=_side(votes.systems[votes.right[number]]),
        pool_version="1",
        pool_size=9,
        policy_id="planted",
        pair_prob=1.0,
        seed=number,
        ui_version="1",
    )


def _vote(battle: Battle, outcome: str) -> Vote:
    return Vote(
        vote_id=battle.battle_id.replace("battle", "vote"),
        created_at_ms=battle.created_at_ms,
        battle_id=battle.battle_id,
        voter_id=battle.voter_id,
        session_id="s",
        consent_version="1",
        outcome=outcome,
        listen_left_ms=battle.needed_ms,
        listen_right_ms=battle.needed_ms,
        decision_ms=2 * battle.needed_ms,
    )

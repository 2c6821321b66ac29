"""Each system against the clip's own music: how far from the choice of the people who made the film.

The share is of votes with a preference or a tie, with an interval that knows who voted often; once over all votes, and
once without those whose voter marked that they recognised the clip. In published tests the best system reached 46 % win
or tie against human choice (VTMR, 2026).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mvr.arena.board.inputs import Row
from mvr.arena.candidates import ORIGINAL
from mvr.datatypes import JsonDict
from mvr.metrics.preference.shares import voter_share
from mvr.metrics.preference.votes import codes
from mvr.votes.records import Outcome

PUBLISHED_SHARE = 0.46
PUBLISHED = f"VTMR, 2026: the best system won or tied {100 * PUBLISHED_SHARE:.0f} % against human choice"
COUNTED = (Outcome.LEFT, Outcome.RIGHT, Outcome.TIE)


def original_section(rows: Sequence[Row]) -> list[JsonDict]:
    """Win + tie of every system that met the clip's own music, best first; empty where it never competed."""
    against: dict[str, list[Row]] = {}
    for row in rows:
        systems = [row[f"{side}_system_id"] for side in ("left", "right")]
        if systems.count(ORIGINAL) == 1 and row["outcome"] in COUNTED:
            other = "right" if systems[0] == ORIGINAL else "left"
            against.setdefault(row[other], []).append(row)
    found = [
        {
            "system": system,
            **_share(mine),
            **{f"{name}_unrecognised": value for name, value in _share(_unrecognised(mine)).items()},
        }
        for system, mine in against.items()
    ]
    return sorted(found, key=lambda one: (-one["win_or_tie"], one["system"]))


def _unrecognised(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row["recognised"]]


def _share(rows: Sequence[Row]) -> JsonDict:
    if not rows:
        return {"votes": 0, "win_or_tie": None, "low": None, "high": None}
    hits = np.array(
        [row["outcome"] == Outcome.TIE or row[f"{row['outcome']}_system_id"] != ORIGINAL for row in rows]
    )
    share = voter_share(hits, codes([row["voter_id"] for row in rows]))
    return {"votes": len(rows), "win_or_tie": share.point, "low": share.low, "high": share.high}

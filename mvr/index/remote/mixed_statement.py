"""A mixture's candidates as one statement: every row of every member is compared, whatever the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mvr.index.mixture import ALIKE
from mvr.index.remote.lines import score_of
from mvr.index.remote.mixed import MixedCandidates, Part


def mixed_statement(parts: Sequence[Part], products: Sequence[str], conditions: str, count: int) -> str:
    """The items that every member has, best first by the weighted sum of their standardised scores.

    Args:
        parts: M members.
        products: of each, the inner product of the column `embedding` with one value.
        conditions: which items `i` of the first member may be found; mean and spread are of all.
        count: how many.

    Returns:
        A statement whose values are each member's weighted queries, then those of the conditions. A line holds the
        number of all items, M times mean and spread, M positions, and the value; one line without positions where
        nothing may be found.
    """
    numbers = range(len(parts))
    tables = [
        _best(number, part, product)
        for number, (part, product) in enumerate(zip(parts, products, strict=True))
    ]
    together = " ".join(f"JOIN m{n} ON m{n}.id = m0.id" for n in numbers[1:])
    columns = ", ".join(f"m{n}.position AS p{n}, m{n}.score AS s{n}" for n in numbers)
    standards = ", ".join(f"avg(s{n}) AS mean{n}, stddev_pop(s{n}) AS spread{n}" for n in numbers)
    value = " + ".join(_standard(number, part) for number, part in enumerate(parts))
    places = ", ".join(f"p{n}" for n in numbers)
    return (
        f"WITH {', '.join(tables)}, "
        f"joined AS MATERIALIZED (SELECT {columns} FROM m0 {together}), "
        f"standards AS MATERIALIZED (SELECT count(*) AS items, {standards} FROM joined), "
        f"found AS (SELECT {places}, {value} AS value FROM joined CROSS JOIN standards "
        f"JOIN mvr_items_{parts[0].space.key} i ON i.position = joined.p0 {conditions} "
        f"ORDER BY value DESC, p0 LIMIT {int(count)}) "
        f"SELECT items, {', '.join(f'mean{n}, spread{n}' for n in numbers)}, {places}, value "
        "FROM standards LEFT JOIN found ON true ORDER BY value DESC, p0"
    )


def _best(number: int, part: Part, product: str) -> str:
    """Each item's best pair of segments."""
    scores = [score_of(product, part.weights) for _ in part.weighted]
    best = f"GREATEST({', '.join(scores)})" if len(scores) > 1 else scores[0]
    return (
        f"m{number} AS (SELECT i.id, i.position, b.score FROM (SELECT r.position, max({best}) AS score "
        f"FROM mvr_segments_{part.space.key} r GROUP BY r.position) b "
        f"JOIN mvr_items_{part.space.key} i ON i.position = b.position)"
    )


def _standard(number: int, part: Part) -> str:
    return (
        f"CASE WHEN spread{number} > {ALIKE!r} "
        f"THEN {float(part.share)!r} * (s{number} - mean{number}) / spread{number} ELSE 0 END"
    )


def mixed_candidates(lines: Sequence[Sequence[Any]], slacks: Sequence[float]) -> MixedCandidates:
    """What the statement found; `slacks` of each member's inner products."""
    members, found = len(slacks), [line for line in lines if line[-1] is not None]
    standards = np.array([[value or 0.0 for value in lines[0][1 : 1 + 2 * members]]], np.float64).reshape(
        -1, 2
    )
    positions = [line[1 + 2 * members : -1] for line in found]
    return MixedCandidates(
        items=int(lines[0][0]),
        means=standards[:, 0],
        spreads=standards[:, 1],
        positions=np.array(positions, np.int64).reshape(-1, members),
        values=np.array([line[-1] for line in found], np.float64),
        slacks=np.array(slacks, np.float64),
    )

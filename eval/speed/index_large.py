"""Search among one million segments: exact against compressed codes, at a measured recall."""

from __future__ import annotations

from collections.abc import Iterator

from eval.speed.contest import Aim, Contest
from eval.speed.index import DIM, QUERIES, index_work
from eval.speed.inputs import Inputs


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest; needs about 10 GB of memory and a minute to prepare."""
    rows = 20_000 if inputs.short else 1_000_000
    yield Contest(
        name=f"search-{rows}",
        title=f"Search among {rows:,} segments",
        work=f"{QUERIES} queries one by one, the 10 best of {rows:,} rows of 2 x {DIM}, each at another alpha",
        ours="mvr rabitq",
        candidates={
            "mvr rabitq": lambda: index_work("rabitq", rows),
            "mvr flat": lambda: index_work("flat", rows),
        },
        aims=(
            Aim(
                text="a quarter of exact search's processor time", against="mvr flat", cpu_ratio_at_most=0.25
            ),
        ),
    )

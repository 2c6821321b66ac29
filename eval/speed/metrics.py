"""Metrics at size: tie-exact ranks of a square matrix of scores, and ratings from a million votes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs

SEED = 7
SYSTEMS, VOTERS, VIDEOS = 6, 20_000, 2_000


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Ranks against sorting every row; ratings against evalica's fit of the same model without any error bar."""
    items, votes = (500, 5_000) if inputs.short else (10_000, 1_000_000)
    yield Contest(
        name="ranks",
        title="Ranks of the true items",
        work=f"{items:,} x {items:,} float32 scores, seed {SEED}; the rank of each query's own item",
        ours="mvr.metrics",
        candidates={
            "mvr.metrics": lambda: _ranks(items),
            "numpy, every row sorted": lambda: _sorted_rows(items),
        },
        aims=(Aim(text="10,000 x 10,000 scores in under 1 s", wall_s_at_most=1.0),),
    )
    yield Contest(
        name="ratings",
        title="Ratings from votes",
        work=(
            f"{votes:,} votes with ties by {VOTERS:,} voters (Zipf 1.5) on {VIDEOS:,} videos, {SYSTEMS} systems, seed "
            f"{SEED}; ours with the slot term, four covariances, adjusted differences and ranks"
        ),
        ours="mvr.metrics",
        candidates={
            "mvr.metrics": lambda: _ratings(votes),
            "evalica, strengths alone": lambda: _evalica(votes),
        },
        aims=(Aim(text="one million votes in under 2 s", wall_s_at_most=2.0),),
    )


def _scores(items: int) -> Any:
    import numpy as np

    return np.random.default_rng(SEED).standard_normal((items, items), dtype=np.float32)


def _ranks(items: int) -> Work:
    from mvr.metrics.ranks import rank_truths

    scores = _scores(items)
    return lambda: {"mean rank": round(float(rank_truths(scores).expected.mean()), 3)}


def _sorted_rows(items: int) -> Work:
    import numpy as np

    scores = _scores(items)

    def work() -> dict[str, Any]:
        ranks = [int(np.flatnonzero(np.argsort(-row) == i)[0]) + 1 for i, row in enumerate(scores)]
        return {"mean rank": round(float(np.mean(ranks)), 3)}

    return work


def _drawn(votes: int) -> Any:
    import numpy as np

    generator = np.random.default_rng(SEED)
    strengths = generator.normal(0, 0.6, SYSTEMS)
    left = generator.integers(0, SYSTEMS, votes)
    right = (left + generator.integers(1, SYSTEMS, votes)) % SYSTEMS
    gap = strengths[left] - strengths[right] + 0.15
    terms = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(votes, 0.5)], axis=1)
    passed = generator.random(votes)[:, None] > np.cumsum(terms / terms.sum(axis=1, keepdims=True), axis=1)
    voter, video = generator.zipf(1.5, votes) % VOTERS, generator.integers(0, VIDEOS, votes)
    return left, right, np.minimum(passed.sum(axis=1), 2), voter, video


def _ratings(votes: int) -> Work:
    from mvr.metrics.preference import PairVotes, rate

    left, right, outcome, voter, video = _drawn(votes)
    cast = PairVotes(
        systems=tuple("abcdef"), left=left, right=right, outcome=outcome, voter=voter, video=video
    )

    def work() -> dict[str, Any]:
        found = rate(cast)
        return {"votes": found.votes, "best": found.rows[0].system}

    return work


def _evalica(votes: int) -> Work:
    import evalica
    import numpy as np

    left, right, outcome, _, _ = _drawn(votes)
    names = np.array(list("abcdef"))
    winners = [(evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw)[code] for code in outcome]
    xs, ys = names[left].tolist(), names[right].tolist()

    def work() -> dict[str, Any]:
        found = evalica.newman(xs, ys, winners)
        return {"votes": votes, "best": str(found.scores.idxmax())}

    return work

"""How often 95 % intervals hold the truth: `python -m eval.votes coverage --seed N --out DIR`.

Crowds of known taste vote (`eval.votes.crowds`); counted is how often the recipe's interval of a strength, and of the
difference of the first and the third system, holds the truth: with days as clusters, without them, by the widest of all
estimates (the rule before), and with every vote for itself, as boards usually print it. A second table says from how
many voters, videos and days on an interval is narrower than what is known before the first vote.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from scipy.stats import t as student_t

from eval.votes.crowds import Crowd
from mvr.config.outputs import check_output_folder
from mvr.config.workers import worker_processes
from mvr.datatypes import JsonDict
from mvr.errors import UsageError
from mvr.metrics.preference import PairVotes, fit_davidson, rate
from mvr.metrics.preference.covariance import (
    LEAST_CLUSTERS,
    LEAST_DAYS,
    Covariances,
    estimate_covariances,
)
from mvr.metrics.preference.davidson import PRIOR_SD
from mvr.metrics.preference.ratings import ELO_PER_NAT, contrast_of
from mvr.metrics.preference.votes import RealArray

LEVEL = 0.95
WAYS = ("recipe", "without days", "widest", "naive")
K16 = Crowd()
CROWDS = {
    "busy voters, few videos": K16,
    "the same, 300 votes": replace(K16, votes=300),
    "60 voters, no taste of videos": replace(K16, votes=1000, voters=60, video_sd=0.0),
    "independent votes": Crowd(
        votes=3000, voters=1000, videos=500, busy=None, voter_sd=0.0, slot_sd=0.0, video_sd=0.0
    ),
    "tastes move, each voter one day": replace(K16, voter_days="one", days=7, day_sd=0.4),
    "tastes move, all days": replace(K16, days=7, day_sd=0.4),
    "tastes move, each voter one of 14 days": replace(K16, voter_days="one", day_sd=0.4),
    "tastes move, all of 14 days": replace(K16, day_sd=0.4),
    "tastes move, independent votes": Crowd(
        votes=3000, voters=1000, videos=500, busy=None, voter_sd=0.0, slot_sd=0.0, video_sd=0.0, day_sd=0.4
    ),
}
EVEN = Crowd(busy=None, days=1, videos=40)
FEW: Mapping[str, Mapping[int, Crowd]] = {
    "voters": {n: replace(EVEN, voters=n, votes=10 * n) for n in (2, 3, 4, 5, 6, 8, 10)},
    "videos": {n: replace(EVEN, voters=30, votes=300, videos=n) for n in (2, 3, 4, 5, 6, 8, 10)},
    "days": {n: replace(EVEN, voters=30, votes=300, days=n, day_sd=0.4) for n in (2, 3, 4, 5, 6, 8, 10)},
}


def coverage(crowd: Crowd, repeats: int, seed: int, truth_votes: int = 1_000_000) -> JsonDict:
    """Shares of intervals that hold the truth: of strengths, of one difference; four ways."""
    rng = np.random.default_rng(seed)
    truth = crowd.truth(rng, truth_votes)
    hits: dict[str, list[list[bool]]] = {name: [] for name in WAYS}
    widths = []
    for _ in range(repeats):
        votes = crowd.draw(rng)
        ratings = rate(votes)
        widths.append(ratings.covariances.half_width(contrast_of(6, 0), LEVEL))
        undated = _without_days(ratings.covariances)
        for name, covariances in (("recipe", ratings.covariances), ("without days", undated)):
            hits[name].append(_hits(ratings.fit.theta - truth, covariances))
        hits["widest"].append(_widest(ratings.fit.theta - truth, ratings.covariances))
        hits["naive"].append(_naive(votes, truth))
    shares = {name: np.mean(np.array(rows), axis=0) for name, rows in hits.items()}
    return {
        "crowd": asdict(crowd),
        "repeats": repeats,
        "strengths": {name: round(float(share[:6].mean()), 4) for name, share in shares.items()},
        "difference": {name: round(float(share[6]), 4) for name, share in shares.items()},
        "median_half_width_elo": round(ELO_PER_NAT * float(np.median(widths)), 1),
    }


def _without_days(covariances: Covariances) -> Covariances:
    kept = {name: m for name, m in covariances.matrices.items() if name not in ("day", "three-way")}
    return replace(covariances, matrices=kept)


def _contrasts() -> Iterator[RealArray]:
    yield from (contrast_of(6, number) for number in range(6))
    yield contrast_of(6, 0, 2)


def _hits(error: RealArray, covariances: Covariances) -> list[bool]:
    """Of the six strengths and of the difference of the first and the third."""
    return [abs(float(c[:6] @ error)) <= covariances.half_width(c, LEVEL) for c in _contrasts()]


def _widest(error: RealArray, covariances: Covariances) -> list[bool]:
    """The widest of all six estimates, each with Student's quantile for voters and videos, or days: the rule before."""
    degrees = dict.fromkeys(covariances.matrices, covariances.degrees)
    if covariances.effective_days is not None:
        few = min(covariances.degrees, covariances.effective_days - 1)
        degrees |= {name: few for name in ("day", "three-way") if name in degrees}
    quantiles = {name: student_t.ppf((1 + LEVEL) / 2, number) for name, number in degrees.items()}
    found = []
    for c in _contrasts():
        errors = [
            quantiles[name] ** 2 * float(c @ matrix @ c) for name, matrix in covariances.matrices.items()
        ]
        found.append(float(c[:6] @ error) ** 2 <= max(errors))
    return found


def _naive(votes: PairVotes, truth: RealArray) -> list[bool]:
    """Every vote weighs 1 and stands for itself: what boards usually print."""
    fit = fit_davidson(votes)
    matrix = estimate_covariances(votes, np.ones(len(votes)), fit).matrices["iid"]
    errors = [1.96 * float(np.sqrt(c @ matrix @ c)) for c in _contrasts()]
    return [
        abs(float(c[:6] @ (fit.theta - truth))) <= error
        for c, error in zip(_contrasts(), errors, strict=True)
    ]


def widths(crowd: Crowd, repeats: int, seed: int) -> JsonDict:
    """Half widths that so few clusters would give, and how often they are wider than before the first vote."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(repeats):
        covariances = rate(crowd.draw(rng)).covariances
        errors = [[se * q for se, q in covariances.quantiles(c, LEVEL)] for c in list(_contrasts())[:6]]
        found += [max(error) for error in errors]
    before = 1.96 * PRIOR_SD
    return {
        "repeats": repeats,
        "median_half_width_elo": round(ELO_PER_NAT * float(np.median(found)), 1),
        "wider_than_before": round(float(np.mean(np.array(found) > before)), 4),
    }


def measure(seed: int, repeats: int, workers: int = 1) -> JsonDict:
    """Both tables. Every row has its own random numbers, so that any number of worker processes prints the same."""
    jobs: list[tuple[Callable[[Crowd, int, int], JsonDict], Crowd]]
    jobs = [(coverage, crowd) for crowd in CROWDS.values()]
    jobs += [(widths, crowd) for crowds in FEW.values() for crowd in crowds.values()]
    if workers == 1:
        rows = iter([what(crowd, repeats, seed) for what, crowd in jobs])
    else:
        with worker_processes(workers) as pool:
            rows = iter([future.result() for future in [pool.submit(w, c, repeats, seed) for w, c in jobs]])
    return {
        "seed": seed,
        "level": LEVEL,
        "least": {"voters": LEAST_CLUSTERS, "videos": LEAST_CLUSTERS, "days": LEAST_DAYS},
        "coverage": {name: next(rows) for name in CROWDS},
        "few": {what: {str(count): next(rows) for count in crowds} for what, crowds in FEW.items()},
    }


def as_markdown(document: JsonDict) -> str:
    """The tables, from the JSON alone."""
    repeats = next(iter(document["coverage"].values()))["repeats"]
    lines = [
        "# How often 95 % intervals hold the truth",
        "",
        f"`python -m eval.votes coverage --seed {document['seed']} --repeats {repeats}`; {repeats} repeats a row, "
        "shares for strengths / for the difference of the first and the third of six systems.",
        "",
        "| crowd | recipe | without days | widest of six (before) | every vote for itself | median half width, Elo |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, row in document["coverage"].items():
        cells = [f"{row['strengths'][way]:.3f} / {row['difference'][way]:.3f}" for way in WAYS]
        lines.append(f"| {name} | {' | '.join(cells)} | {row['median_half_width_elo']:.0f} |")
    least = document["least"]
    lines += [
        "",
        "# From how many on there is an interval",
        "",
        "Intervals of strengths by so few equally busy voters (ten votes each), videos or days (30 voters, 300 "
        "votes), and the share of them that is wider than before the first vote (the prior's, "
        f"{1.96 * PRIOR_SD * ELO_PER_NAT:.0f} Elo to each side). From {least['voters']:g} voters on, and "
        f"{least['videos']:g} videos, at most one in a hundred is; below either there is no interval. Days enter from "
        f"{least['days']:g} effective days on.",
        "",
        "| number | " + " | ".join(f"{what}: half width, Elo | wider" for what in document["few"]) + " |",
        "|---:|" + "---:|---:|" * len(document["few"]),
    ]
    for count in next(iter(document["few"].values())):
        cells = [
            f"{table[count]['median_half_width_elo']:.0f} | {100 * table[count]['wider_than_before']:.1f} %"
            for table in document["few"].values()
        ]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write coverage.json and coverage.md, print the latter."""
    parser = argparse.ArgumentParser(prog="python -m eval.votes coverage", description=__doc__)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=500, help="simulated boards per row (default 500)")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes (default 1); the numbers are the same"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for coverage.json and coverage.md")
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        raise UsageError(f"--repeats must be at least 1, not {options.repeats}")
    if options.workers < 1:
        raise UsageError(f"--workers must be at least 1, not {options.workers}")
    check_output_folder(options.out, ("audit.json", "coverage.json", "attack.json"))
    document = measure(options.seed, options.repeats, options.workers)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "coverage.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(document)
    (options.out / "coverage.md").write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(text)
    return 0

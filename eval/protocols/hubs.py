"""The pair task with test-time normalisation, kept apart from every other table.

python -m eval.protocols hubs yt8m-public --data DIR --out DIR

A system that uses other queries at test time is no longer the same system, so its numbers stand beside no main table.
The bank holds training rows alone. For every system and method the bank (all training rows, or those of the kind of
split val) and the inverse temperature are chosen on split val by Recall@10, of equal ones by MRR, both directions
together; the protocol's split is measured once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.protocols.normalisation import dynamic_inverted_softmax, inverted_softmax
from eval.protocols.protocol import Protocol
from eval.protocols.run import Places, find_store, trained_heads
from eval.provenance import store_hashes
from eval.retrieval.evaluation import embed_split
from eval.retrieval.systems import Candidate, baselines, embed, load_candidates
from eval.retrieval.tables import markdown_lines
from mvr.datatypes import Direction, FloatArray, JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.metrics.ranks import Ranks, rank_truths, summarise
from mvr.metrics.retrieval.measure import Embedded
from mvr.metrics.significance import Resampling, cluster_bootstrap, holm, sign_flip_test
from mvr.training.data import prepare_data
from mvr.training.focus import find_focus
from mvr.training.settings import TrainSettings

K = 10
BETAS = (1.0, 2.0, 5.0, 10.0, 20.0)
METHODS: dict[str, Callable[[FloatArray, FloatArray, float], npt.NDArray[np.float64]]] = {
    "inverted softmax": inverted_softmax,
    "QB-Norm": dynamic_inverted_softmax,
}


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split's scores at alpha 0: direction -> (Q, N), and bank -> direction -> (B, N)."""

    groups: list[str]
    scores: dict[Direction, FloatArray]
    banks: dict[str, dict[Direction, FloatArray]]


def run(protocol: Protocol, places: Places) -> JsonDict:
    """Choose and measure for every head of the protocol and for CCA.

    Raises:
        MvrError: from training or evaluation; a store without split val is refused.
    """
    store = FeatureStore.open(find_store(protocol, places))
    heads = load_candidates(store, trained_heads(protocol, store, places.work), ())
    cca = [one for one in baselines(store, protocol.seed)[0] if one.head.kind == "cca"]
    banks = bank_rows(store, protocol.seed)
    rows = [row for one in (*heads, *cca) for row in _rows(one, store, protocol, banks)]
    tested = [row["against_plain"] for row in rows if "against_plain" in row]
    for test, adjusted in zip(tested, holm([test["p"] for test in tested]), strict=True):
        test["p_holm"] = round(adjusted, 6)
    return {
        "title": f"{protocol.title}: test-time normalisation",
        "settings": {
            "split": protocol.split,
            "draws": protocol.draws,
            "seed": protocol.seed,
            "betas": list(BETAS),
        },
        "banks": {name: len(chosen) for name, chosen in banks.items()},
        "features": {"sha256": store_hashes(store.path)},
        "systems": {one.name: one.source for one in (*heads, *cca)},
        "rows": rows,
    }


def bank_rows(store: FeatureStore, seed: int) -> dict[str, npt.NDArray[np.int64]]:
    """Training rows by bank: all of them, and those of the kind of split val where there are any."""
    data = prepare_data(store, (), val_share=TrainSettings().val_share, seed=seed)
    focus = find_focus(store, data, TrainSettings(focus="auto", focus_epochs=1))
    found = {"all training rows": data.train}
    return found if focus.rows is None else {**found, "training rows like val": focus.rows}


def _rows(
    candidate: Candidate, store: FeatureStore, protocol: Protocol, banks: dict[str, npt.NDArray[np.int64]]
) -> list[JsonDict]:
    embedded = {name: embed(candidate, store, rows) for name, rows in banks.items()}
    val, test = (_split(candidate, store, split, embedded) for split in ("val", protocol.split))
    resampling = Resampling(draws=protocol.draws, seed=protocol.seed)
    plain = {direction: rank_truths(scores, groups=test.groups) for direction, scores in test.scores.items()}
    rows = [_row(candidate.name, d, ranks, test, resampling) for d, ranks in plain.items()]
    for method, normalise in METHODS.items():
        bank, beta = max(
            itertools.product(banks, BETAS),
            key=lambda choice: _quality([_ranks(val, d, normalise, choice) for d in Direction]),
        )
        for direction in Direction:
            ranks = _ranks(test, direction, normalise, (bank, beta))
            difference = ranks.hits(K) - plain[direction].hits(K)
            interval = cluster_bootstrap(difference, test.groups, resampling)[0]
            rows.append(
                {
                    **_row(candidate.name, direction, ranks, test, resampling),
                    "method": method,
                    "bank": bank,
                    "beta": beta,
                    "against_plain": {
                        "difference": round(interval.point, 6),
                        "interval": [round(interval.low, 6), round(interval.high, 6)],
                        "p": round(sign_flip_test(difference, test.groups, resampling), 6),
                    },
                }
            )
    return rows


def _split(candidate: Candidate, store: FeatureStore, split: str, banks: dict[str, Embedded]) -> Split:
    tests, (items,) = embed_split([candidate], store, split)
    return Split(
        groups=list(tests.groups),
        scores={d: _scores(items, items, d) for d in Direction},
        banks={name: {d: _scores(bank, items, d) for d in Direction} for name, bank in banks.items()},
    )


def _scores(queries: Embedded, items: Embedded, direction: Direction) -> FloatArray:
    """(Q, N) cosines at alpha 0."""
    scores: FloatArray = queries.mixed(direction.query, 0.0) @ items.mixed(direction.target, 0.0).T
    return scores


def _ranks(
    split: Split,
    direction: Direction,
    normalise: Callable[[FloatArray, FloatArray, float], npt.NDArray[np.float64]],
    choice: tuple[str, float],
) -> Ranks:
    bank, beta = choice
    scores = normalise(split.scores[direction], split.banks[bank][direction], beta)
    return rank_truths(scores, groups=split.groups)


def _quality(both: list[Ranks]) -> tuple[float, float]:
    found = [summarise(ranks, (K,)) for ranks in both]
    return round(float(np.mean([one.recall[K] for one in found])), 9), float(
        np.mean([one.mrr for one in found])
    )


def _row(system: str, direction: Direction, ranks: Ranks, split: Split, resampling: Resampling) -> JsonDict:
    interval = cluster_bootstrap(ranks.hits(K), split.groups, resampling)[0]
    found = summarise(ranks, (1, K))
    return {
        "system": system,
        "direction": str(direction),
        "method": "none",
        "queries": found.queries,
        "pool": found.pool,
        "recall": {str(k): round(value, 6) for k, value in found.recall.items()},
        "interval": [round(interval.low, 6), round(interval.high, 6)],
        "median_rank": round(found.median_rank, 6),
        "mrr": round(found.mrr, 6),
    }


def as_markdown(document: JsonDict) -> str:
    """One table; "none" is the system as it is in the main table."""
    columns = [
        "system",
        "direction",
        "normalised by",
        "bank",
        "beta",
        "R@1 %",
        "R@10 %",
        "median rank",
        "gain",
        "p (Holm)",
    ]
    settings, rows = document["settings"], document["rows"]
    text = (
        f"{rows[0]['queries']} queries of split {settings['split']}, {rows[0]['pool']} candidates, alpha 0. Not part "
        "of any other table: the ranking of one query depends on a bank of others. Banks are training rows ("
        + ", ".join(f"{name}: {count}" for name, count in document["banks"].items())
        + "); bank and beta are chosen on split val. Gain: points of R@10 over the same system without normalisation, "
        f"paired sign-flip permutation, Holm over this table; intervals from {settings['draws']} redraws."
    )
    lines = markdown_lines(columns, [_line(row) for row in rows])
    return "\n".join([f"# {document['title']}", "", text, "", *lines]) + "\n"


def _line(row: JsonDict) -> list[str]:
    low, high = row["interval"]
    gain, p = "", ""
    if test := row.get("against_plain"):
        gain = f"{100 * test['difference']:+.1f} [{100 * test['interval'][0]:+.1f}, {100 * test['interval'][1]:+.1f}]"
        p = f"{test['p_holm']:.4f}"
    return [
        row["system"],
        row["direction"],
        row["method"],
        row.get("bank", ""),
        f"{row['beta']:g}" if "beta" in row else "",
        f"{100 * row['recall']['1']:.1f}",
        f"{100 * row['recall']['10']:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        f"{row['median_rank']:.1f}",
        gain,
        p,
    ]

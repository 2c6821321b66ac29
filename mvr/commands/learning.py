"""`mvr votes learn`: what votes teach one system about the items of one library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mvr.commands.options import DEFAULT, DeviceOption, JsonOption, LibraryOption, SystemOption
from mvr.commands.output import print_json, say
from mvr.datatypes import Direction

if TYPE_CHECKING:
    import numpy as np

    from mvr.embeddings.system import System
    from mvr.library import Library
    from mvr.retrieval import Retriever


def learn(
    out: Annotated[Path, typer.Option("--out", help="File for the re-ranking (JSON).")],
    db: Annotated[str | None, typer.Option("--db", metavar="URL", help="Default: your own votes.")] = None,
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    alpha: Annotated[float, typer.Option("--alpha", min=0, max=1, help="As in recommend.")] = 0.5,
    direction: Annotated[Direction, typer.Option("--direction")] = Direction.VIDEO_TO_MUSIC,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Learn a re-ranking of the first ten places from counted votes; says whether it foretells unseen votes."""
    from mvr.arena.board.source import open_votes
    from mvr.arena.reranking.model import fit_reranker
    from mvr.arena.reranking.pairs import vote_pairs
    from mvr.commands.options import library_or_demo
    from mvr.config.paths import home_dir
    from mvr.embeddings.system import load_system
    from mvr.retrieval import Retriever

    with open_votes(db or str(home_dir() / "votes.sqlite")) as store:
        rows = store.counted(direction=str(direction), aspect="fit")
    loaded = load_system(system, device=device)
    retriever = Retriever(library_or_demo(library)[0], loaded)
    retriever.prepare(direction)
    features = _features(retriever.library, loaded, direction, alpha)
    pairs = vote_pairs(rows, _scorer(retriever, alpha), features)
    model, report = fit_reranker(pairs, system=system, version=loaded.identity)
    model.save(out)
    summary = {
        "file": str(out),
        "votes": len(pairs),
        "votes_on_unknown_items": pairs.unknown,
        "held_out_votes": report.votes,
        "accuracy_without": report.base_accuracy,
        "accuracy_with": report.accuracy,
        "gain_low": report.gain.low,
        "gain_high": report.gain.high,
        "first_gate_passed": report.gain.low > 0,
    }
    if as_json:
        print_json(summary)
        return
    say(
        f"{len(pairs)} votes; unseen votes foretold: {report.base_accuracy:.3f} without, {report.accuracy:.3f} with"
    )
    say(f"gain {report.gain.point:+.3f} (95 % {report.gain.low:+.3f} to {report.gain.high:+.3f})")
    verdict = "passed" if report.gain.low > 0 else "not passed: do not use it"
    say(
        f"first gate {verdict}; before it replaces the plain ranking, Recall@10 and a blind vote must agree as well"
    )


def _features(
    library: Library, system: System, direction: Direction, alpha: float
) -> dict[str, np.ndarray[Any, Any]]:
    """Mean embedding over segments of every item that can be ranked."""
    from mvr.datatypes import branch_weights, mix_branches

    found = {}
    for item in library.items(direction.target):
        features = library.features(item, system)
        if features is not None:
            vectors = system.encode(features.features, direction.target).vectors
            found[item.id] = mix_branches(vectors, branch_weights(alpha, vectors.shape[1])).mean(axis=0)
    return found


def _scorer(retriever: Retriever, alpha: float) -> Callable[[str, str], float | None]:
    """Similarity of a query and an item of the library; None where one of them left it."""
    from mvr.errors import NotInLibrary

    lists: dict[str, dict[str, float]] = {}

    def score(query_id: str, item_id: str) -> float | None:
        if query_id not in lists:
            try:
                ranked = retriever.rank(retriever.query_item(query_id), alpha, max(1, len(retriever.library)))
            except NotInLibrary:
                lists[query_id] = {}
            else:
                lists[query_id] = {result.item.id: result.score for result in ranked.results}
        return lists[query_id].get(item_id)

    return score

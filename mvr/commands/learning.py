"""`mvr votes learn` and `mvr votes promote`: what votes teach one system, and when it may order the page's lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.options import (
    DEFAULT,
    DbOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    LibraryOption,
    SystemOption,
    library_files,
    votes_files,
)
from mvr.commands.output import print_json, say
from mvr.commands.recommend import AlphaOption
from mvr.config.outputs import check_output_file
from mvr.config.paths import home_dir
from mvr.datatypes import Direction, JsonDict

if TYPE_CHECKING:
    from mvr.arena.reranking.gates import Gate
    from mvr.arena.reranking.model import Reranker

DirectionOption = Annotated[Direction, typer.Option("--direction")]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="File (JSON). Default: where the page's arena finds it, as a rival on trial."),
]


def learn(
    out: OutOption = None,
    db: DbOption = None,
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    alpha: AlphaOption = None,
    direction: DirectionOption = Direction.VIDEO_TO_MUSIC,
    hold_out: Annotated[
        float, typer.Option("--hold-out", min=0, max=0.9, help="Share of queries kept for the trial.")
    ] = 0.3,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Learn a re-ranking of the first ten places from counted votes, and say whether it predicts unseen votes.

    Votes on the queries held out are not learned from: only there does the re-ranking compete with the plain list.
    """
    if out is not None:  # the page's own place is printed again
        check_output_file(out, inputs=votes_files(db), kept=library_files(library), force=force)
    from dataclasses import replace

    from mvr.arena.board.exclusion import kept_rows
    from mvr.arena.board.source import open_votes
    from mvr.arena.reranking.files import candidate_path
    from mvr.arena.reranking.model import fit_reranker
    from mvr.arena.reranking.pairs import vote_pairs
    from mvr.arena.reranking.trial import is_held_out
    from mvr.commands.options import library_or_demo
    from mvr.config.cards import load_card
    from mvr.embeddings.system import load_system
    from mvr.retrieval import Retriever
    from mvr.retrieval.teaching import item_features, similarity

    with open_votes(_votes(db)) as store:
        rows = kept_rows(store, direction=str(direction))
    rows = [row for row in rows if not is_held_out(row["query_group_id"], hold_out)]
    loaded = load_system(system, device=device)
    card = load_card(system)
    alpha = card.alpha_default if alpha is None else alpha
    retriever = Retriever(library_or_demo(library)[0], loaded)
    retriever.prepare(direction)
    features = item_features(retriever, retriever.library.items(direction.target), alpha)
    pairs = vote_pairs(rows, similarity(retriever, alpha), features)
    fitted, report = fit_reranker(pairs, system=system, version=loaded.identity)
    model = replace(fitted, direction=str(direction), alpha=alpha, slider=card.alpha)
    out = out or candidate_path(system, direction)
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
        f"{len(pairs)} votes; unseen votes predicted: {report.base_accuracy:.3f} without, {report.accuracy:.3f} with"
    )
    say(f"gain {report.gain.point:+.3f} (95 % {report.gain.low:+.3f} to {report.gain.high:+.3f})")
    verdict = "passed" if report.gain.low > 0 else "not passed: do not use it"
    say(f"first gate {verdict}; written to {out}; `mvr votes promote` says when all three gates hold")


def promote(
    file: Annotated[
        Path | None, typer.Argument(help="What `learn` wrote. Default: the one on trial in the page's arena.")
    ] = None,
    db: DbOption = None,
    system: SystemOption = DEFAULT,
    direction: DirectionOption = Direction.VIDEO_TO_MUSIC,
    as_json: JsonOption = False,
) -> None:
    """Let a re-ranking order the page's lists if it passes all three gates; otherwise say which it failed."""
    from dataclasses import asdict, replace

    from mvr.arena.board.exclusion import kept_rows
    from mvr.arena.board.source import open_votes
    from mvr.arena.reranking.files import candidate_path, promoted_path
    from mvr.arena.reranking.gates import may_be_promoted
    from mvr.arena.reranking.model import Reranker
    from mvr.arena.reranking.trial import trial_gates

    model = Reranker.load(file or candidate_path(system, direction))
    with open_votes(_votes(db)) as store:
        gates = trial_gates(model, kept_rows(store, direction=model.direction))
    passed = may_be_promoted(gates)
    written = promoted_path(model.system, Direction(model.direction)) if passed else None
    if written is not None:
        replace(model, gates=tuple(asdict(gate) for gate in gates)).save(written)
    if as_json:
        print_json(_summary(model, gates, written))
    else:
        for gate in gates:
            verdict = "passed" if gate.passed else "not passed"
            say(f"{gate.name}: {gate.value:.3f}, needed {gate.wanted}: {verdict}")
        say(f"in force from the next start of the page: {written}" if written else "not promoted")
    if not passed:
        raise typer.Exit(1)


def _summary(model: Reranker, gates: tuple[Gate, ...], written: Path | None) -> JsonDict:
    return {
        "system": model.system,
        "direction": model.direction,
        "promoted": written is not None,
        "file": str(written) if written else None,
        "gates": [vars(gate) for gate in gates],
    }


def _votes(db: str | None) -> str:
    return db or str(home_dir() / "votes.sqlite")

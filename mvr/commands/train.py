"""`mvr train`: a head on a feature store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mvr.commands.options import ForceOption, library_files
from mvr.config.outputs import check_output_file, check_output_folder

_STORE = typer.Option(help="Folder of a feature store (`mvr features`).", show_default=False)
_OUT = typer.Option(help="File to write the head to; OUT.run beside it takes logs.", show_default=False)


def train(
    kind: Annotated[
        str, typer.Argument(help="A preset: mvbind, control-mvr, cca, vm-net, emo-clim, random, identity.")
    ],
    features: Annotated[Path, _STORE],
    out: Annotated[Path, _OUT],
    labels: Annotated[
        list[str] | None, typer.Option(help="Label column, repeatable; each becomes a branch of control-mvr.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="JSON laid over the preset, key by key.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the preset's seed.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint of a killed run.")
    ] = False,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a head on split train, stop on split val (made from train where there is none); test is never read."""
    inputs = [path for path in (config, *features.glob("*")) if path is not None]
    check_output_file(out, inputs=inputs, kept=library_files(), force=force)
    check_output_folder(out.with_name(f"{out.name}.run"), ("config.json", "checkpoint.pt"))
    from mvr.embeddings.store import FeatureStore
    from mvr.training import load_recipe, train_head
    from mvr.training.settings import read_recipe_file

    recipe = load_recipe(kind, read_recipe_file(config) if config else None)
    report = train_head(
        FeatureStore.open(features),
        recipe,
        out,
        labels or (),
        seed=seed,
        resume=resume,
        quiet=not sys.stderr.isatty(),
    )
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False))
        return
    typer.echo(
        f"{report.path}: {report.head.kind}, branches {', '.join(report.head.branches)}, {report.seconds:.0f} s"
    )
    for branch, values in report.val.items():
        shown = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
        typer.echo(f"  {branch} on validation rows: {shown}")

"""`mvr train`: a head on a feature store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mvr.commands.options import ForceOption, JsonOption, library_files
from mvr.commands.output import print_json, say
from mvr.config.outputs import check_output_file, check_output_folder
from mvr.config.paths import home_dir
from mvr.errors import UsageError

_STORE = typer.Option(help="Folder of a feature store (`mvr features`).", show_default=False)
_OUT = typer.Option(help="File to write the head to; logs go to OUT.run beside it.", show_default=False)


def train(
    kind: Annotated[
        str,
        typer.Argument(
            help="A preset: mvbind, control-mvr, cca, vm-net, emo-clim, random, identity; or bridge."
        ),
    ],
    features: Annotated[Path, _STORE],
    out: Annotated[Path, _OUT],
    labels: Annotated[
        list[str] | None,
        typer.Option(help="Label column (repeatable); each becomes a branch of control-mvr."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file whose keys replace those of the preset.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed, in place of the preset's.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the checkpoint of a killed run.")
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="For bridge: what the backbones say of reference items; a file or a feature store."
        ),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a head on split train, stop on split val (made from train where there is none); test is never read."""
    inputs = [path for path in (config, reference, *features.glob("*")) if path is not None]
    if out.parent == home_dir() / "heads":  # where a system that lacks its head says to put one
        out.parent.mkdir(parents=True, exist_ok=True)
    check_output_file(out, inputs=inputs, kept=library_files(), force=force)
    if kind == "bridge":
        _train_bridge(features, reference, out, as_json)
        return
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
        print_json(report.to_json())
        return
    say(
        f"{report.path}: {report.head.kind}, branches {', '.join(report.head.branches)}, {report.seconds:.0f} s"
    )
    for branch, values in report.val.items():
        shown = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
        say(f"  {branch} on validation rows: {shown}")


def _train_bridge(features: Path, reference: Path | None, out: Path, as_json: bool) -> None:
    """Both heads of a bridge, in closed form: no steps, no validation, no seed."""
    from mvr.embeddings.store import FeatureStore
    from mvr.training.bridge import Reference, train_bridge

    if reference is None:
        raise UsageError(
            "a bridge needs --reference: what the backbones concepts and audio-tags say of some clips and sounds; "
            "assets/heads/bridge-mini.reference.safetensors ships with the project"
        )
    report = train_bridge(FeatureStore.open(features), Reference.read(reference), out)
    if as_json:
        print_json(report)
        return
    say(f"{out}: bridge and profiles of {report['rows']} rows, {report['cpu_s']:.1f} s of processor time")

"""`mvr weights`: which published weights there are, under which licence, and fetching them."""

from __future__ import annotations

import dataclasses
import sys
from typing import Annotated

import typer

from mvr.commands.options import JsonOption
from mvr.commands.output import print_json, say

app = typer.Typer(
    help="Published weights: list them, accept their licence, fetch them.", no_args_is_help=True
)

_NAME = typer.Argument(help="A set of weights (see `mvr weights list`), or a system for all of its weights.")
_ACCEPT = typer.Option("--accept-licence", help="Accept a non-commercial licence, once you have read it.")


@app.command("list")
def list_weights(as_json: JsonOption = False) -> None:
    """List the weights that the systems need: licence, size, whether they are installed."""
    from mvr.backbones.weights import status, weights_of_card
    from mvr.config.cards import load_card, system_names

    needed = {name for system in system_names() for name in weights_of_card(load_card(system))}
    found = [status(name) for name in sorted(needed)]
    if as_json:
        rows = [{**dataclasses.asdict(one), "ready": one.ready} for one in found]
        print_json({"weights": rows})
        return
    for one in found:
        size = f"{one.size_bytes / 1e6:,.0f} MB" if one.size_bytes else "size unknown"
        say(
            f"{one.name}: {one.title}, {size}, {one.licence} ({one.licence_url}), commercial use: {one.commercial}"
        )
        say(f"  {one.lacks or 'ready, in ' + one.folder}")


@app.command("fetch")
def fetch(
    name: Annotated[str, _NAME],
    accept: Annotated[bool, _ACCEPT] = False,
    as_json: JsonOption = False,
) -> None:
    """Download missing weights: resumes, checks digests, and fetches nothing that is already here."""
    from mvr.backbones.weights import accept_licence, fetch_weights, weights_source

    files: dict[str, str] = {}
    for wanted in _names(name):
        source = weights_source(wanted)
        if accept and source.noncommercial:
            accept_licence(wanted)
            sys.stderr.write(f"Accepted: {source.title}, {source.licence} ({source.licence_url})\n")
        files |= {f"{wanted}/{file}": str(path) for file, path in fetch_weights(source).items()}
    if as_json:
        print_json({"files": files})
        return
    for path in files.values():
        say(path)


def _names(name: str) -> list[str]:
    """The weights of a system, or the one set of that name."""
    from mvr.backbones.weights import weights_of_card
    from mvr.config.cards import load_card, system_names

    return weights_of_card(load_card(name)) if name in system_names() else [name]

"""The command line: `python -m mvr`, also installed as `mvr`.

Results go to stdout, all else to stderr; with `--json` stdout is one JSON document and nothing else. Exit 0: success;
1: the input is at fault, one sentence on stderr; 2: wrong usage. Command modules import what they need when they run,
so that `mvr --help` answers at once.
"""

from __future__ import annotations

import copy
import logging
import os
import signal
import sys

import typer

from mvr import __version__
from mvr.commands.agent import mcp
from mvr.commands.dataset import app as dataset_app
from mvr.commands.doctor import doctor
from mvr.commands.export import export
from mvr.commands.features import app as features_app
from mvr.commands.fit import fit
from mvr.commands.library import app as library_app
from mvr.commands.recommend import find_videos, recommend
from mvr.commands.serve import serve
from mvr.commands.train import train
from mvr.commands.votes import app as votes_app
from mvr.commands.weights import app as weights_app
from mvr.config.disk import disk_refusal
from mvr.config.ending import end_as_on_interrupt
from mvr.errors import MvrError, UsageError

app = typer.Typer(
    name="mvr",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find music for short videos, and videos for music.",
)
app.command("doctor")(doctor)
app.add_typer(library_app, name="library", help="Your own tracks and videos.")
app.command("recommend")(recommend)
app.command("find-videos")(find_videos)
app.command("export")(export)
app.command("fit")(fit)
app.command("mcp")(mcp)
app.add_typer(dataset_app, name="dataset")
app.add_typer(features_app, name="features")
app.command("train")(train)
app.command("serve")(serve)
app.add_typer(votes_app, name="votes", help="Blind votes: export, import, count.")
app.add_typer(weights_app, name="weights")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mvr {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def app_for(words: list[str]) -> typer.Typer:
    """The whole command line, or what `words` begin with alone: building every command takes as long as importing
    them."""
    commands = [one for one in app.registered_commands if words[:1] == [one.name]]
    groups = [one for one in app.registered_groups if words[:1] == [one.name]]
    if not commands and not groups:
        return app
    named = copy.copy(app)
    named.registered_commands, named.registered_groups = commands, groups
    return named


def main() -> None:
    """Run a command; a fault of the input is one sentence and exit status 1, wrong usage 2."""
    end_as_on_interrupt()
    try:
        app_for(sys.argv[1:])(prog_name="mvr")
    except MvrError as error:
        sys.stderr.write(f"mvr: {error}\n")
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except SystemExit as ended:
        if ended.code == 128 + signal.SIGINT:  # Ctrl-C
            sys.stderr.write("mvr: stopped\n")
        raise
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        sentence = disk_refusal(error)
        if sentence is None:  # a fault of ours, to be seen whole
            raise
        sys.stderr.write(f"mvr: {sentence}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

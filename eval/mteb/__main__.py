"""Run systems of mvr on a task that `mvr votes export --to mteb` wrote, scored by mteb."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from eval.mteb.adapter import MtebSystem
from eval.mteb.task import load_task
from mvr.config.outputs import check_output_folder
from mvr.datatypes import JsonDict
from mvr.embeddings.system import load_system
from mvr.errors import MvrError, UsageError
from mvr.library import Library

SHOWN = ("ndcg_at_10", "map_at_10", "mrr_at_10", "recall_at_1", "recall_at_10")


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.mteb`."""
    parser = argparse.ArgumentParser(prog="python -m eval.mteb", description=__doc__)
    parser.add_argument("--task", type=Path, required=True, help="folder POOL-DIRECTION of the export")
    parser.add_argument(
        "--systems", nargs="+", default=["control-mvr-mini", "random"], help="names of systems"
    )
    parser.add_argument("--alpha", type=float, default=0.5, help="for systems that mix two branches")
    parser.add_argument("--library", type=Path, help="where files are that the task only names")
    parser.add_argument("--out", type=Path, required=True, help="folder for results.json and results.md")
    return parser


def measure(options: argparse.Namespace) -> JsonDict:
    """mteb's scores of every system.

    Raises:
        DataError: no task there, or media that nobody has. ExtraMissing: mteb is not installed.
    """
    load_task(options.task)
    libraries = [Library.open(options.library)] if options.library else []
    rows = []
    for name in options.systems:
        with tempfile.TemporaryDirectory(prefix="mvr-mteb-") as folder:
            model = MtebSystem(load_system(name), options.alpha, Path(folder), libraries)
            rows.append({"system": model.name.removeprefix("mvr/")} | scores(model, load_task(options.task)))
    return {"task": options.task.name, "mteb": _version(), "rows": rows}


def scores(model: MtebSystem, task: Any) -> JsonDict:
    """mteb's main numbers of one model."""
    import mteb

    result = mteb.evaluate(model, task, cache=None, co2_tracker=False, show_progress_bar=False)
    found = result.task_results[0].scores["test"][0]
    return {name: round(float(found[name]), 6) for name in SHOWN}


def _version() -> str:
    from importlib.metadata import version

    return version("mteb")


def as_markdown(document: JsonDict) -> str:
    """The table."""
    lines = [
        f"# {document['task']}, scored by mteb {document['mteb']}",
        "",
        "| system | " + " | ".join(SHOWN) + " |",
        "|---|" + "---:|" * len(SHOWN),
    ]
    lines += [
        f"| {row['system']} | " + " | ".join(f"{row[name]:.3f}" for name in SHOWN) + " |"
        for row in document["rows"]
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 when the input is at fault (2 for wrong usage), with one sentence on stderr."""
    options = create_parser().parse_args(arguments)
    try:
        check_output_folder(options.out, ("results.json",))
        document = measure(options)
    except MvrError as error:
        sys.stderr.write(f"eval.mteb: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(document)
    (options.out / "results.md").write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

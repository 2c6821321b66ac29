"""Run a grid: train and measure the cells that are missing, merge all into one table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from eval.ablation.grid import Grid, cells, load_grid
from eval.provenance import one_thread
from mvr.config.outputs import check_output_folder
from mvr.errors import DataError, MvrError, UsageError


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.ablation`."""
    parser = argparse.ArgumentParser(prog="python -m eval.ablation", description=__doc__)
    parser.add_argument("grid", type=Path, help="a YAML grid, see eval/ablation/grids/")
    parser.add_argument(
        "--stores", type=Path, help="folder that the grid's stores are in (default: the grid's)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for cells/, table.json, table.md, table.csv"
    )
    parser.add_argument("--json", action="store_true", help="print table.json on stdout and nothing else")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """0, 1 when the input is at fault, 2 on wrong usage."""
    options = create_parser().parse_args(arguments)
    try:
        check_output_folder(options.out, ("table.json", "cells"))
        with one_thread():
            document = run(load_grid(options.grid), options.stores or options.grid.parent, options.out)
    except MvrError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    if options.json:
        print(json.dumps(document, indent=1))
    else:
        print((options.out / "table.md").read_text(encoding="utf-8"), end="")
    return 0


def run(grid: Grid, stores_in: Path, out: Path) -> dict[str, object]:
    """Make the missing cells, merge, write the tables."""
    from eval.ablation.cell import Stores, cell_file, run_cell
    from eval.ablation.merge import as_markdown, merge
    from eval.retrieval.tables import csv_table

    stores = {
        name: Stores.open(stores_in / pair.train, stores_in / (pair.test or pair.train))
        for name, pair in grid.stores.items()
    }
    wanted = list(cells(grid))
    results = []
    for number, cell in enumerate(wanted, 1):
        file = cell_file(cell, grid, stores[cell.store], out / "cells")
        if not file.is_file():
            print(
                f"cell {number} of {len(wanted)}: {cell.store}, {cell.head}, {cell.settings}, seed {cell.seed}",
                file=sys.stderr,
            )
            run_cell(cell, grid, stores[cell.store], file)
        try:
            results.append(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise DataError(f"{file} is damaged ({error}); remove it and run again") from error
    document = merge(results, grid)
    (out / "table.json").write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (out / "table.md").write_text(as_markdown(document, grid), encoding="utf-8")
    (out / "table.csv").write_text(csv_table(document), encoding="utf-8")
    return document


if __name__ == "__main__":
    sys.exit(main())

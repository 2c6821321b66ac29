"""`python -m eval.bridge --features STORE --out DIR` measures the heads `bridge` and `profiles` on held-out shards;
`python -m eval.bridge --media FOLDER --reference FILE` makes the reference file for `mvr train bridge`;
`python -m eval.bridge --eye SHEET --out DIR` counts the words that a person found wrong;
`python -m eval.bridge --costs --out DIR` measures what both networks cost, in the core and in torch."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from eval.bridge.costs import costs_markdown, measure_costs
from eval.bridge.eye import eye_markdown, read_sheet
from eval.bridge.held_out import as_markdown, hold_out
from eval.bridge.reference import make_reference
from mvr.embeddings.store import FeatureStore
from mvr.errors import MvrError, UsageError


def main(arguments: list[str] | None = None) -> int:
    """Exit 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m eval.bridge", description=__doc__)
    parser.add_argument("--features", type=Path, help="the store yt8m-concepts (`python -m eval.stores`)")
    parser.add_argument("--out", type=Path, help="folder of the report")
    parser.add_argument("--seed", type=int, default=0, help="of folds and pools")
    parser.add_argument("--media", type=Path, help="folder with soundtrack/, odd/ and music/")
    parser.add_argument("--reference", type=Path, help="file to write the reference items to")
    parser.add_argument("--eye", type=Path, help="a sheet of judged words, see eval/bridge/eye.py")
    parser.add_argument("--costs", action="store_true", help="measure the networks' costs")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except (MvrError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Whichever of the two was asked for. Raises MvrError."""
    if options.media is not None and options.reference is not None:
        reference = make_reference(options.media)
        options.reference.parent.mkdir(parents=True, exist_ok=True)
        reference.save(options.reference)
        print(f"{options.reference}: {len(reference.concepts)} clips, {len(reference.logits)} sounds")
        return
    if options.out is not None and (options.eye is not None or options.costs):
        options.out.mkdir(parents=True, exist_ok=True)
        if options.eye is not None:
            _count(options.eye, options.out)
        else:
            _measure(options.out)
        return
    if options.features is None or options.out is None:
        raise UsageError("give --features STORE and --out DIR, or --media FOLDER and --reference FILE")
    store = FeatureStore.open(options.features)
    rows = hold_out(store, options.seed)
    command = (
        f"python -m eval.bridge --features {options.features.name} --out {options.out} --seed {options.seed}"
    )
    facts = {
        "command": command,
        "rows": len(store),
        "seed": options.seed,
        "source": store.meta.get("source", ""),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    document = {**facts, "held_out": [vars(row) for row in rows]}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (options.out / "results.json").write_text(text, encoding="utf-8")
    (options.out / "report.md").write_text(as_markdown(rows, facts), encoding="utf-8")
    print((options.out / "report.md").read_text(encoding="utf-8"))


def _count(sheet: Path, out: Path) -> None:
    """Write `eye.md`."""
    text = eye_markdown(read_sheet(sheet), f"python -m eval.bridge --eye {sheet} --out {out}")
    (out / "eye.md").write_text(text, encoding="utf-8")
    print(text)


def _measure(out: Path) -> None:
    """Write `costs.json` and `costs.md`."""
    costs = measure_costs()
    document = json.dumps([vars(cost) for cost in costs], indent=1, allow_nan=False) + "\n"
    (out / "costs.json").write_text(document, encoding="utf-8")
    text = costs_markdown(costs, f"python -m eval.bridge --costs --out {out}")
    (out / "costs.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    sys.exit(main())

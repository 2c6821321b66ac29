"""Write one of the public feature sets as a feature store: `python -m eval.stores NAME --data DIR --out
STORE`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from eval.stores.builders import BUILDERS
from mvr.errors import MvrError


def main(arguments: list[str] | None = None) -> int:
    """Build the store; 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m eval.stores", description=__doc__)
    parser.add_argument("name", choices=sorted(BUILDERS))
    parser.add_argument("--data", type=Path, required=True, help="folder that holds yt8m/ and emomv/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new store")
    options = parser.parse_args(arguments)
    folder, build = BUILDERS[options.name]
    try:
        store = build(options.data / folder, options.out)
    except MvrError as error:
        print(error, file=sys.stderr)
        return 1
    counts = Counter(store.splits)
    print(f"{options.out}: " + ", ".join(f"{counts[split]} {split}" for split in ("train", "val", "test")))
    return 0


if __name__ == "__main__":
    sys.exit(main())

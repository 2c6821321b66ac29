"""`python -m mvr.datasets.synthetic --out DIR --seed N` renders the demo library."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mvr.datasets.synthetic.demo import write_demo
from mvr.errors import MvrError


def main() -> int:
    """Exit 0, or 1 with one sentence when the input is at fault."""
    parser = argparse.ArgumentParser(prog="python -m mvr.datasets.synthetic", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the demo library")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same library")
    arguments = parser.parse_args()
    try:
        write_demo(arguments.out, arguments.seed, progress=lambda line: print(line, file=sys.stderr))  # noqa: T201
    except MvrError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

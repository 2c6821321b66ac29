"""How the small models of `mvr.signal` are fitted from the command line and written where they are read."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mvr.datatypes import JsonDict


def write_model(
    about: str | None,
    model: Path,
    counts: dict[str, int],
    examples: Callable[..., Iterable[Any]],
    fit: Callable[[list[Any]], JsonDict],
) -> None:
    """Read the options, play, fit and write.

    Args:
        about: the running module's docstring.
        model: where the product reads the model; named after the running module.
        counts: options that say how much is played, with their defaults.
        examples: is given the counts.   fit: is given the examples; what the file holds.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=Path, default=model)
    for option, count in counts.items():
        parser.add_argument(f"--{option}", type=int, default=count)
    wish = vars(parser.parse_args())
    out = wish.pop("out")
    made = " ".join(
        [f"python -m eval.timing.models.{model.stem}", *(f"--{name} {count}" for name, count in wish.items())]
    )
    data = list(examples(**wish))
    document = {"made_by": made, "examples": len(data)} | fit(data)
    out.write_text(json.dumps(document) + "\n", encoding="utf-8")
    print(f"{out}: fitted on {len(data)} examples")

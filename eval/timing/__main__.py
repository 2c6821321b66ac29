"""`python -m eval.timing [--clips DIR] [--music DIR] --out DIR [--json]`: is timing right, and how sure is it?

Without `--clips` the parts that need real clips are left out and said to be. `--only` runs some parts alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path

from eval.provenance import code_digest
from eval.timing.report import write_report
from mvr.datatypes import JsonDict
from mvr.errors import MvrError
from mvr.training.provenance import git_revision

CODE = ("mvr/signal", "mvr/timing", "eval/timing")
PARTS = ("real_offset", "rhythm", "cuts", "planted", "planted_strict", "nearness", "fit")


def main() -> int:
    """Measure, write `timing.json` and `README.md`, and print one of them."""
    parser = argparse.ArgumentParser(prog="python -m eval.timing", description=__doc__)
    parser.add_argument(
        "--clips", type=Path, help="folder of clips with their own music; manifest.csv names works"
    )
    parser.add_argument("--music", type=Path, help="folder of real music, for fits and cuts near beats")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part alone (repeatable)")
    parser.add_argument("--json", action="store_true", help="print the document instead of the report")
    wish = parser.parse_args()
    try:
        document = measure(wish.clips, wish.music, tuple(wish.only or PARTS))
    except MvrError as error:
        sys.stderr.write(f"eval.timing: {error}\n")
        return 1
    wish.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    (wish.out / "timing.json").write_text(text, encoding="utf-8")
    report = write_report(document, wish.out)
    print(text if wish.json else report, end="")
    return 0


def measure(clips: Path | None, music: Path | None, parts: tuple[str, ...]) -> JsonDict:
    """The whole document."""
    document: JsonDict = {
        "revision": git_revision() or "unknown",
        "code": code_digest(CODE),
        "clips": None if clips is None else clips.name,
    }
    for part in parts:
        _say(f"{part} ...")
        document[part] = _MEASURES[part](clips, music)
    return document


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _real_offset(clips: Path | None, _music: Path | None) -> JsonDict:
    if clips is None:
        return {"works": 0, "clips": 0, "note": "no real clips were given: --clips DIR"}
    from eval.timing.offsets import measure_offsets

    return measure_offsets(clips, _say)


def _rhythm(_clips: Path | None, _music: Path | None) -> JsonDict:
    from eval.timing.rhythm import measure_rhythm

    return measure_rhythm()


def _cuts(clips: Path | None, _music: Path | None) -> JsonDict:
    from eval.timing.cuts import measure_cuts
    from eval.timing.films.demo_films import demo_films
    from eval.timing.films.joined import joined_films
    from eval.timing.films.odd_shots import odd_films

    joined = () if clips is None else joined_films(clips)
    return measure_cuts(itertools.chain(odd_films(4, seed=61), demo_films(), joined))


def _planted(_clips: Path | None, _music: Path | None) -> JsonDict:
    from eval.timing.planted import measure_planted

    return measure_planted()


def _planted_strict(_clips: Path | None, _music: Path | None) -> JsonDict:
    from eval.timing.strict import measure_strict

    return measure_strict()


def _nearness(clips: Path | None, music: Path | None) -> JsonDict:
    from eval.timing.nearness import excerpts, measure_nearness, tracks
    from eval.timing.offsets import films_of
    from eval.timing.planted import painted_films

    films = films_of(clips) if clips is not None else painted_films()
    document = {"real_clips": clips is not None, **measure_nearness(films, tracks())}
    return document if music is None else document | {"excerpts": measure_nearness(films, excerpts(music))}


def _fit(_clips: Path | None, music: Path | None) -> JsonDict:
    from eval.timing.fits import measure_excerpt_fits, measure_song_fits

    document: JsonDict = {"generated": measure_song_fits()}
    document["excerpts"] = (
        {"fits": 0, "note": "no real music was given: --music DIR"}
        if music is None
        else measure_excerpt_fits(music)
    )
    return document


_MEASURES: dict[str, Callable[[Path | None, Path | None], JsonDict]] = {
    "real_offset": _real_offset, "rhythm": _rhythm, "cuts": _cuts, "planted": _planted,
    "planted_strict": _planted_strict, "nearness": _nearness,
    "fit": _fit,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())

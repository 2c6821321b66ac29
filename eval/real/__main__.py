"""`python -m eval.real --media FOLDER --out DIR`: the real-media check for every system that is ready here.

FOLDER holds `soundtrack/` (videos whose sound is music) and `music/` (other music).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from eval.real.clips import Shelf, find_clips, find_music
from eval.real.directions import Experiment, change_clips, measure_music, shifts
from eval.real.matching import match
from eval.real.report import as_json, write_report
from mvr.config.cards import system_names
from mvr.config.outputs import check_output_folder
from mvr.embeddings.system import load_system, system_status
from mvr.errors import MvrError

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


def run(media: Path, out: Path, systems: list[str]) -> str:
    """Check the named systems and write the report; the JSON document.

    Raises:
        MvrError: a folder or a system that cannot be used.
    """
    clips, music = find_clips(media / "soundtrack"), find_music(media / "music")
    matchings, moved, shelf = [], [], Shelf()
    with tempfile.TemporaryDirectory() as folder:
        changed = change_clips(clips, Path(folder))
        experiment = Experiment(changed=changed, music=music, measures=measure_music(music), shelf=shelf)
        for name in systems:
            system = load_system(name)
            matchings += match(system, shelf, clips, music, ALPHAS)
            moved += shifts(system, experiment, (0.0, 0.5, 1.0))
    values = as_json(clips, music, matchings, moved)
    write_report(
        out, values, f"python -m eval.real --media {media} --out {out} --systems {' '.join(systems)}"
    )
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def main() -> int:
    """Exit 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m eval.real", description=__doc__)
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--systems", nargs="+", default=[], help="default: every system that is ready on this machine"
    )
    parser.add_argument("--json", action="store_true", help="print results.json on stdout and nothing else")
    arguments = parser.parse_args()
    try:
        check_output_folder(arguments.out, ("results.json",))
        ready = [name for name in system_names() if system_status(name).ready]
        document = run(arguments.media, arguments.out, arguments.systems or ready)
    except (MvrError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(document if arguments.json else f"wrote {arguments.out / 'report.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

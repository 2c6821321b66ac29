"""`python -m eval.real --media FOLDER --out DIR`: the real-media check for every system that is ready here.

FOLDER holds `soundtrack/` (videos whose sound is music) and `music/` (other music); `--clips` and `--music` name any
folders. Clips whose sound is no music are left out and listed; works are redrawn for the intervals.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from eval.real.apart import has_bridge, match_apart, shipped_reference
from eval.real.clips import Shelf, find_clips, find_music, music_rule, read_works, with_music
from eval.real.directions import Experiment, change_clips, measure_music, shifts
from eval.real.matching import match
from eval.real.report import as_json, write_report
from mvr.config.cards import system_names
from mvr.config.outputs import check_output_folder
from mvr.embeddings.status import system_status
from mvr.embeddings.system import load_system
from mvr.errors import MvrError, UsageError
from mvr.index.recall import ALPHAS


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders of clips and of other music, and a table of works (see `read_works`)."""

    clips: Path
    music: Path
    works: Path | None = None


def run(places: Places, out: Path, systems: list[str], command: str) -> str:
    """Check the named systems and write the report; the JSON document.

    Raises:
        MvrError: a folder or a system that cannot be used.
    """
    works = read_works(places.works) if places.works is not None else None
    (clips, left_out), music = with_music(find_clips(places.clips, works)), find_music(places.music)
    matchings, moved, shelf = [], [], Shelf()
    with tempfile.TemporaryDirectory() as folder:
        changed = change_clips(clips, Path(folder))
        experiment = Experiment(changed=changed, music=music, measures=measure_music(music), shelf=shelf)
        for name in systems:
            system = load_system(name)
            matchings += match(system, shelf, clips, music, ALPHAS)
            if has_bridge(system):
                matchings.append(match_apart(system, shelf, clips, music, shipped_reference()))
            if len(system.parts) == 1:  # of a mixture the members move, each by itself
                moved += shifts(system, experiment, (0.0, 0.5, 1.0))
    values = as_json(clips, music, matchings, moved) | {"left_out": left_out, "music_rule": music_rule()}
    write_report(out, values, command)
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def main() -> int:
    """Exit 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m eval.real", description=__doc__)
    parser.add_argument("--media", type=Path, help="folder with soundtrack/ (clips) and music/")
    parser.add_argument("--clips", type=Path, help="any folder of clips, in place of MEDIA/soundtrack")
    parser.add_argument("--music", type=Path, help="any folder of other music, in place of MEDIA/music")
    parser.add_argument("--works", type=Path, help="CSV with the columns file, work; else names tell works")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--systems", nargs="+", default=[], help="default: every system that is ready on this machine"
    )
    parser.add_argument("--json", action="store_true", help="print results.json on stdout and nothing else")
    arguments = parser.parse_args()
    try:
        check_output_folder(arguments.out, ("results.json",))
        ready = [name for name in system_names() if system_status(name).ready]
        systems = arguments.systems or ready
        document = run(_places(arguments), arguments.out, systems, _command(arguments, systems))
    except (MvrError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(document if arguments.json else f"wrote {arguments.out / 'report.md'}")
    return 0


def _places(arguments: argparse.Namespace) -> Places:
    media = arguments.media
    clips = arguments.clips or (media / "soundtrack" if media else None)
    music = arguments.music or (media / "music" if media else None)
    if clips is None or music is None:
        raise UsageError("give --media FOLDER, or --clips FOLDER and --music FOLDER")
    return Places(clips=clips, music=music, works=arguments.works)


def _command(arguments: argparse.Namespace, systems: list[str]) -> str:
    given = [(name, getattr(arguments, name)) for name in ("media", "clips", "music", "works", "out")]
    said = " ".join(f"--{name} {value}" for name, value in given if value is not None)
    return f"python -m eval.real {said} --systems {' '.join(systems)}"


if __name__ == "__main__":
    sys.exit(main())

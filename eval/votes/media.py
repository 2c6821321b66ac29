"""What one battle's media cost: kept excerpts once, a battle's own bytes for every battle.

python -m eval.votes media [--battles 20] [--out DIR]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mvr.config.paths import assets_dir
from mvr.page.voting.battle_media import EXCERPT_S
from mvr.page.voting.disguise import dithered
from mvr.page.voting.excerpts import Excerpts, Source
from mvr.page.voting.twins import Twins

MUSIC_S = 12.0  # of the demo clips


@dataclass
class Stopwatch:
    """Wall and processor time (of the commands it starts, too) of named steps, in seconds."""

    took: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is in the block."""
        begun, before = time.perf_counter(), sum(os.times()[:4])
        yield
        self.took.setdefault(name, []).append((time.perf_counter() - begun, sum(os.times()[:4]) - before))

    def rows(self) -> list[str]:
        """A line per step: medians in ms."""
        medians = {name: 1000 * np.median(np.array(times), axis=0) for name, times in self.took.items()}
        return [f"| {name} | {wall:.0f} | {processor:.0f} |" for name, (wall, processor) in medians.items()]


def measure(battles: int) -> str:
    """What a battle costs, how many different bytes came out, and whether numbers tell its two sides apart."""
    demo = assets_dir() / "demo"
    tracks = [Source(path=path, content=path.name) for path in sorted((demo / "tracks").iterdir())[:2]]
    videos = [Source(path=path, content=path.name) for path in sorted((demo / "videos").iterdir())[:2]]
    length_s = min(EXCERPT_S, MUSIC_S)
    watch, hashes, heads, alike = Stopwatch(), set(), set(), True
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        excerpts, twins = Excerpts(Path(folder)), Twins(Path(folder) / "twins")
        with watch.step("two sounds decoded, matched in loudness and kept (once)"):
            sounds = [excerpts.sound(track, 0.0, length_s) for track in tracks]
        with watch.step("two competing clips decoded, put on one canvas and kept (once)"):
            left, right = excerpts.rivals(videos, length_s)
        for battle in range(battles):
            with watch.step("a battle's own two sounds (every battle)"):
                heard = [dithered(sound, f"{battle}/{n}") for n, sound in enumerate(sounds)]
            with watch.step("a battle's own two clips, encoded side by side (every battle)"):
                files = twins.of((left, right), (f"{battle}/left", f"{battle}/right"))
            seen = [file.read_bytes() for file in files]
            hashes |= {hashlib.sha256(data).hexdigest() for data in (*heard, *seen)}
            tables = [data[: data.index(b"mdat")] for data in seen]
            alike = alike and tables[0] == tables[1] and len({len(data) for data in seen}) == 1
            alike = alike and len({len(data) for data in heard}) == 1
            heads.add(tables[0])
        twins.close()
    return "\n".join(
        [
            f"Excerpts of {length_s:g} s, {battles} battles; medians.\n",
            "| what | wall time (ms) | processor (ms) |\n|---|---:|---:|",
            *watch.rows(),
            f"\n{len(hashes)} different contents of {4 * battles}; "
            f"{len(heads)} different tables of samples of {battles}; "
            f"both sides of one size and one table: {'yes' if alike else 'no'}.",
        ]
    )


def main(arguments: list[str]) -> int:
    """Print the table; 1 where two battles share bytes or sizes, or two sides differ in a size."""
    parser = argparse.ArgumentParser(prog="python -m eval.votes media", description=__doc__)
    parser.add_argument("--battles", type=int, default=20, help="how many battles to make")
    parser.add_argument("--out", type=Path, help="folder for media.md")
    options = parser.parse_args(arguments)
    text = measure(options.battles) + "\n"
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "media.md").write_text(text, encoding="utf-8", newline="\n")
    print(text)
    told = (
        f"{4 * options.battles} different contents of {4 * options.battles};",
        f"{options.battles} different tables of samples of {options.battles};",
        "yes.",
    )
    return int(not all(words in text for words in told))

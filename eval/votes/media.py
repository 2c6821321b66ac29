"""What one battle's media cost: kept excerpts once, a battle's own bytes for every battle.

python -m eval.votes media [--battles 20] [--out DIR]
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np

from mvr.config.paths import assets_dir
from mvr.page.voting.battle_media import EXCERPT_S
from mvr.page.voting.disguise import dithered, padded, padded_size
from mvr.page.voting.excerpts import Excerpts, Source

MUSIC_S = 12.0  # of the demo clips


def measure(battles: int) -> str:
    """A table of seconds of one processor, and how many different bytes came out."""
    demo = assets_dir() / "demo"
    tracks = [Source(path=path, content=path.name) for path in sorted((demo / "tracks").iterdir())[:2]]
    videos = [Source(path=path, content=path.name) for path in sorted((demo / "videos").iterdir())[:2]]
    length_s = min(EXCERPT_S, MUSIC_S)
    rows, hashes, sizes = [], set(), set()
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        excerpts = Excerpts(Path(folder))
        begun = time.perf_counter()
        sounds = [excerpts.sound(track, 0.0, length_s) for track in tracks]
        rows.append(("two sounds decoded, matched in loudness and kept (once)", time.perf_counter() - begun))
        begun = time.perf_counter()
        pictures = [excerpts.picture(video, length_s, competes=True) for video in videos]
        rows.append(("two competing clips encoded and kept (once)", time.perf_counter() - begun))
        took: dict[str, list[float]] = {"sounds": [], "pictures": []}
        for battle in range(battles):
            begun = time.perf_counter()
            made = [dithered(sound, f"{battle}/{n}") for n, sound in enumerate(sounds)]
            took["sounds"].append(time.perf_counter() - begun)
            begun = time.perf_counter()
            size = padded_size(*pictures)
            made += [padded(picture, f"{battle}/{n}", size) for n, picture in enumerate(pictures)]
            took["pictures"].append(time.perf_counter() - begun)
            hashes |= {hashlib.sha256(data).hexdigest() for data in made}
            sizes |= {(len(made[0]), len(made[1])), (len(made[2]), len(made[3]))}
    rows.append(("a battle's own two sounds (every battle)", float(np.median(took["sounds"]))))
    rows.append(("a battle's own two clips (every battle)", float(np.median(took["pictures"]))))
    lines = [f"| {name} | {1000 * seconds:.1f} |" for name, seconds in rows]
    alike = all(left == right for left, right in sizes)
    return "\n".join(
        [
            f"Excerpts of {length_s:g} s, {battles} battles.\n",
            "| what | wall time (ms) |\n|---|---:|",
            *lines,
            f"\n{len(hashes)} different contents of {4 * battles}; both sides of one size: {'yes' if alike else 'no'}.",
        ]
    )


def main(arguments: list[str]) -> int:
    """Print the table; 1 where two battles share bytes or two sides differ in size."""
    parser = argparse.ArgumentParser(prog="python -m eval.votes media", description=__doc__)
    parser.add_argument("--battles", type=int, default=20, help="how many battles to make")
    parser.add_argument("--out", type=Path, help="folder for media.md")
    options = parser.parse_args(arguments)
    text = measure(options.battles) + "\n"
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "media.md").write_text(text, encoding="utf-8", newline="\n")
    print(text)
    return int(
        f"{4 * options.battles} different contents of {4 * options.battles};" not in text
        or "yes." not in text
    )

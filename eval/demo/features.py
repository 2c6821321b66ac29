"""`python -m eval.demo.features --out STORE`: descriptors of synthetic pairs as a feature store.

The pairs are rendered straight to arrays and described; nothing is encoded. Finished chunks lie in `STORE.parts`, so a
stopped run goes on where it was. Pair i of seed s has the latents of seed s * 1,000,000 + i; every eighth pair is in
split test, every sixteenth in val.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mvr.backbones.descriptors import MusicDescriptors, VideoDescriptors
from mvr.config.settings import compare_settings
from mvr.config.workers import worker_processes
from mvr.datasets.synthetic.pair import SyntheticPair
from mvr.datatypes import FloatArray, JsonDict, Segment
from mvr.embeddings.store import FeatureStore, write_store
from mvr.errors import MvrError

CHUNK = 25
COMMAND = "python -m eval.demo.features --pairs {pairs} --seed {seed} --out STORE"


@dataclass(frozen=True, kw_only=True)
class PairSettings:
    """Attributes: pairs: how many; seed: of all of them; worn: as if filmed and recorded (see `wear`)."""

    pairs: int = 3000
    seed: int = 7
    worn: bool = True


def describe_pair(seed: int, worn: bool) -> tuple[FloatArray, FloatArray]:
    """Picture and music descriptors of one pair."""
    picture, music = VideoDescriptors(), MusicDescriptors()
    pair = SyntheticPair(seed)
    times = picture.times_s(Segment(start_s=0.0, end_s=pair.duration_s))
    side = int(picture.settings["side_px"])
    frames = pair.frames(times.ravel(), side, worn).reshape(*times.shape, side, side, 3)
    sound = pair.sound(int(music.settings["sample_rate_hz"]), float(music.settings["window_s"]), worn)
    return picture.encode(frames[None])[0], music.encode(sound[None, : music.window_samples])[0]


def describe_chunk(folder: Path, first: int, settings: PairSettings) -> Path:
    """Describe `CHUNK` pairs from number `first` on, unless that is done; the file of the chunk."""
    path = folder / f"{first:06d}.npz"
    if not path.exists():
        seeds = [settings.seed * 1_000_000 + number for number in range(first, first + CHUNK)]
        video, audio = (
            np.stack(side) for side in zip(*(describe_pair(s, settings.worn) for s in seeds), strict=True)
        )
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, video=video, audio=audio)
        temporary.rename(path)
    return path


def split_of(number: int) -> str:
    """Split of pair `number`: two sixteenths test, one val, the rest train."""
    return "test" if number % 8 == 0 else "val" if number % 16 == 1 else "train"


def write_pairs(out: Path, settings: PairSettings, workers: int) -> FeatureStore:
    """Render, describe and store all pairs.

    Raises:
        UsageError: `out` is not empty. SettingsMismatch: the chunks at hand were made with other settings.
    """
    parts = out.with_name(out.name + ".parts")
    check_parts(parts, settings)
    firsts = range(0, settings.pairs, CHUNK)
    with worker_processes(workers) as pool:
        paths = list(pool.map(describe_chunk, itertools.repeat(parts), firsts, itertools.repeat(settings)))
    chunks = [np.load(path) for path in paths]
    video, audio = (
        np.concatenate([chunk[side] for chunk in chunks])[: settings.pairs] for side in ("video", "audio")
    )
    # half precision: a store of 3,000 pairs is 1.4 MB and can lie in the repository
    video, audio = video.astype(np.float16), audio.astype(np.float16)
    return write_store(
        out, video=video, audio=audio, manifest=pair_manifest(settings), meta=pair_meta(settings)
    )


def check_parts(parts: Path, settings: PairSettings) -> None:
    """Make the folder of chunks, or refuse one that was made with other settings (their number may differ)."""
    parts.mkdir(parents=True, exist_ok=True)
    wanted = {**backbone_settings(), "seed": settings.seed, "worn": settings.worn}
    facts = parts / "settings.json"
    if facts.exists():
        compare_settings(json.loads(facts.read_text(encoding="utf-8")), wanted, str(parts))
    facts.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def backbone_settings() -> JsonDict:
    """Settings of both backbones."""
    return {"video": VideoDescriptors().settings, "audio": MusicDescriptors().settings}


def pair_manifest(settings: PairSettings) -> Any:
    """Ids, splits, labels and latents of all pairs (pyarrow.Table)."""
    import pyarrow as pa

    rows = list(_manifest_rows(settings))
    return pa.table({key: [row[key] for row in rows] for key in rows[0]})


def _manifest_rows(settings: PairSettings) -> Iterator[JsonDict]:
    from mvr.datasets.synthetic.latents import draw_latents

    for number in range(settings.pairs):
        latents = draw_latents(settings.seed * 1_000_000 + number)
        facts = {
            f"latent_{key}": value for key, value in asdict(latents).items() if key not in ("genre", "seed")
        }
        name = f"pair-{settings.seed}-{number:06d}"
        labels = {"genre": [latents.genre], "mood": [latents.mood]}
        yield {"id": name, "split": split_of(number), "group": name, **labels, **facts}


def pair_meta(settings: PairSettings) -> JsonDict:
    """What the store says of itself."""
    sides = {
        name: {"backbone": "descriptors", "settings": value} for name, value in backbone_settings().items()
    }
    command = COMMAND.format(pairs=settings.pairs, seed=settings.seed)
    return {**sides, "command": command, "source": "mvr.datasets.synthetic (CC0-1.0)"}


def main() -> int:
    """Exit 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m eval.demo.features", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=PairSettings.pairs)
    parser.add_argument("--seed", type=int, default=PairSettings.seed)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    settings = PairSettings(pairs=arguments.pairs, seed=arguments.seed)
    try:
        store = write_pairs(arguments.out, settings, arguments.workers)
    except MvrError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(store)} pairs in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

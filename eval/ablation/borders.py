"""What border removal is worth: the same clips clean and with planted black borders, removal on and off.

    python -m eval.ablation.borders --system control-mvr-mini --out DIR

Clips are rendered from seeds that no head was trained on, bordered like pillarboxed and letterboxed uploads, encoded as
H.264 and read back like any upload. For the four conditions it prints how far the border moves a clip's embedding
(cosine with the clean clip's) and where the clip's own music ranks among all clips' music, with intervals over clips
and a paired permutation test of on against off.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.retrieval.systems import Candidate, load_files
from eval.retrieval.tables import markdown_lines
from mvr.config.outputs import check_output_folder
from mvr.config.settings import settings_hash
from mvr.datasets.synthetic.encode import EncodeSettings, write_film
from mvr.datasets.synthetic.pair import SyntheticPair
from mvr.datatypes import FloatArray, JsonDict, Segment, branch_weights, mix_branches
from mvr.errors import MvrError, UsageError
from mvr.metrics.ranks import rank_embeddings
from mvr.metrics.significance import Resampling, cluster_bootstrap, median_bootstrap, sign_flip_test

Pixels = npt.NDArray[np.uint8]
FIRST_SEED = 900_000_000  # far from the seeds that the demo corpus is rendered from


@dataclass(frozen=True, kw_only=True)
class BorderTest:
    """Settings.

    Attributes:
        clips: number of clips, and of candidates.
        duration_s, rate_hz, side_px: length, frame rate and height of the clean picture.
        alpha: where the system ranks.
        draws, seed: of intervals and tests.
    """

    clips: int = 80
    duration_s: float = 12.0
    rate_hz: int = 8
    side_px: int = 128
    alpha: float = 0.0
    draws: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.clips < 2 or not 0 <= self.alpha <= 1 or self.draws < 100:
            raise UsageError("at least 2 clips, an alpha between 0 and 1 and 100 draws are needed")


def plant_borders(frames: Pixels, seed: int) -> Pixels:
    """Frames (N, H, W, 3) inside a black canvas: pillarbox for even seeds, letterbox for odd ones.

    The borders of one clip take 12 to 30 % of each of two opposite sides of the canvas; sides stay even for H.264.
    """
    height, width = frames.shape[1:3]
    share = float(np.random.default_rng([seed, 77]).uniform(0.12, 0.30))
    across = width if seed % 2 == 0 else height
    border = 2 * round(across * share / (1 - 2 * share) / 2)
    pads = (
        ((0, 0), (0, 0), (border, border), (0, 0))
        if seed % 2 == 0
        else ((0, 0), (border, border), (0, 0), (0, 0))
    )
    return np.pad(frames, pads)


def render_features(test: BorderTest, seeds: Sequence[int]) -> dict[str, FloatArray]:
    """Features of every clip: "music" (N, Da) and "PICTURE/REMOVAL" (N, Dv) for the four conditions."""
    from mvr.backbones.descriptors import MusicDescriptors, VideoDescriptors
    from mvr.signal.spectrum import SAMPLE_RATE_HZ

    backbones = {name: VideoDescriptors(borders=flag) for name, flag in (("on", True), ("off", False))}
    music = MusicDescriptors()
    whole = Segment(start_s=0.0, end_s=test.duration_s)
    columns: dict[str, list[FloatArray]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            pair = SyntheticPair(seed)
            sound = pair.sound(SAMPLE_RATE_HZ, 10.0)
            wave = music.cut(sound, Segment(start_s=0.0, end_s=10.0))
            columns.setdefault("music", []).append(music.encode(wave[None])[0])
            for picture, path in _films(pair, test, Path(folder)):
                for removal, backbone in backbones.items():
                    features = backbone.encode(backbone.preprocess(path, [whole]))[0]
                    columns.setdefault(f"{picture}/{removal}", []).append(features)
    return {name: np.stack(rows) for name, rows in columns.items()}


def cached_features(test: BorderTest, work: Path) -> dict[str, FloatArray]:
    """`render_features`, kept in `work` under a hash of everything that decides them: another head needs no
    rendering."""
    from mvr.backbones.descriptors import MusicDescriptors, VideoDescriptors

    seeds = range(FIRST_SEED, FIRST_SEED + test.clips)
    depends = {
        "test": {
            name: value for name, value in asdict(test).items() if name not in ("alpha", "draws", "seed")
        },
        "seeds": [seeds.start, seeds.stop],
        "backbones": [VideoDescriptors().settings, MusicDescriptors().settings],
    }
    path = work / f"borders-{settings_hash(depends)}.npz"
    if not path.is_file():
        work.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        arrays: Any = render_features(test, seeds)
        np.savez(partial, **arrays)
        partial.replace(path)
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def _films(pair: SyntheticPair, test: BorderTest, folder: Path) -> Iterator[tuple[str, Path]]:
    """The clip as an H.264 file, clean and bordered."""
    times = np.arange(round(test.duration_s * test.rate_hz)) / test.rate_hz
    clean = pair.frames(times, test.side_px)
    silence = np.zeros((round(test.duration_s * 44_100), 2), np.float32)
    for name, frames in (("clean", clean), ("bordered", plant_borders(clean, pair.seed))):
        height, width = frames.shape[1:3]
        settings = EncodeSettings(rate_fps=test.rate_hz, width_px=width, height_px=height)
        path = folder / f"{name}.mp4"
        write_film(path, frames, silence, settings, {})
        yield name, path


def measure_borders(features: dict[str, FloatArray], candidate: Candidate, test: BorderTest) -> JsonDict:
    """The four conditions and the paired comparison of bordered clips, removal on against off."""
    head = candidate.head
    weights = branch_weights(test.alpha, len(head.branches))
    music = mix_branches(head.encode_audio(features["music"]).vectors, weights)
    videos = {
        name: mix_branches(head.encode_video(rows).vectors, weights)
        for name, rows in features.items()
        if name != "music"
    }
    resampling = Resampling(draws=test.draws, seed=test.seed)
    ranks = {name: rank_embeddings(video, music) for name, video in videos.items()}
    conditions = []
    for name, video in videos.items():
        cosines = (video * videos["clean/on"]).sum(axis=1).astype(np.float64)
        hits = ranks[name].hits(10)
        likeness, recall = cluster_bootstrap(np.column_stack([cosines, hits]), None, resampling)
        median = median_bootstrap(ranks[name].expected, None, Resampling(draws=2000, seed=test.seed))
        picture, _, removal = name.partition("/")
        conditions.append(
            {
                "picture": picture,
                "removal": removal,
                "cosine_with_clean": _interval(likeness.point, likeness.low, likeness.high),
                "recall@10": _interval(recall.point, recall.low, recall.high),
                "median_rank": _interval(median.point, median.low, median.high),
            }
        )
    gain = ranks["bordered/on"].reciprocal() - ranks["bordered/off"].reciprocal()
    effect = cluster_bootstrap(gain, None, resampling)[0]
    return {
        "system": candidate.name,
        "head": candidate.source,
        "settings": asdict(test),
        "chance": {"recall@10": min(1.0, 10 / test.clips), "median_rank": (test.clips + 1) / 2},
        "conditions": conditions,
        "effect_on_mrr": {
            **_interval(effect.point, effect.low, effect.high),
            "p": round(sign_flip_test(gain, None, resampling), 6),
        },
    }


def _interval(point: float, low: float, high: float) -> JsonDict:
    return {"value": round(point, 6), "interval": [round(low, 6), round(high, 6)]}


def as_markdown(document: JsonDict) -> str:
    """The four conditions as a table, and the effect in one sentence."""
    settings, effect = document["settings"], document["effect_on_mrr"]
    lines = [
        [f"{one['picture']}, removal {one['removal']}", *(_cell(one[name], name) for name in _COLUMNS)]
        for one in document["conditions"]
    ]
    chance = document["chance"]
    lines.append(["chance", "", f"{100 * chance['recall@10']:.1f}", f"{chance['median_rank']:.1f}"])
    heading = f"{document['system']} at alpha {settings['alpha']:g}, {settings['clips']} clips and candidates"
    columns = ["clips", "cosine with clean", "R@10 %", "median rank"]
    low, high = effect["interval"]
    return "\n".join(
        [
            "# Border removal on clips with planted black borders",
            "",
            f"{heading}; in brackets 95 % intervals over clips.",
            "",
            *markdown_lines(columns, lines),
            "",
            f"On bordered clips, removal changes the mean reciprocal rank by {effect['value']:+.3f} "
            f"[{low:+.3f}, {high:+.3f}] (paired permutation p = {effect['p']:.4f}).",
            "",
        ]
    )


_COLUMNS = ("cosine_with_clean", "recall@10", "median_rank")


def _cell(value: JsonDict, name: str) -> str:
    scale, digits = {"cosine_with_clean": (1, 3), "recall@10": (100, 1), "median_rank": (1, 1)}[name]
    point, (low, high) = value["value"], value["interval"]
    return f"{scale * point:.{digits}f} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.ablation.borders`."""
    parser = argparse.ArgumentParser(prog="python -m eval.ablation.borders", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--system", help="a system with a shipped head over descriptors")
    which.add_argument("--head", help="a head file trained on descriptors, PATH or NAME=PATH")
    parser.add_argument("--clips", type=int, default=80)
    parser.add_argument("--alpha", type=float, default=0.0)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--work", type=Path, help="folder that keeps the rendered features (default OUT/work)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for borders.json and borders.md")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """0, 1 when the input is at fault, 2 on wrong usage."""
    options = create_parser().parse_args(arguments)
    try:
        check_output_folder(options.out, ("borders.json", "work"))
        test = BorderTest(clips=options.clips, alpha=options.alpha, draws=options.draws, seed=options.seed)
        heads, systems = (
            (options.head,) if options.head else (),
            (options.system,) if options.system else (),
        )
        (candidate,) = load_files(heads, systems)
        features = cached_features(test, options.work or options.out / "work")
        document = measure_borders(features, candidate, test)
    except MvrError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "borders.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (options.out / "borders.md").write_text(as_markdown(document), encoding="utf-8")
    print(as_markdown(document), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

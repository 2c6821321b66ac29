"""MGSV-EC (Xin et al., ICCV 2025, arXiv:2408.16990): CLIP ViT-B/32 frame and AST snippet features of 53,194 videos.

Layout as its authors describe it: `{train,val,test}_data.csv` with `video_id` and `music_id`, and one `.pt` file per
id: `vit_feature/ID.pt` (frames, 512) with `vit_mask/ID.pt` (frames,), `ast_feature/ID.pt` (snippets, 768) with
`ast_mask/ID.pt`. The files are read with `weights_only=True`; rows are means over the unmasked time steps.

Tracks of its val part recur in its test part: a row of train or val whose music is also in test is left out here,
and counted, because a store keeps one music in one split. Licence: the authors state non-commercial research use.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from mvr.config.table import cells, decoded
from mvr.datasets.features.matrices import manifest_table
from mvr.datasets.features.paired import PairedFeatures
from mvr.datatypes import FloatArray
from mvr.errors import DataError

SPLITS = ("test", "val", "train")  # in this order a music belongs to the first split that has it


def import_mgsv(tables: Path, video_features: Path, audio_features: Path) -> PairedFeatures:
    """Read MGSV-EC's tables and feature folders.

    Args:
        tables: folder of `train_data.csv`, `val_data.csv`, `test_data.csv`.
        video_features: folder of `vit_feature/` and `vit_mask/`.
        audio_features: folder of `ast_feature/` and `ast_mask/`.

    Raises:
        DataError: no table, a feature file that cannot be read, or nothing left.
    """
    owner: dict[str, str] = {}
    columns: dict[str, list[str]] = {"id": [], "split": [], "group": []}
    video: list[FloatArray] = []
    audio: list[FloatArray] = []
    music: dict[str, FloatArray | None] = {}
    missing = leaking = 0
    for split in SPLITS:
        for row in _rows(tables / f"{split}_data.csv"):
            if owner.setdefault(row["music_id"], split) != split:
                leaking += 1
                continue
            frames = _mean(video_features, "vit", row["video_id"])
            if row["music_id"] not in music:
                music[row["music_id"]] = _mean(audio_features, "ast", row["music_id"])
            snippets = music[row["music_id"]]
            if frames is None or snippets is None:
                missing += 1
                continue
            columns["id"].append(row["video_id"])
            columns["split"].append(split)
            columns["group"].append(row["music_id"])
            video.append(frames)
            audio.append(snippets)
    if not video:
        raise DataError(f"no row of {tables} has both of its feature files ({missing} are missing)")
    return PairedFeatures(
        video=np.stack(video),
        audio=np.stack(audio),
        manifest=manifest_table(columns),
        meta={
            "video": {"backbone": "mgsv-clip-vit-b32"},
            "audio": {"backbone": "mgsv-ast"},
            "source": "MGSV-EC",
        },
        notes=(
            f"{leaking} rows are left out because their music also belongs to a later split",
            f"{missing} of {missing + len(video)} rows have no feature file",
        ),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        lines, _ = cells(decoded(path.read_bytes())[0], ("video_id", "music_id"))
    except (OSError, csv.Error) as error:
        raise DataError(f"MGSV-EC's table {path} cannot be read: {error}") from error
    rows = [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]
    if rows and not {"video_id", "music_id"} <= rows[0].keys():
        raise DataError(f"{path.name} needs the columns 'video_id' and 'music_id'")
    return rows


def _mean(folder: Path, kind: str, identifier: str) -> FloatArray | None:
    """Mean over unmasked time steps, or None where there is no feature file."""
    import pickle

    import torch

    feature, mask = (folder / f"{kind}_{part}" / f"{identifier}.pt" for part in ("feature", "mask"))
    if not feature.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"the id {identifier!r} leads out of its folder")
    if not feature.exists():
        return None
    try:
        steps = torch.load(feature, map_location="cpu", weights_only=True).float()
        keep = torch.load(mask, map_location="cpu", weights_only=True).bool() if mask.exists() else None
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise DataError(f"{feature} or its mask cannot be read as a tensor: {error}") from error
    steps = steps.reshape(-1, steps.shape[-1])
    if keep is not None and keep.any():
        steps = steps[keep.reshape(-1)]
    mean: FloatArray = steps.mean(dim=0).numpy()
    return mean

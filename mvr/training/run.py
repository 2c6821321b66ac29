"""From a feature store and a recipe to a saved head. What needs torch stands in `mvr.training.networks`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.extras import need
from mvr.datatypes import JsonDict
from mvr.errors import DataError
from mvr.heads.file import save_head
from mvr.heads.head import Head
from mvr.heads.table import create_head
from mvr.training.closed_form import fit_cca
from mvr.training.data import IntArray, TrainingData, prepare_data
from mvr.training.focus import find_focus
from mvr.training.provenance import describe_data, git_revision
from mvr.training.report import TrainReport
from mvr.training.settings import Recipe, load_recipe
from mvr.training.validation import validate

if TYPE_CHECKING:
    from mvr.embeddings.store import FeatureStore


def train_head(
    store: FeatureStore,
    recipe: Recipe | str,
    out: str | Path,
    labels: Sequence[str] = (),
    *,
    seed: int | None = None,
    resume: bool = False,
    quiet: bool = True,
) -> TrainReport:
    """Train a head on split train, stop on split val, save the best weights.

    Under `torchrun` every process calls this with the same arguments; the first one writes.

    Args:
        store: an opened feature store.
        recipe: settings, or the name of a preset.
        out: file of the head; the folder `OUT.run` beside it takes config, logs and the checkpoint.
        labels: label columns; control-mvr makes a branch of each (all columns of the store where none is given).
        seed: in place of the recipe's.
        resume: go on from the checkpoint of a killed run instead of starting anew.
        quiet: no progress on stderr.

    Raises:
        UsageError, DataError, Leakage, NotFinite, SettingsMismatch: see the parts.
    """
    recipe = load_recipe(recipe) if isinstance(recipe, str) else recipe
    if seed is not None:
        recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, seed=seed))
    labels = _taxonomies(store, recipe, labels)
    settings = recipe.training
    data = prepare_data(store, labels, val_share=settings.val_share, seed=settings.seed)
    facts: JsonDict = {
        "recipe": recipe.to_json(),
        "labels": list(labels),
        "data": describe_data(store, data),
    }
    if recipe.kind in ("random", "identity"):
        return _save_fixed(recipe, data, Path(out), facts)
    focus = find_focus(store, data, settings)
    facts["focus"] = focus.facts
    if recipe.kind == "cca":
        return _save_cca(recipe, (data, focus.rows), Path(out), facts)
    need("torch", f"training {recipe.kind}", "train")
    from mvr.training.networks import Run, train_networks

    run = Run(out=Path(out), facts=facts, resume=resume, quiet=quiet)
    return train_networks(recipe, (data, focus.rows), run)


def _taxonomies(store: FeatureStore, recipe: Recipe, labels: Sequence[str]) -> list[str]:
    """Label columns to use; those given, else all where the recipe needs labels."""
    needs = recipe.kind == "control-mvr" or recipe.loss.objective == "emo-clim"
    names = list(dict.fromkeys(labels)) or (sorted(store.labels) if needs else [])
    if needs and not names:
        raise DataError(
            f"{recipe.kind} learns from labels and the store has no label column; add one or train mvbind"
        )
    if not needs:
        return []
    return names


def _save_fixed(recipe: Recipe, data: TrainingData, out: Path, facts: JsonDict) -> TrainReport:
    widths = {"video_dim": data.video.shape[1], "audio_dim": data.audio.shape[1]}
    head = create_head(recipe.kind, **{**widths, **recipe.head})
    return _save_scored(head, recipe, data, out, (facts, 0.0))


def _save_cca(
    recipe: Recipe, rows: tuple[TrainingData, IntArray | None], out: Path, facts: JsonDict
) -> TrainReport:
    began = time.monotonic()
    data, focus = rows
    head, tried = fit_cca(recipe, data, focus)
    facts = {**facts, "tried": tried}
    return _save_scored(head, recipe, data, out, (facts, time.monotonic() - began))


def _save_scored(
    head: Head, recipe: Recipe, data: TrainingData, out: Path, made: tuple[JsonDict, float]
) -> TrainReport:
    facts, seconds = made
    val = {branch: s.values for branch, s in validate(head, data, recipe.training.metric).items()}
    save_head(head, out, {**facts, "val": val, "git_revision": git_revision()})
    rate = len(data.train) / seconds if seconds else 0.0
    return TrainReport(
        head=head, path=out, val=val, best_epoch={}, seconds=seconds, rows_per_s=rate, facts=facts
    )

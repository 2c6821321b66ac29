"""From a feature store and a recipe to a saved head. The kind of head names its trainer (`mvr.heads.table`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.extras import need
from mvr.config.named import named
from mvr.datatypes import JsonDict
from mvr.errors import DataError, UsageError
from mvr.heads.table import head_kind
from mvr.training.data import prepare_data
from mvr.training.focus import find_focus
from mvr.training.job import Job
from mvr.training.provenance import describe_data, made_by
from mvr.training.report import TrainReport
from mvr.training.settings import Recipe, load_recipe

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
        "made_by": made_by(recipe.kind, recipe.to_json()),
    }
    trainer = _trainer(recipe.kind)
    job = Job(recipe=recipe, data=data, out=Path(out), facts=facts, resume=resume, quiet=quiet)
    if head_kind(recipe.kind).weights:
        focus = find_focus(store, data, settings)
        job = dataclasses.replace(job, focus=focus.rows, facts={**facts, "focus": focus.facts})
    return trainer(job)


def _trainer(kind: str) -> Callable[[Job], TrainReport]:
    entry = head_kind(kind)
    if not entry.trained_by:
        raise UsageError(
            f"a head of kind {kind!r} is not trained on a feature store alone; run `mvr train bridge`"
        )
    if entry.networks:
        need("torch", f"training {kind}", "train")
    trainer: Callable[[Job], TrainReport] = named(entry.trained_by)
    return trainer


def _taxonomies(store: FeatureStore, recipe: Recipe, labels: Sequence[str]) -> list[str]:
    """Label columns to use; those given, else all where the recipe needs labels."""
    needs = head_kind(recipe.kind).by_labels or recipe.loss.objective == "emo-clim"
    names = list(dict.fromkeys(labels)) or (sorted(store.labels) if needs else [])
    if needs and not names:
        raise DataError(
            f"{recipe.kind} learns from labels and the store has no label column; add one or train mvbind"
        )
    if not needs:
        return []
    return names

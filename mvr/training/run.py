"""From a feature store and a recipe to a saved head."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist

from mvr.datatypes import JsonDict, Modality
from mvr.errors import DataError, UsageError
from mvr.heads.file import save_head
from mvr.heads.head import Head
from mvr.heads.linear import CcaHead
from mvr.heads.networks import Standardise
from mvr.heads.table import create_head
from mvr.heads.trainable import TrainableHead
from mvr.training.closed_form import fit_cca
from mvr.training.data import IntArray, TrainingData, column_statistics, prepare_data
from mvr.training.focus import find_focus
from mvr.training.log import RunLog
from mvr.training.loop import Loop, Phase
from mvr.training.objective import Objective
from mvr.training.place import Place, processes
from mvr.training.provenance import describe_data, git_revision
from mvr.training.settings import Recipe, TrainSettings, load_recipe
from mvr.training.validation import validate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from mvr.embeddings.store import FeatureStore


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What came out.

    Attributes:
        head: the trained head with its best weights.
        path: the file it was saved to.
        val: validation scores per branch.
        best_epoch: per branch, from 0; empty for heads in closed form.
        seconds: time of training over all runs of a resumed training, without reading the store.
        rows_per_s: training rows per second, validation included.
        facts: what is also kept in the head's file: recipe, data, revision.
    """

    head: Head
    path: Path
    val: dict[str, dict[str, float]]
    best_epoch: dict[str, int]
    seconds: float
    rows_per_s: float
    facts: JsonDict

    def to_json(self) -> JsonDict:
        """For `mvr train --json`."""
        return {
            "head": str(self.path),
            "kind": self.head.kind,
            "branches": list(self.head.branches),
            "dim": self.head.dim,
            "val": self.val,
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 3),
            "rows_per_s": round(self.rows_per_s, 1),
            **self.facts,
        }


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
    with processes(settings.device) as place, torch.random.fork_rng():
        return _train(
            recipe, (data, focus.rows), place, _Run(out=Path(out), facts=facts, resume=resume, quiet=quiet)
        )


@dataclass(frozen=True, kw_only=True)
class _Run:
    out: Path
    facts: JsonDict
    resume: bool
    quiet: bool

    @property
    def folder(self) -> Path:
        return self.out.with_name(self.out.name + ".run")


def _train(
    recipe: Recipe, rows: tuple[TrainingData, IntArray | None], place: Place, run: _Run
) -> TrainReport:
    settings, (data, focus) = recipe.training, rows
    torch.manual_seed(settings.seed)
    head = _create(recipe, data)
    if place.world > 1 and any(isinstance(m, torch.nn.BatchNorm1d) for m in head.modules()):
        raise UsageError(
            "norm 'batch' sees only one process's rows; train in one process or use norm 'layer'"
        )
    if settings.chunk_rows and any(isinstance(m, torch.nn.BatchNorm1d) for m in head.modules()):
        raise UsageError("norm 'batch' sees only one chunk's rows; set chunk_rows to 0 or use norm 'layer'")
    fit_standardise(head, data)
    objective = Objective(recipe.loss, head.branches)
    loop = Loop(head, objective, data, phases_of(settings, data, focus), (settings, place))
    checkpoint = run.folder / "checkpoint.pt"
    if place.rank == 0:
        run.folder.mkdir(parents=True, exist_ok=True)
        if not run.resume:
            checkpoint.unlink(missing_ok=True)
    if place.world > 1:
        dist.barrier()
    if place.rank > 0:
        loop.run(None, checkpoint, run.facts)
    else:
        with RunLog(run.folder, sum(phase.epochs for phase in loop.phases), quiet=run.quiet) as log:
            log.write_config({**run.facts, "git_revision": git_revision()})
            loop.run(log, checkpoint, run.facts)
    return _report(loop, run)


def phases_of(settings: TrainSettings, data: TrainingData, focus: IntArray | None) -> list[Phase]:
    """All training rows, then the rows of the target's own kind where there are any."""
    steps = max(1, len(data.train) // settings.batch_rows)
    times = max(1, -(-settings.min_steps // (settings.epochs * steps)))
    phases = [
        Phase(
            rows=data.train,
            epochs=settings.epochs * times,
            batch_rows=settings.batch_rows,
            learning_rate=settings.learning_rate,
            patience=settings.patience * times,
        )
    ]
    if focus is not None:
        phases.append(
            Phase(
                rows=focus,
                epochs=settings.focus_epochs,
                batch_rows=settings.focus_batch_rows,
                learning_rate=settings.focus_learning_rate,
                patience=settings.patience,
            )
        )
    return phases


def _report(loop: Loop, run: _Run) -> TrainReport:
    """Save what was trained; the checkpoint has served."""
    best = loop.selection.best
    temperatures = [1 / float(loop.objective.logit_scale(b).detach()) for b in range(len(loop.head.branches))]
    trained = {
        "val": {unit: b.values for unit, b in best.items()},
        "best_epoch": {unit: b.epoch for unit, b in best.items()},
        "epochs_run": loop.epoch,
        "temperature": temperatures,
    }
    loop.head.eval()
    loop.head.to("cpu")
    if loop.place.rank == 0:
        save_head(loop.head, run.out, {**run.facts, **trained, "git_revision": git_revision()})
        (run.folder / "checkpoint.pt").unlink(missing_ok=True)
    return TrainReport(
        head=loop.head,
        path=run.out,
        val={unit: b.values for unit, b in best.items()},
        best_epoch={unit: b.epoch for unit, b in best.items()},
        seconds=loop.seconds,
        rows_per_s=loop.rows_seen / max(loop.seconds, 1e-9),
        facts={**run.facts, "epochs_run": loop.epoch, "temperature": temperatures},
    )


def _create(recipe: Recipe, data: TrainingData) -> TrainableHead:
    config = dict(recipe.head)
    if recipe.kind == "control-mvr":
        config["taxonomies"] = list(data.labels)
    head = create_head(recipe.kind, video_dim=data.video.shape[1], audio_dim=data.audio.shape[1], **config)
    assert isinstance(head, TrainableHead)
    return head


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


def fit_standardise(head: TrainableHead, data: TrainingData) -> None:
    """Fit the head's standardisation on the training rows; unit rows are measured after scaling."""
    for modality, matrix in ((Modality.VIDEO, data.video), (Modality.AUDIO, data.audio)):
        module = head.standardise[str(modality)]
        assert isinstance(module, Standardise)
        mean, deviation = column_statistics(_Prepared(matrix, module), data.train)
        module.fit(torch.from_numpy(mean).float(), torch.from_numpy(deviation).float())


class _Prepared:
    """A matrix seen through `Standardise.prepare`, block by block."""

    def __init__(self, matrix: npt.NDArray[np.floating], module: Standardise) -> None:
        self.matrix, self.module = matrix, module
        self.shape: tuple[int, ...] = matrix.shape

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        import numpy as np

        block = torch.from_numpy(self.matrix[rows].astype(np.float32))
        prepared: npt.NDArray[np.float32] = self.module.prepare(block).numpy()
        return prepared


def _save_fixed(recipe: Recipe, data: TrainingData, out: Path, facts: JsonDict) -> TrainReport:
    widths = {"video_dim": data.video.shape[1], "audio_dim": data.audio.shape[1]}
    head = create_head(recipe.kind, **{**widths, **recipe.head})
    return _save_scored(head, recipe, data, out, (facts, 0.0))


def _save_cca(
    recipe: Recipe, rows: tuple[TrainingData, IntArray | None], out: Path, facts: JsonDict
) -> TrainReport:
    began = time.monotonic()
    data, focus = rows
    head, tried = fit_cca(recipe, data, fit_standardise, focus)
    assert isinstance(head, CcaHead)
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

"""Training of heads that are torch networks: phases, processes, checkpoint, report."""

from __future__ import annotations

import torch
import torch.distributed as dist

from mvr.errors import UsageError
from mvr.heads.file import save_head
from mvr.heads.table import create_head, head_kind
from mvr.heads.trainable import TrainableHead
from mvr.training.data import IntArray, TrainingData, fit_standardise
from mvr.training.job import Job
from mvr.training.log import RunLog
from mvr.training.loop import Loop, LoopSettings, Phase
from mvr.training.objective import Objective
from mvr.training.place import Place, processes
from mvr.training.provenance import git_revision
from mvr.training.report import TrainReport
from mvr.training.settings import Recipe, TrainSettings


def train_networks(job: Job) -> TrainReport:
    """Train by gradient descent, under `torchrun` with the other processes.

    Raises:
        UsageError: a device or norm that cannot be used here. NotFinite, SettingsMismatch: see the loop.
    """
    with processes(job.recipe.training.device) as place, torch.random.fork_rng():
        return _train(job, place)


def _train(job: Job, place: Place) -> TrainReport:
    settings = job.recipe.training
    torch.manual_seed(settings.seed)
    head = _create(job.recipe, job.data)
    if place.world > 1 and any(isinstance(m, torch.nn.BatchNorm1d) for m in head.modules()):
        raise UsageError(
            "norm 'batch' sees only one process's rows; train in one process or use norm 'layer'"
        )
    if settings.chunk_rows and any(isinstance(m, torch.nn.BatchNorm1d) for m in head.modules()):
        raise UsageError("norm 'batch' sees only one chunk's rows; set chunk_rows to 0 or use norm 'layer'")
    fit_standardise(head.standardise, job.data)
    how = LoopSettings(training=settings, place=place, phases=phases_of(settings, job.data, job.focus))
    loop = Loop(head, Objective(job.recipe.loss, head.branches), job.data, how)
    checkpoint = job.folder / "checkpoint.pt"
    if place.rank == 0:
        job.folder.mkdir(parents=True, exist_ok=True)
        if not job.resume:
            checkpoint.unlink(missing_ok=True)
    if place.world > 1:
        dist.barrier()
    if place.rank > 0:
        loop.run(None, checkpoint, job.facts)
    else:
        with RunLog(job.folder, sum(phase.epochs for phase in loop.phases), quiet=job.quiet) as log:
            log.write_config({**job.facts, "git_revision": git_revision()})
            loop.run(log, checkpoint, job.facts)
    return _report(loop, job)


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


def _report(loop: Loop, job: Job) -> TrainReport:
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
        save_head(loop.head, job.out, {**job.facts, **trained})
        (job.folder / "checkpoint.pt").unlink(missing_ok=True)
    return TrainReport(
        head=loop.head,
        path=job.out,
        val={unit: b.values for unit, b in best.items()},
        best_epoch={unit: b.epoch for unit, b in best.items()},
        seconds=loop.seconds,
        rows_per_s=loop.rows_seen / max(loop.seconds, 1e-9),
        facts={**job.facts, "epochs_run": loop.epoch, "temperature": temperatures},
    )


def _create(recipe: Recipe, data: TrainingData) -> TrainableHead:
    config = dict(recipe.head)
    if head_kind(recipe.kind).by_labels:
        config["taxonomies"] = list(data.labels)
    head = create_head(recipe.kind, video_dim=data.video.shape[1], audio_dim=data.audio.shape[1], **config)
    assert isinstance(head, TrainableHead)
    return head

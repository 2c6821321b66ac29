"""Heads that need no step of training: those without weights, and the saving of those in closed form."""

from __future__ import annotations

from mvr.heads.file import save_head
from mvr.heads.head import Head
from mvr.heads.table import create_head
from mvr.training.job import Job
from mvr.training.report import TrainReport
from mvr.training.validation import validate


def save_fixed(job: Job) -> TrainReport:
    """Save a head without weights, with its validation scores."""
    widths = {"video_dim": job.data.video.shape[1], "audio_dim": job.data.audio.shape[1]}
    return save_scored(create_head(job.recipe.kind, **{**widths, **job.recipe.head}), job)


def save_scored(head: Head, job: Job, seconds: float = 0.0) -> TrainReport:
    """Save a finished head with its validation scores; `seconds` is what making it took."""
    scores = validate(head, job.data, job.recipe.training.metric)
    val = {branch: score.values for branch, score in scores.items()}
    save_head(head, job.out, {**job.facts, "val": val})
    return TrainReport(
        head=head,
        path=job.out,
        val=val,
        best_epoch={},
        seconds=seconds,
        rows_per_s=len(job.data.train) / seconds if seconds else 0.0,
        facts=job.facts,
    )

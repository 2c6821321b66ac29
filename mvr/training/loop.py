"""The training loop of a head: batches, schedule, averaged weights, validation, checkpoints."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from mvr.datatypes import JsonDict, Modality
from mvr.heads.trainable import TrainableHead
from mvr.training.checkpoint import load_checkpoint, save_checkpoint
from mvr.training.data import IntArray, TrainingData
from mvr.training.log import RunLog
from mvr.training.objective import BatchFacts, Objective
from mvr.training.optimizer import decay_groups, schedule, supervised_weights
from mvr.training.place import Place
from mvr.training.selection import Selection
from mvr.training.settings import TrainSettings
from mvr.training.step import StepPlan, batch_gradient, mixed_seed
from mvr.training.validation import BranchScore, validate

_NOISE = 1 << 40  # keeps the seeds of noise apart from those of chunks


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of training on some rows, with a schedule of its own; it starts from the best weights so far."""

    rows: IntArray
    epochs: int
    batch_rows: int
    learning_rate: float
    patience: int


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """How a loop goes: settings, device and rank, and rows to train on, one phase after the other."""

    training: TrainSettings
    place: Place
    phases: Sequence[Phase]


class Loop:
    """Trains `head` in place; afterwards it holds the best validated weights of all phases.

    Args:
        head: a fresh head whose standardisation is fitted.
        objective: its loss.
        data: rows to validate on, features, labels.
        how: settings, place and phases.
    """

    def __init__(
        self, head: TrainableHead, objective: Objective, data: TrainingData, how: LoopSettings
    ) -> None:
        settings, place = how.training, how.place
        self.head, self.objective = head.to(place.device), objective.to(place.device)
        self.data, self.settings, self.place = data, settings, place
        self.averaged = copy.deepcopy(self.head) if settings.ema_decay else self.head
        self.phases = how.phases
        self.labels = {name: torch.from_numpy(hot) for name, hot in data.labels.items()}
        self.selection = Selection(self.head)
        self.epoch, self.step = 0, 0
        self.phase, self.phase_start_epoch, self.phase_start_step = 0, 0, 0
        self.seconds, self.rows_seen = 0.0, 0
        self.optimizer = self._create_optimizer()

    @property
    def now(self) -> Phase:
        """The phase that is running."""
        return self.phases[self.phase]

    @property
    def batch_rows(self) -> int:
        """Rows per step over all processes, each with as many."""
        world = self.place.world
        return max(world, min(self.now.batch_rows, len(self.now.rows)) // world * world)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass; what is left over is drawn in another epoch."""
        return len(self.now.rows) // self.batch_rows

    def run(self, log: RunLog | None, checkpoint: Path, identity: JsonDict) -> None:
        """Train until the last epoch or until no branch becomes better.

        Args:
            log: where to write; None on all processes but the first.
            checkpoint: read if it is there (resume), written on the way.
            identity: what a checkpoint must agree with.
        """
        if checkpoint.exists():
            self._load_state(load_checkpoint(checkpoint, identity, self.place.device))
        if log is not None:
            log.start(self.epoch)
        saved = time.monotonic()
        while True:
            while not self._phase_ended():
                line = self._one_epoch()
                if log is not None:
                    log.epoch(line)
                self.epoch += 1
                if log is not None and time.monotonic() - saved >= self.settings.checkpoint_s:
                    save_checkpoint(checkpoint, self._state(), identity)
                    saved = time.monotonic()
            self._take_best()
            if self.phase + 1 == len(self.phases):
                return
            self._next_phase()

    def _phase_ended(self) -> bool:
        done = self.epoch - self.phase_start_epoch
        return done >= self.now.epochs or self._exhausted()

    def _exhausted(self) -> bool:
        """Whether no branch has become better for `patience` epochs of this phase; never where none can be scored."""
        newest = max(self.phase_start_epoch - 1, self.selection.newest)
        waited = self.epoch - 1 - newest
        return self.now.patience > 0 and self.selection.scored and waited >= self.now.patience

    def _take_best(self) -> None:
        """Put the best validated weights into the head and its average."""
        best = self.selection.merged(self.averaged.state_dict())
        self.head.load_state_dict(best)
        self.averaged.load_state_dict(best)

    def _next_phase(self) -> None:
        self.phase += 1
        self.phase_start_epoch, self.phase_start_step = self.epoch, self.step
        self.optimizer = self._create_optimizer()

    def _create_optimizer(self) -> torch.optim.AdamW:
        """Over the weights that this phase trains: all, then those of the first branch."""
        if self.phase > 0:
            for name in supervised_weights(self.head):
                self.head.get_parameter(name).requires_grad_(False)
        trained = [p for p in (*self.head.parameters(), *self.objective.parameters()) if p.requires_grad]
        return torch.optim.AdamW(decay_groups(trained, self.settings.weight_decay))

    def _one_epoch(self) -> JsonDict:
        began = time.monotonic()
        self.head.train()
        sums: dict[str, float] = {}
        for rows in self._batches():
            for name, loss in self._train_step(rows).items():
                sums[name] = sums.get(name, 0.0) + loss
        scores = self._validate()
        improved = self.selection.update(self.epoch, scores, self.averaged.state_dict())
        taken = time.monotonic() - began
        self.seconds += taken
        self.rows_seen += self.steps_per_epoch * self.batch_rows
        rows_per_s = self.steps_per_epoch * self.batch_rows / taken
        return {
            "epoch": self.epoch,
            "phase": self.phase,
            "loss": {name: total / self.steps_per_epoch for name, total in sums.items()},
            "val": {branch: score.values for branch, score in scores.items()},
            "best": {branch: branch in improved for branch in scores},
            "learning_rate": self._learning_rate(self.step - 1),
            "rows_per_s": rows_per_s,
            "seconds": taken,
        }

    def _batches(self) -> Iterator[IntArray]:
        order = np.random.default_rng((self.settings.seed, self.epoch)).permutation(self.now.rows)
        for start in range(0, self.steps_per_epoch * self.batch_rows, self.batch_rows):
            yield order[start : start + self.batch_rows]

    def _train_step(self, rows: IntArray) -> dict[str, float]:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        plan = StepPlan(
            chunk_rows=settings.chunk_rows,
            rank=self.place.rank,
            world=self.place.world,
            seed=(settings.seed, self.step),
            autocast=settings.mixed_precision and self.place.device.type == "cuda",
        )
        losses = batch_gradient(self.head, self.objective, self._facts(rows), plan)
        if settings.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.head.parameters(), settings.clip_norm)
        self.optimizer.step()
        self.step += 1
        self._average()
        return losses

    def _facts(self, rows: IntArray) -> BatchFacts:
        """Standardised features of the whole batch, with noise and mixing, the same on every process."""
        device = self.place.device
        features = self.data.features(rows)
        with torch.no_grad():
            video, audio = (
                self.head.prepare(m, torch.from_numpy(f).to(device))
                for m, f in zip(Modality, features, strict=True)
            )
        video, audio = self._disturb(video, audio)
        return BatchFacts(
            groups=torch.from_numpy(self.data.groups[rows]).to(device),
            labels={name: hot[torch.from_numpy(rows)].to(device) for name, hot in self.labels.items()},
            prepared=(video, audio),
        )

    def _disturb(self, video: torch.Tensor, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        noise, mixup = self.settings.noise, self.settings.mixup
        if not noise and not mixup:
            return video, audio
        seed = mixed_seed(self.settings.seed, self.step, _NOISE)
        generator = torch.Generator(device=video.device).manual_seed(seed)
        if mixup:
            share = float(np.random.default_rng(seed).beta(mixup, mixup))
            other = torch.randperm(len(video), generator=generator, device=video.device)
            video = share * video + (1 - share) * video[other]
            audio = share * audio + (1 - share) * audio[other]
        if noise:
            video, audio = (
                x + noise * torch.randn(x.shape, generator=generator, device=x.device) for x in (video, audio)
            )
        return video, audio

    @torch.no_grad()
    def _average(self) -> None:
        if self.averaged is self.head:
            return
        taken = self.step - self.phase_start_step
        decay = min(self.settings.ema_decay, (1 + taken) / (10 + taken))
        for mean, now in zip(self.averaged.parameters(), self.head.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for held, seen in zip(self.averaged.buffers(), self.head.buffers(), strict=True):
            held.copy_(seen)

    def _validate(self) -> dict[str, BranchScore]:
        """Scores by the first process, told to the others: all must stop in the same epoch."""
        told: list[Any] = [None]
        if self.place.rank == 0:
            supervised = self.objective.loss_settings.objective == "emo-clim"
            told = [validate(self.averaged, self.data, self.settings.metric, supervised=supervised)]
        if self.place.world > 1:
            dist.broadcast_object_list(told, src=0)
        scores: dict[str, BranchScore] = told[0]
        return scores

    def _learning_rate(self, step: int) -> float:
        total = self.now.epochs * self.steps_per_epoch
        share = schedule(step - self.phase_start_step, total, self.settings.warmup_share)
        return self.now.learning_rate * share

    def _state(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "step": self.step,
            "phase": (self.phase, self.phase_start_epoch, self.phase_start_step),
            "spent": (self.seconds, self.rows_seen),
            "head": self.head.state_dict(),
            "averaged": self.averaged.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "selection": self.selection.to_state(),
        }

    def _load_state(self, state: dict[str, Any]) -> None:
        self.epoch, self.step = state["epoch"], state["step"]
        self.phase, self.phase_start_epoch, self.phase_start_step = state["phase"]
        self.seconds, self.rows_seen = state["spent"]
        self.optimizer = self._create_optimizer()
        self.head.load_state_dict(state["head"])
        self.averaged.load_state_dict(state["averaged"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.selection.load_state(state["selection"])

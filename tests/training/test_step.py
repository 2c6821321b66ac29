"""The gradient of a step does not depend on chunks or processes; two gloo processes are one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from mvr.heads import create_head
from mvr.losses import emo_clim_loss, info_nce
from mvr.training import load_recipe, train_head
from mvr.training.objective import BatchFacts, Objective
from mvr.training.settings import LossSettings
from mvr.training.step import StepPlan, batch_gradient, mixed_seed
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
ROWS = 24


def facts(rows: int = ROWS) -> BatchFacts:
    generator = torch.Generator().manual_seed(1)
    return BatchFacts(
        groups=torch.arange(rows) // 2,
        labels={"genre": torch.rand(rows, 3, generator=generator) > 0.6},
        prepared=(torch.randn(rows, 10, generator=generator), torch.randn(rows, 8, generator=generator)),
    )


def trained_head(kind: str = "control-mvr", **config):
    torch.manual_seed(0)
    config = {"hidden": 12, "dim": 6, "dropout": 0.4, "members": 2, **config}
    if kind == "control-mvr":
        config["taxonomies"] = ["genre"]
    return create_head(kind, video_dim=10, audio_dim=8, **config).train()


def gradients(kind="control-mvr", loss=LossSettings(learn_temperature=True), chunk=0, **config):
    head = trained_head(kind, **config)
    objective = Objective(loss, head.branches)
    plan = StepPlan(chunk_rows=chunk, rank=0, world=1, seed=(0, 0))
    losses = batch_gradient(head, objective, facts(), plan)
    named = [*head.named_parameters(), *objective.named_parameters()]
    return losses, {name: p.grad for name, p in named if p.grad is not None}


@pytest.mark.parametrize("chunk", [1, 5, 12, 24, 100])
@pytest.mark.parametrize("objective", ["info-nce", "vm-net"])
def test_gradient_caching_equals_the_big_batch(chunk, objective):
    loss = LossSettings(objective=objective, learn_temperature=objective == "info-nce")
    whole, wanted = gradients(loss=loss, dropout=0.0)
    cut, ours = gradients(loss=loss, chunk=chunk, dropout=0.0)
    assert whole == pytest.approx(cut, abs=1e-6)
    assert set(wanted) == set(ours)
    for name, gradient in wanted.items():
        torch.testing.assert_close(ours[name], gradient, atol=1e-5, rtol=1e-5)


def test_a_step_equals_plain_autograd_on_the_sum_of_both_losses():
    _, ours = gradients(loss=LossSettings(), members=1, dropout=0.0)
    head = trained_head(members=1, dropout=0.0)
    batch = facts()
    video, audio = (head.embed(m, x) for m, x in zip(("video", "audio"), batch.prepared, strict=True))
    loss = info_nce(video[0, 0], audio[0, 0], 10.0, groups=batch.groups)
    (loss + emo_clim_loss(video[1, 0], audio[1, 0], batch.labels["genre"], 10.0)).backward()
    for name, parameter in head.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, atol=1e-6, rtol=1e-5)


def test_a_chunk_drops_the_same_units_in_both_passes():
    """With dropout, caching is right only if the second pass repeats the first: compare with autograd on chunks."""
    chunk = 8
    _, ours = gradients("mvbind", LossSettings(), chunk=chunk, members=1)
    head, batch = trained_head("mvbind", members=1), facts()
    parts = []
    for number in range(ROWS // chunk):
        torch.manual_seed(mixed_seed(0, 0, number))
        rows = slice(number * chunk, (number + 1) * chunk)
        parts.append(
            [head.embed(m, x[rows]) for m, x in zip(("video", "audio"), batch.prepared, strict=True)]
        )
    video, audio = (torch.cat([pair[i] for pair in parts], dim=2) for i in range(2))
    info_nce(video[0, 0], audio[0, 0], 10.0, groups=batch.groups).backward()
    for name, parameter in head.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, atol=1e-6, rtol=1e-5)


def test_members_are_trained_on_their_own_losses():
    loss, _ = gradients("mvbind", LossSettings(), dropout=0.0)
    head, batch = trained_head("mvbind", dropout=0.0), facts()
    video, audio = (head.embed(m, x)[0] for m, x in zip(("video", "audio"), batch.prepared, strict=True))
    alone = [info_nce(v, a, 10.0, groups=batch.groups).item() for v, a in zip(video, audio, strict=True)]
    assert loss["ssl"] == pytest.approx(sum(alone) / 2, abs=1e-6)


def test_a_learned_temperature_never_falls_below_a_hundredth():
    objective = Objective(LossSettings(temperature=0.001, learn_temperature=True), ("ssl",))
    assert objective.logit_scale(0).item() == pytest.approx(100)


def test_chunks_cover_every_row_once_over_all_processes():
    seen, numbers = [], []
    for rank in range(3):
        for chunk in StepPlan(chunk_rows=5, rank=rank, world=3, seed=(0, 0)).chunks(36):
            numbers.append(chunk.number)
            seen += list(range(36))[chunk.rows]
    assert seen == list(range(36)) and numbers == list(range(9))


def test_seeds_of_neighbouring_steps_and_chunks_differ():
    seeds = {mixed_seed(s, t, c) for s in range(5) for t in range(50) for c in range(5)}
    assert len(seeds) == 5 * 50 * 5 and all(0 <= s < 1 << 63 for s in seeds)


_SCRIPT = """
import json, sys, torch
torch.set_num_threads(1)
from mvr.embeddings.store import FeatureStore
from mvr.training import load_recipe, train_head
store, out, overrides = sys.argv[1:]
train_head(FeatureStore.open(store), load_recipe("control-mvr", json.loads(overrides)), out)
"""


def test_two_gloo_processes_give_the_one_process_result(store, tmp_path):
    """Each process takes half of every batch: one process with chunks of that half draws the same dropout."""
    overrides = {
        "head": {"hidden": 16, "dim": 8, "dropout": 0.3, "members": 2},
        "training": {
            "epochs": 3,
            "batch_rows": 48,
            "chunk_rows": 24,
            "min_steps": 0,
            "learning_rate": 5e-3,
            "noise": 0.1,
        },
    }
    train_head(store, load_recipe("control-mvr", overrides), tmp_path / "one")
    shared = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", _SCRIPT, str(store.path), str(tmp_path / "two"), json.dumps(overrides)]
    running = [  # the environment that torchrun gives to each process
        subprocess.Popen(command, env={**shared, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=240)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    one, two = (load_file(tmp_path / name) for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=1e-5, rtol=1e-4)


def test_unit_rows_of_embeddings_come_out_of_a_step_unharmed():
    head = trained_head("mvbind")
    embedded = head.embed("audio", facts().prepared[1])
    torch.testing.assert_close(embedded, F.normalize(embedded, dim=-1))

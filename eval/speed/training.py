"""Training throughput: `mvr.training` against a plain PyTorch loop on the same networks, rows and batches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs

VIDEO_DIM, AUDIO_DIM, HIDDEN, DIM = 1024, 128, 1024, 256


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Whole batches, and gradient caching in chunks of an eighth."""
    rows, batch = (1024, 256) if inputs.short else (8192, 1024)
    epochs = 2 if inputs.short else 4
    work = (
        f"{epochs} epochs of {rows} rows ({VIDEO_DIM} and {AUDIO_DIM} wide) in batches of {batch}: two networks of "
        f"{HIDDEN} hidden units, symmetric InfoNCE, AdamW; ours also validates, logs and keeps the best weights"
    )
    yield Contest(
        name="training",
        title="Training a head",
        work=work,
        ours="mvr",
        candidates={
            "mvr": lambda: _mvr((rows, batch, epochs), 0),
            "mvr, chunks of an eighth": lambda: _mvr((rows, batch, epochs), batch // 8),
            "plain PyTorch loop": lambda: _plain(rows, batch, epochs),
        },
        aims=(
            Aim(
                text="at most 1.25 times a plain loop that does neither validation nor logs",
                against="plain PyTorch loop",
                cpu_ratio_at_most=1.25,
            ),
        ),
    )


def _features(rows: int) -> tuple[Any, Any]:
    import numpy as np

    generator = np.random.default_rng(0)
    latent = generator.normal(size=(rows, 32))
    video = latent @ generator.normal(size=(32, VIDEO_DIM)) + generator.normal(size=(rows, VIDEO_DIM))
    audio = latent @ generator.normal(size=(32, AUDIO_DIM)) + generator.normal(size=(rows, AUDIO_DIM))
    return video.astype(np.float32), audio.astype(np.float32)


def _mvr(sizes: tuple[int, int, int], chunk_rows: int) -> Work:
    import pyarrow as pa

    from mvr.embeddings.store import write_store
    from mvr.training.run import train_head
    from mvr.training.settings import recipe_from

    rows, batch, epochs = sizes
    val_rows = 256
    video, audio = _features(rows + val_rows)
    folder = Path(tempfile.mkdtemp(prefix="mvr-speed-"))
    manifest = pa.table(
        {"id": [str(i) for i in range(len(video))], "split": ["train"] * rows + ["val"] * val_rows}
    )
    store = write_store(folder / "store", video=video, audio=audio, manifest=manifest)
    training = {
        "epochs": epochs,
        "batch_rows": batch,
        "chunk_rows": chunk_rows,
        "focus": "none",
        "device": "cpu",
        "checkpoint_s": 3600.0,
    }
    recipe = recipe_from(
        {"kind": "mvbind", "head": {"hidden": HIDDEN, "dim": DIM, "dropout": 0.5}, "training": training}
    )

    def work() -> dict[str, Any]:
        report = train_head(store, recipe, folder / "head.safetensors")
        return {"rows/s": report.rows_per_s}

    return work


def _plain(rows: int, batch: int, epochs: int) -> Work:
    import time

    import torch
    from torch import nn
    from torch.nn import functional

    video, audio = (torch.from_numpy(x) for x in _features(rows))
    video, audio = ((x - x.mean(0)) / x.std(0) for x in (video, audio))

    def network(width: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Dropout(0.5), nn.Linear(HIDDEN, DIM))

    def work() -> dict[str, Any]:
        torch.manual_seed(0)
        networks = network(VIDEO_DIM), network(AUDIO_DIM)
        optimizer = torch.optim.AdamW([p for n in networks for p in n.parameters()], lr=1e-3)
        began = time.perf_counter()
        for _ in range(epochs):
            for chosen in torch.split(torch.randperm(rows), batch):
                v, a = (
                    functional.normalize(n(x[chosen])) for n, x in zip(networks, (video, audio), strict=True)
                )
                logits, own = 10 * v @ a.T, torch.arange(len(chosen))
                loss = (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        return {"rows/s": epochs * rows / (time.perf_counter() - began), "loss": float(loss.detach())}

    return work

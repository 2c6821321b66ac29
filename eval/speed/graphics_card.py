"""Full-size networks in bfloat16 on a graphics card: rows per second as a share of the card's matrix rate, by batch.

Without a card there is nothing to measure, and a line on stderr says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from eval.speed.contest import Contest, Work
from eval.speed.inputs import Inputs
from eval.speed.networks import NETWORKS, Network

_BATCHES = (1, 4, 16, 64, 128, 256)
_SIDE = 8192  # of the square matrices that measure the card
_CALLS = 8


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest per network; its candidates are batch sizes, its facts the card, rows per second and the share."""
    import torch

    if not torch.cuda.is_available():
        sys.stderr.write("graphics-card: there is none on this machine, nothing was measured\n")
        return
    batches = _BATCHES[:2] if inputs.short else _BATCHES
    for name, network in NETWORKS.items():
        yield Contest(
            name=f"card-{name}",
            title=f"{network.title}, bfloat16, {torch.cuda.get_device_name()}",
            work=f"{_CALLS} batches of random rows through random weights",
            ours=f"batch {batches[-1]}",
            candidates={f"batch {size}": partial(_batches, network, size, inputs.short) for size in batches},
        )


def _batches(network: Network, size: int, small: bool) -> Work:
    import torch

    from mvr.backbones.cost import operations
    from mvr.backbones.precision import Precision, prepare

    device = torch.device("cuda")
    model = prepare(network.build(small), Precision.BFLOAT16, device)
    inputs = torch.randn((size, *network.shape[1:]), device=device, dtype=torch.bfloat16)
    whole = operations(network.card, network.modality, network.segment_s)
    assert whole is not None
    rate = _matrix_rate(device)

    def work() -> dict[str, Any]:
        begin = time.perf_counter()
        with torch.inference_mode():
            for _ in range(_CALLS):
                network.encode(model, inputs)
        torch.cuda.synchronize(device)
        rows_per_s = _CALLS * size / (time.perf_counter() - begin)
        share = rows_per_s * whole / network.shape[0] / rate
        return {
            "rows per s": round(rows_per_s),
            "matrix TFLOPS": round(rate / 1e12),
            "share": f"{share:.0%}" if not small else "",
            "memory MB": round(torch.cuda.max_memory_allocated(device) / 1e6),
        }

    return work


def _matrix_rate(device: Any) -> float:
    """Operations per second of a large square bfloat16 product on the card."""
    import torch

    one = torch.randn(_SIDE, _SIDE, device=device, dtype=torch.bfloat16)
    one @ one
    torch.cuda.synchronize(device)
    begin = time.perf_counter()
    for _ in range(_CALLS):
        one @ one
    torch.cuda.synchronize(device)
    return _CALLS * 2.0 * _SIDE**3 / (time.perf_counter() - begin)

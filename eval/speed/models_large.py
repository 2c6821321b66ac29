"""The 632-million-weight vision tower in each number format: 2.5 GB of memory in float32."""

from __future__ import annotations

from collections.abc import Iterator

from eval.speed.contest import Contest
from eval.speed.inputs import Inputs
from eval.speed.models import encoding_contest
from eval.speed.networks import NETWORKS


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest per heavy network."""
    for name, network in NETWORKS.items():
        if network.heavy:
            yield encoding_contest(name, network, inputs)

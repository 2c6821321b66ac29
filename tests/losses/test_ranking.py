"""VM-NET's loss against loops over triplets."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from mvr.errors import NotFinite
from mvr.losses.ranking import VmNetWeights, soft_structure, vm_net_loss
from tests.losses.conftest import unit


def squared(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(((a - b) ** 2).sum())


def slow_hinge(queries, items, groups, margin, hardest):
    values = []
    for i in range(len(queries)):
        costs = []
        for j in range(len(items)):
            negative = groups[i] != groups[j]
            cost = squared(queries[i], items[i]) - squared(queries[i], items[j]) + margin
            costs.append(max(0.0, cost) if negative else None)
        values.append(costs)
    if hardest:
        best = [sorted((c or 0.0 for c in costs), reverse=True)[:hardest] for costs in values]
        return sum(sum(b) for b in best) / (hardest * len(queries))
    kept = [c for costs in values for c in costs if c is not None]
    return sum(kept) / len(kept)


def slow_structure(embedded, features):
    rows, means = len(embedded), []
    for stride in [s for s in (1, 2, 3, 5, 7, 11, 13, 17) if 2 * s < rows]:
        total = 0.0
        for i in range(rows):
            near, far = (i + stride) % rows, (i + 2 * stride) % rows
            gap = squared(features[i], features[far]) - squared(features[i], features[near])
            change = squared(embedded[i], embedded[near]) - squared(embedded[i], embedded[far])
            sign = (gap > 0) - (gap < 0)
            total += max(0.0, sign * change)
        means.append(total / rows)
    return sum(means) / len(means)


@pytest.mark.parametrize("hardest", [0, 2])
def test_the_sum_equals_loops_over_triplets(hardest):
    video, audio, raw = unit(7, 4, 1), unit(7, 4, 2), (unit(7, 9, 3), unit(7, 5, 4))
    groups = torch.tensor([0, 1, 2, 0, 3, 4, 5])
    weights = VmNetWeights(hardest=hardest)
    wanted = (
        weights.video_to_audio * slow_hinge(video, audio, groups, weights.margin, hardest)
        + weights.audio_to_video * slow_hinge(audio, video, groups, weights.margin, hardest)
        + weights.video_structure * slow_structure(video, raw[0])
        + weights.audio_structure * slow_structure(audio, raw[1])
    )
    assert vm_net_loss((video, audio), raw, weights, groups).item() == pytest.approx(wanted, abs=1e-10)


def test_pairs_farther_apart_than_the_margin_cost_nothing_between_modalities():
    eye = torch.eye(6, dtype=torch.float64)
    weights = VmNetWeights(video_structure=0, audio_structure=0, margin=1.9)
    assert vm_net_loss((eye, eye), (eye, eye), weights).item() == 0


def test_indistinguishable_items_cost_the_margin():
    same = F.normalize(torch.ones(5, 3), dim=-1)
    weights = VmNetWeights(
        video_to_audio=1, audio_to_video=1, video_structure=0, audio_structure=0, margin=0.3
    )
    assert vm_net_loss((same, same), (same, same), weights).item() == pytest.approx(0.6, abs=1e-6)


def test_a_space_that_keeps_the_order_of_the_features_has_no_structure_cost():
    features = unit(12, 4, 1)
    assert soft_structure(features, features * 3.0).item() == 0
    assert soft_structure(unit(12, 4, 2), features).item() > 0


def test_two_rows_have_no_order():
    assert soft_structure(unit(2, 4, 1), unit(2, 4, 2)).item() == 0


def test_its_gradient_is_that_of_finite_differences():
    video, audio, raw = (
        unit(6, 3, 5).requires_grad_(),
        unit(6, 3, 6).requires_grad_(),
        (unit(6, 4, 7), unit(6, 4, 8)),
    )
    assert torch.autograd.gradcheck(lambda v, a: vm_net_loss((v, a), raw, VmNetWeights()), (video, audio))


def test_equal_weights_make_it_symmetric():
    video, audio, raw = unit(6, 3, 5), unit(6, 3, 6), (unit(6, 4, 7), unit(6, 4, 8))
    weights = VmNetWeights(video_to_audio=1.0, audio_to_video=1.0)
    swapped = vm_net_loss((audio, video), (raw[1], raw[0]), weights).item()
    assert vm_net_loss((video, audio), raw, weights).item() == pytest.approx(swapped, abs=1e-12)


def test_a_diverged_model_is_refused():
    with pytest.raises(NotFinite, match="diverged"):
        vm_net_loss((torch.full((3, 2), float("nan")),) * 2, (torch.ones(3, 2),) * 2, VmNetWeights())

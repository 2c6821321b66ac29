"""InfoNCE against a slow loop, paper values, symmetry and gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from mvr.errors import NotFinite, WrongShape
from mvr.losses import info_nce
from tests.losses.conftest import unit


def slow(video, audio, scale, groups=None, smoothing=0.0):
    """The definition, one row and one candidate at a time."""
    total, rows = 0.0, len(video)
    for queries, items in ((video, audio), (audio, video)):
        for i in range(rows):
            kept = [j for j in range(rows) if j == i or groups is None or groups[j] != groups[i]]
            exps = {j: math.exp(scale * float(queries[i] @ items[j])) for j in kept}
            logs = {j: math.log(exps[j] / sum(exps.values())) for j in kept}
            total -= (1 - smoothing) * logs[i] + smoothing * sum(logs.values()) / len(kept)
    return total / (2 * rows)


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 1, 3], [4, 4, 4, 4, 4, 4]])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_it_equals_the_definition_row_by_row(groups, smoothing):
    video, audio = unit(6, 5, 1), unit(6, 5, 2)
    numbers = None if groups is None else torch.tensor(groups)
    loss = info_nce(video, audio, 7.0, groups=numbers, label_smoothing=smoothing)
    assert loss.item() == pytest.approx(slow(video, audio, 7.0, groups, smoothing), abs=1e-10)


@pytest.mark.parametrize("batch", [1, 2, 8, 64])
def test_indistinguishable_pairs_cost_log_b(batch):
    same = F.normalize(torch.ones(batch, 4), dim=-1)
    loss = info_nce(same, same, logit_scale=torch.tensor(14.3)).item()
    assert loss == pytest.approx(math.log(batch), abs=1e-5)


def test_perfect_orthogonal_pairs_cost_what_the_formula_says():
    eye = torch.eye(8, dtype=torch.float64)
    assert info_nce(eye, eye, 10.0).item() == pytest.approx(math.log(1 + 7 * math.exp(-10)), abs=1e-12)


def test_swapping_the_modalities_changes_nothing():
    video, audio = unit(9, 4, 3), unit(9, 4, 4)
    assert info_nce(video, audio, 5.0).item() == pytest.approx(info_nce(audio, video, 5.0).item(), abs=1e-12)


def test_the_order_of_rows_changes_nothing():
    video, audio = unit(9, 4, 3), unit(9, 4, 4)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    assert info_nce(video[order], audio[order], 5.0).item() == pytest.approx(
        info_nce(video, audio, 5.0).item()
    )


def test_a_second_clip_of_the_same_music_is_no_negative():
    video, audio = unit(4, 6, 5), unit(4, 6, 6)
    twice = (torch.cat([video, video[:1]]), torch.cat([audio, audio[:1]]))
    masked = info_nce(*twice, 5.0, groups=torch.tensor([0, 1, 2, 3, 0]))
    assert masked < info_nce(*twice, 5.0)


@pytest.mark.parametrize("groups", [None, [0, 1, 0, 2]])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_its_gradient_is_that_of_finite_differences(groups, smoothing):
    video, audio = unit(4, 3, 7).requires_grad_(), unit(4, 3, 8).requires_grad_()
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    numbers = None if groups is None else torch.tensor(groups)
    assert torch.autograd.gradcheck(
        lambda v, a, s: info_nce(v, a, s, groups=numbers, label_smoothing=smoothing), (video, audio, scale)
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_model_is_refused(bad):
    video = unit(4, 3, 1)
    video[2, 1] = bad
    with pytest.raises(NotFinite, match="diverged"):
        info_nce(video, unit(4, 3, 2), 5.0)


@pytest.mark.parametrize("shapes", [((4, 3), (5, 3)), ((4, 3), (4, 2)), ((0, 3), (0, 3)), ((4,), (4,))])
def test_batches_that_do_not_pair_are_refused(shapes):
    with pytest.raises(WrongShape, match=r"rows|matrices"):
        info_nce(torch.zeros(shapes[0]), torch.zeros(shapes[1]), 1.0)

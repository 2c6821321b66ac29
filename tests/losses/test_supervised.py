"""Supervised contrastive loss against the formula of Emo-CLIM, term by term."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from mvr.errors import NotFinite, WrongShape
from mvr.losses import emo_clim_loss, shared_labels, supervised_contrastive
from tests.losses.conftest import unit

# two labels on row 1, no label on row 3, a label nobody shares on row 5
LABELS = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]], dtype=torch.bool)


def slow(anchors, candidates, labels, scale, same):
    """mean_i -1/|P(i)| sum_p log(exp(z_i.z_p s) / sum_k exp(z_i.z_k s)), over rows with |P(i)| > 0."""
    sets = [set(torch.nonzero(row).flatten().tolist()) for row in labels]
    terms = []
    for i in range(len(sets)):
        pool = [k for k in range(len(sets)) if sets[k] and not (same and k == i)]
        positives = [k for k in pool if sets[i] & sets[k]]
        if not positives:
            continue
        bottom = sum(math.exp(scale * float(anchors[i] @ candidates[k])) for k in pool)
        logs = [math.log(math.exp(scale * float(anchors[i] @ candidates[p])) / bottom) for p in positives]
        terms.append(-sum(logs) / len(positives))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("same", [False, True])
def test_one_direction_equals_the_formula_row_by_row(same):
    video = unit(6, 4, 1)
    audio = video if same else unit(6, 4, 2)
    loss = supervised_contrastive(video, audio, shared_labels(LABELS), 6.0, same=same)
    assert loss.item() == pytest.approx(slow(video, audio, LABELS, 6.0, same), abs=1e-10)


def test_the_four_terms_weigh_a_quarter_each():
    video, audio = unit(6, 4, 1), unit(6, 4, 2)
    wanted = sum(
        slow(x, y, LABELS, 6.0, same) / 4
        for x, y, same in (
            (video, audio, False),
            (audio, video, False),
            (video, video, True),
            (audio, audio, True),
        )
    )
    assert emo_clim_loss(video, audio, LABELS, 6.0).item() == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("batch", [2, 8, 64])
def test_indistinguishable_items_cost_log_of_the_candidates(batch):
    same = F.normalize(torch.ones(batch, 4), dim=-1)
    one_label = torch.ones(batch, 1)
    across = supervised_contrastive(same, same, shared_labels(one_label), 14.3)
    within = supervised_contrastive(same, same, shared_labels(one_label), 14.3, same=True)
    assert across.item() == pytest.approx(math.log(batch), abs=1e-5)
    assert within.item() == pytest.approx(math.log(batch - 1), abs=1e-5)


def test_each_row_its_own_label_is_infonce_in_one_direction():
    video, audio = unit(5, 4, 3), unit(5, 4, 4)
    ours = supervised_contrastive(video, audio, torch.eye(5, dtype=torch.bool), 4.0)
    assert ours.item() == pytest.approx(
        F.cross_entropy(4.0 * video @ audio.T, torch.arange(5)).item(), abs=1e-12
    )


def test_swapping_the_modalities_changes_nothing():
    video, audio = unit(6, 4, 1), unit(6, 4, 2)
    swapped = emo_clim_loss(audio, video, LABELS, 6.0).item()
    assert emo_clim_loss(video, audio, LABELS, 6.0).item() == pytest.approx(swapped, abs=1e-12)


def test_an_unlabelled_row_neither_pulls_nor_pushes():
    video, audio = unit(6, 4, 1), unit(6, 4, 2)
    moved_video, moved_audio = video.clone(), audio.clone()
    moved_video[3], moved_audio[3] = unit(1, 4, 8)[0], unit(1, 4, 9)[0]
    moved = emo_clim_loss(moved_video, moved_audio, LABELS, 6.0)
    assert moved.item() == pytest.approx(emo_clim_loss(video, audio, LABELS, 6.0).item(), abs=1e-12)
    video.requires_grad_()
    emo_clim_loss(video, audio, LABELS, 6.0).backward()
    assert video.grad is not None and video.grad[3].abs().max() == 0


def test_a_batch_without_labels_costs_nothing_and_moves_nothing():
    video, audio = unit(3, 4, 1).requires_grad_(), unit(3, 4, 2)
    loss = emo_clim_loss(video, audio, torch.zeros(3, 2), 6.0)
    loss.backward()
    assert loss.item() == 0 and video.grad is not None and video.grad.abs().max() == 0


def test_its_gradient_is_that_of_finite_differences():
    video, audio = unit(6, 3, 5).requires_grad_(), unit(6, 3, 6).requires_grad_()
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, a, s: emo_clim_loss(v, a, LABELS, s), (video, audio, scale))


def test_a_diverged_model_is_refused():
    with pytest.raises(NotFinite, match="diverged"):
        emo_clim_loss(torch.full((6, 3), float("nan")), torch.ones(6, 3), LABELS, 6.0)


def test_positives_of_another_shape_are_refused():
    with pytest.raises(WrongShape, match="positives must be"):
        supervised_contrastive(unit(4, 3, 1), unit(4, 3, 2), torch.ones(4, 5, dtype=torch.bool), 1.0)

"""Number formats: int8 against exact arithmetic, likeness to float32 per backbone, devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mvr.backbones import create_backbone
from mvr.backbones.precision import Int8Linear, Int8SelfAttention, Precision, pick_device, prepare, quantise
from mvr.datatypes import Modality, Segment
from mvr.errors import UsageError

PAIRS = [
    ("imagebind", Modality.VIDEO),
    ("imagebind", Modality.AUDIO),
    ("clip", Modality.VIDEO),
    ("mert", Modality.AUDIO),
    ("clap", Modality.AUDIO),
]


def seeded(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("exact", [True, False], ids=["as-here", "without-vnni"])
def test_int8_products_are_exact_sums_of_rounded_numbers(exact: bool, monkeypatch: pytest.MonkeyPatch):
    if not exact:
        monkeypatch.setattr("mvr.backbones.precision.has_exact_int8", lambda: False)
    weight, bias, rows = seeded(6, 32), seeded(6), seeded(5, 32)
    found = Int8Linear(weight, bias)(rows)
    for r, row in enumerate(rows.double()):
        for o, kernel in enumerate(weight.double()):
            row_step, kernel_step = row.abs().max() / 127, kernel.abs().max() / 127
            total = ((row / row_step).round() * (kernel / kernel_step).round()).sum()
            assert found[r, o] == pytest.approx(float(total * row_step * kernel_step + bias[o]), abs=1e-4)


def test_int8_rows_do_not_depend_on_each_other():
    layer, rows = Int8Linear(seeded(16, 64), None), seeded(20, 64)
    rows[3] *= 1000  # a row with large values must not coarsen the others
    alone = torch.cat([layer(row[None]) for row in rows])
    torch.testing.assert_close(layer(rows), alone)


def test_int8_zeros_stay_zeros():
    assert torch.equal(Int8Linear(torch.zeros(4, 8), None)(torch.zeros(2, 8)), torch.zeros(2, 4))


def test_int8_self_attention_is_close_to_the_one_it_replaces():
    frozen = nn.MultiheadAttention(64, 4, batch_first=True).eval()
    tokens = seeded(2, 9, 64)
    mask = torch.full((9, 9), float("-inf")).triu(1)
    for attn_mask in (None, mask):
        wanted, _ = frozen(tokens, tokens, tokens, need_weights=False, attn_mask=attn_mask)
        found, _ = Int8SelfAttention(frozen)(tokens, tokens, tokens, attn_mask=attn_mask)
        assert torch.cosine_similarity(found.flatten(), wanted.flatten(), dim=0) > 0.999


def test_quantising_reaches_every_linear_layer():
    model = quantise(nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.GELU(), nn.Linear(8, 2))))
    assert not [m for m in model.modules() if isinstance(m, nn.Linear)]
    assert len([m for m in model.modules() if isinstance(m, Int8Linear)]) == 2


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "int8"])
@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_cheap_modes_stay_close_to_float32(
    name: str,
    modality: Modality,
    precision: str,
    options: dict[str, dict[str, Any]],
    moving_video: Path,
    music_file: Path,
):
    path = moving_video if modality is Modality.VIDEO else music_file
    exact = create_backbone(name, modality, **options[name])
    cheap = create_backbone(name, modality, **options[name], precision=precision)
    batch = exact.preprocess(path, [Segment(start_s=0.0, end_s=3.0)])
    one, two = exact.encode(batch)[0], cheap.encode(batch)[0]
    assert one @ two / np.linalg.norm(one) / np.linalg.norm(two) > 0.998
    assert cheap.settings["precision"] == precision != exact.settings["precision"]


def test_int8_is_refused_on_a_graphics_card():
    with pytest.raises(UsageError, match="processor only"):
        prepare(nn.Linear(2, 2), Precision.INT8, torch.device("cuda"))


def test_devices_are_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    with pytest.raises(UsageError, match="'cuda' is not here"):
        pick_device("cuda")
    with pytest.raises(UsageError, match="unknown device 'abacus'"):
        pick_device("abacus")

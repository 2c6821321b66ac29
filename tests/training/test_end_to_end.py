"""The last blocks of tiny backbones learn with the head; everything before them stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mvr.backbones.imagebind import ImageBindModel
from mvr.datatypes import Modality
from mvr.errors import DataError, UsageError, WeightsCorrupt
from mvr.heads import create_head
from mvr.training.end_to_end import (
    EndToEndSettings,
    RawPairs,
    Tower,
    block_stack,
    load_unfrozen,
    save_unfrozen,
    train_end_to_end,
    unfreeze_last_blocks,
)

WIDTH = 16
SIZES = {
    f"{t}_{k}": v
    for t in ("vision", "audio")
    for k, v in {"embed_dim": WIDTH, "num_blocks": 3, "num_heads": 2}.items()
}


def towers() -> tuple[ImageBindModel, dict[Modality, Tower]]:
    torch.manual_seed(0)
    model = ImageBindModel(towers=("vision", "audio"), out_embed_dim=12, **SIZES).eval()
    names = {Modality.VIDEO: "vision", Modality.AUDIO: "audio"}
    return model, {
        m: Tower(encode=lambda x, n=n: model(**{n: x})[n], weights=model.modality_trunks[n])
        for m, n in names.items()
    }


def pairs(rows: int = 8) -> RawPairs:
    generator = np.random.default_rng(0)
    return RawPairs(
        video=generator.normal(size=(rows, 3, 2, 224, 224)).astype(np.float32),
        audio=generator.normal(size=(rows, 1, 128, 204)).astype(np.float32),
        groups=np.arange(rows),
        labels={},
    )


def a_head():
    torch.manual_seed(1)
    return create_head("mvbind", video_dim=12, audio_dim=12, hidden=16, dim=8, dropout=0.0, members=1)


FAST = EndToEndSettings(blocks=1, epochs=6, batch_rows=8, learning_rate=1e-2, backbone_learning_rate=3e-3)


def test_only_the_last_block_and_the_head_learn(tmp_path):
    model, both = towers()
    before = {name: p.clone() for name, p in model.state_dict().items()}
    head, items = a_head(), pairs()
    history = train_end_to_end(both, head, items, FAST)
    assert history[-1] < history[0]
    moved = {name for name, p in model.state_dict().items() if not torch.equal(p, before[name])}
    assert moved and all(".blocks.2." in name for name in moved)
    assert {name.split(".")[1] for name in moved} == {"vision", "audio"}

    save_unfrozen(both, tmp_path / "unfrozen.safetensors")
    fresh, published = towers()
    assert load_unfrozen(published, tmp_path / "unfrozen.safetensors") >= len(moved)
    with torch.no_grad():
        again, trained = (m(audio=torch.from_numpy(items.audio))["audio"] for m in (fresh, model))
    torch.testing.assert_close(again, trained, atol=0, rtol=0)


def test_with_no_block_the_backbone_stays_frozen_and_unfreezing_fits_better():
    _, both = towers()
    frozen = train_end_to_end(both, a_head(), pairs(), EndToEndSettings(**{**FAST.__dict__, "blocks": 0}))
    assert not any(p.requires_grad for t in both.values() for p in t.weights.parameters())
    _, both = towers()
    assert train_end_to_end(both, a_head(), pairs(), FAST)[-1] < frozen[-1]


def test_the_stack_of_a_hubert_is_found():
    from transformers import HubertConfig, HubertModel

    sizes = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 16}
    convolutions = {
        "conv_dim": (8, 8),
        "conv_stride": (5, 2),
        "conv_kernel": (10, 3),
        "num_conv_pos_embedding_groups": 4,
    }
    model = HubertModel(HubertConfig(**sizes, **convolutions))
    assert len(block_stack(model)) == 4
    unfreeze_last_blocks(model, 2)
    learning = {name.split(".")[2] for name, p in model.named_parameters() if p.requires_grad}
    assert learning == {"2", "3"}


def test_mistakes_are_named(tmp_path):
    _, both = towers()
    with pytest.raises(UsageError, match="4 blocks to unfreeze, but the backbone has 3"):
        train_end_to_end(both, a_head(), pairs(), EndToEndSettings(blocks=4))
    with pytest.raises(UsageError, match="no stack"):
        block_stack(nn.Linear(2, 2))
    with pytest.raises(DataError, match="at least 2 items"):
        train_end_to_end(both, a_head(), pairs(1), FAST)
    unfreeze_last_blocks(both[Modality.VIDEO].weights, 1)
    save_unfrozen(both, tmp_path / "u.safetensors")
    model = ImageBindModel(towers=("vision", "audio"), out_embed_dim=12, **{**SIZES, "vision_embed_dim": 8})
    smaller = {
        m: Tower(encode=t.encode, weights=model.modality_trunks[n])
        for (m, t), n in zip(both.items(), ("vision", "audio"), strict=True)
    }
    with pytest.raises(WeightsCorrupt, match="does not fit this backbone"):
        load_unfrozen(smaller, tmp_path / "u.safetensors")

"""Counted arithmetic against torch's own counter on the real architectures, without any weights."""

from __future__ import annotations

from typing import Any

import open_clip
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mvr.backbones.cost import estimate_seconds, matrix_rate, operations
from mvr.backbones.imagebind import ImageBindModel
from mvr.config.cards import BackboneCard
from mvr.datatypes import Modality
from mvr.errors import UsageError


def counted(model: Any, **inputs: torch.Tensor) -> int:
    """Operations of a forward pass on the meta device: shapes only."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(**inputs)
    return counter.get_total_flops()


def test_imagebind_costs_what_torch_counts():
    with torch.device("meta"):
        model = ImageBindModel(towers=("vision", "audio")).eval()
        vision = counted(model, vision=torch.empty(1, 3, 2, 224, 224))
        audio = counted(model, audio=torch.empty(1, 1, 128, 204))
    card = BackboneCard(name="imagebind", options={"clips": 1, "crops": 1})
    assert operations(card, Modality.VIDEO, 10.0) == pytest.approx(vision, rel=0.01)
    card = BackboneCard(name="imagebind", options={"clips": 1})
    assert operations(card, Modality.AUDIO, 10.0) == pytest.approx(audio, rel=0.01)


@pytest.mark.parametrize("architecture", ["ViT-B-32", "ViT-L-14"])
def test_clip_costs_what_torch_counts(architecture: str):
    config = open_clip.get_model_config(architecture)
    with torch.device("meta"):
        model = open_clip.model.CLIP(**config).visual.eval()
        wanted = counted(model, x=torch.empty(1, 3, 224, 224))
    card = BackboneCard(name="clip", options={"architecture": architecture, "frame_rate_hz": 1.0})
    assert operations(card, Modality.VIDEO, 8.0) == pytest.approx(8 * wanted, rel=0.01)


def test_mert_costs_what_torch_counts():
    from transformers import HubertConfig, HubertModel

    with torch.device("meta"):
        model = HubertModel(HubertConfig(apply_spec_augment=False)).eval()
        wanted = counted(model, input_values=torch.empty(1, 240_000))
    assert operations(BackboneCard(name="mert"), Modality.AUDIO, 10.0) == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize(("segment_s", "windows"), [(3.0, 1), (10.0, 1), (25.0, 3)])
def test_clap_costs_what_torch_counts(segment_s: float, windows: int):
    from transformers import ClapAudioConfig
    from transformers.models.clap.modeling_clap import ClapAudioModel

    larger = ClapAudioConfig(depths=[2, 2, 12, 2], hidden_size=1024, patch_embeds_hidden_size=128)
    with torch.device("meta"):
        model = ClapAudioModel(larger).eval()
        wanted = windows * counted(model, input_features=torch.empty(1, 1, 1001, 64))
    assert operations(BackboneCard(name="clap"), Modality.AUDIO, segment_s) == pytest.approx(wanted, rel=0.02)


def test_descriptors_have_no_network():
    card = BackboneCard(name="descriptors")
    assert operations(card, Modality.AUDIO, 10.0) == estimate_seconds(card, Modality.AUDIO) == 0


def test_a_network_that_is_no_transformer_is_not_guessed():
    assert (
        operations(BackboneCard(name="clip", options={"architecture": "RN50"}), Modality.VIDEO, 1.0) is None
    )


def test_an_estimate_grows_with_segments_and_views():
    one = BackboneCard(name="imagebind", options={"clips": 1})
    five = BackboneCard(name="imagebind", options={"clips": 5})
    first = estimate_seconds(one, Modality.VIDEO, device="cpu")
    assert first is not None and first > 0
    assert estimate_seconds(one, Modality.VIDEO, segments=4, device="cpu") == pytest.approx(4 * first)
    assert estimate_seconds(five, Modality.VIDEO, device="cpu") == pytest.approx(5 * first)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_the_matrix_rate_is_measured_once(precision: str):
    rate = matrix_rate(precision, "cpu")
    assert rate > 1e8 and matrix_rate(precision, "cpu") == rate


def test_unknown_precisions_are_refused():
    card = BackboneCard(name="imagebind", options={"precision": "float8"})
    with pytest.raises(UsageError, match="unknown precision 'float8'"):
        estimate_seconds(card, Modality.VIDEO)


@pytest.mark.slow  # the picture tower alone takes ten seconds to make
def test_peav_costs_what_torch_counts():
    import timm
    from transformers.models.dac.configuration_dac import DacConfig
    from transformers.models.pe_audio.modeling_pe_audio import PeAudioDacEncoder

    dac = DacConfig(downsampling_ratios=[2, 8, 10, 12], encoder_hidden_size=64)
    with torch.device("meta"):
        picture = timm.create_model("vit_pe_core_large_patch14_336", num_classes=1024).eval()
        frame = counted(picture.requires_grad_(False), x=torch.empty(1, 3, 336, 336))
        encoder = PeAudioDacEncoder(dac).eval().requires_grad_(False)
        sound = counted(encoder, hidden_state=torch.empty(1, 1, 48_000))
    card = BackboneCard(name="peav")
    assert operations(card, Modality.VIDEO, 10.0) == pytest.approx(16 * frame, rel=0.02)
    assert operations(card, Modality.AUDIO, 1.0) == pytest.approx(sound, rel=0.02)
    assert operations(BackboneCard(name="peav", options={"weights": "x"}), Modality.AUDIO, 1.0) is None

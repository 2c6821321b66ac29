"""Full-size backbones with seeded random weights: speed does not depend on the weights' values.

Cosines between number formats are those of a random network: they bound rounding, not its effect on trained outliers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mvr.config.cards import BackboneCard
from mvr.datatypes import Modality

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Network:
    """One backbone on one clip.

    Attributes:
        title: the work in words.
        build: (small) -> the float32 model; small has two layers instead of all.
        shape: of the clip's input; the first axis is the batch.
        encode: (model, rows) -> features (rows, D).
        card, modality, segment_s: the same work as a system card says it, for the expected time.
        heavy: gigabytes of weights.
    """

    title: str
    build: Callable[[bool], Any]
    shape: tuple[int, ...]
    encode: Callable[[Any, Tensor], Tensor]
    card: BackboneCard
    modality: Modality
    segment_s: float = 10.0
    heavy: bool = field(default=False)


def clip_input(network: Network) -> Tensor:
    """The seeded input of one clip, float32."""
    import torch

    return torch.randn(network.shape, generator=torch.Generator().manual_seed(1))


def _imagebind(tower: str, small: bool) -> Any:
    import torch

    from mvr.backbones.imagebind import ImageBindModel

    torch.manual_seed(0)
    return ImageBindModel(towers=(tower,), **({f"{tower}_num_blocks": 2} if small else {}))


def _clip(small: bool) -> Any:
    import open_clip
    import torch

    torch.manual_seed(0)
    config = open_clip.get_model_config("ViT-B-32")
    if small:
        config["vision_cfg"]["layers"] = config["text_cfg"]["layers"] = 2
    return open_clip.model.CLIP(**config)


def _mert(small: bool) -> Any:
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    return HubertModel(HubertConfig(apply_spec_augment=False, num_hidden_layers=2 if small else 12))


NETWORKS = {
    "clip": Network(
        title="CLIP ViT-B-32, 8 frames",
        build=_clip,
        shape=(8, 3, 224, 224),
        encode=lambda model, rows: model.encode_image(rows),
        card=BackboneCard(name="clip"),
        modality=Modality.VIDEO,
        segment_s=8.0,
    ),
    "mert": Network(
        title="MERT-v1-95M, 10 s of music",
        build=_mert,
        shape=(1, 240_000),
        encode=lambda model, rows: model(rows).last_hidden_state.mean(dim=1),
        card=BackboneCard(name="mert"),
        modality=Modality.AUDIO,
    ),
    "imagebind-audio": Network(
        title="ImageBind's audio tower, 3 clips of 2 s",
        build=lambda small: _imagebind("audio", small),
        shape=(3, 1, 128, 204),
        encode=lambda model, rows: model(audio=rows)["audio"],
        card=BackboneCard(name="imagebind"),
        modality=Modality.AUDIO,
    ),
    "imagebind-vision": Network(
        title="ImageBind's vision tower (632 M), 1 view of 2 frames",
        build=lambda small: _imagebind("vision", small),
        shape=(1, 3, 2, 224, 224),
        encode=lambda model, rows: model(vision=rows)["vision"],
        card=BackboneCard(name="imagebind", options={"clips": 1, "crops": 1}),
        modality=Modality.VIDEO,
        heavy=True,
    ),
}

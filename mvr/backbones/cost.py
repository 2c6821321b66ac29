"""How long a backbone will take here, told before it starts: its arithmetic over this machine's matrix rate.

Counts are multiply-adds of the matrix products and convolutions, two operations each; norms, softmax and reading the
file are left out, which the attainable share below stands for (announced times came out
0.6 to 1.3 times the measured ones, 0.3 for small int8 networks: LOG.md).
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mvr.backbones.backbone import backbone_kind
from mvr.config.named import named
from mvr.config.settings import settings_from
from mvr.datatypes import Modality

if TYPE_CHECKING:
    from mvr.config.cards import BackboneCard

ATTAINABLE_SHARE = 0.7
_MERT_95M = {"width": 768, "blocks": 12, "channels": 512, "rate_hz": 24_000}
_MERT_LAYERS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))  # kernel, stride
_MERT_POSITION = (128, 16)  # kernel and groups of the convolution that gives positions
_CLAP_WIDTH, _CLAP_BLOCKS = (
    128,
    (2, 2, 12, 2),
)  # of LAION's larger models; the width doubles from stage to stage
_CLAP_PATCHES, _CLAP_PATCH, _CLAP_NEAR = 64**2, 4**2, 8**2  # at first; pixels of one; how many see each other
_RATE_ROWS, _RATE_WIDTH = 512, 1024


def transformer_operations(width: int, blocks: int, tokens: int) -> float:
    """Operations of one forward pass of a transformer with an MLP ratio of 4 over one sequence."""
    return blocks * tokens * (24.0 * width**2 + 4.0 * tokens * width)


def operations(card: BackboneCard, modality: Modality, segment_s: float) -> float | None:
    """Operations per segment of `segment_s` seconds; 0 for a backbone without a network, None where not known."""
    counted_by = backbone_kind(card.name).operations
    if not counted_by:
        return 0.0
    count: float | None = named(counted_by)(card.options, modality, segment_s)
    return count


def estimate_seconds(
    card: BackboneCard,
    modality: Modality,
    *,
    segments: int = 1,
    segment_s: float = 10.0,
    device: str = "auto",
) -> float | None:
    """Expected seconds to encode some segments on this machine, without reading the file or loading the model.

    Args:
        card: which backbone, with which options (views, frame rate, precision).
        modality: which half of it.
        segments: how many segments the item has.
        segment_s: their length.
        device: auto, cpu or cuda.

    Returns:
        Seconds; None for an architecture whose arithmetic is not known.

    Raises:
        UsageError: an unknown option, precision or device.
    """
    count = operations(card, modality, segment_s)
    if not count:
        return count
    rate = matrix_rate(str(card.options.get("precision", "float32")), device)
    return segments * count / (rate * ATTAINABLE_SHARE)


@functools.cache
def matrix_rate(precision: str, device: str) -> float:
    """Operations per second of a large matrix product here, the best of a few tries (about 0.1 s, once)."""
    import torch

    from mvr.backbones.precision import Int8Linear, Precision, parse_precision, pick_device

    chosen, place = parse_precision(precision), pick_device(device)
    rows = torch.ones(_RATE_ROWS, _RATE_WIDTH, device=place, dtype=chosen.dtype)
    weight = torch.ones(4 * _RATE_WIDTH, _RATE_WIDTH, device=place, dtype=chosen.dtype)
    layer = Int8Linear(weight, None) if chosen is Precision.INT8 else None
    best = float("inf")
    for _ in range(6):
        begin = time.perf_counter()
        product = layer(rows) if layer is not None else rows @ weight.T
        float(product[0, 0])  # waits for the device
        best = min(best, time.perf_counter() - begin)
    return 2.0 * _RATE_ROWS * _RATE_WIDTH * 4 * _RATE_WIDTH / best


def imagebind_operations(options: Mapping[str, Any], modality: Modality, segment_s: float) -> float:
    """Operations per segment: its views, whatever its length."""
    from mvr.backbones.imagebind.encoders import ImageBindAudioOptions, ImageBindVideoOptions
    from mvr.backbones.imagebind.model import ImageBindConfig
    from mvr.backbones.imagebind.stems import MEL_KERNEL

    sizes = settings_from(ImageBindConfig, options.get("config", {}))
    if modality is Modality.VIDEO:
        video = settings_from(ImageBindVideoOptions, options)
        width, patches, patch = sizes.vision_embed_dim, 256, 3 * 2 * 14 * 14
        rows, blocks = video.clips * video.crops, sizes.vision_num_blocks
    else:
        audio = settings_from(ImageBindAudioOptions, options)
        width, patches, patch = sizes.audio_embed_dim, 228, MEL_KERNEL**2
        rows, blocks = audio.clips, sizes.audio_num_blocks
    stem = 2.0 * patches * patch * width
    head = 2.0 * width * sizes.out_embed_dim
    return rows * (stem + transformer_operations(width, blocks, patches + 1) + head)


def clip_operations(options: Mapping[str, Any], modality: Modality, segment_s: float) -> float | None:
    """Operations per segment: its frames."""
    import open_clip

    from mvr.backbones.clip import ClipOptions, frame_count, register_architecture

    clip = settings_from(ClipOptions, options)
    config = open_clip.get_model_config(register_architecture(clip.architecture))
    vision = config["vision_cfg"]
    if not isinstance(vision.get("layers"), int) or "patch_size" not in vision:
        return None  # a ResNet or a timm model
    width, patch = vision["width"], vision["patch_size"]
    patches = (vision["image_size"] // patch) ** 2
    stem = 2.0 * patches * 3 * patch**2 * width
    head = 2.0 * width * config["embed_dim"]
    per_frame = stem + transformer_operations(width, vision["layers"], patches + 1) + head
    return float(per_frame * frame_count(segment_s, clip))


def mert_operations(options: Mapping[str, Any], modality: Modality, segment_s: float) -> float | None:
    """MERT-v1-95M: seven convolutions over the waveform, then twelve blocks at 75 frames per second."""
    if options.get("weights"):  # a file of one's own may have other sizes
        return None
    sizes, length = _MERT_95M, segment_s * _MERT_95M["rate_hz"]
    channels_in, total = 1, 0.0
    for kernel, stride in _MERT_LAYERS:
        length = (length - kernel) // stride + 1
        total += 2.0 * channels_in * sizes["channels"] * kernel * length
        channels_in = sizes["channels"]
    kernel, groups = _MERT_POSITION
    total += 2.0 * sizes["width"] * (sizes["width"] // groups) * kernel * (length + 1)
    total += 2.0 * channels_in * sizes["width"] * length
    return total + transformer_operations(sizes["width"], sizes["blocks"], int(length))


def clap_operations(options: Mapping[str, Any], modality: Modality, segment_s: float) -> float | None:
    """LAION's larger CLAP: a Swin transformer over a 256 x 256 picture per window of 10 s."""
    if options.get("weights"):  # a file of one's own may have other sizes
        return None
    width, patches = _CLAP_WIDTH, _CLAP_PATCHES
    total = 2.0 * patches * _CLAP_PATCH * width
    for stage, blocks in enumerate(_CLAP_BLOCKS):
        if stage:  # four neighbours become one of twice the width
            patches //= 4
            total += 2.0 * patches * (4 * width) * (2 * width)
            width *= 2
        total += blocks * patches * (24.0 * width**2 + 4.0 * _CLAP_NEAR * width)
    return total * max(1, math.ceil(segment_s / 10.0 - 1e-9))


def peav_operations(options: Mapping[str, Any], modality: Modality, segment_s: float) -> float | None:
    """PE-AV small: PE-L on 16 frames, or DAC's encoder on the sound; the transformers behind them are not counted."""
    if options.get("weights"):  # a file of one's own may have other sizes
        return None
    if modality is Modality.VIDEO:
        width, patch, patches = 1024, 14, (336 // 14) ** 2
        stem = 2.0 * patches * 3 * patch**2 * width
        return 16 * (stem + transformer_operations(width, 24, patches + 1))
    channels, length = 64, segment_s * 48_000
    total = 2.0 * length * 7 * channels
    for stride in (2, 8, 10, 12):
        total += 3 * 2.0 * length * (7 + 1) * channels**2  # three residual units: a wide kernel, a narrow one
        length /= stride
        total += 2.0 * length * (2 * stride) * channels * (2 * channels)
        channels *= 2
    return total + 2.0 * length * 3 * channels**2

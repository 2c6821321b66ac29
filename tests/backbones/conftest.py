"""Tiny checkpoints in the published layouts, and small media files, made by the tests themselves."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = GOLDEN / "imagebind_small.safetensors"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The tiny models gain nothing from threads, and other jobs share the processor."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small() -> dict[str, torch.Tensor]:
    """Weights, inputs and outputs of the small ImageBind (made once by the published code)."""
    return load_file(SMALL)


@pytest.fixture(scope="session")
def small_config() -> dict[str, int]:
    with safe_open(SMALL, "pt") as stream:
        config: dict[str, int] = json.loads(stream.metadata()["config"])
    return config


@pytest.fixture(scope="session")
def imagebind_checkpoint(tmp_path_factory: pytest.TempPathFactory, small: dict[str, torch.Tensor]) -> Path:
    """The small weights as a .pth like the published one, with tensors of modalities that nobody asks for."""
    state = {key.removeprefix("weight/"): value for key, value in small.items() if key.startswith("weight/")}
    state["modality_trunks.depth.blocks.0.mlp.fc1.weight"] = torch.full((4096, 4096), float("nan"))
    state["modality_heads.imu.3.weight"] = torch.zeros(32, 8)
    path = tmp_path_factory.mktemp("imagebind") / "imagebind_small.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def clip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(model file, checkpoint) of a tiny CLIP with seeded random weights."""
    import open_clip

    architecture = GOLDEN / "clip-tiny.json"
    if "clip-tiny" not in open_clip.list_models():
        open_clip.add_model_config(architecture)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = open_clip.create_model("clip-tiny")
    path = tmp_path_factory.mktemp("clip") / "clip.pt"
    torch.save(model.state_dict(), path)
    return architecture, path


TINY_TEXT = {
    "vocab_size": 261,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 80,
}
TINY_SOUND = {
    "depths": [1, 1],
    "num_attention_heads": [2, 2],
    "patch_embeds_hidden_size": 8,
    "hidden_size": 16,
}


def write_clap(folder: Path, *, fusion: bool = False) -> Path:
    """A tiny CLAP with seeded random weights in the published layout; its words are bytes."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    fused = {"enable_fusion": True, "fusion_type": "aff_2d"} if fusion else {}
    config = ClapConfig(
        text_config=TINY_TEXT,
        audio_config={**TINY_SOUND, **fused},
        projection_dim=12,
        initializer_factor=4.0,
        architectures=["ClapModel"],
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = ClapModel(config)
    folder.mkdir(parents=True)
    config.to_json_file(folder / "config.json")
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    truncation = "fusion" if fusion else "rand_trunc"
    ClapFeatureExtractor(truncation=truncation, frequency_min=50).save_pretrained(folder)
    words = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder


@pytest.fixture(scope="session")
def clap_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clap(tmp_path_factory.mktemp("clap") / "tiny")


TINY_LAYERS = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "head_dim": 8,
}
TINY_PE = {"img_size": 32, "patch_size": 16, "embed_dim": 16, "depth": 1, "num_heads": 2}
PEAV_PROCESSOR = {
    "feature_extractor": {
        "feature_extractor_type": "PeAudioFeatureExtractor",
        "feature_size": 1,
        "hop_length": 1920,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "sampling_rate": 48000,
    },
    "processor_class": "PeAudioVideoProcessor",
    "video_processor": {
        "default_to_square": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "do_sample_frames": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "num_frames": 4,
        "resample": 2,
        "rescale_factor": 0.00392156862745098,
        "size": {"height": 32, "width": 32},
        "video_processor_type": "PeVideoVideoProcessor",
    },
}


def write_peav(folder: Path) -> Path:
    """A tiny PE-AV with seeded random weights, saved by transformers itself; `processor_config.json` as published."""
    from transformers import PeAudioVideoConfig, PeAudioVideoModel

    text = {
        "model_type": "modernbert",
        "vocab_size": 300,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        **{f"{name}_token_id": number for number, name in enumerate(("pad", "bos", "eos", "cls", "sep"))},
    }
    sound = {
        "encoder_hidden_size": 4,
        "downsampling_ratios": [2, 8, 10, 12],
        "hidden_size": 8,
        "codebook_dim": 6,
    }
    picture = {
        "model_type": "timm_wrapper",
        "architecture": "vit_pe_core_large_patch14_336",
        "num_classes": 24,
        "do_pooling": True,
        "global_pool": "map",
        "model_args": TINY_PE,
    }
    audio = {"model_type": "pe_audio_encoder", "dac_config": {"model_type": "dac", **sound}, **TINY_LAYERS}
    video = {"model_type": "pe_video_encoder", "vision_config": picture, **TINY_LAYERS}
    config = PeAudioVideoConfig(
        text_config=text, audio_video_config={"audio_config": audio, "video_config": video, **TINY_LAYERS}
    )
    with torch.random.fork_rng():
        torch.manual_seed(8)
        model = PeAudioVideoModel(config)
        for parameter in model.parameters():  # larger than at first: differences must show
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    (folder / "processor_config.json").write_text(json.dumps(PEAV_PROCESSOR))
    write_byte_tokenizer(folder, ("<pad>", "<bos>", "<eos>", "[CLS]", "[SEP]", "<unk>"), "[CLS] $A [SEP]")
    return folder


def write_byte_tokenizer(folder: Path, special: tuple[str, ...], form: str) -> None:
    """`tokenizer.json` and `tokenizer_config.json` of a tokenizer of bytes; `form` says what stands around a text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    codes = {word: number for number, word in enumerate(words)}
    made = Tokenizer(models.BPE(vocab=codes, merges=[], unk_token="<unk>"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    around = [(word, codes[word]) for word in form.split() if word in codes]
    made.post_processor = processors.TemplateProcessing(single=form, special_tokens=around)
    names = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=made, padding_side="right", **names).save_pretrained(folder)


@pytest.fixture(scope="session")
def peav_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_peav(tmp_path_factory.mktemp("peav") / "tiny")


@pytest.fixture(scope="session")
def options(
    imagebind_checkpoint: Path,
    small_config: dict[str, int],
    clip_checkpoint: tuple[Path, Path],
    clap_checkpoint: Path,
    peav_checkpoint: Path,
) -> dict[str, dict[str, Any]]:
    """Options per backbone under which it runs on tiny weights."""
    return {
        "descriptors": {},
        "imagebind": {
            "weights": str(imagebind_checkpoint),
            "config": small_config,
            "clips": 2,
            "device": "cpu",
        },
        "clip": {
            "architecture": str(clip_checkpoint[0]),
            "weights": str(clip_checkpoint[1]),
            "device": "cpu",
        },
        "mert": {"weights": str(GOLDEN / "mert_tiny"), "device": "cpu"},
        "clap": {"weights": str(clap_checkpoint), "device": "cpu"},
        "peav": {"weights": str(peav_checkpoint), "device": "cpu"},
        "concepts": {"max_frames": 2},
        "audio-tags": {},
        "soundscape": {},
    }


WriteVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def write_video(tmp_path_factory: pytest.TempPathFactory) -> WriteVideo:
    """Writes frames (N, H, W, 3) uint8 as H.264 without loss of order: `write_video(frames, rate_hz=25)`."""

    def write(frames: np.ndarray, rate_hz: int = 25) -> Path:
        path = tmp_path_factory.mktemp("video") / "video.mp4"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=rate_hz, options={"preset": "ultrafast", "crf": "12"})
            stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
            for frame in frames:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            out.mux(stream.encode())
        return path

    return write


WriteWave = Callable[..., Path]


@pytest.fixture(scope="session")
def write_wave(tmp_path_factory: pytest.TempPathFactory) -> WriteWave:
    """Writes samples (n,) or (n, channels) in [-1, 1] as 16-bit PCM: `write_wave(samples, rate_hz=24000)`."""

    def write(samples: np.ndarray, rate_hz: int = 24_000) -> Path:
        path = tmp_path_factory.mktemp("sound") / "sound.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
            out.setsampwidth(2)
            out.setframerate(rate_hz)
            out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write


def moving_frames(seed: int, count: int = 100, height: int = 90, width: int = 160) -> np.ndarray:
    """A coloured pattern that drifts: (count, height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    tile = np.kron(rng.integers(0, 255, (9, 16, 3)), np.ones((height // 9, width // 16, 1)))
    return np.stack([np.roll(tile, 3 * k, axis=1) for k in range(count)]).astype(np.uint8)


def music_like(seed: int, seconds: float = 6.0, rate_hz: int = 24_000) -> np.ndarray:
    """A few decaying tones and some noise: (n,) float32."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate_hz)) / rate_hz
    tones = sum(
        np.sin(2 * np.pi * hz * time) * np.exp(-((time * 2) % 1) * 3) for hz in rng.uniform(80, 2000, 4)
    )
    return (0.15 * tones + 0.02 * rng.standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="session")
def moving_video(write_video: WriteVideo) -> Path:
    return write_video(moving_frames(1))


@pytest.fixture(scope="session")
def music_file(write_wave: WriteWave) -> Path:
    return write_wave(music_like(1))


@pytest.fixture(scope="session")
def still_video(write_video: WriteVideo) -> Path:
    return write_video(np.full((100, 90, 160, 3), 127, np.uint8))


@pytest.fixture(scope="session")
def silent_file(write_wave: WriteWave) -> Path:
    return write_wave(np.zeros(6 * 24_000, np.float32))

"""Loading the published layout: wanted towers only, weights only, every number format, damaged files."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mvr.backbones.imagebind import load_imagebind
from mvr.backbones.precision import Precision
from mvr.errors import WeightsCorrupt, WeightsMissing

# Cosine to float32 that each number format keeps on the small model.
LIKENESS = {"bfloat16": 0.999, "float16": 0.99999, "int8": 0.999}


def test_a_published_file_loads_without_its_other_modalities(
    imagebind_checkpoint: Path, small_config: dict[str, int], small: dict[str, torch.Tensor]
):
    model = load_imagebind(imagebind_checkpoint, towers=("vision", "audio", "text"), **small_config)
    with torch.no_grad():
        found = model(vision=small["in/video"])["vision"]
    torch.testing.assert_close(found, small["out/video"], rtol=1e-5, atol=1e-6)
    assert not model.training and not any(p.requires_grad for p in model.parameters())


def test_tensors_of_other_modalities_are_never_read(imagebind_checkpoint: Path, small_config: dict[str, int]):
    model = load_imagebind(imagebind_checkpoint, towers=("audio",), **small_config)
    assert imagebind_checkpoint.stat().st_size > 60e6  # most of it is one tensor of another modality
    assert _resident_bytes(imagebind_checkpoint) < 8e6
    del model


def _resident_bytes(path: Path) -> int:
    """Bytes of a mapped file that lie in this process's memory."""
    inside, total = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        head = line.split()[0]
        if "-" in head and not head.endswith(":"):
            inside = line.endswith(str(path))
        elif inside and head == "Rss:":
            total += int(line.split()[1]) * 1024
    return total


@pytest.mark.parametrize("precision", sorted(LIKENESS))
def test_other_number_formats_stay_close(
    precision: str, imagebind_checkpoint: Path, small_config: dict[str, int], small: dict[str, torch.Tensor]
):
    towers = ("vision", "audio", "text")
    model = load_imagebind(
        imagebind_checkpoint, towers=towers, precision=Precision(precision), **small_config
    )
    dtype = Precision(precision).dtype
    with torch.no_grad():
        found = model(
            vision=small["in/video"].to(dtype), audio=small["in/audio"].to(dtype), text=small["in/text"]
        )
    for name, tower in (("video", "vision"), ("audio", "audio"), ("text", "text")):
        likeness = torch.cosine_similarity(found[tower].float(), small[f"out/{name}"])
        assert likeness.min() > LIKENESS[precision], (tower, likeness)


def test_safetensors_with_the_same_keys_load(
    imagebind_checkpoint: Path, small_config: dict[str, int], tmp_path: Path
):
    state = torch.load(imagebind_checkpoint, weights_only=True)
    save_file({key: value for key, value in state.items() if ".audio." in key}, tmp_path / "a.safetensors")
    one = load_imagebind(tmp_path / "a.safetensors", towers=("audio",), **small_config).state_dict()
    two = load_imagebind(imagebind_checkpoint, towers=("audio",), **small_config).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in two)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(WeightsMissing, match=r"gone\.pth does not exist"):
        load_imagebind(tmp_path / "gone.pth")


def test_a_cut_file_is_refused(imagebind_checkpoint: Path, tmp_path: Path):
    path = tmp_path / "cut.pth"
    path.write_bytes(imagebind_checkpoint.read_bytes()[:100_000])
    with pytest.raises(WeightsCorrupt, match=r"cut\.pth is not a readable checkpoint"):
        load_imagebind(path)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    path = tmp_path / "evil.pth"
    torch.save({"modality_heads.audio.0.weight": Evil()}, path, pickle_module=pickle)
    with pytest.raises(WeightsCorrupt, match=r"evil\.pth"):
        load_imagebind(path)
    assert not (tmp_path / "executed").exists()


def test_another_model_is_refused_by_its_first_missing_key(tmp_path: Path, small_config: dict[str, int]):
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsCorrupt, match=r"has no 'modality_preprocessors\.audio\.cls_token'"):
        load_imagebind(path, towers=("audio",), **small_config)


def test_another_size_is_refused_with_both_shapes(imagebind_checkpoint: Path):
    with pytest.raises(WeightsCorrupt, match=r"\(1, 1, 48\), expected \(1, 1, 768\)"):
        load_imagebind(imagebind_checkpoint, towers=("audio",))

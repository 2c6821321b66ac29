"""MERT from the published layout against its reference hidden states; windows, layers, foreign checkpoints."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mvr.backbones.mert import MertAudio, load_mert, standardise
from mvr.backbones.weights import WeightsFile, accept_licence, source
from mvr.datatypes import Segment
from mvr.errors import LicenceNotAccepted, NoSound, UsageError, WeightsCorrupt, WeightsMissing

TINY = Path(__file__).parents[1] / "golden" / "mert_tiny"
REFERENCE = load_file(TINY / "reference.safetensors")
ONE = [Segment(start_s=0.0, end_s=3.0)]


def create(**options) -> MertAudio:
    return MertAudio(**{"weights": str(TINY), "device": "cpu", **options})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "mert"))


def test_hidden_states_equal_the_reference():
    model = load_mert(TINY)
    assert not model.training
    with torch.no_grad():
        states = model(REFERENCE["in/input_values"], output_hidden_states=True).hidden_states
    assert len(states) == 4
    for layer, state in enumerate(states):
        wanted = REFERENCE[f"out/hidden_states.{layer}"]
        torch.testing.assert_close(state, wanted, rtol=1e-5, atol=1e-5)


def test_safetensors_are_the_same_model(copy: Path):
    state = torch.load(copy / "pytorch_model.bin", weights_only=True)
    save_file({key: value.contiguous() for key, value in state.items()}, copy / "model.safetensors")
    (copy / "pytorch_model.bin").unlink()
    one, two = load_mert(copy).state_dict(), load_mert(TINY).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in two)


def test_windows_are_standardised_like_the_published_feature_extractor():
    from transformers import Wav2Vec2FeatureExtractor

    windows = np.random.default_rng(2).normal(0.3, 0.1, (3, 500)).astype(np.float32)
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(TINY)
    wanted = extractor(list(windows), sampling_rate=24_000, return_tensors="np")["input_values"]
    np.testing.assert_allclose(standardise(windows), wanted, atol=1e-5)


def test_features_are_the_mean_over_layers_time_and_windows(music_file: Path):
    backbone = create(window_s=1.0)
    batch = backbone.preprocess(music_file, ONE)
    assert batch.shape == (1, 3, 24_000)
    model = load_mert(TINY)
    slow = []
    for window in batch[0]:  # one window and one layer at a time
        with torch.no_grad():
            states = model(torch.from_numpy(window[None]), output_hidden_states=True).hidden_states
        slow.append(np.mean([state[0].numpy().mean(axis=0) for state in states], axis=0))
    np.testing.assert_allclose(backbone.encode(batch)[0], np.mean(slow, axis=0), atol=1e-5)


def test_stacked_layers_hold_each_layer_and_their_mean_is_the_mean(music_file: Path):
    stacked, mean, last = create(combine="stack"), create(), create(layers="last")
    assert (stacked.dim, mean.dim, last.dim) == (4 * 48, 48, 48)
    batch = stacked.preprocess(music_file, ONE)
    layers = stacked.encode(batch).reshape(4, 48)
    np.testing.assert_allclose(layers.mean(axis=0), mean.encode(batch)[0], atol=1e-6)
    np.testing.assert_allclose(layers[3], last.encode(batch)[0], atol=1e-6)


def test_any_list_of_layers_can_be_chosen(music_file: Path):
    chosen, stacked = create(layers=[1, 3], combine="stack"), create(combine="stack")
    batch = stacked.preprocess(music_file, ONE)
    layers = stacked.encode(batch).reshape(4, 48)
    np.testing.assert_array_equal(chosen.encode(batch).reshape(2, 48), layers[[1, 3]])
    assert chosen.settings["layers"] == [1, 3]


def test_windows_cover_a_long_segment_from_its_start_to_its_end(write_wave):
    ramp = np.linspace(-0.9, 0.9, 25 * 2_400, dtype=np.float32)
    path = write_wave(ramp)  # 2.5 s
    batch = create(window_s=1.0).preprocess(path, [Segment(start_s=0.0, end_s=2.5)])
    assert batch.shape == (1, 3, 24_000)
    assert create(window_s=60.0).preprocess(path, [Segment(start_s=0.0, end_s=2.5)]).shape == (1, 1, 60_000)


def test_a_shorter_last_segment_is_repeated_to_a_window(write_wave):
    rng = np.random.default_rng(3)
    path = write_wave(rng.uniform(-0.5, 0.5, 36_000).astype(np.float32))  # 1.5 s
    segments = [Segment(start_s=0.0, end_s=1.0), Segment(start_s=1.0, end_s=1.5)]
    batch = create().preprocess(path, segments)
    assert batch.shape == (2, 1, 24_000)
    np.testing.assert_allclose(batch[1, 0, :12_000], batch[1, 0, 12_000:], atol=1e-6)


def test_a_segment_behind_the_end_of_the_sound_is_refused(music_file: Path):
    segments = [Segment(start_s=0.0, end_s=1.0), Segment(start_s=90.0, end_s=91.0)]
    with pytest.raises(NoSound, match="ends before the segment"):
        create().preprocess(music_file, segments)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"layers": [0, 9]}, r"not all in 0 to 3"),
        ({"layers": "first"}, "unknown layers 'first'"),
        ({"layers": []}, "at least one layer"),
        ({"combine": "max"}, "unknown way 'max'"),
        ({"precision": "float8"}, "unknown precision 'float8'"),
        ({"device": "abacus"}, "unknown device 'abacus'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, sentence: str):
    with pytest.raises(UsageError, match=sentence):
        create(**options)


def test_a_mert_with_more_than_hubert_is_refused(copy: Path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "feature_extractor_cqt": True}))
    with pytest.raises(WeightsCorrupt, match="feature_extractor_cqt"):
        load_mert(copy)


def test_weights_of_another_size_are_refused(copy: Path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "intermediate_size": 100}))
    with pytest.raises(WeightsCorrupt, match="not a checkpoint of the model in config"):
        load_mert(copy)


def test_damaged_and_missing_files_are_refused(copy: Path):
    (copy / "pytorch_model.bin").write_bytes(b"PK damaged")
    with pytest.raises(WeightsCorrupt, match="not a readable checkpoint"):
        load_mert(copy)
    (copy / "pytorch_model.bin").unlink()
    with pytest.raises(WeightsMissing, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        load_mert(copy)
    (copy / "config.json").write_text("{")
    with pytest.raises(WeightsCorrupt, match="not JSON"):
        load_mert(copy)


def test_another_digest_than_the_wanted_one_is_refused():
    with pytest.raises(WeightsCorrupt, match="expected 0000"):
        create(sha256="0" * 64)


def test_the_published_set_of_files_is_the_same_model(monkeypatch: pytest.MonkeyPatch, music_file: Path):
    """The whole way of a download, with the files put where the message says."""
    names = ("config.json", "preprocessor_config.json", "pytorch_model.bin")
    tiny = dataclasses.replace(source.MERT_95M, files=tuple(WeightsFile(name=name) for name in names))
    monkeypatch.setitem(source._FIXED, "mert-95m", tiny)
    tiny.folder.mkdir(parents=True)
    for name in names:
        shutil.copy(TINY / name, tiny.folder / name)
    with pytest.raises(LicenceNotAccepted, match="CC BY-NC"):
        MertAudio(device="cpu")
    accept_licence("mert-95m")
    published = MertAudio(device="cpu")
    batch = published.preprocess(music_file, ONE)
    np.testing.assert_array_equal(published.encode(batch), create().encode(batch))
    assert published.settings == create().settings

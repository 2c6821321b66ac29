"""CLAP from the published layout against transformers' own model and extractor; windows, words, foreign checkpoints."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mvr.backbones.clap import ClapAudio, load_clap, mel_decibels, read_sound_settings, repeat_and_pad
from mvr.backbones.weights import WeightsFile, source
from mvr.datatypes import Segment
from mvr.errors import NoSound, UsageError, WeightsCorrupt, WeightsMissing
from mvr.media.sound import read_sound
from tests.backbones.conftest import music_like, write_clap

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def backbone(clap_checkpoint: Path) -> ClapAudio:
    return ClapAudio(weights=str(clap_checkpoint), device="cpu")


@pytest.fixture
def copy(clap_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clap_checkpoint, tmp_path / "clap"))


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clap(tmp_path_factory.mktemp("clap") / "fused", fusion=True)


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("seconds", [10.0, 9.99, 3.7, 0.5])
@pytest.mark.parametrize("kind", ["plain", "fusion"])
def test_what_the_model_hears_is_what_the_published_extractor_gives(
    seconds: float, kind: str, clap_checkpoint: Path, fused: Path
):
    from transformers import ClapFeatureExtractor

    folder = fused if kind == "fusion" else clap_checkpoint
    sound = read_sound_settings(folder)
    samples = music_like(3, seconds, RATE_HZ)
    found = mel_decibels(repeat_and_pad(samples, sound.samples), sound)
    extractor = ClapFeatureExtractor.from_pretrained(folder)
    wanted = extractor(samples, sampling_rate=RATE_HZ, return_tensors="np")["input_features"]
    assert wanted.shape == (1, 4 if kind == "fusion" else 1, 1001, 64)
    for picture in wanted[0]:
        np.testing.assert_allclose(found, picture, rtol=0, atol=1e-5)


def test_features_equal_transformers_own(backbone: ClapAudio, clap_checkpoint: Path, write_wave):
    from transformers import ClapFeatureExtractor, ClapModel

    path = write_wave(music_like(4, 4.0, RATE_HZ), rate_hz=RATE_HZ)
    extractor = ClapFeatureExtractor.from_pretrained(clap_checkpoint)
    model = ClapModel(load_clap(clap_checkpoint).config)
    model.load_state_dict(torch.load(clap_checkpoint / "pytorch_model.bin", weights_only=True))
    inputs = extractor(read_sound(path, RATE_HZ), sampling_rate=RATE_HZ, return_tensors="pt")
    with torch.no_grad():
        wanted = model.eval().get_audio_features(**inputs).pooler_output.numpy()
    found = backbone.encode(backbone.preprocess(path, [Segment(start_s=0.0, end_s=4.0)]))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_words_equal_transformers_own(backbone: ClapAudio, clap_checkpoint: Path):
    texts = ["calm piano at dusk", "punk"]
    model = load_clap(clap_checkpoint)
    codes = json.loads((clap_checkpoint / "vocab.json").read_text())
    for text, found in zip(texts, backbone.encode_text(texts), strict=True):  # one by one, without padding
        ids = [codes["<s>"], *(codes["Ġ" if letter == " " else letter] for letter in text), codes["</s>"]]
        with torch.no_grad():
            wanted = model.get_text_features(input_ids=torch.tensor([ids])).pooler_output[0].numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_long_text_is_cut_and_not_refused(backbone: ClapAudio):
    assert np.isfinite(backbone.encode_text(["piano " * 200, ""])).all()


def test_a_long_segment_is_the_mean_of_equal_windows_from_start_to_end(backbone: ClapAudio, write_wave):
    samples = music_like(6, 25.0, RATE_HZ)
    path = write_wave(samples, rate_hz=RATE_HZ)
    rows = backbone.preprocess(path, [Segment(start_s=0.0, end_s=25.0)])
    assert rows.shape == (1, 3, 1001, 64) and rows.dtype == np.float32
    heard = read_sound(path, RATE_HZ)
    for window, start_s in zip(rows[0], (0.0, 7.5, 15.0), strict=True):
        first = round(start_s * RATE_HZ)
        wanted = mel_decibels(heard[first : first + 10 * RATE_HZ], backbone.sound)
        np.testing.assert_allclose(window, wanted, atol=1e-5)
    alone = np.concatenate([backbone.encode(rows[:, window : window + 1]) for window in range(3)])
    np.testing.assert_allclose(backbone.encode(rows)[0], alone.mean(axis=0), atol=1e-5)


def test_a_shorter_segment_does_not_depend_on_the_others(backbone: ClapAudio, write_wave):
    path = write_wave(music_like(7, 14.0, RATE_HZ), rate_hz=RATE_HZ)
    short, long = Segment(start_s=2.0, end_s=5.0), Segment(start_s=0.0, end_s=14.0)
    alone = backbone.encode(backbone.preprocess(path, [short]))
    beside = backbone.encode(backbone.preprocess(path, [long, short]))
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-4)


def test_a_fusion_checkpoint_calls_no_window_longer_whatever_the_batch(fused: Path, music_file: Path):
    """The published extractor calls a random item of a batch longer, and one alone always."""
    from transformers import ClapFeatureExtractor

    backbone = ClapAudio(weights=str(fused), device="cpu")
    segments = [Segment(start_s=start, end_s=start + 2.0) for start in (0.0, 1.0, 2.0)]
    rows = backbone.preprocess(music_file, segments)
    together = backbone.encode(rows)
    alone = np.concatenate([backbone.encode(row[None]) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    model = load_clap(fused)
    pictures = torch.from_numpy(rows).expand(-1, 4, -1, -1)
    with torch.no_grad():
        calm, called = (
            model.get_audio_features(input_features=pictures, is_longer=torch.full((3, 1), flag))
            for flag in (False, True)
        )
    np.testing.assert_allclose(together, calm.pooler_output.numpy(), atol=1e-5)
    assert np.abs(together - called.pooler_output.numpy()).max() > 1e-3  # what the lot would have changed
    extractor = ClapFeatureExtractor.from_pretrained(fused)
    assert extractor(music_like(1, 2.0, RATE_HZ), sampling_rate=RATE_HZ)["is_longer"] == [[True]]


def test_what_the_model_hears_is_in_the_settings(backbone: ClapAudio, copy: Path):
    edit(copy / "preprocessor_config.json", frequency_min=60)
    other = ClapAudio(weights=str(copy), device="cpu")
    assert other.settings != backbone.settings
    assert other.settings["weights_sha256"] == backbone.settings["weights_sha256"]


def test_safetensors_are_the_same_model_and_loading_leaves_the_seed_alone(copy: Path, clap_checkpoint: Path):
    state = torch.load(copy / "pytorch_model.bin", weights_only=True)
    save_file({key: value.clone() for key, value in state.items()}, copy / "model.safetensors")
    (copy / "pytorch_model.bin").unlink()
    torch.manual_seed(11)
    wanted = torch.rand(1)
    torch.manual_seed(11)
    one, two = load_clap(copy).state_dict(), load_clap(clap_checkpoint).state_dict()
    assert torch.rand(1) == wanted
    assert all(torch.equal(one[key], two[key]) for key in two)


def test_counters_that_old_checkpoints_lack_are_not_missed(copy: Path, clap_checkpoint: Path):
    state = torch.load(copy / "pytorch_model.bin", weights_only=True)
    counted = [
        key
        for key in state
        if key.endswith(("position_ids", "relative_position_index", "num_batches_tracked"))
    ]
    torch.save({key: value for key, value in state.items() if key not in counted}, copy / "pytorch_model.bin")
    assert counted
    one, two = load_clap(copy).state_dict(), load_clap(clap_checkpoint).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in two)


def test_another_models_weights_are_refused(copy: Path):
    state = torch.load(copy / "pytorch_model.bin", weights_only=True)
    torch.save(
        {key: value for key, value in state.items() if "audio_projection" not in key},
        copy / "pytorch_model.bin",
    )
    with pytest.raises(WeightsCorrupt, match=r"4 tensors are missing or unknown, such as audio_projection"):
        load_clap(copy)
    torch.save({**state, "logit_scale_a": torch.zeros(3)}, copy / "pytorch_model.bin")
    with pytest.raises(WeightsCorrupt, match="not a checkpoint of the model in config"):
        load_clap(copy)
    edit(copy / "config.json", model_type="mert_model")
    with pytest.raises(WeightsCorrupt, match="of type 'mert_model', not 'clap'"):
        load_clap(copy)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"padding": "pad"}, "asks for padding 'pad'"),
        ({"truncation": "middle"}, "truncation 'middle'"),
        ({"truncation": "fusion"}, "does not go with enable_fusion False"),
    ],
)
def test_what_is_not_done_here_is_refused(copy: Path, changes: dict[str, str], sentence: str):
    edit(copy / "preprocessor_config.json", **changes)
    with pytest.raises(WeightsCorrupt, match=sentence):
        ClapAudio(weights=str(copy), device="cpu")


def test_an_extractor_that_lacks_a_number_is_refused(copy: Path):
    values = json.loads((copy / "preprocessor_config.json").read_text())
    del values["frequency_max"]
    (copy / "preprocessor_config.json").write_text(json.dumps(values))
    with pytest.raises(WeightsCorrupt, match="lacks frequency_max"):
        ClapAudio(weights=str(copy), device="cpu")


def test_words_without_a_vocabulary_are_refused(copy: Path):
    backbone = ClapAudio(weights=str(copy), device="cpu")
    (copy / "merges.txt").unlink()
    with pytest.raises(WeightsMissing, match=r"no merges\.txt, which CLAP needs to read words"):
        backbone.encode_text(["piano"])


def test_a_segment_behind_the_end_of_the_sound_is_refused(backbone: ClapAudio, music_file: Path):
    with pytest.raises(NoSound, match="ends before the segment"):
        backbone.preprocess(music_file, [Segment(start_s=0.0, end_s=1.0), Segment(start_s=90.0, end_s=91.0)])


def test_no_windows_at_once_are_refused(clap_checkpoint: Path):
    with pytest.raises(UsageError, match="windows_at_once=0"):
        ClapAudio(weights=str(clap_checkpoint), windows_at_once=0)


def test_the_published_set_of_files_is_the_same_model(
    monkeypatch: pytest.MonkeyPatch, clap_checkpoint: Path, backbone: ClapAudio, music_file: Path
):
    """The whole way of a download, with the files put where the message says."""
    with pytest.raises(WeightsMissing, match=r"config\.json .*put it at"):
        ClapAudio(device="cpu")
    names = [file.name for file in source.CLAP_GENERAL.files]
    tiny = dataclasses.replace(source.CLAP_GENERAL, files=tuple(WeightsFile(name=name) for name in names))
    monkeypatch.setitem(source._FIXED, "clap-general", tiny)
    tiny.folder.mkdir(parents=True)
    for name in names:
        shutil.copy(clap_checkpoint / name, tiny.folder / name)
    published = ClapAudio(device="cpu")
    rows = published.preprocess(music_file, [Segment(start_s=0.0, end_s=3.0)])
    np.testing.assert_array_equal(published.encode(rows), backbone.encode(rows))
    np.testing.assert_array_equal(published.encode_text(["piano"]), backbone.encode_text(["piano"]))
    assert published.settings == backbone.settings


def test_the_published_weights_are_pinned_and_free():
    pinned = source.weights_source("clap-general")
    assert (pinned.licence, pinned.commercial) == ("Apache-2.0", "yes")
    assert len(pinned.revision) == 40
    assert all(file.size_bytes and file.digest for file in pinned.files)

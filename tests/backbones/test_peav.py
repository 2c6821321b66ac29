"""PE-AV from the published layout against transformers' own model and processors; words, tied names, zero-shot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mvr.backbones.peav import PeavAudio, PeavVideo, read_inputs, whole_tokens
from mvr.backbones.weights import WeightsFile, source
from mvr.config.cards import load_card
from mvr.config.paths import home_dir
from mvr.datatypes import Modality, Segment
from mvr.embeddings.status import system_status
from mvr.embeddings.system import load_system
from mvr.errors import NoSound, UsageError, WeightsCorrupt, WeightsMissing
from mvr.heads import create_head, save_head
from mvr.media.frames import sample_frames
from mvr.media.sound import read_sound
from tests.backbones.conftest import PEAV_PROCESSOR, music_like

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def audio(peav_checkpoint: Path) -> PeavAudio:
    return PeavAudio(weights=str(peav_checkpoint), device="cpu")


@pytest.fixture(scope="module")
def video(peav_checkpoint: Path) -> PeavVideo:
    return PeavVideo(weights=str(peav_checkpoint), device="cpu")


@pytest.fixture
def copy(peav_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(peav_checkpoint, tmp_path / "peav"))


@pytest.fixture(scope="module")
def whole(peav_checkpoint: Path) -> Any:
    """transformers' model with the same tensors, all ties resolved by its own names."""
    from transformers import PeAudioVideoConfig, PeAudioVideoModel

    config = PeAudioVideoConfig.from_dict(json.loads((peav_checkpoint / "config.json").read_text()))
    with torch.random.fork_rng():
        model = PeAudioVideoModel(config).eval()
    missing, unexpected = model.load_state_dict(
        load_file(peav_checkpoint / "model.safetensors"), strict=False
    )
    tied = ("audio_model.text_model", "video_model.text_model", "audio_video_encoder.embedder")
    assert not unexpected and all(name.startswith(tied) for name in missing)
    return model


def processors() -> tuple[Any, Any]:
    from transformers import PeAudioFeatureExtractor, PeVideoVideoProcessor

    sound, picture = (dict(PEAV_PROCESSOR[name]) for name in ("feature_extractor", "video_processor"))
    return PeAudioFeatureExtractor(**sound), PeVideoVideoProcessor(**picture)


@pytest.mark.parametrize("seconds", [4.0, 3.7, 0.03])
def test_what_is_heard_is_what_the_published_extractor_gives(seconds: float, audio: PeavAudio, write_wave):
    path = write_wave(music_like(3, seconds, RATE_HZ), rate_hz=RATE_HZ)
    row = audio.preprocess(path, [Segment(start_s=0.0, end_s=seconds)])[0]
    wanted = processors()[0](read_sound(path, RATE_HZ), sampling_rate=RATE_HZ, return_tensors="np")
    np.testing.assert_allclose(row[1:], wanted["input_values"][0, 0], rtol=0, atol=1e-5)
    assert row[0] == len(row) - 1 and row[0] % 1920 == 0


def test_what_is_seen_is_what_the_published_processor_gives(video: PeavVideo, moving_video: Path):
    row = video.preprocess(moving_video, [Segment(start_s=0.0, end_s=4.0)])[0]
    images = sample_frames(moving_video, count=100).images  # 4 s at 25 Hz: all of them
    processor = processors()[1]
    meta = {"total_num_frames": 100, "fps": 25.0, "duration": 4.0}
    given = torch.from_numpy(images).permute(0, 3, 1, 2)
    wanted = processor(videos=[given], video_metadata=[meta], return_tensors="pt")["pixel_values_videos"][0]
    made = torch.from_numpy(row.transpose(0, 3, 1, 2).astype(np.float32) / 255 * 2 - 1)
    assert made.shape == wanted.shape == (4, 3, 32, 32)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=0)


def test_features_equal_transformers_own(
    audio: PeavAudio, video: PeavVideo, whole: Any, moving_video: Path, music_file: Path
):
    segment = [Segment(start_s=0.0, end_s=4.0)]
    seen, heard = video.preprocess(moving_video, segment), audio.preprocess(music_file, segment)
    with torch.no_grad():
        pixels = torch.from_numpy(seen.transpose(0, 1, 4, 2, 3).astype(np.float32) / 255 * 2 - 1)
        encoder, head = whole.video_model.video_encoder, whole.video_model.video_head
        picture = head(encoder(pixels).pooler_output)
        sound = whole.get_audio_embeds(torch.from_numpy(heard[:, None, 1:]))
    for found, wanted in ((video.encode(seen), picture), (audio.encode(heard), sound)):
        unit = torch.nn.functional.normalize(wanted, dim=-1).numpy()
        np.testing.assert_allclose(found, unit, atol=1e-5)


def test_segments_of_several_lengths_are_the_same_alone_and_together(audio: PeavAudio, write_wave):
    path = write_wave(music_like(7, 6.0, RATE_HZ), rate_hz=RATE_HZ)
    spans = [(0.0, 6.0), (1.0, 3.0), (2.0, 2.5), (3.0, 5.0)]
    segments = [Segment(start_s=start, end_s=end) for start, end in spans]
    together = audio.encode(audio.preprocess(path, segments))
    alone = np.concatenate([audio.encode(audio.preprocess(path, [segment])) for segment in segments])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_words_go_through_the_head_of_the_side_they_are_compared_with(
    audio: PeavAudio, video: PeavVideo, whole: Any, peav_checkpoint: Path
):
    text = "calm piano"
    codes = json.loads((peav_checkpoint / "tokenizer.json").read_text())["model"]["vocab"]
    ids = torch.tensor(
        [[codes["[CLS]"], *(codes["Ġ" if one == " " else one] for one in text), codes["[SEP]"]]]
    )
    tower, given = whole.text_model, {}
    tower.layers[-1].register_forward_hook(lambda _, __, out: given.update(last=out))
    with torch.no_grad():
        normed = tower(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0]
        last = given["last"] if isinstance(given["last"], torch.Tensor) else given["last"][0]
        heads = (whole.audio_model.text_audio_head, whole.video_model.text_video_head)
        for backbone, head in zip((audio, video), heads, strict=True):
            wanted, other = (torch.nn.functional.normalize(head(x), dim=-1) for x in (last[:, 0], normed))
            found = backbone.encode_text([text, "x"])[0]
            np.testing.assert_allclose(found, wanted[0].numpy(), atol=1e-5)  # before the last norm
            assert np.abs(found - other[0].numpy()).max() > 1e-3
    assert np.abs(audio.encode_text([text]) - video.encode_text([text])).max() > 1e-3


def test_any_of_the_tied_names_will_do_and_nothing_is_said_on_stdout(
    copy: Path, audio: PeavAudio, music_file: Path, capfd: pytest.CaptureFixture[str]
):
    state = load_file(copy / "model.safetensors")
    renamed = {
        "audio_model.audio_encoder": "audio_video_encoder.embedder.audio_encoder",
        "text_model": "video_model.text_model",
    }
    for old, new in renamed.items():
        state = {
            new + key.removeprefix(old) if key.startswith(f"{old}.") else key: state[key] for key in state
        }
    save_file(state, copy / "model.safetensors")
    other = PeavAudio(weights=str(copy), device="cpu")
    assert capfd.readouterr().out == ""  # where JSON goes
    rows = audio.preprocess(music_file, [Segment(start_s=0.0, end_s=2.0)])
    np.testing.assert_allclose(other.encode(rows), audio.encode(rows), atol=1e-6)
    np.testing.assert_allclose(other.encode_text(["x"]), audio.encode_text(["x"]), atol=1e-6)


def test_another_models_weights_are_refused(copy: Path):
    state = load_file(copy / "model.safetensors")
    save_file({k: v for k, v in state.items() if "text_audio_head" not in k}, copy / "model.safetensors")
    with pytest.raises(
        WeightsCorrupt, match=r"not a checkpoint .* audio_model\.text_audio_head: .*Missing key"
    ):
        PeavAudio(weights=str(copy), device="cpu")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "clap"}))
    with pytest.raises(WeightsCorrupt, match="of type 'clap', not 'pe_audio_video'"):
        PeavVideo(weights=str(copy), device="cpu")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": {"height": 32, "width": 48}}, "not squashed to a square"),
        ({"do_center_crop": True}, "not squashed to a square"),
        ({"resample": 9}, "asks for one that is not supported"),
        ({"image_mean": None}, "lacks a setting"),
    ],
)
def test_pictures_that_are_not_made_here_are_refused(copy: Path, changes: dict[str, Any], sentence: str):
    said = {**PEAV_PROCESSOR, "video_processor": {**PEAV_PROCESSOR["video_processor"], **changes}}  # type: ignore[dict-item]
    (copy / "processor_config.json").write_text(json.dumps(said))
    with pytest.raises(WeightsCorrupt, match=sentence):
        read_inputs(copy)


def test_a_checkpoint_for_any_number_of_frames_takes_the_options(copy: Path, moving_video: Path):
    said = {**PEAV_PROCESSOR, "video_processor": {**PEAV_PROCESSOR["video_processor"], "num_frames": None}}  # type: ignore[dict-item]
    (copy / "processor_config.json").write_text(json.dumps(said))
    segment = [Segment(start_s=0.0, end_s=4.0)]
    free, five = (
        PeavVideo(weights=str(copy), device="cpu"),
        PeavVideo(weights=str(copy), device="cpu", frames=5),
    )
    assert free.preprocess(moving_video, segment).shape[1] == 16
    assert five.preprocess(moving_video, segment).shape[1] == 5
    assert free.settings != five.settings


def test_options_and_files_that_lack_are_named(copy: Path, music_file: Path):
    with pytest.raises(UsageError, match="rows_at_once=0"):
        PeavAudio(weights=str(copy), rows_at_once=0)
    backbone = PeavAudio(weights=str(copy), device="cpu")
    with pytest.raises(NoSound, match="ends before the segment"):
        backbone.preprocess(music_file, [Segment(start_s=0.0, end_s=1.0), Segment(start_s=90.0, end_s=91.0)])
    (copy / "tokenizer.json").unlink()
    with pytest.raises(WeightsMissing, match=r"no tokenizer\.json, which PE-AV needs"):
        backbone.encode_text(["piano"])
    (copy / "processor_config.json").unlink()
    with pytest.raises(WeightsMissing, match=r"processor_config\.json does not exist"):
        PeavAudio(weights=str(copy), device="cpu")


def test_the_end_is_mirrored_up_to_whole_tokens():
    assert whole_tokens(np.arange(1, 6, dtype=np.float32), 4).tolist() == [1, 2, 3, 4, 5, 4, 3, 2]
    assert whole_tokens(np.arange(4, dtype=np.float32), 4).tolist() == [0, 1, 2, 3]


def test_the_system_ranks_zero_shot_then_with_mvbind_heads(
    peav_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moving_video: Path,
    music_file: Path,
):
    names = [file.name for file in source.PEAV_SMALL.files]
    tiny = source.WeightsSource(
        name="peav-small", title="Tiny", licence="Apache-2.0", licence_url="x", noncommercial=False,
        repo="own/tiny", files=tuple(WeightsFile(name=name) for name in names),
    )  # fmt: skip
    status = system_status("peav")
    assert not status.ready and "mvr weights fetch peav-small" in status.lacks
    monkeypatch.setitem(source._FIXED, "peav-small", tiny)
    tiny.folder.mkdir(parents=True)
    for name in names:
        shutil.copy(peav_checkpoint / name, tiny.folder / name)
    status = system_status("peav")
    assert status.ready and "zero-shot until you train a head: `mvr train mvbind" in status.note
    system = load_system("peav", device="cpu")
    assert system.head.kind == "identity" and load_card("peav").commercial == "yes"
    clip, music = (
        system.embed_file(p, m).embeddings for p, m in zip((moving_video, music_file), Modality, strict=True)
    )
    assert clip.vectors.shape[-1] == music.vectors.shape[-1] == 16
    for target in Modality:
        words = system.embed_text("calm piano", target).vectors[0, 0]
        np.testing.assert_allclose(words, system.backbone(target).encode_text(["calm piano"])[0], atol=1e-6)  # type: ignore[attr-defined]
    head = create_head("mvbind", video_dim=16, audio_dim=16, hidden=8, dim=8)
    save_head(head, home_dir() / "heads" / "peav.safetensors")
    trained = load_system("peav", device="cpu")
    assert trained.head.kind == "mvbind" and trained.identity != system.identity
    assert system_status("peav").note == ""
    assert (
        np.abs(
            trained.embed_text("x", Modality.AUDIO).vectors - trained.embed_text("x", Modality.VIDEO).vectors
        ).max()
        > 1e-4
    )


def test_the_published_weights_are_pinned_and_free():
    pinned = source.weights_source("peav-small")
    assert (pinned.licence, pinned.commercial, len(pinned.revision)) == ("Apache-2.0", "yes", 40)

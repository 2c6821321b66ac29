"""Systems made by the test: descriptors under a fresh head, chance, and what a system can lack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mvr.datatypes import Modality
from mvr.embeddings.status import system_status
from mvr.embeddings.system import load_system
from mvr.errors import NoPicture, NoSound, SettingsMismatch, UsageError, WeightsMissing
from mvr.heads import create_head, save_head

CHANCE = {
    "name": "chance",
    "title": "Chance",
    "summary": "",
    "trained_on": "nothing",
    "head": {"kind": "random"},
}
TINY = {
    "name": "tiny",
    "title": "Tiny",
    "summary": "",
    "trained_on": "nothing",
    "video": {"name": "descriptors"},
    "audio": {"name": "descriptors"},
    "head": {"kind": "control-mvr", "weights": "heads/tiny.safetensors"},
    "segments": {"audio_s": 4.0, "audio_hop_s": 2.0},
}


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "assets"
    (folder / "systems").mkdir(parents=True)
    monkeypatch.setenv("MVR_ASSETS", str(folder))
    write_card(folder, CHANCE)
    write_card(folder, TINY)
    return folder


def write_card(assets: Path, card: dict[str, Any]) -> None:
    (assets / "systems" / f"{card['name']}.json").write_text(json.dumps(card))


def write_head(path: Path, **changed: Any) -> None:
    from mvr.backbones.backbone import create_backbone

    widths = {
        "video_dim": create_backbone("descriptors", Modality.VIDEO).dim,
        "audio_dim": create_backbone("descriptors", Modality.AUDIO).dim,
    }
    save_head(create_head("control-mvr", taxonomies=["genre"], **widths | changed), path)


def test_a_track_is_embedded_per_segment_and_branch(
    assets: Path, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    write_head(assets / "heads" / "tiny.safetensors")
    system = load_system("tiny")
    made = system.embed_file(make_tone(tmp_path / "t.wav", seconds=8.0), Modality.AUDIO)
    assert [s.start_s for s in made.segments] == [0.0, 2.0, 4.0]
    assert made.embeddings.branches == system.branches == ("ssl", "genre") and system.alpha
    assert made.embeddings.vectors.shape == (3, 2, system.head.dim)
    np.testing.assert_allclose(np.linalg.norm(made.embeddings.vectors, axis=-1), 1, atol=1e-5)


def test_a_clip_is_one_segment_and_the_same_each_time(
    assets: Path, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    write_head(assets / "heads" / "tiny.safetensors")
    clip = make_clip(tmp_path / "c.mp4")
    first, second = (load_system("tiny").embed_file(clip, Modality.VIDEO) for _ in range(2))
    assert len(first.segments) == 1 and first.segments[0].end_s == pytest.approx(2.0, abs=0.1)
    np.testing.assert_array_equal(first.embeddings.vectors, second.embeddings.vectors)


def test_chance_needs_no_backbone_and_follows_the_bytes(
    assets: Path, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    system = load_system("chance")
    a, b = make_tone(tmp_path / "a.wav", seed=1), make_tone(tmp_path / "b.wav", seed=2)
    same = a.rename(tmp_path / "moved.wav")
    first, again = (system.embed_file(same, Modality.AUDIO).embeddings.vectors for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - system.embed_file(b, Modality.AUDIO).embeddings.vectors).max() > 0.01


def test_the_identity_follows_card_head_and_segments(assets: Path) -> None:
    write_head(assets / "heads" / "tiny.safetensors")
    first = load_system("tiny").identity
    assert load_system("tiny").identity == first
    write_card(assets, TINY | {"title": "Another title"})
    assert load_system("tiny").identity == first
    write_card(assets, TINY | {"segments": {"audio_s": 5.0}})
    assert load_system("tiny").identity != first
    write_card(assets, TINY)
    write_head(assets / "heads" / "tiny.safetensors")  # fresh weights are drawn anew
    assert load_system("tiny").identity != first


def test_a_missing_head_is_named_with_the_command_that_makes_it(assets: Path) -> None:
    status = system_status("tiny")
    assert not status.ready and "mvr train control-mvr" in status.lacks
    with pytest.raises(WeightsMissing, match=r"needs a trained head at .*tiny"):
        load_system("tiny")
    write_head(assets / "heads" / "tiny.safetensors")
    assert system_status("tiny").ready and system_status("tiny").lacks == ""


def test_a_head_of_ones_own_takes_the_cards_place(assets: Path, tmp_path: Path) -> None:
    write_head(tmp_path / "own.safetensors")
    assert load_system("tiny", head_path=tmp_path / "own.safetensors").branches == ("ssl", "genre")


def test_a_head_for_other_features_is_refused(
    assets: Path, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    write_head(assets / "heads" / "tiny.safetensors", audio_dim=7)
    with pytest.raises(SettingsMismatch, match="the head takes audio features 7 wide"):
        load_system("tiny").embed_file(make_tone(tmp_path / "t.wav"), Modality.AUDIO)


def test_a_file_without_what_is_needed_is_refused(
    assets: Path, tmp_path: Path, make_tone: Callable[..., Path], make_clip: Callable[..., Path]
) -> None:
    system = load_system("chance")
    with pytest.raises(NoPicture):
        system.embed_file(make_tone(tmp_path / "t.wav"), Modality.VIDEO)
    with pytest.raises(NoSound):
        system.embed_file(make_clip(tmp_path / "c.mp4"), Modality.AUDIO)


def test_words_need_a_system_that_knows_words(assets: Path) -> None:
    with pytest.raises(UsageError, match="chance cannot search by words"):
        load_system("chance").embed_text("rain on a window")


def test_an_unknown_system_says_which_there_are(assets: Path) -> None:
    with pytest.raises(UsageError, match="unknown system 'tinny'; choose from chance, tiny"):
        load_system("tinny")
    with pytest.raises(UsageError, match="unknown system 'tinny'"):
        system_status("tinny")

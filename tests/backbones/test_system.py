"""The papers' systems at work on tiny weights: files and words in one space, settings in the identity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mvr.datatypes import Modality
from mvr.embeddings.status import system_status
from mvr.embeddings.system import System, load_system


@pytest.fixture
def card(tmp_path: Path, options: dict[str, dict[str, Any]]) -> Any:
    """Writes a card of tiny backbones: `card("imagebind", "imagebind", remove_borders=True)`."""

    def write(video: str, audio: str, **video_options: Any) -> str:
        card = {
            "name": "tiny",
            "title": "Tiny",
            "summary": "for a test",
            "video": {"name": video, "options": {**options[video], **video_options}},
            "audio": {"name": audio, "options": options[audio]},
            "trained_on": "nothing",
            "text": True,
            "segments": {"audio_s": 3.0, "audio_hop_s": 1.5},
        }
        path = tmp_path / "tiny.json"
        path.write_text(json.dumps(card))
        return str(path)

    return write


def embed(system: System, path: Path, modality: Modality) -> np.ndarray:
    return system.embed_file(path, modality).embeddings.vectors[:, 0]


def test_videos_music_and_words_meet_in_one_space(card: Any, moving_video: Path, music_file: Path):
    system = load_system(card("imagebind", "imagebind"), device="cpu")
    video = embed(system, moving_video, Modality.VIDEO)
    music = embed(system, music_file, Modality.AUDIO)
    words = system.embed_text(["calm piano at dusk"]).vectors[:, 0]
    assert len(video) == 1 and len(music) > 1 and len(words) == 1
    for vectors in (video, music, words):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (video @ music.T).shape == (1, len(music)) and np.isfinite(words @ video.T).all()


def test_what_changes_features_changes_the_identity(card: Any):
    plain = load_system(card("imagebind", "imagebind"), device="cpu").identity
    assert plain == load_system(card("imagebind", "imagebind", rows_at_once=3), device="cpu").identity
    changed = [
        load_system(card("imagebind", "imagebind", **options), device="cpu").identity
        for options in ({"remove_borders": True}, {"crops": 1}, {"precision": "bfloat16"})
    ]
    assert len({plain, *changed}) == 4


def test_a_system_of_local_weights_is_ready(card: Any, tmp_path: Path):
    name = card("imagebind", "imagebind")
    assert system_status(name).ready
    missing = card("imagebind", "imagebind", weights=str(tmp_path / "gone.pth"))
    assert "gone.pth does not exist" in system_status(missing).lacks


@pytest.mark.parametrize("name", ["imagebind", "mvbind", "control-mvr", "control-mvr-open"])
def test_a_published_system_says_in_a_sentence_what_it_lacks(name: str):
    status = system_status(name)
    assert not status.ready and "mvr weights fetch" in status.lacks

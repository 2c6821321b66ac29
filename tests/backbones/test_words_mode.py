"""Ranking by words before any head is trained: prompts of two tiny text towers, kept, and joined by real profiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mvr.backbones.clap import ClapAudio
from mvr.backbones.clip import ClipVideo
from mvr.config.cards import load_card
from mvr.config.paths import home_dir
from mvr.datatypes import Direction, Modality
from mvr.embeddings.prompts import prompt_vectors, words_head
from mvr.embeddings.status import system_status
from mvr.embeddings.system import load_system
from mvr.errors import UsageError, WrongShape
from mvr.heads import create_head, load_head, save_head
from mvr.heads.bridge import BridgeTables
from mvr.heads.prompts import PromptTables, WordsHead, tables_of_prompts
from mvr.library import Library
from mvr.retrieval import Retriever
from mvr.retrieval.explanation import words_of_clip

HEAD = Path(__file__).parents[2] / "assets" / "heads" / "bridge-mini.safetensors"


@pytest.fixture(scope="module")
def bridge() -> BridgeTables:
    return load_head(HEAD).tables


@pytest.fixture(scope="module")
def tables(bridge: BridgeTables) -> PromptTables:
    """Every concept and tag has a direction of its own."""
    return tables_of_prompts(
        bridge, *(np.eye(n, dtype=np.float32) for n in (len(bridge.concepts), len(bridge.tags)))
    )


@pytest.fixture
def card(tmp_path: Path, options: dict[str, dict[str, Any]]) -> str:
    """A card like that of control-mvr-open over the tiny towers."""
    published = load_card("control-mvr-open").model_dump(mode="json")
    own = {
        "name": "open-tiny",
        "video": {"name": "clip", "options": options["clip"]},
        "audio": {"name": "clap", "options": options["clap"]},
        "segments": {"audio_s": 3.0, "audio_hop_s": 1.5},
    }
    path = tmp_path / "open-tiny.json"
    path.write_text(json.dumps(published | own))
    return str(path)


def test_a_picture_asks_for_what_its_concepts_profile_says(tables: PromptTables, bridge: BridgeTables):
    drum_kit = np.eye(len(bridge.concepts), dtype=np.float32)[[bridge.concepts.index("drum kit")]]
    words = words_of_clip(tables, drum_kit)
    assert words.sees == ("drum kit",) and words.asks_for[0] == "drums"
    head = WordsHead(tables, "own")
    tags = np.eye(len(bridge.tags), dtype=np.float32)
    scores = head.encode_video(drum_kit).vectors[0] @ head.encode_audio(tags).vectors[:, 0].T
    assert bridge.tags[int(scores[0].argmax())] == "drums"


def test_what_is_seen_is_cosines_with_prompts_less_what_they_share(bridge: BridgeTables):
    rng = np.random.default_rng(0)
    picture, sound = rng.normal(size=(79, 6)).astype(np.float32), rng.normal(size=(45, 5)).astype(np.float32)
    tables = tables_of_prompts(bridge, picture, sound)
    clip = rng.normal(size=(3, 6)).astype(np.float32)
    for row, found in zip(clip, tables.seen(clip), strict=True):
        cosines = [float(row / np.linalg.norm(row) @ (one - picture.mean(axis=0))) for one in picture]
        np.testing.assert_allclose(found, (cosines - np.mean(cosines)) / np.std(cosines), atol=1e-4)
    assert np.allclose(tables.seen(5 * clip), tables.seen(clip), atol=1e-5)
    weights = np.exp(np.clip(tables.seen(clip), -3, 6))
    wanted = weights / weights.sum(axis=1, keepdims=True) @ bridge.mixture - bridge.mixture.mean(axis=0)
    np.testing.assert_allclose(tables.wanted(clip), wanted, atol=1e-5)


def test_prompts_of_other_counts_are_refused(bridge: BridgeTables):
    with pytest.raises(WrongShape, match=r"picture_prompts have shape \(3, 6\), expected \(79, D\)"):
        tables_of_prompts(bridge, np.zeros((3, 6), np.float32), np.zeros((45, 5), np.float32))


def test_a_prompt_is_the_mean_direction_of_its_wordings(options: dict[str, dict[str, Any]]):
    tower = ClipVideo(**options["clip"])
    found = prompt_vectors(tower, [("a photo of a dog", "a video of a dog"), ("snow",)])
    rows = tower.encode_text(["a photo of a dog", "a video of a dog", "snow"])
    np.testing.assert_allclose(
        found[0], rows[:2].sum(axis=0) / np.linalg.norm(rows[:2].sum(axis=0)), atol=1e-5
    )
    np.testing.assert_allclose(found[1], rows[2], atol=1e-5)


def test_prompts_are_computed_once_and_anew_for_other_weights(
    options: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    video, audio = ClipVideo(**options["clip"]), ClapAudio(**options["clap"])
    first = words_head(video, audio)
    (kept,) = (home_dir() / "prompts").glob("*.safetensors")
    asked: list[int] = []
    whole = ClipVideo.encode_text
    monkeypatch.setattr(ClipVideo, "encode_text", lambda self, texts: asked.append(1) or whole(self, texts))
    again = words_head(video, audio)
    assert not asked and again.settings == first.settings
    np.testing.assert_array_equal(again.tables.picture_prompts, first.tables.picture_prompts)
    kept.write_bytes(b"cut off")
    np.testing.assert_array_equal(words_head(video, audio).tables.sound_prompts, first.tables.sound_prompts)
    assert len(asked) == 79
    other = words_head(ClipVideo(**options["clip"], precision="bfloat16"), audio)
    assert other.settings != first.settings and len(list(kept.parent.glob("*.safetensors"))) == 2


def test_a_side_without_words_is_refused(options: dict[str, dict[str, Any]]):
    from mvr.backbones.mert import MertAudio

    with pytest.raises(UsageError, match="'mert' cannot read words; train a head"):
        words_head(ClipVideo(**options["clip"]), MertAudio(**options["mert"]))


def test_the_open_system_ranks_and_explains_without_a_head(
    card: str, tmp_path: Path, moving_video: Path, music_file: Path
):
    status = system_status(card)
    assert status.ready and "zero-shot by words until you train a head: `mvr train control-mvr" in status.note
    system = load_system(card, device="cpu")
    assert system.branches == ("ssl",) and not system.alpha
    library = Library.open(tmp_path / "library")
    library.add([music_file], system)
    retriever = Retriever(library, system)
    ranked = retriever.rank(retriever.embed_query(moving_video, Direction.VIDEO_TO_MUSIC), k=3)
    document = ranked.to_json()
    assert len(document["results"]) == 1 and -1 <= document["results"][0]["score"] <= 1
    tables = system.tables
    assert tables is not None and set(document["asks_for"]) <= set(tables.tags)
    features = system.features_of_file(moving_video, Modality.VIDEO).features
    assert document["sees"] == list(words_of_clip(tables, features).sees)
    back = retriever.embed_query(music_file, Direction.MUSIC_TO_VIDEO)
    assert retriever.rank(back, k=3).to_json()["results"] == []  # there are no videos in it


def test_words_go_through_both_towers(card: str):
    system = load_system(card, device="cpu")
    found = system.embed_text("calm piano").vectors[0, 0]
    sides = [
        system.encode(system.backbone(side).encode_text(["calm piano"]), side).vectors[0, 0]  # type: ignore[attr-defined]
        for side in Modality
    ]
    np.testing.assert_allclose(found, sum(sides) / np.linalg.norm(sum(sides)), atol=1e-5)


def test_a_trained_head_takes_over(card: str):
    by_words = load_system(card, device="cpu")
    widths = {
        "video_dim": by_words.backbone(Modality.VIDEO).dim,
        "audio_dim": by_words.backbone(Modality.AUDIO).dim,
    }
    head = create_head("control-mvr", taxonomies=["genre"], hidden=16, dim=8, **widths)
    save_head(head, home_dir() / "heads" / "open-tiny.safetensors")
    trained = load_system(card, device="cpu")
    assert trained.branches == ("ssl", "genre") and trained.alpha and trained.tables is None
    assert system_status(card).note == "" and trained.identity != by_words.identity
    np.testing.assert_allclose(np.linalg.norm(trained.embed_text("rain").vectors, axis=-1), 1, atol=1e-5)

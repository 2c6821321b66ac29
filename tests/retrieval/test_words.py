"""Words of `bridge-mini`: shown only where profile and sound support them; guesses never stand in for tags."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mvr.backbones.soundscape import is_music
from mvr.backbones.tag_table import TAG_KINDS
from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import load_system
from mvr.embeddings.vocabulary import weights_of_text
from mvr.errors import UsageError
from mvr.heads import load_head
from mvr.heads.bridge import BridgeTables
from mvr.library import Item, Library, open_demo_library
from mvr.library.guesses import Guess, words_that_stand_out
from mvr.retrieval import Filters, Retriever
from mvr.retrieval.explanation import because, words_of_clip
from mvr.retrieval.filters import known_instruments

HEAD = Path(__file__).parents[2] / "assets" / "heads" / "bridge-mini.safetensors"


@pytest.fixture(scope="module")
def tables() -> BridgeTables:
    return load_head(HEAD).tables


def guessed_item(genre: tuple[str, ...]) -> Item:
    """A track with these genres and no mood."""
    return Item(
        id="0",
        content="0",
        modality=Modality.AUDIO,
        path=Path("x"),
        name="x",
        title="x",
        duration_s=9.0,
        genre=genre,
    )


def clip_of(tables: BridgeTables, **seen: float) -> np.ndarray:
    """Features of a clip in which some concepts stand out by so many deviations."""
    features = tables.concept_mean.copy()
    for name, deviations in seen.items():
        at = tables.concepts.index(name.replace("_", " "))
        features[at] += deviations * tables.concept_std[at]
    return features[None]


def test_what_stands_out_is_seen_and_its_profile_asked_for(tables: BridgeTables):
    words = words_of_clip(tables, clip_of(tables, drum_kit=5.0))
    assert words.sees == ("drum kit",) and words.asks_for[0] == "drums"


def test_what_does_not_stand_out_is_not_named(tables: BridgeTables):
    words = words_of_clip(tables, clip_of(tables, drum_kit=0.5))
    assert words.sees == () and words.asks_for == () and not words.tags.any()


def test_a_concept_without_a_profile_is_never_named(tables: BridgeTables):
    assert tables.mixture[tables.concepts.index("medicine")].max() == 0
    assert words_of_clip(tables, clip_of(tables, medicine=6.0)).sees == ()


def test_the_reason_is_what_is_asked_for_and_heard(tables: BridgeTables):
    asked, heard = (np.zeros(len(tables.tags), np.float32) for _ in range(2))
    rock, jazz, piano = (tables.tags.index(name) for name in ("rock", "jazz", "piano"))
    asked[[rock, jazz]] = 1.0, 0.5
    heard[[rock, jazz, piano]] = 0.6, 3.0, 4.0
    assert because(tables, asked, heard) == ("jazz", "rock")
    heard[rock] = 0.4
    assert because(tables, asked, heard) == ("jazz",)


def test_speech_noise_and_silence_are_no_music():
    music = np.array([[0.1, 0.05, -20], [0.0, 0.1, -18], [0.9, 0.05, -20]])
    assert is_music(music)
    for column, value in ((0, 0.8), (1, 0.4), (2, -90)):
        wrong = music.copy()
        wrong[:, column] = value
        assert not is_music(wrong)


def test_guesses_are_few_of_each_kind_strongest_first():
    tags = tuple(TAG_KINDS)
    heard = np.linspace(3, 0, len(tags)).astype(np.float32)
    guesses = words_that_stand_out(heard, tags)
    assert [g.word for g in guesses if g.kind == "genre"] == ["rock", "indie, alternative", "metal"]
    assert all(g.confidence >= 0.84 for g in guesses)
    assert words_that_stand_out(np.full(len(tags), 0.9, np.float32), tags) == ()


def test_a_guess_counts_in_a_filter_only_where_there_is_no_tag():
    jazz = (
        Guess(word="jazz", kind="genre", confidence=0.9),
        Guess(word="slow, tender", kind="mood", confidence=0.9),
    )
    assert Filters(genres=("Jazz",)).allow(guessed_item(genre=()), jazz)
    assert not Filters(genres=("Jazz",)).allow(guessed_item(genre=("rock",)), jazz)
    assert Filters(moods=("tender",)).allow(guessed_item(genre=()), jazz)
    assert not Filters(instruments=("piano",)).allow(guessed_item(genre=()), jazz)


def test_an_instrument_is_one_that_can_be_guessed():
    assert known_instruments(("Piano", "drums")) == ("Piano", "drums")
    with pytest.raises(
        UsageError, match="unknown instrument 'kazoo'; choose from acoustic, choir, guitar, piano"
    ):
        known_instruments(("kazoo",))


def test_words_are_found_longest_first_and_reversed_by_no():
    names = ["female voice", "vocals", "piano", "slow, tender", "loud", "chillout", "ambient"]
    assert weights_of_text("Female voice & piano", names) == {"female voice": 1.0, "piano": 1.0}
    assert weights_of_text("no piano, tender", names) == {"piano": -1.0, "slow, tender": 1.0}
    assert weights_of_text("quiet", names) == {"loud": -1.0, "slow, tender": 1.0}
    assert weights_of_text("zzz", names) == {}


def test_words_that_nothing_knows_are_refused_with_a_choice():
    system = load_system("profiles")
    with pytest.raises(UsageError, match="'xyzzy' is known; choose from rock"):
        system.embed_text("xyzzy")


def test_words_lie_where_music_of_their_kind_lies(tables: BridgeTables):
    system = load_system("profiles")
    piano, metal = system.embed_text(["calm piano", "loud metal"]).vectors[:, 0]
    sound = np.zeros((2, len(tables.tags)), np.float32)
    sound[0, tables.tags.index("piano")] = sound[1, tables.tags.index("metal")] = 3.0
    heard = system.head.encode_tags(sound).vectors[:, 0]
    assert heard[0] @ piano > heard[1] @ piano and heard[1] @ metal > heard[0] @ metal


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MVR_HOME", str(tmp_path_factory.mktemp("home")))
        return Retriever(open_demo_library(), load_system("bridge-mini"))


def test_a_list_explains_itself(demo: Retriever, make_clip: Callable[..., Path], tmp_path: Path):
    ranked = demo.rank(demo.embed_query(make_clip(tmp_path / "clip.mp4"), Direction.VIDEO_TO_MUSIC))
    document = ranked.to_json()
    assert list(document["query"]) == ["name", "id", "direction", "duration_s", "facts", "seen"]
    assert document["sees"] and set(document["asks_for"]) <= set(TAG_KINDS)
    for result in document["results"]:
        assert set(result["because"]) <= set(TAG_KINDS) and len(result["because"]) <= 3
        assert set(result["heard"]) <= set(TAG_KINDS)
    assert any(result["because"] for result in document["results"])
    assert ranked.to_csv().count("\n") == 11
    assert [row["system"] for row in document["mixture"]] == ["bridge", "profiles", "control-mvr-mini"]


def test_a_system_without_words_has_empty_ones(
    demo: Retriever, make_clip: Callable[..., Path], tmp_path: Path
):
    plain = Retriever(demo.library, load_system("control-mvr-mini"))
    document = plain.rank(
        plain.embed_query(make_clip(tmp_path / "clip.mp4"), Direction.VIDEO_TO_MUSIC)
    ).to_json()
    assert document["sees"] == document["asks_for"] == document["mixture"] == []


def test_words_move_the_list_towards_what_they_name(
    demo: Retriever, make_clip: Callable[..., Path], tmp_path: Path
):
    query = demo.embed_query(make_clip(tmp_path / "clip.mp4"), Direction.VIDEO_TO_MUSIC)
    ranked = demo.rank(query, k=24, text="piano", text_weight=1.0)
    heard = ["piano" in {g.word for g in demo.library.guesses(r.item)} for r in ranked.results]
    assert sum(heard[:6]) > sum(heard[-6:])


def test_alpha_stands_where_the_systems_card_says(
    demo: Retriever, make_clip: Callable[..., Path], tmp_path: Path
):
    plain = Retriever(demo.library, load_system("control-mvr-mini"))
    query = plain.embed_query(make_clip(tmp_path / "clip.mp4"), Direction.VIDEO_TO_MUSIC)
    unsaid, said = plain.rank(query), plain.rank(query, plain.system.card.alpha_default)
    assert unsaid.alpha == said.alpha == 1.0
    assert [r.item.id for r in unsaid.results] == [r.item.id for r in said.results]


def test_earning_money_takes_weights_that_allow_it(
    tiny_assets: Path, tmp_path: Path, make_clip: Callable[..., Path]
):
    path = tiny_assets / "systems" / "tiny.json"
    barred = {"what": "w", "licence": "CC BY-NC 4.0", "noncommercial": True, "commercial": "no"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"licences": [barred]}), encoding="utf-8")
    retriever = Retriever(Library.open(tmp_path / "library"), load_system("tiny"))
    query = retriever.embed_query(make_clip(tmp_path / "clip.mp4", seconds=1.0), Direction.VIDEO_TO_MUSIC)
    retriever.rank(query)
    with pytest.raises(UsageError, match="tiny is not for commercial use"):
        retriever.rank(query, filters=Filters(commercial=True))

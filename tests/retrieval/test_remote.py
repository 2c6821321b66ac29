"""A list from an index in a database is the list of a Retriever over the same library."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mvr.config.cards import SystemCard
from mvr.datatypes import Direction, JsonDict, Modality
from mvr.embeddings.mixed import Member, MixedSystem
from mvr.embeddings.system import load_system
from mvr.errors import IndexUnreachable, UsageError
from mvr.index.remote import open_place
from mvr.library import Library
from mvr.library.guesses import Guess
from mvr.retrieval import Filters, Retriever
from mvr.retrieval.push import measure_index, push_library
from mvr.retrieval.remote import rank_place, space_of

TABLE = """file,title,artist,licence,genre,mood,bpm
0.wav,Zero,Ann,CC0 1.0,Jazz,calm,80
1.wav,One,Ben,CC BY-NC 4.0,jazz; soul,calm,100
2.wav,Two,,CC BY 4.0,rock,wild,140
3.wav,Three,,,rock,wild,150
4.wav,Zero again,Ann,CC0 1.0,Jazz,calm,80
"""


@pytest.fixture(scope="module")
def media(
    tmp_path_factory: pytest.TempPathFactory, make_tone: Callable[..., Path], make_clip: Callable[..., Path]
) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for seed, seconds in enumerate((21.0, 5.0, 3.0, 8.0)):
        make_tone(folder / f"{seed}.wav", seconds=seconds, seed=seed)
    wave = (folder / "0.wav").read_bytes()
    (folder / "4.wav").write_bytes(wave[:-4000])  # the same music, cut: one of them is listed
    make_clip(folder / "clip.mp4", seconds=1.0, seed=0)
    (folder / "metadata.csv").write_text(TABLE, encoding="utf-8")
    return folder


@pytest.fixture
def pushed(tmp_path: Path, tiny_assets: Path, media: Path):
    """A library, its system, and an index file that it was pushed to."""
    library, system = Library.open(tmp_path / "library"), load_system("tiny")
    library.add([media], system)
    url = f"duckdb:{tmp_path / 'index.duckdb'}"
    place = open_place(url, read_only=False)
    assert push_library(library, system, Modality.AUDIO, place) == (5, 5)
    yield library, system, place
    place.close()


FILTERS = [
    Filters(),
    Filters(genres=("JAZZ",)),
    Filters(commercial=True),
    Filters(licences=("cc by",)),
    Filters(min_duration_s=4.0, max_tempo_bpm=120.0),
    Filters(genres=("polka",)),
]


def same_rows(found: JsonDict, wanted: JsonDict, score: float) -> None:
    """Both lists have the same items, and say the same of them; scores as near as rows of float16 let them."""
    assert [row["id"] for row in found["results"]] == [row["id"] for row in wanted["results"]]
    for ours, theirs in zip(found["results"], wanted["results"], strict=True):
        close = {"score", "branches", "beats", "above"}  # the last two need every score
        assert {k: v for k, v in ours.items() if k not in close} == {
            k: v for k, v in theirs.items() if k not in close
        }
        assert ours["score"] == pytest.approx(theirs["score"], abs=score)
        assert ours["branches"] == pytest.approx(theirs["branches"], abs=2e-3)


@pytest.mark.parametrize("filters", FILTERS, ids=lambda f: str(f)[8:40])
def test_the_list_is_that_of_the_library(pushed, media, filters):
    library, system, place = pushed
    retriever = Retriever(library, system)
    query = retriever.embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    for alpha in (0.0, 0.4, 1.0):
        wanted = retriever.rank(query, alpha, 3, filters=filters).to_json()
        found = rank_place(place, system, query, alpha, 3, filters=filters).to_json()
        same_rows(found, wanted, score=2e-3)
        assert found["answer"] == "proven complete" and found["library_items"] == wanted["library_items"]


def test_a_second_push_writes_nothing_and_a_stopped_one_goes_on(pushed):
    library, system, place = pushed
    assert push_library(library, system, Modality.AUDIO, place) == (0, 5)
    space = space_of(system, Modality.AUDIO)
    place.remove(space, [library.items(Modality.AUDIO)[2].id])
    holding = place.holding(space)
    assert (holding.items, holding.announced) == (4, 5)
    assert push_library(library, system, Modality.AUDIO, place) == (1, 5)


def test_what_left_the_library_leaves_the_index(pushed):
    library, system, place = pushed
    gone = library.items(Modality.AUDIO)[1].id
    library.remove([gone])
    assert push_library(library, system, Modality.AUDIO, place) == (0, 4)
    assert gone not in place.contents(space_of(system, Modality.AUDIO))


def test_a_second_library_adds_to_the_index_and_takes_nothing_of_the_first_out(pushed, media, tmp_path):
    library, system, place = pushed
    other, space = Library.open(tmp_path / "other"), space_of(system, Modality.AUDIO)
    for name in ("new.wav", "0.wav"):  # one that the first library holds, too
        wave = (media / "0.wav").read_bytes()
        (tmp_path / name).write_bytes(wave if name == "0.wav" else wave[:-90_000])
    other.add([tmp_path / "new.wav", tmp_path / "0.wav"], system)
    assert push_library(other, system, Modality.AUDIO, place) == (1, 2)
    assert len(place.contents(space)) == 6 and place.holding(space).announced == 6
    other.remove([item.id for item in other.items(Modality.AUDIO)])
    push_library(other, system, Modality.AUDIO, place)
    assert sorted(place.contents(space)) == sorted(item.id for item in library.items(Modality.AUDIO))
    assert place.holding(space).announced == 5 and library.origin == Library.open(tmp_path / "library").origin


def test_what_was_edited_is_in_the_index_after_the_next_push(pushed, media):
    library, system, place = pushed
    item = next(item for item in library.items(Modality.AUDIO) if item.title == "Three")
    library.edit(item.id, title="Sea", licence="CC0 1.0", genre="Polka")
    assert push_library(library, system, Modality.AUDIO, place) == (1, 5)
    retriever = Retriever(library, system)
    query = retriever.embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    for filters in (Filters(commercial=True, genres=("polka",)), Filters(licences=("CC0",))):
        wanted = retriever.rank(query, 0.4, 5, filters=filters).to_json()
        found = rank_place(place, system, query, 0.4, 5, filters=filters).to_json()
        same_rows(found, wanted, score=2e-3)
        assert ("Sea", "CC0 1.0") in [(row["title"], row["licence"]) for row in found["results"]]
    assert push_library(library, system, Modality.AUDIO, place) == (0, 5)


def test_words_of_a_file_that_another_library_pushed_first_stay_that_library_s(pushed, media, tmp_path):
    library, system, place = pushed
    other = Library.open(tmp_path / "other")
    other.add([media / "0.wav"], system)
    other.edit(other.items()[0].id, title="Mine")
    assert push_library(other, system, Modality.AUDIO, place) == (0, 1)
    assert push_library(library, system, Modality.AUDIO, place) == (0, 5)
    query = Retriever(library, system).embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    titles = [
        result.item.title for result in rank_place(place, system, query, k=5, filters=Filters()).results
    ]
    assert "Zero" in titles and "Mine" not in titles


def test_a_guessed_genre_counts_in_the_index_where_there_is_no_tag(
    pushed, media, make_tone, tmp_path, monkeypatch
):
    library, system, place = pushed
    library.add([make_tone(tmp_path / "plain.wav", seconds=4.0, seed=9)], system)
    guess = Guess(word="slow, polka", kind="genre", confidence=0.9)
    guesses = [(guess,)] * 6  # that of a tagged one does not count
    monkeypatch.setattr(Library, "guesses_of", lambda self, items: guesses[: len(items)])
    assert push_library(library, system, Modality.AUDIO, place) == (1, 6)
    retriever = Retriever(library, system)
    query = retriever.embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    for genre in ("Polka", "rock"):
        wanted = retriever.rank(query, k=5, filters=Filters(genres=(genre,)))
        found = rank_place(place, system, query, k=5, filters=Filters(genres=(genre,)))
        assert [row.item.title for row in found.results] == [row.item.title for row in wanted.results]
        assert ("plain" in [row.item.title for row in found.results]) is (genre == "Polka")


def test_a_query_of_another_system_is_refused(pushed, media):
    library, system, place = pushed
    query = Retriever(library, system).embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    query = dataclasses.replace(query, system="0123456789abcdef")
    with pytest.raises(UsageError, match="embedded by another system"):
        rank_place(place, system, query, filters=Filters())


def test_a_push_into_a_folder_that_is_none_is_one_sentence(tmp_path):
    with pytest.raises(IndexUnreachable, match="cannot be opened"):
        open_place(f"duckdb:{tmp_path / 'none' / 'index.duckdb'}", read_only=False)


@pytest.fixture
def mixture(pushed) -> MixedSystem:
    """Of the pushed system and of chance, which is pushed, too."""
    library, system, place = pushed
    members = [
        Member(system=system, weight=2.0, alpha=0.25),
        Member(system=load_system("chance"), weight=1.0, alpha=0.5),
    ]
    card = SystemCard(name="both", title="Both", summary="", trained_on="", mix=())
    mixed = MixedSystem(card, members)
    assert push_library(library, mixed, Modality.AUDIO, place) == (5, 5)
    assert push_library(library, mixed, Modality.AUDIO, place) == (0, 5)
    assert measure_index(library, mixed, Modality.AUDIO, place) is None
    return mixed


@pytest.mark.parametrize("filters", [Filters(), Filters(genres=("JAZZ",)), Filters(genres=("polka",))])
def test_a_mixtures_list_is_that_of_the_library(pushed, mixture, media: Path, filters: Filters):
    library, _, place = pushed
    retriever = Retriever(library, mixture)
    query = retriever.embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    wanted = retriever.rank(query, k=3, filters=filters).to_json()
    found = rank_place(place, mixture, query, k=3, filters=filters).to_json()
    same_rows(found, wanted, score=1e-2)
    for ours, theirs in zip(found["mixture"], wanted["mixture"], strict=True):
        assert ours == pytest.approx(theirs, abs=2e-3)
    assert found["answer"] == "proven complete" and found["library_items"] == 5 and found["missing"] == 0


def test_what_one_member_lacks_is_counted_and_what_is_taken_out_meanwhile_is_left_out(
    pushed, mixture, media: Path, monkeypatch
):
    library, system, place = pushed
    query = Retriever(library, mixture).embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    first = [result.item.id for result in rank_place(place, mixture, query, filters=Filters()).results]
    rows = place.rows

    def later(space, places):  # somebody is quicker
        place.remove(space_of(system, Modality.AUDIO), first[:1])
        return rows(space, places)

    monkeypatch.setattr(place, "rows", later)
    ranked = rank_place(place, mixture, query, filters=Filters())
    assert [(result.rank, result.item.id) for result in ranked.results] == list(enumerate(first[1:], start=1))
    monkeypatch.undo()
    ranked = rank_place(place, mixture, query, filters=Filters())
    assert (ranked.library_items, ranked.missing) == (4, 1)


def test_a_mixture_of_which_a_member_was_not_pushed_says_what_to_do(pushed, media: Path):
    library, _, place = pushed
    members = [Member(system=load_system(name), weight=1.0, alpha=0.5) for name in ("tiny", "chance")]
    card = SystemCard(name="both", title="Both", summary="", trained_on="", mix=())
    mixed = MixedSystem(card, members)
    query = Retriever(library, mixed).embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    with pytest.raises(
        UsageError, match="holds no audio embeddings of this system; push the library with it"
    ):
        rank_place(place, mixed, query, filters=Filters())


def test_guessed_words_are_refused_by_an_index_with_what_to_do_instead(pushed, media: Path):
    library, system, place = pushed
    query = Retriever(library, system).embed_query(media / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    with pytest.raises(UsageError, match="has no guessed instruments"):
        rank_place(place, system, query, filters=Filters(instruments=("piano",)))

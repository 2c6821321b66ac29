"""The Retriever against a loop that mixes, normalises and compares every pair of segments."""

from __future__ import annotations

import csv
import io
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Direction, Modality, branch_weights, mix_branches
from mvr.embeddings.system import System, load_system
from mvr.errors import NotInLibrary, UsageError
from mvr.library import Library
from mvr.retrieval import Filters, Query, Retriever

TABLE = """file,title,artist,licence,genre,mood,bpm
0.wav,Zero,Ann,CC0 1.0,Jazz,calm,80
1.wav,One,Ben,CC BY-NC 4.0,jazz; soul,calm,100
2.wav,Two,,CC BY 4.0,rock,wild,140
3.wav,=Three,,,rock,wild,150
"""


@pytest.fixture(scope="module")
def media(
    tmp_path_factory: pytest.TempPathFactory, make_tone: Callable[..., Path], make_clip: Callable[..., Path]
) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for seed, seconds in enumerate((9.0, 5.0, 3.0, 8.0)):
        make_tone(folder / f"{seed}.wav", seconds=seconds, seed=seed)
    for seed in range(3):
        make_clip(folder / f"{seed}.mp4", seconds=1.0, seed=seed)
    (folder / "metadata.csv").write_text(TABLE, encoding="utf-8")
    return folder


@pytest.fixture
def library(tmp_path: Path, tiny_assets: Path, media: Path) -> Library:
    """A copy of one library that is made for the first test: the head of `tiny_assets` is always the same."""
    made = media.parent / "made-library"
    if not made.exists():
        Library.open(made).add([media], load_system("tiny"))
    shutil.copytree(made, tmp_path / "library")
    return Library.open(tmp_path / "library")


@pytest.fixture
def retriever(library: Library) -> Retriever:
    return Retriever(library, load_system("tiny"))


@pytest.fixture
def clip(tmp_path: Path, make_clip: Callable[..., Path]) -> Path:
    return make_clip(tmp_path / "query.mp4", seconds=1.0, seed=50)


def expected(
    library: Library, system: System, query: Query, alpha: float
) -> list[tuple[str, float, float, float]]:
    """(id, score, start, query start), best first, from the definition."""
    weights = branch_weights(alpha, len(system.branches))
    asked = mix_branches(query.embeddings.vectors, weights)
    rows = []
    for item in library.items(query.direction.target):
        features = library.features(item, system)
        assert features is not None
        own = mix_branches(system.encode(features.features, item.modality).vectors, weights)
        best = max(
            (
                (float(q @ t), s.start_s, a.start_s)
                for q, a in zip(asked, query.segments, strict=True)
                for t, s in zip(own, features.segments, strict=True)
            ),
            key=lambda pair: pair[0],
        )
        rows.append((item.id, *best))
    return sorted(rows, key=lambda row: -row[1])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("direction", list(Direction))
def test_ranks_scores_and_starts_are_those_of_the_definition(
    retriever: Retriever,
    library: Library,
    clip: Path,
    tmp_path: Path,
    make_tone: Callable[..., Path],
    alpha: float,
    direction: Direction,
) -> None:
    asked = (
        clip if direction is Direction.VIDEO_TO_MUSIC else make_tone(tmp_path / "q.wav", seconds=9.0, seed=60)
    )
    query = retriever.embed_query(asked, direction)
    ranked = retriever.rank(query, alpha, k=50)
    wanted = expected(library, retriever.system, query, alpha)
    assert [r.item.id for r in ranked.results] == [row[0] for row in wanted]
    found = [(r.score, r.start_s, r.query_start_s) for r in ranked.results]
    np.testing.assert_allclose(found, [row[1:] for row in wanted], atol=1e-5)
    assert [r.rank for r in ranked.results] == list(range(1, len(wanted) + 1))


def test_alpha_changes_the_order_without_encoding_again(
    retriever: Retriever, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    first = retriever.rank(query, 0.0)
    monkeypatch.setattr(System, "encode", None)
    monkeypatch.setattr(System, "features_of_file", None)
    assert [r.score for r in retriever.rank(query, 1.0).results] != [r.score for r in first.results]
    assert retriever.rank(query, 0.0) == first


def test_the_same_list_comes_from_another_retriever(
    retriever: Retriever, library: Library, clip: Path
) -> None:
    other = Retriever(Library.open(library.root), load_system("tiny"))
    lists = [r.rank(r.embed_query(clip, Direction.VIDEO_TO_MUSIC), 0.4).to_json() for r in (retriever, other)]
    assert lists[0] == lists[1]


def test_filters_keep_what_passes_in_the_same_order(retriever: Retriever, clip: Path) -> None:
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    everything = [r.item.title for r in retriever.rank(query, 0.5).results]

    def titles(**wanted: object) -> list[str]:
        return [r.item.title for r in retriever.rank(query, 0.5, filters=Filters(**wanted)).results]

    def kept(*wanted: str) -> list[str]:
        return [title for title in everything if title in wanted]

    assert titles(genres=("JAZZ",)) == kept("Zero", "One")
    assert titles(moods=("wild",), max_tempo_bpm=145) == kept("Two")
    assert titles(licences=("CC BY",)) == kept("One", "Two")
    assert titles(commercial=True) == kept("Zero", "Two")
    assert titles(min_duration_s=4.9, max_duration_s=8.5) == kept("One", "=Three")
    assert titles(genres=("polka",)) == []
    assert retriever.rank(query, 0.5, filters=Filters(genres=("polka",))).candidates == 0


def test_commercial_keeps_only_what_one_may_earn_money_with(
    retriever: Retriever, library: Library, clip: Path, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    """All rights reserved, no derivatives, share-alike and words of one's own say no "non-commercial" either."""
    folder, rows = tmp_path / "more", ["file,title,licence"]
    folder.mkdir()
    for seed, licence in enumerate(
        ("All rights reserved", "CC BY-ND 4.0", "CC BY-SA 4.0", "ask me", "CC BY 3.0")
    ):
        make_tone(folder / f"{seed}.wav", seed=40 + seed)
        rows.append(f"{seed}.wav,{licence},{licence}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    library.add([folder], retriever.system)
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    found = {r.item.title for r in retriever.rank(query, 0.5, k=50, filters=Filters(commercial=True)).results}
    assert found == {"Zero", "Two", "CC BY 3.0"}
    asked = retriever.rank(query, 0.5, k=50).to_json()["results"]
    assert {r["title"]: r["may_use"] for r in asked}["CC BY-ND 4.0"] == "no"


def test_the_same_music_is_ranked_once(
    retriever: Retriever, library: Library, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = library.items(Modality.AUDIO)[0]
    monkeypatch.setattr("mvr.library.adding.find_same_music", lambda *_, **__: first.id)
    copy = tmp_path / "louder.wav"
    data = first.path.read_bytes()
    copy.write_bytes(data[:44] + (np.frombuffer(data[44:], "<i2") // 2).astype("<i2").tobytes())
    library.add([copy], retriever.system)
    ranked = retriever.rank(retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC), 0.5, k=50)
    assert len(library.items(Modality.AUDIO)) == 5 and len(ranked.results) == 4


def test_diversity_keeps_the_best_first_and_spreads_the_rest(retriever: Retriever, clip: Path) -> None:
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    plain, spread = (retriever.rank(query, 0.5, diversity=d).results for d in (0.0, 0.9))
    assert spread[0].item == plain[0].item
    assert {r.item.id for r in spread} == {r.item.id for r in plain}


def test_new_items_are_found_at_once(
    retriever: Retriever, library: Library, clip: Path, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    assert len(retriever.rank(query, 0.5).results) == 4
    library.add([make_tone(tmp_path / "late.wav", seed=99)], retriever.system)
    assert "late" in [r.item.title for r in retriever.rank(query, 0.5).results]
    library.remove([library.items(Modality.AUDIO)[0].id])
    assert len(retriever.rank(query, 0.5).results) == 4


def test_an_item_of_the_library_asks_without_embedding(
    retriever: Retriever, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(System, "features_of_file", None)
    video = library.items(Modality.VIDEO)[0]
    assert retriever.query_item(video.id).direction is Direction.VIDEO_TO_MUSIC
    with pytest.raises(NotInLibrary):
        retriever.query_item("nothing")


def test_the_list_as_json_and_csv(retriever: Retriever, clip: Path) -> None:
    ranked = retriever.rank(retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC), 0.5, k=4)
    document = json.loads(json.dumps(ranked.to_json(), allow_nan=False))
    assert {"query", "system", "alpha", "results"} <= document.keys() and document["system"] == "tiny"
    wanted = {
        "rank",
        "id",
        "title",
        "artist",
        "path",
        "score",
        "start_s",
        "end_s",
        "licence",
        "credit",
        "branches",
    }
    assert wanted <= document["results"][0].keys()
    assert set(document["results"][0]["branches"]) == {"ssl", "genre"}
    rows = list(csv.DictReader(io.StringIO(ranked.to_csv())))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert "'=Three" in [row["title"] for row in rows], "no spreadsheet runs a title"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"alpha": 1.5}, "alpha must be from 0 to 1"),
        ({"alpha": float("nan")}, "alpha must be from 0 to 1"),
        ({"diversity": -0.1}, "diversity must be"),
        ({"k": 0}, "k must be at least 1"),
        ({"text": "rain", "text_weight": 0.5}, "tiny cannot search by words"),
    ],
)
def test_a_wish_out_of_range_is_refused(
    retriever: Retriever, clip: Path, wrong: dict[str, float], message: str
) -> None:
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    with pytest.raises(UsageError, match=message):
        retriever.rank(query, **wrong)


def test_a_query_of_another_system_is_refused(retriever: Retriever, library: Library, clip: Path) -> None:
    query = Retriever(library, load_system("chance")).embed_query(clip, Direction.VIDEO_TO_MUSIC)
    with pytest.raises(UsageError, match="another system"):
        retriever.rank(query, 0.5)


def test_many_threads_get_the_same_lists(retriever: Retriever, clip: Path) -> None:
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    alphas = [n / 20 for n in range(21)]
    wanted = {alpha: Retriever(retriever.library, retriever.system).rank(query, alpha) for alpha in alphas}
    wrong: list[float] = []

    def ask() -> None:
        wrong.extend(alpha for alpha in alphas if retriever.rank(query, alpha) != wanted[alpha])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

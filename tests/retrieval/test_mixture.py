"""A mixture against a slow loop: standardised over the whole library, whatever the filters; words and explanations."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Direction, Modality
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.status import system_status
from mvr.embeddings.system import load_system
from mvr.errors import UsageError
from mvr.library import Library
from mvr.media.progress import telling
from mvr.retrieval import Filters, Retriever
from mvr.retrieval.teaching import item_features

TO_MUSIC = Direction.VIDEO_TO_MUSIC


def write_media(folder: Path, make_tone: Callable[..., Path], make_clip: Callable[..., Path]) -> None:
    """Five tracks, three of them jazz, and two videos."""
    folder.mkdir(parents=True)
    for seed in range(5):
        make_tone(folder / f"{seed}.wav", seconds=2.0 + seed, seed=seed)
    for seed in range(2):
        make_clip(folder / f"{seed}.mp4", seconds=1.0, seed=seed)
    (folder / "metadata.csv").write_text("file,genre\n0.wav,jazz\n3.wav,jazz\n4.wav,jazz\n", encoding="utf-8")


@pytest.fixture
def mixed(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tiny_assets: Path,
    make_tone: Callable[..., Path],
    make_clip: Callable[..., Path],
) -> Retriever:
    """A library of five tracks and two videos under a mixture of "tiny" (twice the weight, alpha 0.25) and "chance"."""
    folder = tiny_assets / "systems"
    members = [{"system": "tiny", "weight": 2.0, "alpha": 0.25}, {"system": "chance"}]
    mix = {"name": "both", "title": "both", "summary": "", "trained_on": "nothing", "mix": members}
    (folder / "both.json").write_text(json.dumps(mix), encoding="utf-8")
    made = tmp_path_factory.getbasetemp() / "mixture"
    if not made.exists():  # once for all tests: the head of `tiny_assets` is always the same
        write_media(made / "media", make_tone, make_clip)
        Library.open(made / "library").add([made / "media"], load_system("both"))
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    library = Library.open(tmp_path / "library")
    return Retriever(library, load_system("both"))


def slow_scores(retriever: Retriever, clip: Path) -> dict[str, float]:
    """Item id -> weighted mean of standardised scores, by ranking with each member alone."""
    assert isinstance(retriever.system, MixedSystem)
    total: dict[str, float] = {}
    weights = sum(member.weight for member in retriever.system.members)
    for member in retriever.system.members:
        alone = Retriever(retriever.library, member.system)
        ranked = alone.rank(alone.embed_query(clip, TO_MUSIC), member.alpha, 100)
        values = np.array([result.score for result in ranked.results])
        for result in ranked.results:
            standard = (result.score - values.mean()) / values.std()
            total[result.item.id] = total.get(result.item.id, 0) + member.weight * standard / weights
    return total


def test_a_mixture_adds_up_standardised_scores(mixed: Retriever, tmp_path: Path):
    clip = tmp_path / "media" / "0.mp4"
    wanted = slow_scores(mixed, clip)
    ranked = mixed.rank(mixed.embed_query(clip, TO_MUSIC), k=10)
    assert [r.item.id for r in ranked.results] == sorted(wanted, key=lambda i: -wanted[i])
    for result in ranked.results:
        assert result.score == pytest.approx(wanted[result.item.id], abs=1e-5)
        assert set(result.branches) == {"tiny", "chance"}


def test_a_filter_changes_no_score_and_no_spread(mixed: Retriever, tmp_path: Path):
    query = mixed.embed_query(tmp_path / "media" / "0.mp4", TO_MUSIC)
    everything, some = mixed.rank(query, k=10), mixed.rank(query, k=10, filters=Filters(genres=("jazz",)))
    scores = {result.item.id: result.score for result in everything.results}
    assert len(some.results) == 3
    assert {r.item.id: r.score for r in some.results} == {r.item.id: scores[r.item.id] for r in some.results}
    assert some.mixture == everything.mixture


def test_mean_and_spread_are_stored_with_the_list(mixed: Retriever, tmp_path: Path):
    clip = tmp_path / "media" / "0.mp4"
    document = mixed.rank(mixed.embed_query(clip, TO_MUSIC), k=10).to_json()
    first = document["mixture"][0]
    values = [result["branches"]["tiny"] for result in document["results"]]
    assert (first["system"], first["weight"], first["alpha"]) == ("tiny", 2.0, 0.25)
    assert first["mean"] == pytest.approx(np.mean(values), abs=1e-5)
    assert first["spread"] == pytest.approx(np.std(values), abs=1e-5)


def test_alpha_and_the_length_of_the_list_change_nothing(mixed: Retriever, tmp_path: Path):
    query = mixed.embed_query(tmp_path / "media" / "1.mp4", TO_MUSIC)
    lists = [mixed.rank(query, alpha, k) for alpha, k in ((0.0, 5), (1.0, 5), (0.5, 2))]
    scores = [[(r.item.id, r.score) for r in ranked.results] for ranked in lists]
    assert scores[0] == scores[1] and scores[0][:2] == scores[2]
    assert not mixed.system.alpha


def test_items_that_one_member_has_not_embedded_are_left_out_and_counted(mixed: Retriever, tmp_path: Path):
    new = tmp_path / "new.wav"
    shutil.copy(tmp_path / "media" / "4.wav", new)
    new.write_bytes(new.read_bytes() + b"\0\0")
    mixed.library.add([new], load_system("tiny"))
    query = mixed.embed_query(tmp_path / "media" / "0.mp4", TO_MUSIC)
    ranked = mixed.rank(query, k=10)
    assert ranked.missing == 1 and ranked.library_items == 5
    assert [item.path for item in mixed.library.missing(mixed.system, Modality.AUDIO)] == [new]
    mixed.prepare(TO_MUSIC)
    assert mixed.rank(query, k=10).missing == 0


def test_the_other_direction_and_diversity_work_too(mixed: Retriever, tmp_path: Path):
    query = mixed.embed_query(tmp_path / "media" / "0.wav", Direction.MUSIC_TO_VIDEO)
    assert {r.item.modality for r in mixed.rank(query, k=5).results} == {Modality.VIDEO}
    clip = mixed.embed_query(tmp_path / "media" / "0.mp4", TO_MUSIC)
    assert len(mixed.rank(clip, k=3, diversity=0.8).results) == 3


def test_a_library_of_one_track_has_no_spread_and_still_a_list(
    tmp_path: Path, mixed: Retriever, make_tone: Callable[..., Path]
):
    library = Library.open(tmp_path / "single")
    library.add([make_tone(tmp_path / "one.wav", seconds=4, seed=9)], mixed.system)
    retriever = Retriever(library, mixed.system)
    ranked = retriever.rank(retriever.embed_query(tmp_path / "media" / "0.mp4", TO_MUSIC))
    assert [result.score for result in ranked.results] == [0.0]


def test_a_mixture_has_no_head_and_takes_none(mixed: Retriever, tmp_path: Path):
    with pytest.raises(UsageError, match="mixture and has no head"):
        mixed.system.head
    with pytest.raises(UsageError, match="belongs to one of its members"):
        load_system("both", head_path=tmp_path / "x.safetensors")


def test_a_mixture_of_a_missing_member_says_what_it_lacks(mixed: Retriever, tiny_assets: Path):
    (tiny_assets / "heads" / "tiny.safetensors").unlink()
    status = system_status("both")
    assert not status.ready and "tiny" in status.lacks


def test_another_weight_is_another_identity(mixed: Retriever, tiny_assets: Path):
    path = tiny_assets / "systems" / "both.json"
    path.write_text(path.read_text().replace('"weight": 2.0', '"weight": 3.0'), encoding="utf-8")
    assert load_system("both").identity != mixed.system.identity


def test_a_re_ranking_learns_from_all_members_end_to_end(mixed: Retriever):
    features = item_features(mixed, mixed.library.items(Modality.AUDIO), 0.5)
    assert len(features) == 5
    width = sum(part.head.dim for part in mixed.system.parts)
    for vector in features.values():
        assert vector.shape == (width,) and 0 < np.linalg.norm(vector) <= 1 + 1e-5


def test_members_with_one_backbone_read_a_file_once_and_say_how_far_they_are(
    mixed: Retriever, tmp_path: Path, tiny_assets: Path, make_tone: Callable[..., Path]
):
    members = [{"system": "tiny", "alpha": 0.0}, {"system": "tiny", "alpha": 1.0}, {"system": "chance"}]
    mix = {"name": "twice", "title": "twice", "summary": "", "trained_on": "nothing", "mix": members}
    (tiny_assets / "systems" / "twice.json").write_text(json.dumps(mix), encoding="utf-8")
    twice = Retriever(mixed.library, load_system("twice"))
    tone = make_tone(tmp_path / "new.wav", seconds=60.0, seed=7)
    read: list[str] = []
    for part in twice.system.parts:
        of_file = part.features_of_file

        def counted(
            path: Path, modality: Modality, of_file: Callable[..., object] = of_file, name: str = part.name
        ):
            read.append(name)
            return of_file(path, modality)

        part.features_of_file = counted  # type: ignore[assignment,method-assign]
    told: list[float] = []
    with telling(told.append):
        query = twice.embed_query(tone, Direction.MUSIC_TO_VIDEO)
    assert read == ["tiny", "chance"]
    assert [part.system for part in query.parts] == [part.identity for part in twice.system.parts]
    assert told == sorted(told) and len(told) > 5 and told[-1] == 1.0

"""An index that follows its library beside one that is built anew, after any changes, by whoever makes them."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mvr.datatypes import BranchedEmbeddings, Direction, FloatArray, Modality, Segment, mix_branches
from mvr.embeddings.system import SegmentFeatures, System, load_system
from mvr.heads.head import BothSides
from mvr.index.exact import NumpyIndex
from mvr.library import Library, catalogue, following, indexes, listing, vectors
from mvr.library.indexes import LibraryIndexes
from mvr.library.item import Item
from mvr.library.vectors import LibraryIndex
from mvr.retrieval import Filters, Query, Retriever

GENRES = ("jazz", "rock", "")
STEPS = 40
FILTERS = (Filters(), Filters(genres=("jazz",)), Filters(min_duration_s=10.0))


class Halves(BothSides):
    """Two branches of eight numbers, taken from the features as they are: the same bits in every batch."""

    kind, branches, dim, video_dim, audio_dim = "halves", ("ssl", "genre"), 8, 0, 0
    settings: dict[str, Any] = {}  # noqa: RUF012

    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        rows = features[:, :16].reshape(-1, 2, 8)
        vectors = rows / np.sqrt((rows**2).sum(-1, keepdims=True))
        return BranchedEmbeddings(vectors=vectors.astype(np.float32), branches=self.branches)


class Changing:
    """A library that is changed at random, through two openings of it; features are drawn, no file holds anything.

    Features are whole numbers from a few, so that many items score alike.
    """

    def __init__(self, root: Path, system: System, seed: int) -> None:
        self.root, self.system, self.rng = root, system, np.random.default_rng(seed)
        self.openings = [Library.open(root / "library"), Library.open(root / "library")]
        self.width = system.backbone(Modality.AUDIO).dim
        (root / "files").mkdir()
        self.made = 0

    @property
    def library(self) -> Library:
        """One of the openings."""
        return self.openings[int(self.rng.integers(2))]

    def _item(self, modality: Modality) -> Item:
        self.made += 1
        content = f"{self.made * 2654435761 % 2**32:08x}" * 8
        path = self.root / "files" / f"{self.made}.wav"
        path.touch()
        genre = GENRES[self.rng.integers(3)]
        known = self.openings[0].items(modality)
        twin = known[self.rng.integers(len(known))].id if known and self.rng.random() < 0.2 else None
        return Item(
            id=content[:16], content=content, modality=modality, path=path, name=path.name, title=path.stem,
            genre=(genre,) if genre else (), duration_s=float(self.rng.integers(5, 15)), same_as=twin,
        )  # fmt: skip

    def draw(self, path: Path) -> SegmentFeatures:
        """Features of up to three segments."""
        rng = np.random.default_rng(int(path.stem))
        rows = np.zeros((int(rng.integers(1, 4)), self.width), np.float32)
        rows[:, :16] = rng.choice([-1.0, 1.0], (len(rows), 16))
        rows[:, :16] *= np.repeat(rng.choice([1.0, 0.0], (len(rows), 4), p=[0.8, 0.2]), 4, axis=1) + 0.5
        segments = tuple(Segment(start_s=2.0 * n, end_s=2.0 * n + 4) for n in range(len(rows)))
        return SegmentFeatures(segments=segments, features=rows)

    def add(self) -> None:
        """One or two items, most with features, tracks for the most part, some in the place of another one."""
        for _ in range(int(self.rng.integers(1, 3))):
            modality = Modality.AUDIO if self.rng.random() < 0.8 else Modality.VIDEO
            item, library = self._item(modality), self.library
            if self.rng.random() < 0.8:
                library._features._ensure_one(item, self.system)
            others = library.items(modality)
            replaced = others[self.rng.integers(len(others))] if others and self.rng.random() < 0.2 else None
            library._catalogue.add(item, instead_of=replaced, keep_edits=bool(self.rng.integers(2)))

    def embed(self) -> None:
        """Features for what has none; of another process's they are seen with the next change of an item."""
        self.library.embed_missing(self.system, Modality.AUDIO)
        self.edit()

    def _some(self) -> list[str]:
        ids = [item.id for item in self.openings[0].items()]
        count = min(len(ids), int(self.rng.integers(1, 3)))
        return [str(each) for each in self.rng.choice(ids, count, replace=False)] if ids else []

    def edit(self) -> None:
        """Other words."""
        for item_id in self._some():
            self.library.edit(item_id, genre=GENRES[self.rng.integers(3)], title=f"T{self.rng.integers(99)}")

    def retag(self) -> None:
        """Other words in the file."""
        for item_id in self._some():
            self.library._catalogue.retag(item_id, {"artist": f"A{self.rng.integers(99)}", "mood": ("calm",)})

    def remove(self) -> None:
        """Take out, to be restored or not."""
        if ids := self._some():
            self.library.remove(ids)

    def restore(self) -> None:
        """Bring back."""
        if self.library.removed():
            self.library.restore()

    def purge(self) -> None:
        """Let go for good."""
        self.library.purge()

    def files(self) -> None:
        """Files go and come back."""
        for item_id in self._some():
            path = self.openings[0].item(item_id).path
            path.unlink() if path.exists() else path.touch()
        self.library.check_files()

    def step(self) -> str:
        """One of these."""
        kinds = (
            *[self.add] * 5, self.embed, self.edit, self.retag, self.remove, self.restore, self.purge, self.files,
        )  # fmt: skip
        work = kinds[int(self.rng.integers(len(kinds)))]
        work()
        return work.__name__


@pytest.fixture
def system(tiny_assets: Path) -> System:
    head: Any = Halves()
    return load_system("tiny").under(head, "halves")


def assert_same(found: LibraryIndex, wanted: LibraryIndex) -> None:
    assert found.items == wanted.items and found.missing == wanted.missing
    assert found.index.settings.kind == wanted.index.settings.kind
    rows, count = found.rows, len(wanted.times)
    assert wanted.rows.tolist() == list(range(count)) and len(rows) == count <= len(found.times)
    assert [found.index.ids[row] for row in rows] == wanted.index.ids
    for name in ("music", "present"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_array_equal(found.times[rows], wanted.times)
    np.testing.assert_array_equal(found.owner[rows], wanted.owner)
    assert np.count_nonzero(found.owner >= 0) == count
    np.testing.assert_array_equal(found.index.vectors[rows], wanted.index.vectors)
    np.testing.assert_array_equal(found.index.grams[rows], wanted.index.grams)  # type: ignore[attr-defined]
    assert found.positions == wanted.positions


def asked(system: System, seed: int) -> Query:
    rows = np.random.default_rng(seed).choice([-1.0, 1.0, 3.0], (2, 16)).astype(np.float32)
    return Query(
        name="clip", content="c" * 64, direction=Direction.VIDEO_TO_MUSIC, duration_s=8.0,
        segments=(Segment(start_s=0.0, end_s=4.0), Segment(start_s=4.0, end_s=8.0)),
        embeddings=system.encode(rows, Modality.VIDEO), system=system.identity,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_after_any_changes_index_and_lists_are_those_of_a_library_opened_anew(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(
        vectors, "_FLOAT32_ITEMS", 10
    )  # float32 rows become float16 ones on the way, and back
    monkeypatch.setattr(catalogue, "JOURNAL", 40)
    monkeypatch.setattr(
        following, "_FEW_ROWS", 5 if seed else 1000
    )  # so many lie about before all are packed
    monkeypatch.setattr(indexes, "_FEW_CHANGES", 1 if seed == 3 else 5000)
    changing = Changing(tmp_path, system, seed)
    monkeypatch.setattr(System, "features_of_file", lambda self, path, modality: changing.draw(path))
    built: list[LibraryIndexes] = []
    monkeypatch.setattr(LibraryIndexes, "_built", counting(LibraryIndexes._built, built))
    retrievers = [Retriever(library, system) for library in changing.openings]
    query = asked(system, seed)
    for _ in range(STEPS):
        done = changing.step()
        fresh = Library.open(changing.root / "library")
        for library, modality in itertools.product(changing.openings, Modality):
            assert_same(library.index(system, modality), fresh.index(system, modality))
        alpha, filters = float(changing.rng.random()), FILTERS[changing.rng.integers(3)]
        expected = Retriever(fresh, system).rank(query, alpha, 5, filters=filters).to_json()
        for retriever in retrievers:
            assert retriever.rank(query, alpha, 5, filters=filters).to_json() == expected, done
    again = sum(each in [library._indexes for library in changing.openings] for each in built)
    assert again < STEPS, "of two openings and modalities, hardly any is built anew"
    assert len(changing.openings[0].index(system, Modality.AUDIO)) > 5


def counting(built: Any, seen: list[LibraryIndexes]) -> Any:
    """The same, noting whose index was built."""

    def noted(self: LibraryIndexes, system: System, modality: Modality) -> following.Held:
        seen.append(self)
        held: following.Held = built(self, system, modality)
        return held

    return noted


def test_only_what_changed_is_read_and_encoded_and_the_rest_of_a_list_is_kept(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = Changing(tmp_path, system, 0)
    monkeypatch.setattr(System, "features_of_file", lambda self, path, modality: changing.draw(path))
    while len(changing.openings[0].items(Modality.AUDIO)) < 12:
        changing.add()
    changing.embed()
    library, other = changing.openings
    retriever, query = Retriever(library, system), asked(system, 0)
    first, rows = retriever.rank(query, 0.5, 20), library.index(system, Modality.AUDIO).index
    read: list[int] = []
    item_of = listing.item_of
    monkeypatch.setattr(listing, "item_of", lambda row: [read.append(1), item_of(row)][1])
    encoded: list[int] = []
    encode = system.encode
    monkeypatch.setattr(system, "encode", lambda f, m: [encoded.append(len(f)), encode(f, m)][1])
    asked_again = NumpyIndex.cross
    monkeypatch.setattr(NumpyIndex, "cross", None)  # the products of the query with all rows go on
    leads = first.results[0].item
    other.edit(leads.id, title="Other", genre="polka")
    read.clear()
    again = retriever.rank(query, 0.5, 20)
    assert again.results[0].item.title == "Other" and [r.score for r in again.results] == [
        r.score for r in first.results
    ]
    assert library.index(system, Modality.AUDIO).index is rows and (sum(read), encoded) == (1, [])
    leads.path.unlink()
    assert retriever.rank(query, 0.5, 20).results[0].item.id == first.results[1].item.id
    leads.path.touch()
    assert library.check_files() == [leads.id]
    assert [r.item.id for r in retriever.rank(query, 0.5, 20).results] == [r.item.id for r in first.results]
    assert library.index(system, Modality.AUDIO).index is rows and encoded == []
    other.remove([leads.id])
    with monkeypatch.context() as oracle:
        oracle.setattr(NumpyIndex, "cross", asked_again)
        without = Retriever(Library.open(library.root), system).rank(query, 0.5, 20)
    encoded.clear()
    assert retriever.rank(query, 0.5, 20).to_json() == without.to_json()
    assert library.index(system, Modality.AUDIO).index is rows and encoded == []
    looked: list[int] = []
    monkeypatch.setattr(
        NumpyIndex,
        "cross",
        lambda self, q, first=0: [looked.append(len(self) - first), asked_again(self, q, first)][1],
    )
    other.restore()
    assert [r.item.id for r in retriever.rank(query, 0.5, 20).results] == [r.item.id for r in first.results]
    came = len(changing.draw(leads.path).features)
    assert encoded == [came] and looked == [came, came], (
        "only what came back goes through the head, and is compared"
    )
    monkeypatch.setattr(following, "_FEW_ROWS", -1000)  # rows that belong to nobody are many now
    other.remove([leads.id])
    assert retriever.rank(query, 0.5, 20).to_json() == without.to_json()
    assert library.index(system, Modality.AUDIO).index is not rows
    assert len(retriever._kept) == 1, "products with an index that is left are let go"


def test_lists_made_while_the_library_changes_are_whole(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = Changing(tmp_path, system, 7)
    monkeypatch.setattr(System, "features_of_file", lambda self, path, modality: changing.draw(path))
    for _ in range(8):
        changing.add()
    library, writer = changing.openings
    retriever, done, failed = Retriever(library, system), threading.Event(), []

    def search(seed: int) -> None:
        query = asked(system, seed)
        try:
            while not done.is_set():
                found = retriever.rank(query, 0.5, 50).results
                scores = [result.score for result in found]
                assert scores == sorted(scores, reverse=True) and len({r.item.id for r in found}) == len(
                    found
                )
                for result in found:  # each item with its own best segment
                    rows = changing.draw(Path(result.item.title)).features
                    own = mix_branches(
                        system.encode(rows, Modality.AUDIO).vectors, np.full(2, 0.5, np.float32)
                    )
                    best = (own @ mix_branches(query.embeddings.vectors, np.full(2, 0.5, np.float32)).T).max()
                    assert abs(result.score - best) < 1e-5
        except Exception as error:  # a thread's own failure is no test's
            failed.append(error)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        changing.openings = [writer, writer]
        [changing.add, changing.remove, changing.restore][int(changing.rng.integers(3))]()
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []

"""The demo library: what ships is complete and current, another folder of the form opens too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import System, load_system
from mvr.errors import DataError
from mvr.library import demo, open_demo_library
from mvr.library.catalogue import Catalogue
from mvr.retrieval import Retriever

SHIPPED = ["control-mvr-mini", "mvbind-mini", "bridge-mini"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_library_opens_without_computing_anything(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails after a change of the descriptors: `mvr library bake-demo` with these systems bakes again."""
    monkeypatch.setattr(demo, "measure", None)
    monkeypatch.setattr(System, "features_of_file", None)
    library, system = open_demo_library(), load_system(name)
    assert len(library.items(Modality.AUDIO)) >= 20 and len(library.items(Modality.VIDEO)) >= 8
    for modality in Modality:
        assert library.missing(system, modality) == []
    retriever = Retriever(library, system)
    for direction in Direction:
        query = retriever.query_item(library.items(direction.query)[0].id)
        assert len(retriever.rank(query, 0.5, k=100).results) == len(library.items(direction.target))


def test_baked_features_are_those_of_the_files() -> None:
    library, system = open_demo_library(), load_system(SHIPPED[0])
    item = library.items(Modality.AUDIO)[0]
    baked, now = library.features(item, system), system.features_of_file(item.path, Modality.AUDIO)
    assert baked is not None and baked.segments == now.segments
    np.testing.assert_allclose(baked.features, now.features, atol=1e-3)


def test_every_shipped_item_has_title_licence_and_genre() -> None:
    for item in open_demo_library().items():
        assert item.title and item.licence.startswith("CC0") and item.genre and item.path.is_file()
        assert item.loudness_lufs is not None and item.duration_s > 5


def test_items_added_together_stand_as_if_added_one_by_one() -> None:
    items = open_demo_library().items()
    together, singly = Catalogue(None), Catalogue(None)
    together.add_new(items[:5])
    together.add_new(items[5:])
    for item in items:
        singly.add(item)
    assert together.items() == singly.items() == items
    assert together.revision() > 0 and together.listing.page(count=3, first=3) == singly.listing.page(
        count=3, first=3
    )


@pytest.fixture
def folder(tmp_path: Path, make_tone: Callable[..., Path], make_clip: Callable[..., Path]) -> Path:
    made = tmp_path / "demo"
    (made / "tracks").mkdir(parents=True)
    (made / "videos").mkdir()
    make_tone(made / "tracks" / "a.wav", seconds=3.0)
    make_clip(made / "videos" / "b.mp4")
    entries = [
        {
            "id": "a",
            "kind": "track",
            "file": "tracks/a.wav",
            "title": "A",
            "licence": "CC0-1.0",
            "genre": "jazz",
        },
        {"id": "b", "kind": "video", "file": "videos/b.mp4", "title": "B", "mood": ["calm"]},
    ]
    (made / "manifest.json").write_text(json.dumps({"items": entries}))
    return made


def test_a_folder_that_is_not_baked_is_measured_and_embedded_when_needed(
    folder: Path, tiny_assets: Path
) -> None:
    library, system = open_demo_library(folder), load_system("tiny")
    track, video = library.items()
    assert (track.genre, video.mood, video.licence) == (("jazz",), ("calm",), "unknown")
    assert Retriever(library, system).prepare(Direction.VIDEO_TO_MUSIC) == []
    assert library.missing(system, Modality.AUDIO) == []
    assert open_demo_library(folder).missing(system, Modality.AUDIO) == [], "kept for the next time"


def test_baking_writes_what_opening_reads(
    folder: Path, tiny_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = load_system("tiny")
    assert demo.bake_demo([system, load_system("chance")], folder) == 2
    before = open_demo_library(folder).items()
    monkeypatch.setattr(demo, "measure", None)
    library = open_demo_library(folder)
    assert [i.duration_s for i in library.items()] == [i.duration_s for i in before]
    assert library.missing(system, Modality.AUDIO) == [] == library.missing(system, Modality.VIDEO)


def test_a_manifest_that_names_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "tracks" / "a.wav").unlink()
    with pytest.raises(DataError, match=r"names tracks/a\.wav, which does not exist"):
        open_demo_library(folder)

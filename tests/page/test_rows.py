"""What is made from a visitor's file is deleted with it; what is made from shared items is kept for all."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mvr.datatypes import Modality
from mvr.errors import NotInLibrary
from mvr.page.context import PageContext, create_context
from mvr.page.library.catalogue import OWN
from mvr.page.library.rows import cache_file, item_row, wave_url


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def public(home) -> PageContext:
    """A page on a host that others reach."""
    context = create_context(server_name="0.0.0.0")
    yield context
    upload = context.visit("left open").new_file(".mp4")
    upload.write_bytes(b"x")
    context.close()
    assert not upload.exists(), "the end of the server is the end of all visits"


def tune(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(np.arange(22_050) / 20), 22_050)
    return path


def item_at(path: Path) -> SimpleNamespace:
    return SimpleNamespace(id="0123456789abcdef", path=path, modality=Modality.AUDIO)


def test_an_item_whose_file_is_gone_says_so_in_its_row(public, tmp_path):
    from mvr.library import Item
    from mvr.page import texts

    words = {
        "id": "0",
        "content": "0",
        "modality": Modality.AUDIO,
        "name": "a.wav",
        "title": "a",
        "duration_s": 1.0,
    }
    here = Item(path=tune(tmp_path / "a.wav"), licence="ask", licence_url="https://a.example/ask", **words)
    gone = Item(path=tmp_path / "gone.wav", **words)
    rows = [item_row(public.shelf, item, None) for item in (here, gone)]
    assert [row.facts for row in rows] == [("0:01",), (texts.LIBRARY_GONE, "0:01")]
    assert rows[0].licence_url == "https://a.example/ask"


def test_a_drawing_of_a_visitors_own_track_is_deleted_with_the_visit(public, home):
    visit = public.visit("a")
    folder = Path(public.library_key(OWN, visit))
    item = item_at(tune(folder / "media" / "1" / "tune.wav"))
    address = wave_url(public.shelf, item, visit.id)
    with TestClient(Starlette(routes=[public.shelf.route()])) as client:
        assert client.get(address).status_code == 200
        made = cache_file(item, ".svg", visit.id)
        assert made.is_relative_to(visit.folder) and made.exists()
        public.visits.end("a")
        assert client.get(address).status_code == 404
    assert not made.exists()
    assert [path for path in home.rglob("*") if item.id in path.name] == []


def test_what_is_made_from_shared_items_is_kept_for_all(public, home, tmp_path):
    visit = public.visit("a")
    item = item_at(tune(tmp_path / "demo" / "tune.wav"))
    for owner in (None, visit.id):
        assert cache_file(item, ".svg", owner) == home / "page-cache" / "0123456789abcdef.svg"


def test_two_visitors_of_a_shared_host_have_libraries_of_their_own(public, home):
    first, second = public.visit("a"), public.visit("b")
    keys = [public.library_key(OWN, visit) for visit in (first, second)]
    assert len(set(keys)) == 2 and all(Path(key).is_relative_to(home / "visits") for key in keys)
    system = public.catalogue.system("control-mvr-mini")
    report = public.catalogue.library(keys[0]).add(
        [tune(Path(keys[0]) / "media" / "1" / "secret.wav")], system
    )
    [item] = report.added
    assert [found.id for found in public.catalogue.items(keys[0])] == [item.id]
    assert public.catalogue.items(keys[1]) == []
    with pytest.raises(NotInLibrary):
        public.catalogue.library(keys[1]).item(item.id)

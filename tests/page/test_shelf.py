"""Only what was put on the shelf is served, under an address that nobody can guess."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mvr.errors import NoSound, UsageError
from mvr.page.serving.shelf import Shelf, ShelfItem


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def client(shelf: Shelf) -> TestClient:
    return TestClient(Starlette(routes=[shelf.route()]))


def write(path: Path, content: bytes = b"0123456789") -> Path:
    path.write_bytes(content)
    return path


def test_a_file_on_the_shelf_is_served_with_its_media_type(shelf, client, tmp_path):
    address = shelf.put(ShelfItem(path=write(tmp_path / "a.m4a"), name="a.m4a"))
    answer = client.get(address)
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["content-type"] == "audio/mp4"
    assert answer.headers["content-disposition"].startswith("inline")


def test_a_byte_range_is_served(shelf, client, tmp_path):
    address = shelf.put(ShelfItem(path=write(tmp_path / "a.mp4"), name="a.mp4"))
    answer = client.get(address, headers={"range": "bytes=2-4", "cookie": "secret=1"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["content-range"] == "bytes 2-4/10"
    assert "cookie" not in answer.headers


@pytest.mark.parametrize("path", ["media/xyz/a.m4a", "media/..%2f..%2fetc/passwd", "media//etc/passwd"])
def test_what_is_not_on_the_shelf_is_404(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["page.html", "x.js", "noending", "a.svg.exe"])
def test_other_file_types_are_refused(shelf, tmp_path, name):
    with pytest.raises(UsageError, match="does not serve"):
        shelf.put(ShelfItem(path=tmp_path / name, name=name))


def test_the_same_file_keeps_its_address_and_another_owner_gets_another(shelf, tmp_path):
    path = write(tmp_path / "a.m4a")
    first, again, other = (
        shelf.put(ShelfItem(path=path, name="a.m4a", owner=owner)) for owner in ("x", "x", "y")
    )
    assert first == again != other


def test_dropping_an_owner_leaves_the_others(shelf, client, tmp_path):
    path = write(tmp_path / "a.m4a")
    mine, theirs = (shelf.put(ShelfItem(path=path, name="a.m4a", owner=owner)) for owner in ("x", "y"))
    shelf.drop("x")
    assert client.get(mine).status_code == 404
    assert client.get(theirs).status_code == 200


def test_a_download_keeps_a_name_in_any_script(shelf, client, tmp_path):
    path = write(tmp_path / "a.mp4")
    address = shelf.put(ShelfItem(path=path, name='été "1" 音楽#?.mp4', download=True))
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment; filename*=utf-8''%C3%A9t%C3%A9")


def test_a_file_that_is_made_on_request_is_made_once(shelf, client, tmp_path):
    calls = []

    def make(out: Path) -> None:
        calls.append(out)
        write(out)

    address = shelf.put(ShelfItem(path=tmp_path / "deep" / "a.jpg", name="a.jpg", make=make))
    threads = [threading.Thread(target=client.get, args=(address,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get(address).content == b"0123456789"
    assert len(calls) == 1


def test_another_last_part_of_an_address_may_name_another_file(shelf, client, tmp_path):
    others = {"b.flac": ShelfItem(path=write(tmp_path / "b.flac", b"b"), name="b.flac")}
    address = shelf.put(ShelfItem(path=write(tmp_path / "a.flac", b"a"), name="a.flac", named=others.get))
    assert [client.get(address.replace("a.flac", name)).content for name in ("a.flac", "b.flac")] == [
        b"a",
        b"b",
    ]
    assert client.get(address.replace("a.flac", "c.flac")).status_code == 404


def test_a_file_that_cannot_be_made_is_one_sentence(shelf, client, tmp_path):
    def make(out: Path) -> None:
        raise NoSound("a.mp4 has no sound")

    answer = client.get(shelf.put(ShelfItem(path=tmp_path / "a.m4a", name="a.m4a", make=make)))
    assert (answer.status_code, answer.text) == (422, "a.mp4 has no sound")


def test_a_file_that_was_deleted_is_404(shelf, client, tmp_path):
    path = write(tmp_path / "a.m4a")
    address = shelf.put(ShelfItem(path=path, name="a.m4a"))
    path.unlink()
    assert client.get(address).status_code == 404

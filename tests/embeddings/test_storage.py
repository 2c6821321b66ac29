"""A dataset at a URL is copied to a folder; what is not there or not known is one sentence."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from mvr.embeddings.extraction.storage import staged
from mvr.errors import DataError, UsageError


@pytest.fixture
def memory() -> fsspec.AbstractFileSystem:
    """Storage of another kind than files: in memory, emptied first."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pipe(
        {"/bucket/set/data/train-0.parquet": b"rows", "/bucket/set/README.md": b"card", "/bucket/x": b"no"}
    )
    return files


def test_a_path_stays_what_it_is(tmp_path: Path) -> None:
    assert staged(str(tmp_path), tmp_path / "copy") == tmp_path and not (tmp_path / "copy").exists()


@pytest.mark.parametrize("place", ["memory://bucket/set", "memory://bucket/set/"])
def test_what_lies_under_a_url_is_copied_with_its_folders(memory, place: str, tmp_path: Path) -> None:
    copy = staged(place, tmp_path / "copy")
    found = {
        path.relative_to(copy).as_posix(): path.read_bytes() for path in copy.rglob("*") if path.is_file()
    }
    assert found == {"data/train-0.parquet": b"rows", "README.md": b"card"}


def test_local_files_have_urls_too(tmp_path: Path) -> None:
    (tmp_path / "été").mkdir()
    (tmp_path / "été" / "a.mp4").write_bytes(b"clip")
    copy = staged(f"file://{tmp_path}/été", tmp_path / "copy")
    assert (copy / "a.mp4").read_bytes() == b"clip"


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("memory://bucket/gone", DataError, "memory://bucket/gone is not a folder"),
        ("memory://bucket/x", DataError, "is not a folder; give the URL of a built set"),
        ("nowhere://bucket", UsageError, "cannot be opened by fsspec: Protocol not known: nowhere"),
    ],
)
def test_what_cannot_be_staged_is_one_sentence(
    memory, place: str, error, message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        staged(place, tmp_path / "copy")

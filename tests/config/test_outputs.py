"""What may be written: every way to name a file that is not to be lost."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mvr.config.outputs import (
    VIDEO_ENDINGS,
    check_output_file,
    check_output_folder,
    drawn_once,
    written_whole,
)
from mvr.errors import OutputRefused


@pytest.fixture
def film(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "film.mp4"
    path.write_bytes(b"the only copy")
    return path


def spellings(film: Path) -> dict[str, Path]:
    """Other names of one file."""
    folder = film.parent
    (folder / "link.mp4").symlink_to(film)
    (folder / "link of a link.mp4").symlink_to(folder / "link.mp4")
    os.link(film, folder / "hard.mp4")
    (folder / "elsewhere").symlink_to(folder)
    return {
        "itself": film,
        "a link": folder / "link.mp4",
        "a link of a link": folder / "link of a link.mp4",
        "a hard link": folder / "hard.mp4",
        "a linked folder": folder / "elsewhere" / "film.mp4",
        "a way round": folder / "folder" / ".." / "film.mp4",
    }


SPELLINGS = ("itself", "a link", "a link of a link", "a hard link", "a linked folder", "a way round")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_input_is_never_written_over_under_any_name(film: Path, spelling: str, force: bool) -> None:
    with pytest.raises(OutputRefused, match="is read by this command and is never written over"):
        check_output_file(spellings(film)[spelling], inputs=[film], force=force)
    with pytest.raises(OutputRefused, match="never written over"):  # and the other way round
        check_output_file(film, inputs=[film.parent / "link.mp4"], force=force)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_library_file_is_never_written_over_under_any_name(film: Path, spelling: str) -> None:
    with pytest.raises(OutputRefused, match="is a file of the library"):
        check_output_file(spellings(film)[spelling], kept=[film.parent / "gone.mp4", film], force=True)


def test_anything_else_that_is_there_takes_force(film: Path) -> None:
    with pytest.raises(OutputRefused, match=r"is there already; .* --force"):
        check_output_file(film)
    assert check_output_file(film, inputs=[film.parent / "other.mp4"], force=True) == film
    (film.parent / "nowhere.mp4").symlink_to(film.parent / "nothing")
    with pytest.raises(OutputRefused, match="is there already"):
        check_output_file(film.parent / "nowhere.mp4")


def test_a_library_is_looked_through_only_when_something_is_there(film: Path) -> None:
    def kept():
        raise AssertionError("looked through")
        yield

    assert check_output_file(film.with_name("new.mp4"), kept=kept())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("folder", "is a folder; name a file in it"),
        ("new.webm", r"name a file that ends in \.mp4, \.mov or \.mkv"),
        ("new", r"name a file that ends in \.mp4"),
        ("not there/new.mp4", "not there does not exist; make it first"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(film: Path, name: str, sentence: str) -> None:
    with pytest.raises(OutputRefused, match=sentence):
        check_output_file(film.parent / name, endings=VIDEO_ENDINGS, force=True)


def test_endings_in_capitals_are_the_same(film: Path) -> None:
    assert check_output_file(film.with_name("NEW.MOV"), endings=VIDEO_ENDINGS)


def test_a_device_is_no_file_to_replace() -> None:
    with pytest.raises(OutputRefused, match="not an ordinary file"):
        check_output_file(Path("/dev/null"), force=True)


def test_folders_are_written_into_when_new_empty_or_of_our_kind(tmp_path: Path) -> None:
    ours, empty, foreign = tmp_path / "ours", tmp_path / "empty", tmp_path / "foreign"
    for folder in (ours, empty, foreign):
        folder.mkdir()
    (ours / "votes.jsonl").write_text("{}")
    (empty / ".DS_Store").write_text("")
    (foreign / "letters.txt").write_text("dear ...")
    for folder in (tmp_path / "new", ours, empty):
        assert check_output_folder(folder, ("board.json", "*.jsonl")) == folder
    with pytest.raises(OutputRefused, match=r"holds other files \(letters\.txt\) and is left alone"):
        check_output_folder(foreign, ("board.json", "*.jsonl"))
    with pytest.raises(OutputRefused, match="is a file; name a folder"):
        check_output_folder(foreign / "letters.txt", ("board.json",))


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_what_is_written_is_for_whom_the_user_s_files_are(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with written_whole(tmp_path / "out.safetensors") as part:
            save_file({"a": np.zeros(1, np.float32)}, part)
            part.chmod(0o600)  # as safetensors does
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.safetensors").stat().st_mode) == mode


@pytest.fixture(params=["links", "no links"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, also of a disk that gives no file a second name, such as exFAT."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path


def test_what_is_drawn_once_is_the_same_for_all_who_draw_at_one_time(disk: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        drawn = set(pool.map(lambda n: drawn_once(disk / "name", f"draw {n}".encode(), 0o600), range(64)))
    assert len(drawn) == 1 and drawn_once(disk / "name", b"later") in drawn
    assert [path.name for path in disk.iterdir()] == ["name"], "nothing is left beside it"
    assert stat.S_IMODE((disk / "name").stat().st_mode) == 0o600


def test_a_name_whose_taker_died_is_filled_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvr.config.outputs._TORN_S", 0.02)
    (tmp_path / "name").touch()
    assert drawn_once(tmp_path / "name", b"drawn") == b"drawn"


def test_a_disk_that_is_full_is_no_disk_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match="No space left"):
        drawn_once(tmp_path / "name", b"drawn")
    assert not list(tmp_path.iterdir())

"""A full disk is said to be one, whoever writes: the file is not at fault, and nothing half written stays."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from safetensors import SafetensorError

from mvr import __main__ as command_line
from mvr.config.disk import disk_refusal, has_no_room
from mvr.config.outputs import written_whole
from mvr.errors import OutputRefused
from mvr.media.ffmpeg import run_ffmpeg

FULL = Path("/dev/full")  # each write to it finds no room
# as it was said on a full disk
SAFETENSORS = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_sqlite_s_full_disk_is_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "small.db")) as database:
        database.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as found:
            database.execute("CREATE TABLE t AS SELECT zeroblob(100000)")
    assert has_no_room(found.value) and "make room" in str(disk_refusal(found.value))


def test_what_a_library_says_in_words_is_understood() -> None:
    assert has_no_room(SAFETENSORS) and not has_no_room(SafetensorError("Error while deserializing"))
    assert disk_refusal(ValueError("a fault of ours")) is None


def test_a_name_that_no_disk_takes_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long") as found:
        (tmp_path / ("a" * 300)).stat()
    assert "cannot be used (File name too long)" in str(disk_refusal(found.value))


def test_a_folder_that_is_gone_when_something_is_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda _: True)  # it was there a moment ago
    with pytest.raises(OutputRefused, match="takes no files"), written_whole(tmp_path / "gone" / "out.wav"):
        raise AssertionError


def test_a_picture_that_finds_no_room_is_not_called_damaged(tmp_path: Path) -> None:
    arguments = ["-f", "lavfi", "-i", "testsrc=d=1", "-f", "rawvideo", str(FULL)]
    with pytest.raises(OSError, match="No space left") as found:
        run_ffmpeg(arguments, tmp_path / "clip.mp4", 60)
    assert found.value.errno == errno.ENOSPC


def test_nothing_half_written_stays_and_what_was_there_does(tmp_path: Path) -> None:
    (tmp_path / "out.bin").write_text("before")
    with pytest.raises(OSError, match="No space left"), written_whole(tmp_path / "out.bin") as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_a_command_says_it_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: object) -> None:
        raise SAFETENSORS

    monkeypatch.setattr(command_line, "app_for", lambda words: full)
    monkeypatch.setattr(sys, "argv", ["mvr"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "mvr: there is no room left on the disk; make room, or choose a place on another one\n"
    )

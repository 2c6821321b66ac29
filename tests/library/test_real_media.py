"""Real files: every one is added or named with a reason, and the same music is known again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from mvr.embeddings.system import load_system
from mvr.library import Library

pytestmark = pytest.mark.real_data


def test_every_odd_file_is_added_or_named_in_one_sentence(
    shared: Path, tmp_path: Path, tiny_assets: Path
) -> None:
    folder = shared / "media" / "odd"
    report = Library.open(tmp_path / "library").add([folder], load_system("chance"))
    files = [path for path in folder.iterdir() if path.is_file()]
    assert len(report.added) + len(report.known) + len(report.skipped) + report.ignored == len(files)
    assert len(report.added) > 40 and len(report.skipped) < 10
    for path, reason in report.skipped:
        assert Path(path).name in reason and "\n" not in reason, reason
    names = {item.name for item in report.added}
    assert {path.name for path in files} >= names


def test_music_that_was_encoded_again_or_cut_is_known_again(
    shared: Path, tmp_path: Path, tiny_assets: Path
) -> None:
    music = sorted((shared / "media" / "music").glob("*.opus"))[:6]
    changes = {"quiet.mp3": ["-af", "volume=-6dB", "-b:a", "64k"], "cut.mp3": ["-ss", "6", "-t", "18"]}
    for name, arguments in changes.items():
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(music[0]), *arguments]
        subprocess.run([*command, str(tmp_path / name)], check=True)
    library, system = Library.open(tmp_path / "library"), load_system("chance")
    first = library.add(music, system)
    assert not first.same_music, "six different pieces"
    again = library.add([tmp_path / name for name in changes], system)
    original = next(item.id for item in first.added if item.path == music[0])
    assert [same_as for _, same_as in again.same_music] == [original, original]

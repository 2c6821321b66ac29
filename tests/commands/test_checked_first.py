"""What is wrong with a file is said before anything heavy is loaded: its existence and kind cost nothing to check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import json, sys
from mvr.__main__ import main
try:
    main()
except SystemExit as left:
    code = left.code
heavy = ["torch", "scipy", "librosa", "transformers", "pyarrow", "sqlalchemy", "faiss", "pyloudnorm"]
print(json.dumps([code, [name for name in heavy if name in sys.modules]]))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, make_tone) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "text.mp4").write_text("no media")
    make_tone(folder / "sound.wav", seconds=1.0)
    return folder


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("recommend", "nowhere.mp4"), "there is no file"),
        (("recommend", "text.mp4"), "text.mp4: not a video or sound file"),
        (("recommend", "sound.wav"), "the file has no picture"),
        (("recommend", "."), "is a folder"),
        (("find-videos", "nowhere.wav"), "there is no file"),
        (("find-videos", "text.mp4"), "text.mp4: not a video or sound file"),
        (("export", "nowhere.mp4", "sound.wav", "--out", "o.mp4"), "there is no file"),
        (("export", "text.mp4", "sound.wav", "--out", "o.mp4"), "text.mp4: not a video or sound file"),
        (
            ("export", "sound.wav", "sound.wav", "--out", "o.webm"),
            "name a file that ends in .mp4, .mov or .mkv",
        ),
        (("library", "add", "nowhere"), "there is no file or folder"),
    ],
)
def test_a_wrong_file_is_refused_before_anything_heavy_is_loaded(
    files: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, cwd=files)
    assert sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    code, heavy = json.loads(done.stdout)
    assert code in (1, 2) and heavy == []

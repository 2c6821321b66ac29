"""A small set of short videos, built once by the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mvr.__main__ import app, main

CLIPS = 8


def invoke(*words: object) -> Result:
    """The command in this process; stdout and stderr apart."""
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory, make_clip, make_tone) -> Path:
    """A folder of videos with sound, one still that has none, and metadata that lists one more."""
    import imageio_ffmpeg

    scratch, folder = tmp_path_factory.mktemp("parts"), tmp_path_factory.mktemp("clips")
    for number in range(CLIPS):
        clip = make_clip(scratch / f"{number}.mp4", seed=number, seconds=3.5)
        tone = make_tone(scratch / f"{number}.wav", seed=number, seconds=3.5)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(clip), "-i", str(tone)]
        command += ["-c:v", "copy", "-c:a", "aac", str(folder / f"v{number}.mp4")]
        subprocess.run(command, check=True)
    make_clip(folder / "mute.mp4", seed=99, seconds=3.5)
    rows = [
        f"v{number}.mp4,Clip {number},{'rock' if number % 2 else 'folk; live'}" for number in range(CLIPS)
    ]
    text = "\n".join(["file_name,title,genre", *rows, "gone.mp4,Gone,rock"])
    (folder / "metadata.csv").write_text(text + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def built(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The set that `mvr dataset build` made of it, and what the command printed; not to be changed."""
    out = tmp_path_factory.mktemp("built") / "set"
    config = out.with_name("build.json")
    # partials of seconds are no voices or noise; the pictures' own likeness is not asked for here
    config.write_text(
        '{"max_hash_bits": 0.0, "max_noise": 1.0, "val_share": 0.25, "test_share": 0.25}', encoding="utf-8"
    )
    return out, invoke("dataset", "build", clips, "--out", out, "--config", config, "--workers", 1, "--json")


@pytest.fixture
def attempt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command as the program does: `attempt(*words)` gives exit status, stdout and stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mvr", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run

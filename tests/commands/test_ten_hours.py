"""Ten hours of picture or of sound: one sentence, told by the header, at every command that would place or fit it."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

HOURS_S = 36_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten hours of a picture that changes every hundred seconds."""
    path = tmp_path_factory.mktemp("long") / "film.mp4"
    source = f"testsrc=size=64x36:rate=1/100:duration={HOURS_S}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", source]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten hours of 8 kHz, a WAV file that takes up nothing on disk."""
    path = tmp_path_factory.mktemp("long") / "sound.wav"
    size = HOURS_S * 8000
    kind = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    with path.open("wb") as file:
        file.write(
            struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + kind + struct.pack("<4sI", b"data", size)
        )
        file.truncate(44 + size)
    return path


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded."""

    def decoded(*_words: object, **_options: object) -> None:
        raise AssertionError("ten hours were decoded")

    for reader in (
        "sound.read_sound",
        "sound.read_sounds",
        "frames.sample_frames",
        "watching.watch_pictures",
    ):
        monkeypatch.setattr(f"mvr.media.{reader}", decoded)


@pytest.mark.usefixtures("unread")
def test_ten_hours_are_refused_in_one_sentence(attempt, film, sound, make_clip, make_tone, tmp_path):
    clip, tone = make_clip(tmp_path / "clip.mp4", seconds=2.0), make_tone(tmp_path / "tone.wav", seconds=2.0)
    out = ["--out", tmp_path / "out.wav"]
    for words, file, most_s in [
        (["recommend", film], film, 600), (["fit", film, tone, *out], film, 600),
        (["export", film, tone, "--fit", "--out", tmp_path / "o.mp4"], film, 600),
        (["find-videos", sound], sound, 1200), (["fit", clip, sound, *out], sound, 1200),
        (["export", clip, sound, "--fit", "--out", tmp_path / "o.mp4"], sound, 1200),
    ]:  # fmt: skip
        code, said, told = attempt(*words)
        assert (code, said) == (1, ""), words
        assert told.strip().splitlines()[-1] == (
            f"mvr: {file.name}: 36000 s long; at most {most_s} s are accepted"
        )
    assert not (tmp_path / "out.wav").exists() and not (tmp_path / "o.mp4").exists()
    code, said, _ = attempt("library", "add", film, sound, "--library", tmp_path / "library")
    assert code == 0 and said.startswith("0 added, 0 known, 0 embedded, 2 skipped")

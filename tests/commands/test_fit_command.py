from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from typer.testing import CliRunner

from mvr.__main__ import app
from mvr.errors import NotInLibrary, OutputRefused, UsageError
from mvr.media.probe import probe

DEMO = Path(__file__).parents[2] / "assets" / "demo"
VIDEO = sorted((DEMO / "videos").iterdir())[0]
TRACK = sorted((DEMO / "tracks").iterdir())[0]


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["fit", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_written_music_is_as_long_as_the_clip_to_the_sample(tmp_path):
    out = tmp_path / "music.wav"
    document = json.loads(run(str(VIDEO), str(TRACK), "--out", str(out), "--json"))
    with av.open(str(out)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == round(document["length_s"] * 48_000) == round(probe(VIDEO).duration_s * 48_000)
    assert document["pieces"][0]["start_s"] == 0 and document["method"] in ("bars", "crossfade", "plain")
    with pytest.raises(OutputRefused, match="--force"):
        run(str(VIDEO), str(TRACK), "--out", str(out))


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path):
    out = tmp_path / "music.wav"
    text = run(str(VIDEO), str(TRACK), "--out", str(out), "--dry-run", "--hit", "6")
    assert "track" in text and "the clip's end" in text and not out.exists()


def test_what_cannot_be_asked_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--out"):
        run(str(VIDEO), str(TRACK))
    with pytest.raises(UsageError, match="outside the clip"):
        run(str(VIDEO), str(TRACK), "--dry-run", "--hit", "900")
    with pytest.raises(NotInLibrary, match=r"no file musik/song\.mp3; give"):
        run(str(VIDEO), "musik/song.mp3", "--dry-run")
    with pytest.raises(NotInLibrary, match="holds no item 'song'"):
        run(str(VIDEO), "song", "--dry-run")
    with pytest.raises(OutputRefused, match="wav"):
        run(str(VIDEO), str(TRACK), "--out", str(tmp_path / "music.mp3"))

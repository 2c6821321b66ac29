"""A clip's own sound competes where it is music, cut and as loud as the others; thresholds are told."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from mvr.arena.candidates import ORIGINAL, QueryItem
from mvr.datatypes import Direction
from mvr.media.loudness import measure_loudness
from mvr.page.serving import Shelf
from mvr.page.voting.battle_media import ArenaMedia
from mvr.page.voting.contest import Contest, OwnClip
from mvr.page.voting.hearing import Hearing
from mvr.page.voting.own_music import OwnMusic
from mvr.votes.records import Battle, Side
from mvr.votes.voter import VoterSigner

DEMO = Path(__file__).parents[2] / "assets" / "demo"
SECONDS = 9.0


def clip(folder: Path, sound: np.ndarray | Path) -> Path:
    """The first demo clip's picture with this sound."""
    if isinstance(sound, np.ndarray):
        with wave.open(str(folder / "sound.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
        sound = folder / "sound.wav"
    picture = sorted((DEMO / "videos").iterdir())[0]
    out = folder / "clip.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(picture), "-i", str(sound)]
    command += ["-map", "0:v", "-map", "1:a", "-t", str(SECONDS), "-c:v", "copy", "-c:a", "aac", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_music_competes_and_noise_and_silence_do_not(tmp_path):
    track = sorted((DEMO / "tracks").iterdir())[0]
    music = OwnMusic.of(clip(tmp_path, track), SECONDS)
    noise = OwnMusic.of(clip(tmp_path, 0.3 * np.random.default_rng(1).normal(size=16_000 * 9)), SECONDS)
    silence = OwnMusic.of(clip(tmp_path, np.zeros(16_000 * 9)), SECONDS)
    assert (music.competes, noise.competes, silence.competes) == (True, False, False)
    assert music.words().startswith("Its own sound is music and competes (voice ")
    assert (
        "at most 50 %" in noise.words()
        and "at most 0.2;" in noise.words()
        and "at least -60" in silence.words()
    )


def test_the_original_is_cut_and_as_loud_as_the_others(tmp_path):
    own = clip(tmp_path, sorted((DEMO / "tracks").iterdir())[0])
    query = QueryItem(query_id="own-1", group_id="own-1", duration_s=SECONDS, source="upload", own_music=True)
    contest = Contest(None, "demo", learned=object())  # type: ignore[arg-type]
    contest.add_own(OwnClip(item=query, path=own, direction=Direction.VIDEO_TO_MUSIC))
    media = ArenaMedia(
        contest, Shelf(), tmp_path / "battles", VoterSigner(b"a secret for tests only"), Hearing(None)
    )  # type: ignore[arg-type]
    sides = {
        name: Side(system_id=ORIGINAL, system_version="1", item_id="own-1", item_group_id=f"{name}-own-1")
        for name in ("left", "right")
    }
    battle = Battle(
        voter_id="v", session_id="s", direction="v2m", source="upload", query_id="own-1", query_group_id="own-1",
        pool_version="1", pool_size=1, policy_id="p", pair_prob=1.0, seed=1, ui_version="1", **sides,
    )  # fmt: skip
    sound = media.of_battle(battle).sounds[0]
    assert measure_loudness(sound).integrated_lufs == pytest.approx(-16, abs=0.5)
    with wave.open(str(sound)) as file:
        assert file.getnframes() == SECONDS * 48_000
    assert sound.parent.parent == own.parent, "it goes with the visit"

"""The media of one battle: what plays on either side, alike in everything but the music (or the picture).

Sound is 16 bit PCM of one length, rate, loudness and file size, so that neither a header nor a size tells two sides
apart; pictures are encoded alike, without sound and without tags. Files are made anew for every battle, under names
and addresses that say nothing.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.datatypes import Direction
from mvr.media.ffmpeg import input_arguments, run_ffmpeg, written_whole
from mvr.media.limits import MediaLimits
from mvr.media.loudness import RATE_HZ
from mvr.media.probe import probe
from mvr.media.proxy import encode_arguments
from mvr.media.sound import read_stereo
from mvr.media.soundtrack import MuxSettings, fit_music, write_sound
from mvr.page.contest import Contest
from mvr.votes.records import Battle, Side

EXCERPT_S = 20.0
_SIDES_PX = (854, 480)
_LIMITS = MediaLimits(threads=1)


@dataclass(frozen=True, kw_only=True)
class BattleMedia:
    """Files of one battle; one of the two lists has one entry (the query), the other two (left, right)."""

    videos: tuple[Path, ...]
    sounds: tuple[Path, ...]
    duration_s: float


def make_battle_media(contest: Contest, battle: Battle, folder: Path) -> BattleMedia:
    """Make the files in `folder`, which nobody else uses.

    Raises:
        MediaError: a file cannot be used. NotInLibrary: an item is gone.
    """
    query = contest.path(battle.query_id)
    sides = (battle.left, battle.right)
    folder.mkdir(parents=True, exist_ok=True)
    if battle.direction == Direction.VIDEO_TO_MUSIC:
        length_s = min(EXCERPT_S, probe(query, _LIMITS, needs=("picture",)).duration_s)
        videos = [_write_picture(query, folder / "0.mp4", length_s)]
        sounds = [_music(contest, side, folder / f"{n}.wav", length_s) for n, side in enumerate(sides)]
    else:
        paths = [contest.path(side.item_id) for side in sides]
        lengths = [probe(path, _LIMITS, needs=("picture",)).duration_s for path in paths]
        length_s = min(EXCERPT_S, *lengths)
        videos = [_write_picture(path, folder / f"{n}.mp4", length_s) for n, path in enumerate(paths)]
        sounds = [_write_sound(query, folder / "0.wav", 0.0, length_s)]
    return BattleMedia(videos=tuple(videos), sounds=tuple(sounds), duration_s=length_s)


def make_pair_media(contest: Contest, video_id: str, music_id: str, folder: Path) -> BattleMedia:
    """One clip and one music from its start, for a grade: every judge of the pair hears and sees the same.

    Raises:
        MediaError: a file cannot be used. NotInLibrary: an item is gone.
    """
    video = contest.path(video_id)
    folder.mkdir(parents=True, exist_ok=True)
    length_s = min(EXCERPT_S, probe(video, _LIMITS, needs=("picture",)).duration_s)
    picture = _write_picture(video, folder / "0.mp4", length_s)
    sound = _write_sound(contest.path(music_id), folder / "0.wav", 0.0, length_s)
    return BattleMedia(videos=(picture,), sounds=(sound,), duration_s=length_s)


def _music(contest: Contest, side: Side, out: Path, length_s: float) -> Path:
    return _write_sound(contest.path(side.item_id), out, side.excerpt_start_s, length_s)


def _write_sound(music: Path, out: Path, start_s: float, length_s: float) -> Path:
    """An excerpt from its chosen start, -16 LUFS with true peak at most -1.5 dBTP, exactly `length_s` long."""
    settings = MuxSettings(start_s=start_s)
    length = round(length_s * RATE_HZ)
    encoded = out.with_suffix(".m4a")
    write_sound(fit_music(read_stereo(music, RATE_HZ, limits=_LIMITS), length, settings), encoded, settings)
    samples = read_stereo(encoded, RATE_HZ, limits=_LIMITS)[:length]
    encoded.unlink()
    samples = np.pad(samples, ((0, length - len(samples)), (0, 0)))
    with wave.open(str(out), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return out


def _write_picture(video: Path, out: Path, length_s: float) -> Path:
    info = probe(video, _LIMITS, needs=("picture",))
    assert info.video is not None
    with written_whole(out) as part:
        run_ffmpeg(
            [
                *input_arguments(video, _LIMITS), "-map", f"0:{info.video.index}", "-an", "-t", f"{length_s:.3f}",
                *encode_arguments(info.video, _SIDES_PX), "-map_metadata", "-1", "-fflags", "+bitexact",
                "-movflags", "+faststart", "-f", "mp4", f"file:{part.absolute()}",
            ],
            video,
            _LIMITS.timeout_s,
        )  # fmt: skip
    return out

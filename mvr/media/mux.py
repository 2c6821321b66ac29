"""Putting music on a clip: a new MP4 whose picture is copied where browsers play it as it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mvr.config.outputs import VIDEO_ENDINGS, VIDEO_MUXERS, check_output_file, written_whole
from mvr.datatypes import Original
from mvr.media.channels import FloatSamples
from mvr.media.ffmpeg import Progress, input_arguments, run_ffmpeg
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.loudness import RATE_HZ
from mvr.media.probe import MediaInfo, probe
from mvr.media.proxy import MP4_OUTPUT, check_written, encode_arguments, is_browser_safe
from mvr.media.sound import read_stereo
from mvr.media.soundtrack import (
    DEFAULT_MUX,
    MuxSettings,
    composed_blocks,
    fitted_blocks,
    read_music,
    without_offset,
    workable,
    write_sound,
)
from mvr.media.straight import picture_input

__all__ = ["MuxSettings", "mux_music", "render_music"]

EXPORT_SIDES_PX = (1920, 1080)
_SOUND_SHARE = 0.4  # of the progress


def mux_music(
    video: str | Path,
    music: str | Path,
    out: str | Path,
    settings: MuxSettings = DEFAULT_MUX,
    progress: Progress | None = None,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> MediaInfo:
    """Write `video` with `music` on it, over its whole length.

    Args:
        video: any video; its picture is copied bit by bit when it is browser-safe, else encoded within 1920 x 1080.
        music: any file with sound.
        out: the file to write, in the container that its ending names; it appears only when it is complete, and
            takes the place of a file that is there already unless that is one of the two that are read.
        settings: start, original sound, loudness, fades.
        progress: called with the fraction done.
        limits: what each input may cost.

    Returns:
        What is in the new file.

    Raises:
        MediaError: any of its classes; the message names the file at fault.
        UsageError: the music ends before `settings.start_s`; an `out` that cannot be written.
    """
    out = check_output_file(Path(out), inputs=(Path(video), Path(music)), endings=VIDEO_ENDINGS, force=True)
    info = probe(video, limits, needs=("picture",))
    probe(music, limits, needs=("sound",))
    length = max(1, round(info.duration_s * RATE_HZ))
    track, begin_s = read_music(music, length, settings.start_s, limits)
    sound = composed_blocks(track, _original(info, settings, limits), length, settings, begin_s)
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder, picture_input(info, limits) as picture:
        m4a = Path(folder) / "music.m4a"
        write_sound(sound, m4a, settings, limits)
        _report(progress, _SOUND_SHARE)
        with written_whole(out) as part:
            run_ffmpeg(
                _arguments(info, picture, m4a, part, limits),
                info.path,
                limits.timeout_s,
                info.duration_s,
                None
                if progress is None
                else lambda done: _report(progress, _SOUND_SHARE + done * (1 - _SOUND_SHARE)),
            )
            check_written(part, info, limits)
    _report(progress, 1.0)
    return probe(out, limits)


def render_music(
    music: str | Path,
    out_m4a: str | Path,
    start_s: float,
    duration_s: float,
    settings: MuxSettings = DEFAULT_MUX,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> MediaInfo:
    """Write an excerpt of a track as AAC with the loudness of `settings`; shorter where the track ends sooner.

    Raises:
        MediaError: any of its classes.
        UsageError: the track ends before `start_s`, or an empty excerpt.
    """
    excerpt = read_stereo(music, RATE_HZ, start_s=start_s, duration_s=duration_s, limits=limits)
    faded = fitted_blocks(workable(excerpt, music), len(excerpt), MuxSettings(fade_s=settings.fade_s))
    with written_whole(out_m4a) as part:
        write_sound(faded, part, settings, limits)
    return probe(out_m4a, limits, needs=("sound",))


def _original(info: MediaInfo, settings: MuxSettings, limits: MediaLimits) -> FloatSamples | None:
    if info.audio is None or settings.original == Original.MUTE:
        return None
    return without_offset(read_stereo(info.path, RATE_HZ, limits=limits))


def _arguments(
    info: MediaInfo, picture: tuple[list[str], str], m4a: Path, part: Path, limits: MediaLimits
) -> list[str]:
    assert info.video is not None
    opened, shown = picture
    coding = (
        ["-c:v", "copy"] if is_browser_safe(info) else encode_arguments(info.video, EXPORT_SIDES_PX, crf=20)
    )
    return [
        *opened, *input_arguments(m4a, limits), "-map", shown, "-map", "1:0",
        *coding, "-c:a", "copy", *MP4_OUTPUT[:-1], VIDEO_MUXERS[part.suffix.lower()], f"file:{part.absolute()}",
    ]  # fmt: skip


def _report(progress: Progress | None, fraction: float) -> None:
    if progress is not None:
        progress(fraction)

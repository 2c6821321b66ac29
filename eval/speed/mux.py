"""Putting music on a clip: copying the picture against encoding it again, and against moviepy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs


def contests(inputs: Inputs) -> Iterator[Contest]:
    """The whole of `mux_music`, and the picture alone."""
    seconds = 3.0 if inputs.short else 15.0
    size = (320, 180) if inputs.short else (1920, 1080)
    clip = inputs.video("phone", seconds=seconds, size=size)
    music = inputs.music("music", seconds=30)
    yield Contest(
        name="mux",
        title="Music on a clip",
        work=f"30 s of music at -16 LUFS on a {seconds:g} s {size[0]}x{size[1]} H.264 clip, written as MP4",
        ours="mvr, picture copied",
        candidates={
            "mvr, picture copied": lambda: _mvr(clip, music),
            "ffmpeg, picture encoded (veryfast)": lambda: _encoded(clip, music),
            "moviepy (veryfast), no loudness": lambda: _moviepy(clip, music),
        },
        media_s=seconds,
        aims=(
            Aim(
                text="copying costs at most half of encoding",
                against="ffmpeg, picture encoded (veryfast)",
                cpu_ratio_at_most=0.5,
            ),
        ),
    )


def _mvr(clip: Path, music: Path) -> Work:
    from mvr.media.loudness import measure_loudness
    from mvr.media.mux import mux_music

    folder = Path(tempfile.mkdtemp(prefix="mvr-speed-"))
    mux_music(clip, music, folder / "first.mp4")
    lufs = measure_loudness(folder / "first.mp4").integrated_lufs

    def work() -> dict[str, Any]:
        info = mux_music(clip, music, folder / "out.mp4")
        return {"seconds": info.duration_s, "LUFS": lufs}

    return work


def _encoded(clip: Path, music: Path) -> Work:
    import subprocess

    import imageio_ffmpeg

    out = Path(tempfile.mkdtemp(prefix="mvr-speed-")) / "out.mp4"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-i", str(clip), "-i", str(music),
        "-map", "0:v", "-map", "1:a", "-af", "loudnorm=I=-16:TP=-1.5", "-c:v", "libx264", "-preset", "veryfast",
        "-c:a", "aac", "-shortest", str(out),
    ]  # fmt: skip

    def work() -> dict[str, Any]:
        subprocess.run(command, check=True)
        return {"MB": out.stat().st_size / 1e6}

    return work


def _moviepy(clip: Path, music: Path) -> Work:
    from moviepy import AudioFileClip, VideoFileClip

    out = Path(tempfile.mkdtemp(prefix="mvr-speed-")) / "out.mp4"

    def work() -> dict[str, Any]:
        with VideoFileClip(str(clip)) as video, AudioFileClip(str(music)) as sound:
            made = video.with_audio(sound.with_duration(video.duration))
            made.write_videofile(str(out), preset="veryfast", audio_codec="aac", logger=None)
        return {"MB": out.stat().st_size / 1e6}

    return work

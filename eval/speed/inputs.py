"""Generated inputs: media by the bundled ffmpeg with a fixed seed, made once and kept in one folder."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

SEED = 7


@dataclass(frozen=True)
class Inputs:
    """Where generated inputs lie, and whether the smallest sizes will do."""

    folder: Path
    short: bool = False

    def video(
        self,
        name: str,
        *,
        seconds: float = 15,
        size: tuple[int, int] = (1920, 1080),
        rate: int = 30,
        gop: int = 30,
    ) -> Path:
        """A moving test picture with noise and a stereo sound, H.264 and AAC in MP4, as a phone would write it.

        Args:
            name: first part of the file name.
            seconds: its length.
            size: width and height in pixels.
            rate: frames per second.
            gop: frames from key frame to key frame.
        """
        width, height = size
        path = self.folder / f"{name}-{width}x{height}-{rate}fps-{seconds:g}s-gop{gop}.mp4"
        picture = f"testsrc2=size={width}x{height}:rate={rate}:duration={seconds},noise=alls=12:allf=t:all_seed={SEED}"
        sound = f"anoisesrc=color=pink:amplitude=0.3:seed={SEED}:duration={seconds}"
        bits = f"{max(1, round(8 * width * height / (1920 * 1080)))}M"
        return self._made(
            path,
            [
                "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-ac", "2", "-c:v", "libx264",
                "-preset", "veryfast", "-b:v", bits, "-g", str(gop), "-pix_fmt", "yuv420p", "-c:a", "aac",
                "-movflags", "+faststart",
            ],
        )  # fmt: skip

    def wide(self, video: Path) -> Path:
        """The same picture as large on a screen, of pixels 4:3 (container and picture say so), and the same sound."""
        said = [
            "-vf",
            "scale=iw*3/4:ih,setsar=4/3",
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-pix_fmt",
            "yuv420p",
        ]
        arguments = ["-i", str(video), *said, "-c:a", "copy", "-movflags", "+faststart"]
        return self._made(video.with_name(f"wide-{video.name}"), arguments)

    def music(self, name: str, *, seconds: float = 30) -> Path:
        """Stereo music-like sound (chords with vibrato over pink noise), AAC in M4A."""
        path = self.folder / f"{name}-{seconds:g}s.m4a"
        chord = "+".join(f"0.12*sin(2*PI*{f}*t+2*sin(2*PI*5*t))" for f in (220, 277.18, 329.63))
        sound = f"aevalsrc=exprs='{chord}|{chord}':duration={seconds}:sample_rate=48000"
        noise = f"anoisesrc=color=pink:amplitude=0.05:seed={SEED}:duration={seconds}:sample_rate=48000"
        mix = ["-filter_complex", "[0:a][1:a]amix=inputs=2:normalize=0"]
        return self._made(
            path, ["-f", "lavfi", "-i", sound, "-f", "lavfi", "-i", noise, *mix, "-c:a", "aac", "-ac", "2"]
        )

    def _made(self, path: Path, arguments: list[str]) -> Path:
        if path.exists():
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"part-{path.name}")
        exe = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run(
            [exe, "-v", "error", "-nostdin", "-y", *arguments, "-threads", "2", f"file:{part}"],
            check=True,
            timeout=900,
        )
        part.replace(path)
        return path

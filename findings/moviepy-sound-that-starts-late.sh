#!/bin/sh
# moviepy 2.2.1: a film whose sound begins after its picture (phones, screen recorders, broadcast streams: tens to hundreds of
# milliseconds) loses that delay. clip.audio holds the sound from its first sample on, so every film written by moviepy, cut
# or whole, has its sound early by the delay. The ffmpeg below it keeps picture and sound together when it converts the same
# file.
#
# Guess of a good engineer: VideoFileClip(film).write_videofile(copy) keeps picture and sound together; clip.audio is on the
# clock of the clip, silent until the sound begins.
# Behaviour: with a delay of 0.5 s the clap of a clapperboard is heard half a second before it is seen. No error, no warning.
# (The first 0.02 s of the encoded sound, which a player skips, are counted in, so that the shift is 0.02 s less than the
# delay.) The documentation of VideoFileClip says nothing of it; issue 2284 of moviepy (open) is about pictures that begin
# late.
# What to do: decode picture and sound by their own times (PyAV: frame.time), and put what is missing in front as silence.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet moviepy==2.2.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cat > try.py <<'PY'
import subprocess
import sys
from fractions import Fraction

import av
import imageio_ffmpeg
import numpy as np
from moviepy import VideoFileClip

RATE = 48_000


def write(name, delay):
    """A film of 4 s at 25 fps with a white frame and a click at 2.0 s; its sound begins `delay` seconds late."""
    sound = np.zeros(4 * RATE, np.float32)
    sound[2 * RATE : 2 * RATE + 480] = 0.9
    with av.open(name, "w") as film:
        video, audio = film.add_stream("libx264", rate=25), film.add_stream("aac", rate=RATE, layout="mono")
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for n in range(100):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255 * (n == 50), np.uint8), format="rgb24")
            picture.pts, picture.time_base = n, Fraction(1, 25)
            film.mux(video.encode(picture))
        for start in range(round(delay * RATE), len(sound) - 1023, 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            film.mux(audio.encode(frame))
        film.mux(video.encode())
        film.mux(audio.encode())


def late(name):
    """Seconds by which the click comes after the white frame."""
    with av.open(name) as film:
        seen = next(frame.time for frame in film.decode(video=0) if frame.to_ndarray(format="gray").mean() > 100)
    with av.open(name) as film:
        for frame in film.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3)
            if loud.size:
                return round(float(frame.time + loud[0] / RATE - seen), 2) + 0.0


right = True
for delay in (0.0, 0.1, 0.5):
    write("film.mp4", delay)
    with VideoFileClip("film.mp4") as clip:
        heard = np.flatnonzero(np.abs(clip.audio.to_soundarray(fps=RATE)[:, 0]) > 0.3)[0] / RATE
        clip.write_videofile("whole.mp4", logger=None)
        clip.subclipped(1, 3).write_videofile("cut.mp4", logger=None)
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", "film.mp4", "ffmpeg.mp4"], check=True)
    lates = {name: late(f"{name}.mp4") for name in ("film", "ffmpeg", "whole", "cut")}
    print(f"sound begins {delay} s late: clip.audio has the click at {heard:.2f} s of 2.00; sound after picture, seconds: {lates}")
    right &= all(abs(lates[name]) <= 0.03 for name in ("film", "ffmpeg"))
    right &= all(abs(lates[name] + max(0, delay - 0.02)) <= 0.03 for name in ("whole", "cut"))
sys.exit(0 if right else 1)
PY
venv/bin/python try.py 2> errors || { cat errors >&2; exit 1; }
# Seen on 2026-11-30 (Python 3.11, Linux):
# sound begins 0.0 s late: clip.audio has the click at 2.00 s of 2.00; sound after picture, seconds: {'film': 0.0, 'ffmpeg': 0.0, 'whole': 0.0, 'cut': 0.0}
# sound begins 0.1 s late: clip.audio has the click at 1.92 s of 2.00; sound after picture, seconds: {'film': 0.0, 'ffmpeg': 0.0, 'whole': -0.08, 'cut': -0.08}
# sound begins 0.5 s late: clip.audio has the click at 1.52 s of 2.00; sound after picture, seconds: {'film': 0.0, 'ffmpeg': 0.0, 'whole': -0.48, 'cut': -0.48}

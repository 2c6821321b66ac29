#!/bin/sh
# moviepy 2.2.1, imageio-ffmpeg 0.8.1 (and imageio's plugin FFMPEG on top of it): a film whose frames last unequally (a
# phone's variable frame rate) is played too slowly and its end is never shown.
#
# Guess of a good engineer: clip.get_frame(t) is the picture that a player shows at t seconds; imageio_ffmpeg.read_frames
# yields the frames of the film at the rate that it states beside them, so that frames / rate is the film's length.
# Behaviour: ffmpeg, asked for raw pictures, repeats frames until they come at an even rate (its "tbr", 30 here); both
# libraries count them by the film's average rate ("fps", 15.08 here). moviepy's picture at 5 s is that of 2.5 s, the second
# half of the film is never seen, the sound runs on at its own speed; a film that was written anew is like that for good.
# read_frames gives 398 frames of "15.08 fps" for 13.27 s. No error, no warning. A film that was filmed at 29.4 of 30 fps is 2
# % off: a second a minute. The documentation of moviepy says of fps_source="tbr" that it may help if "the incorrect fps" is
# read, nothing of times; issue 1548 of moviepy describes the same and is open. The documentation of read_frames says nothing
# of it.
# What to do: fps_source="tbr" in moviepy (right here), or decode by frame times (PyAV).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet moviepy==2.2.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cat > try.py <<'PY'
import sys
from fractions import Fraction

import av
import imageio_ffmpeg
import numpy as np
from moviepy import VideoFileClip

with av.open("film.mp4", "w") as film:
    stream = film.add_stream("libx264", rate=30, options={"bf": "0", "qp": "1"})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 600)
    ticks = 0
    for n in range(200):  # as grey as its number: 100 frames of 1/30 s, then 100 of 1/10 s
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), n, np.uint8), format="rgb24")
        frame.pts, frame.time_base = ticks, Fraction(1, 600)
        film.mux(stream.encode(frame))
        ticks += 20 if n < 100 else 60
    film.mux(stream.encode())

times = np.array([frame.time for frame in av.open("film.mp4").decode(video=0)])
moments = (1.0, 3.0, 5.0, 9.0, 13.0)
true = [int(np.searchsorted(times, moment, side="right")) - 1 for moment in moments]
shown = {}
for source in ("fps", "tbr"):
    with VideoFileClip("film.mp4", fps_source=source) as clip:
        shown[source] = [round(float(clip.get_frame(moment).mean())) for moment in moments]
        print(f"moviepy, fps_source={source!r}: {clip.fps} fps; at {moments} s frames {shown[source]}, true {true}")
reader = imageio_ffmpeg.read_frames("film.mp4")
told = next(reader)
count = sum(1 for _ in reader)
counted, seconds = imageio_ffmpeg.count_frames_and_secs("film.mp4")
print(f"read_frames: {count} frames, states {told['fps']} fps and {told['duration']} s; count_frames_and_secs: {counted}, {seconds} s")


def near(numbers):
    return [abs(number - n) <= 2 for number, n in zip(numbers, true)]


late = [n - number for number, n in zip(shown["fps"], true)]
print(f"moviepy is late by {late} frames")
sys.exit(0 if min(late[1:]) > 30 and all(near(shown["tbr"])) and count > 390 and counted == 200 else 1)
PY
venv/bin/python try.py 2> errors || { cat errors >&2; exit 1; }
# Seen on 2026-11-30 (Python 3.11, Linux):
# moviepy, fps_source='fps': 15.08 fps; at (1.0, 3.0, 5.0, 9.0, 13.0) s frames [15, 45, 74, 110, 131], true [30, 90, 116, 156, 196]
# moviepy, fps_source='tbr': 30.0 fps; at (1.0, 3.0, 5.0, 9.0, 13.0) s frames [30, 89, 116, 157, 196], true [30, 90, 116, 156, 196]
# read_frames: 398 frames, states 15.08 fps and 13.27 s; count_frames_and_secs: 200, 13.26 s
# moviepy is late by [15, 45, 42, 46, 65] frames

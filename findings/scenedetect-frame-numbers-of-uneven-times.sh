#!/bin/sh
# scenedetect 0.7.2 (PySceneDetect): in a film whose frames last unequally (a phone's variable frame rate) the seconds of a
# border are right and its frame number is not the number of a frame. frame_num, the columns "Start Frame" and "End Frame"
# of list-scenes and the file of save-qp hold the seconds times one rate of the whole film: the average rate with the OpenCV
# backend, the stated rate with the PyAV backend, where numbers go beyond the last frame of the film.
#
# Guess of a good engineer: since 0.7 reads times frame by frame, frame_num is the index of the decoded frame, equal in both
# backends, and below the number of frames; forced key frames of save-qp lie on the cuts.
# Behaviour: cuts at frames 40, 80, 120 and 160 of 200 are called 20, 40, 80, 141 (OpenCV) and 40, 80, 160, 280 (PyAV). No
# error, no warning. x264 given that file puts its key frames elsewhere.
# What to do: take .seconds, and find the frame by the decoded times.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet scenedetect==0.7.2 av==18.1.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > film.py <<'PY'
from fractions import Fraction

import av
import numpy as np

COLOURS = [(220, 30, 30), (30, 200, 60), (40, 60, 220), (230, 220, 40), (120, 30, 160)]
with av.open("film.mp4", "w") as film:
    stream = film.add_stream("libx264", rate=30, options={"bf": "0"})
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 600)
    ticks = 0
    for n in range(200):  # 100 frames of 1/30 s, then 100 of 1/10 s; a cut after each 40
        frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), COLOURS[n // 40], np.uint8), format="rgb24")
        frame.pts, frame.time_base = ticks, Fraction(1, 600)
        film.mux(stream.encode(frame))
        ticks += 20 if n < 100 else 60
    film.mux(stream.encode())
PY
cat > try.py <<'PY'
import sys

import av
from scenedetect import ContentDetector, SceneManager, open_video

times = [float(frame.time) for frame in av.open("film.mp4").decode(video=0)]
print(f"decoded: {len(times)} frames, the cuts at frames [40, 80, 120, 160], seconds {[round(times[n], 3) for n in (40, 80, 120, 160)]}")
seen = {}
for backend in ("opencv", "pyav"):
    manager = SceneManager()
    manager.add_detector(ContentDetector())
    manager.detect_scenes(open_video("film.mp4", backend=backend))
    borders = [start for start, _ in manager.get_scene_list()][1:]
    seen[backend] = [border.frame_num for border in borders]
    right = all(abs(border.seconds - times[n]) < 0.001 for border, n in zip(borders, (40, 80, 120, 160)))
    print(f"{backend:<7} frame_num {seen[backend]}, seconds {'right' if right else 'WRONG'}")
    if not right:
        sys.exit(1)
sys.exit(0 if seen == {"opencv": [20, 40, 80, 141], "pyav": [40, 80, 160, 280]} else 1)
PY
venv/bin/python film.py 2> errors || { cat errors >&2; exit 1; }
venv/bin/python try.py 2> errors || { cat errors >&2; exit 1; }
for backend in opencv pyav; do
  venv/bin/scenedetect -q -i film.mp4 -b "$backend" -o "$backend" detect-content save-qp
  printf '%s\n' "$backend save-qp: $(cut -d' ' -f1 "$backend/film.qp" | tr '\n' ' ')"
done
[ "$(cut -d' ' -f1 pyav/film.qp | tail -1)" = 280 ]
# Seen on 2026-11-29 (Python 3.11, Linux):
# decoded: 200 frames, the cuts at frames [40, 80, 120, 160], seconds [1.333, 2.667, 5.333, 9.333]
# opencv  frame_num [20, 40, 80, 141], seconds right
# pyav    frame_num [40, 80, 160, 280], seconds right
# opencv save-qp: 0 20 40 80 141
# pyav save-qp: 0 40 80 160 280

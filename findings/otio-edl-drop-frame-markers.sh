#!/bin/sh
# otio-cmx3600-adapter 1.0.0 (OpenTimelineIO 0.18.1): markers of an EDL are lost when it is read at 29.97 or 59.94 frames per
# second, also from an EDL that the adapter has written itself.
#
# Guess of a good engineer: "* LOC:" lines are read at every rate; the adapter reads what it writes.
# Behaviour: at these rates record times are drop-frame and written with ";" (00:00:04;00). Events in that form are read,
# markers in it are skipped, without an error or a warning. At 24, 25, 30 and 23.976 the same marker comes back.
# What to do: replace ";" by ":" in LOC lines before reading, or carry markers in another format.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet OpenTimelineIO==0.18.1 otio-cmx3600-adapter==1.0.0
cat > try.py <<'PY'
import sys

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

kept = {}
for rate in (24000 / 1001, 24, 25, 30000 / 1001, 30, 60000 / 1001):

    def frames(start, length):
        return TimeRange(RationalTime(start, rate), RationalTime(length, rate))

    film, track = otio.schema.Timeline("film"), otio.schema.Track("V", kind="Video")
    film.tracks.append(track)
    clip = otio.schema.Clip("clip", otio.schema.ExternalReference("file:///clip.mov", frames(0, 1000)), frames(100, 500))
    clip.markers.append(otio.schema.Marker("HIT", frames(120, 0)))
    track.append(clip)
    edl = otio.adapters.write_to_string(film, "cmx_3600", rate=rate)
    (line,) = [line for line in edl.splitlines() if "LOC" in line]
    again = otio.adapters.read_from_string(edl, "cmx_3600", rate=rate)
    (clip,) = again.find_clips()
    kept[round(rate, 2)] = len(clip.markers)
    print(f"{rate:6.3f} fps: {line:<34} read: {len(again.find_clips())} clip, {len(clip.markers)} marker(s)")
sys.exit(0 if kept == {23.98: 1, 24: 1, 25: 1, 29.97: 0, 30: 1, 59.94: 0} else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-29 (Python 3.11, Linux):
# 23.976 fps: * LOC: 00:00:05:00 RED     HIT     read: 1 clip, 1 marker(s)
# 24.000 fps: * LOC: 00:00:05:00 RED     HIT     read: 1 clip, 1 marker(s)
# 25.000 fps: * LOC: 00:00:04:20 RED     HIT     read: 1 clip, 1 marker(s)
# 29.970 fps: * LOC: 00:00:04;00 RED     HIT     read: 1 clip, 0 marker(s)
# 30.000 fps: * LOC: 00:00:04:00 RED     HIT     read: 1 clip, 1 marker(s)
# 59.940 fps: * LOC: 00:00:02;00 RED     HIT     read: 1 clip, 0 marker(s)

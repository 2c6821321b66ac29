#!/bin/sh
# otio-cmx3600-adapter 1.0.0 (OpenTimelineIO 0.18.1): an EDL does not keep the sound of a timeline, in either direction.
#
# Guess of a good engineer: audio tracks are written as A and A2 events, or refused with an error, as a second video track is
# ("Only a single video track is supported"); record times begin at the timeline's global_start_time; what is read stands
# where its record time says, so music that enters 10 s into the film enters there.
# Behaviour, without an error or a warning: writing leaves every audio track out and counts record times from 00:00:00:00;
# reading puts the first event of each track at the start, whatever its record time: music that enters at 01:00:10:00 under a
# picture from 01:00:00:00 is read 10 s early.
# What to do: carry music in FCP7 XML, OTIO or a list of one's own; after reading an EDL, place each track by
# metadata["cmx_3600"] or by its own reading of the record times.
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


def seconds(start, length):
    return TimeRange(RationalTime(start * 25, 25), RationalTime(length * 25, 25))


film = otio.schema.Timeline("film")
film.global_start_time = RationalTime(90_000, 25)  # 01:00:00:00
for kind, names in (("Video", ["clip"]), ("Audio", ["music"]), ("Audio", ["voice"])):
    track = otio.schema.Track(kind, kind=kind)
    film.tracks.append(track)
    for name in names:
        media = otio.schema.ExternalReference(f"file:///{name}.mov", seconds(0, 60))
        track.append(otio.schema.Clip(name, media, seconds(4, 20)))
written = otio.adapters.write_to_string(film, "cmx_3600", rate=25)
events = [line for line in written.splitlines() if line[:3].isdigit()]
print("written:", *events, sep="\n  ")

EDL = """TITLE: film
FCM: NON-DROP FRAME

001  AX       V     C        00:00:04:00 00:00:24:00 01:00:00:00 01:00:20:00
* FROM CLIP NAME: clip
002  AX       A     C        00:00:08:00 00:00:12:00 01:00:10:00 01:00:14:00
* FROM CLIP NAME: music
"""
film = otio.adapters.read_from_string(EDL, "cmx_3600", rate=25)
starts = {clip.name: clip.range_in_parent().start_time.to_seconds() for clip in film.find_clips()}
print("read: seconds from the start", starts, "where the EDL says", {"clip": 0.0, "music": 10.0})
late = ["10:00" in event.split()[-2] or "01:00:00:00" == event.split()[-2] for event in events]
sys.exit(0 if len(events) == 1 and not any(late) and starts == {"clip": 0.0, "music": 0.0} else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-29 (Python 3.11, Linux):
# written:
#   001  clip     V     C        00:00:04:00 00:00:24:00 00:00:00:00 00:00:20:00
# read: seconds from the start {'clip': 0.0, 'music': 0.0} where the EDL says {'clip': 0.0, 'music': 10.0}

#!/bin/sh
# otio-fcpx-xml-adapter 1.0.0 (OpenTimelineIO 0.18.1): Final Cut Pro's XML of a film at 23.976 or 29.97 frames per second
# is read as one of 23 or 29 frames per second, and clips that touch come apart.
#
# Guess of a good engineer: frameDuration="1001/30000s" is 29.97 and the second of two clips that touch begins where the first
# ends; these are the commonest rates of phones and of Final Cut itself.
# Behaviour: the rate is cut to a whole number, and each start and length is cut to its frames on its own: clips shrink, gaps
# of a third to half a second appear. No error, no warning. At 24, 25 and 30 all is right.
# What to do: read the fractions of the XML oneself, or carry these rates in FCP7 XML or OTIO.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet OpenTimelineIO==0.18.1 otio-fcpx-xml-adapter==1.0.0
cat > try.py <<'PY'
import sys
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

XML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE fcpxml>
<fcpxml version="1.8"><resources><format id="r1" frameDuration="{frame}" width="1920" height="1080"/>
<asset id="r2" name="clip" src="file:///clip.mov" start="0s" duration="{all}" hasVideo="1" format="r1"/></resources>
<library><event name="e"><project name="p"><sequence duration="{all}" format="r1" tcStart="0s" tcFormat="NDF"><spine>
<asset-clip name="clip" ref="r2" offset="0s" start="{start}" duration="{length}" format="r1"/>
<asset-clip name="clip" ref="r2" offset="{length}" start="0s" duration="{length}" format="r1"/>
</spine></sequence></project></event></library></fcpxml>"""


def read(frame):
    def seconds(count):
        return f"{(count * frame).numerator}/{(count * frame).denominator}s"

    text = XML.format(frame=seconds(1), all=seconds(1000), start=seconds(100), length=seconds(250))
    held = otio.adapters.read_from_string(text, "fcpx_xml")
    (film,) = held.find_children(descended_from_type=otio.schema.Timeline)
    items = list(film.tracks[0])
    return [(type(item).__name__, round(item.duration().to_seconds(), 3)) for item in items], items[0].duration().rate


seen = {}
for frame in (Fraction(1, 24), Fraction(1, 25), Fraction(1, 30), Fraction(1001, 24000), Fraction(1001, 30000)):
    items, rate = read(frame)
    seen[str(frame)] = items == [("Clip", round(250 * float(frame), 3))] * 2
    print(f"{frame}s: 250 frames are {250 * float(frame):.3f} s; read at {rate} fps: {items}")
whole = {f"1/{n}": True for n in (24, 25, 30)}
sys.exit(0 if seen == whole | {f"1001/{n}": False for n in (24000, 30000)} else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-29 (Python 3.11, Linux):
# 1/24s: 250 frames are 10.417 s; read at 24.0 fps: [('Clip', 10.417), ('Clip', 10.417)]
# 1/25s: 250 frames are 10.000 s; read at 25.0 fps: [('Clip', 10.0), ('Clip', 10.0)]
# 1/30s: 250 frames are 8.333 s; read at 30.0 fps: [('Clip', 8.333), ('Clip', 8.333)]
# 1001/24000s: 250 frames are 10.427 s; read at 23.0 fps: [('Clip', 10.391), ('Gap', 0.478), ('Clip', 10.391)]
# 1001/30000s: 250 frames are 8.342 s; read at 29.0 fps: [('Clip', 8.31), ('Gap', 0.31), ('Clip', 8.31)]

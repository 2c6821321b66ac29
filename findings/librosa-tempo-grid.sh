#!/bin/sh
# librosa 0.11.0: librosa.feature.tempo (and the tempo of beat_track) can only be one of a few numbers: with the default rate
# and hop 60 * 22050 / 512 divided by a whole number. Between 90 and 200 bpm there are sixteen; 120 is not among them, and a
# metronome at exactly 120 bpm is told as 117.45.
#
# Guess of a good engineer: the peak of the tempogram is interpolated, or the grid is finer than what people hear and DJs
# need: a metronome of half a minute within half a percent.
# Behaviour: up to 2.5 % off at tempi of dance music, always the same numbers (117.45, 123.05, 129.2, 136.0, 143.55, 152.0,
# 161.5 ...), so a histogram of a library's tempi shows peaks that are not in its music, and tracks of 122 and 126 bpm count
# as alike. No error, no warning. The documentation of tempo says nothing of it.
# What to do: hop_length=128 or less for the onset envelope, or the median distance of many beats.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet librosa==0.11.0 numpy==2.4.6
cat > try.py <<'PY'
import sys

import librosa
import numpy as np

RATE = 22_050
grid = librosa.tempo_frequencies(384, hop_length=512, sr=RATE)
between = grid[(grid >= 90) & (grid <= 200)]
print(f"tempi from 90 to 200 bpm that can be told: {np.round(np.sort(between), 2).tolist()}")
errors, told = {}, {}
for bpm in (90, 95, 100, 105, 110, 115, 118, 120, 122, 124, 125, 126, 127, 128, 130, 135, 140, 145, 150, 155, 160):
    clicks = librosa.clicks(times=np.arange(0, 15, 60 / bpm), sr=RATE, length=15 * RATE)
    told[bpm] = float(librosa.feature.tempo(y=clicks, sr=RATE)[0])
    errors[bpm] = abs(told[bpm] / bpm - 1)
on_grid = all(np.isclose(grid[1:], tempo).any() for tempo in told.values())
octave = [bpm for bpm, error in errors.items() if error < 0.1]
worst = max(octave, key=errors.get)
print("metronomes " + ", ".join(f"{bpm}: {told[bpm]:.2f}" for bpm in (100, 110, 120, 122, 125, 126, 128, 140, 150, 160)))
far = [bpm for bpm in octave if errors[bpm] > 0.01]
print(f"{len(far)} of {len(octave)} tempi are off by over 1 % (worst {worst}: {told[worst]:.2f}, {100 * errors[worst]:.1f} %)")
print(f"{len(set(told.values()))} different answers for {len(told)} tempi")
sys.exit(0 if on_grid and round(told[120], 2) == 117.45 and len(far) >= 5 else 1)
PY
venv/bin/python try.py 2> errors || { cat errors >&2; exit 1; }
# Seen on 2026-11-30 (Python 3.11, Linux):
# tempi from 90 to 200 bpm that can be told: [92.29, 95.7, 99.38, 103.36, 107.67, 112.35, 117.45, 123.05, 129.2, 136.0, 143.55, 152.0, 161.5, 172.27, 184.57, 198.77]
# metronomes 100: 99.38, 110: 112.35, 120: 117.45, 122: 123.05, 125: 123.05, 126: 123.05, 128: 129.20, 140: 143.55, 150: 152.00, 160: 161.50
# 10 of 21 tempi are off by over 1 % (worst 140: 143.55, 2.5 %)
# 12 different answers for 21 tempi

#!/bin/sh
# librosa 0.11.0: frames turned into seconds and back are not the same frames. time_to_frames(frames_to_time(n)) is n - 1 for
# 7 % of all n at the default rate and hop (first at n = 15), time_to_samples(samples_to_time(n)) likewise.
#
# Guess of a good engineer: the two functions are each other's inverse on whole frames (a nearest frame, or a floor that
# allows for the last bit of a float); beats that are kept in seconds, as librosa.beat.beat_track(units="time") gives them,
# are found again at the frames they came from.
# Behaviour: the product of seconds and rate is cut off, so 15 * 512 / 22050 * 22050 = 7679.999... is sample 7679 and frame
# 14. Features looked up at beat times come from the frame before for one beat in fourteen to twenty. No error, no warning.
# What to do: np.rint(seconds * rate / hop), or keep frames.
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

n = np.arange(100_000)
wrong = {}
for rate, hop in ((22050, 512), (44100, 512), (48000, 480), (16000, 160)):
    back = librosa.time_to_frames(librosa.frames_to_time(n, sr=rate, hop_length=hop), sr=rate, hop_length=hop)
    samples = librosa.time_to_samples(librosa.samples_to_time(n, sr=rate), sr=rate)
    rounded = np.rint(librosa.frames_to_time(n, sr=rate, hop_length=hop) * rate / hop).astype(int)
    wrong[rate, hop] = int((back != n).sum())
    print(
        f"{rate} Hz, hop {hop}: {wrong[rate, hop]} of {len(n)} frames and {int((samples != n).sum())} samples one early"
        f" (first frames {n[back != n][:4].tolist()}), rounded {int((rounded != n).sum())} wrong"
    )
    if (rounded != n).any() or not set(np.unique(back - n)) <= {-1, 0}:
        sys.exit(1)

clicks = librosa.clicks(times=np.arange(0.5, 60, 0.47), sr=22050, length=60 * 22050)
_, frames = librosa.beat.beat_track(y=clicks, sr=22050)
_, seconds = librosa.beat.beat_track(y=clicks, sr=22050, units="time")
moved = int((librosa.time_to_frames(seconds, sr=22050) != frames).sum())
print(f"beat_track: {moved} of {len(frames)} beats in seconds come back to another frame than beat_track's own")
sys.exit(0 if wrong[22050, 512] > 5_000 and moved > 0 else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-29 (Python 3.11, Linux):
# 22050 Hz, hop 512: 7020 of 100000 frames and 7020 samples one early (first frames [15, 23, 30, 46]), rounded 0 wrong
# 44100 Hz, hop 512: 7020 of 100000 frames and 7020 samples one early (first frames [15, 23, 30, 46]), rounded 0 wrong
# 48000 Hz, hop 480: 5982 of 100000 frames and 6132 samples one early (first frames [29, 57, 58, 113]), rounded 0 wrong
# 16000 Hz, hop 160: 590 of 100000 frames and 741 samples one early (first frames [201, 203, 402, 406]), rounded 0 wrong
# beat_track: 6 of 125 beats in seconds come back to another frame than beat_track's own

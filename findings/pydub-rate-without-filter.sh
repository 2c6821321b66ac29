#!/bin/sh
# pydub 0.25.1: AudioSegment.set_frame_rate lowers the rate without a low-pass filter: what lies above half of the new rate
# comes back as a false tone, nearly as loud as it was.
#
# Guess of a good engineer: a change of rate is a resampling with a filter, as in ffmpeg (which pydub uses for files),
# librosa, soxr or scipy.signal.resample_poly; 10 kHz is gone at 16 kHz.
# Behaviour: the method joins neighbouring samples by straight lines (audioop.ratecv): 10 kHz at 44.1 kHz becomes 6 kHz at 16
# kHz, 1.5 dB quieter; soxr leaves nothing. 44.1 to 16 or 24 kHz is what speech and music networks ask for: cymbals and "s"
# become tones and noise in the middle of what they hear. No error, no warning. The documentation speaks of a loss of quality
# and of high frequencies that a low rate cannot hold, not of false tones; issue 817 of pydub asks which algorithm it is and
# has no answer.
# What to do: soxr.resample on the samples, or ffmpeg's -ar when the file is read.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pydub==0.25.1 "audioop-lts==0.2.2;python_version>='3.13'" soxr==1.1.0 numpy==2.4.6
cat > try.py <<'PY'
import sys

import numpy as np
import soxr
from pydub import AudioSegment

RATE, NEW = 44_100, 16_000


def told(samples):
    """Strongest frequency, Hz, and level of the whole beside the tone that went in, dB."""
    inner = samples[NEW // 10 : -NEW // 10]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    level = 20 * np.log10(max(inner.std(), 1e-6) / (0.5 / np.sqrt(2)))
    return round(spectrum.argmax() * NEW / len(inner)), round(float(level), 1)


seen = {}
for frequency in (1_000, 7_000, 9_000, 10_000, 12_000, 15_000):
    tone = 0.5 * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)
    segment = AudioSegment(np.rint(tone * 32767).astype("<i2").tobytes(), sample_width=2, frame_rate=RATE, channels=1)
    pydub = np.array(segment.set_frame_rate(NEW).get_array_of_samples()) / 32768
    seen[frequency] = told(pydub)
    print(f"{frequency:>5} Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) {seen[frequency]}, soxr {told(soxr.resample(tone, RATE, NEW))[1]} dB")
ghosts = {frequency: NEW - frequency for frequency in (9_000, 10_000, 12_000, 15_000)}
false = all(seen[tone][0] == ghost and seen[tone][1] > -5 for tone, ghost in ghosts.items())
sys.exit(0 if false and seen[1_000][0] == 1_000 else 1)
PY
venv/bin/python -W ignore try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
#  1000 Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) (1000, -0.0), soxr -0.0 dB
#  7000 Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) (7000, -0.7), soxr -0.0 dB
#  9000 Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) (7000, -1.2), soxr -111.0 dB
# 10000 Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) (6000, -1.5), soxr -111.0 dB
# 12000 Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) (4000, -2.1), soxr -111.0 dB
# 15000 Hz at 44.1 kHz -> 16 kHz: pydub (Hz, dB) (1000, -3.1), soxr -111.0 dB

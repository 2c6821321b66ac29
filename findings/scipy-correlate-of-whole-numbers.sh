#!/bin/sh
# scipy 1.17.1: scipy.signal.correlate of two 16-bit sounds, as scipy.io.wavfile and soundfile(dtype="int16") read them, gives
# whole numbers of 16 bits: the sums wrap around and the lag that is read off their maximum is anywhere. The FFT method, too,
# computes in floats and then casts back.
#
# Guess of a good engineer: method="auto" gives floats where it uses FFT, or sums wide enough; numpy's np.sum widens, scipy's
# own fftconvolve returns floats for the same input, and the documentation of "auto" and of choose_conv_method speaks of
# keeping the precision of whole numbers.
# Behaviour: the wrong lag for sounds, at most a RuntimeWarning on the cast (method "fft" with large sums) and none with
# "direct". Pictures' uint8 rows wrap at 256. The documentation says nothing of the result's type; issue 6076 of scipy (64-bit
# sums) is open.
# What to do: .astype(float) first.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet scipy==1.17.1 numpy==2.4.6
cat > try.py <<'PY'
import sys
import warnings

import numpy as np
from scipy.io import wavfile
from scipy.signal import correlate, correlation_lags, fftconvolve

RATE, LATE = 8_000, 1_234
music = np.random.default_rng(0).normal(0, 3_000, 4 * RATE).clip(-32_768, 32_767).astype(np.int16)
wavfile.write("one.wav", RATE, music)
wavfile.write("late.wav", RATE, np.concatenate([np.zeros(LATE, np.int16), music[:-LATE]]))
one, late = wavfile.read("one.wav")[1], wavfile.read("late.wav")[1]
lags = correlation_lags(len(late), len(one))
seen = {}
for method in ("auto", "fft", "direct"):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        whole = correlate(late, one, method=method)
    seen[method] = (int(lags[whole.argmax()]), str(whole.dtype))
    print(f"{method:<6} int16 in: {whole.dtype} out, lag {seen[method][0]}, {len(told)} warning(s)")
floats = correlate(late.astype(float), one.astype(float))
convolved = fftconvolve(late, one[::-1])
print(f"float64 in: lag {lags[floats.argmax()]} (true {LATE}); fftconvolve of int16: {convolved.dtype}, lag {lags[convolved.argmax()]}")
right = int(lags[floats.argmax()]) == int(lags[convolved.argmax()]) == LATE
sys.exit(0 if right and all(lag != LATE and kind == "int16" for lag, kind in seen.values()) else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# auto   int16 in: int16 out, lag 24258, 1 warning(s)
# fft    int16 in: int16 out, lag 24258, 1 warning(s)
# direct int16 in: int16 out, lag 24258, 0 warning(s)
# float64 in: lag 1234 (true 1234); fftconvolve of int16: float64, lag 1234

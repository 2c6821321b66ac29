#!/bin/sh
# numpy 2.4.6: whether the FFT of float32 samples is computed in single or in double precision depends on `norm`, which the
# documentation calls a scaling. rfft(x) computes in double and rounds to complex64 at the end, three times slower;
# rfft(x, norm="forward") or "ortho" computes in single precision. irfft is the other way round: norm="forward" is the double one.
#
# Guess of a good engineer: since numpy 2.0 ("numpy.fft now supports float32 and longdouble"; results are complex64) everything
# is computed in float32, and rfft(x) / n is rfft(x, norm="forward") but for one rounding, at the same cost.
# Behaviour: where the factor is 1 (rfft's default, irfft's "forward") numpy hands its loop a whole number, and the loop that
# takes whole numbers is the double one; where it is 1/n a float32 is handed and the single loop runs. So a default spectrogram
# has the precision of doubles and their time, one in another norm has not, and two spectra that should be proportional
# differ by 1e-7 of the largest value.
# What to do: choose on purpose (norm="forward" and one multiplication, or scipy.fft, for speed), and never compare float32
# spectra of two norms for equality.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
cat > try.py <<'PY'
import sys
import time

import numpy as np

frames = np.random.default_rng(0).standard_normal((2_600, 2_048)).astype(np.float32)
doubled = np.fft.rfft(frames.astype(np.float64))
half = np.fft.rfft(frames[:64]).astype(np.complex64)


def seconds(norm: str) -> float:
    spent = []
    for _ in range(7):
        begun = time.process_time()
        np.fft.rfft(frames, norm=norm)
        spent.append(time.process_time() - begun)
    return min(spent)


scale = {"backward": 1.0, "ortho": 2_048**0.5, "forward": 2_048.0}
double = {}
for norm, factor in scale.items():
    ours = np.fft.rfft(frames, norm=norm)
    error = np.abs(ours * factor - doubled).max() / np.abs(doubled).max()
    back = np.fft.irfft(half, norm=norm)
    double[norm] = (
        np.array_equal(ours, (doubled / factor).astype(np.complex64)),
        np.array_equal(back, np.fft.irfft(half.astype(np.complex128), norm=norm).astype(np.float32)),
    )
    print(f"{norm:<8} {ours.dtype}: rfft equals the rounded double one: {double[norm][0]} (error {error:.0e}, {seconds(norm) / seconds('backward'):.2f} of the default's time); irfft: {double[norm][1]}")
same = double == {"backward": (True, False), "ortho": (False, False), "forward": (False, True)}
sys.exit(0 if same else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# backward complex64: rfft equals the rounded double one: True (error 4e-08, 0.98 of the default's time); irfft: False
# ortho    complex64: rfft equals the rounded double one: False (error 2e-07, 0.33 of the default's time); irfft: False
# forward  complex64: rfft equals the rounded double one: False (error 1e-07, 0.33 of the default's time); irfft: True

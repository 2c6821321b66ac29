#!/bin/sh
# FFmpeg 8.1 (PyAV 18.1.0) and FFmpeg 9.0 (imageio-ffmpeg 0.8.1's program): the level of a stereo sound mixed to mono depends
# on the number format that is asked for: whole numbers get the mean of both channels, floats get 3 dB more, beyond full
# scale.
#
# Guess of a good engineer: one mix, whatever the format; most would say the mean of the channels. -f f32le and -f s16le,
# "fltp" and "s16" of AudioResampler give the same sound up to rounding.
# Behaviour: 0.8 in both channels is 0.8 in s16 and s32 and 1.131 in flt and dbl, No error, no warning. Two parts of one
# program that read a file in different formats disagree by 3 dB in loudness and by 0.69 in log-mel energy (ln 2); floats over
# 1 are clipped by what writes them next. FFmpeg's documentation of rematrix_maxval says that 1.0 prevents clipping, not that
# it is 1 for whole numbers and unlimited for floats if nobody sets it. PyAV's says nothing of it.
# What to do: decode all channels and take their mean, or pan=mono|c0=.5*c0+.5*c1, or rematrix_maxval=1 with floats.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet av==18.1.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cat > try.py <<'PY'
import subprocess
import sys
import wave

import av
import imageio_ffmpeg
import numpy as np

RATE = 48_000
tone = np.rint(0.8 * 32768 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype("<i2")
with wave.open("tone.wav", "wb") as file:
    file.setparams((2, 2, RATE, 0, "NONE", ""))
    file.writeframes(np.repeat(tone, 2).tobytes())


def peak(samples):
    scale = 2.0 ** (8 * samples.itemsize - 1) if samples.dtype.kind == "i" else 1.0
    return round(float(np.abs(samples.astype(float)).max() / scale), 3)


def pyav(form, **options):
    resampler = av.AudioResampler(format=form, layout="mono", **options)
    with av.open("tone.wav") as file:
        parts = [out.to_ndarray() for frame in [*file.decode(audio=0), None] for out in resampler.resample(frame)]
    return peak(np.concatenate(parts, axis=1))


def program(form, dtype, *options):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "tone.wav", *options, "-f", form, "-"]
    return peak(np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, dtype))


python = {form: pyav(form) for form in ("s16", "s32", "flt", "fltp", "dbl")}
held = pyav("flt", options={"rematrix_maxval": "1"})
command = {form: program(form, dtype, "-ac", "1") for form, dtype in (("s16le", "<i2"), ("s32le", "<i4"), ("f32le", "<f4"))}
pan = {form: program(form, dtype, "-af", "pan=mono|c0=.5*c0+.5*c1") for form, dtype in (("s16le", "<i2"), ("f32le", "<f4"))}
print("peak of 0.8 in both channels as mono")
print(f"PyAV {python}, flt with rematrix_maxval=1: {held}")
print(f"ffmpeg -ac 1 {command}, pan {pan}")
mean = [python["s16"], python["s32"], held, command["s16le"], command["s32le"], *pan.values()]
loud = [python["flt"], python["fltp"], python["dbl"], command["f32le"]]
sys.exit(0 if set(mean) == {0.8} and set(loud) == {1.131} else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# peak of 0.8 in both channels as mono
# PyAV {'s16': 0.8, 's32': 0.8, 'flt': 1.131, 'fltp': 1.131, 'dbl': 1.131}, flt with rematrix_maxval=1: 0.8
# ffmpeg -ac 1 {'s16le': 0.8, 's32le': 0.8, 'f32le': 1.131}, pan {'s16le': 0.8, 'f32le': 0.8}

#!/bin/sh
# pedalboard 0.9.26: an MP3 file is read with the silence that its encoder put in front and behind: 1105 samples (25 ms) late
# and 1836 samples too long. soundfile (and with it librosa) and PyAV read the same file to the sample as it was before it was
# encoded.
#
# Guess of a good engineer: AudioFile reads the LAME tag of the file's first frame, as other readers do; beats, cuts and pairs
# of tracks fall on the same samples in every library; frames / samplerate is the length of the music.
# Behaviour: all that was measured with another library lies 25 ms early in pedalboard's samples; a loop that is written,
# encoded and read again has a gap. No error, no warning. WAV, FLAC and Ogg Vorbis are exact. The documentation names MP3 as
# natively supported and says nothing of it.
# What to do: read MP3 with soundfile, librosa or PyAV and hand the array to pedalboard.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pedalboard==0.9.26 soundfile==0.14.0 av==18.1.0 numpy==2.4.6
cat > try.py <<'PY'
import sys

import av
import numpy as np
import soundfile
from pedalboard.io import AudioFile

RATE = 44_100
sound = np.random.default_rng(0).normal(0, 0.001, 5 * RATE).astype(np.float32)
sound[RATE : RATE + 40] = sound[4 * RATE : 4 * RATE + 40] = 0.9  # clicks at 1 s and 4 s


def pedalboard(name):
    with AudioFile(name) as file:
        return file.read(file.frames)[0]


def pyav(name):
    with av.open(name) as file:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
    return samples if samples.dtype.kind == "f" else samples / 2.0 ** (8 * samples.itemsize - 1)


readers = {"soundfile": lambda name: soundfile.read(name)[0], "pyav": pyav, "pedalboard": pedalboard}
seen = {}
for kind in ("wav", "flac", "ogg", "mp3"):
    soundfile.write(f"clicks.{kind}", sound, RATE)
    for reader, read in readers.items():
        samples = read(f"clicks.{kind}")
        first = int(np.flatnonzero(np.abs(samples) > 0.3)[0]) - RATE
        seen[kind, reader] = (first, len(samples) - len(sound))
    print(f"{kind:<4} click late by, file longer by (samples): { {reader: seen[kind, reader] for reader in readers} }")
exact = [abs(late) <= 2 and longer == 0 for (kind, reader), (late, longer) in seen.items() if (kind, reader) != ("mp3", "pedalboard")]
late, longer = seen["mp3", "pedalboard"]
sys.exit(0 if all(exact) and abs(late - 1105) <= 2 and longer == 1836 else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# wav  click late by, file longer by (samples): {'soundfile': (0, 0), 'pyav': (0, 0), 'pedalboard': (0, 0)}
# flac click late by, file longer by (samples): {'soundfile': (0, 0), 'pyav': (0, 0), 'pedalboard': (0, 0)}
# ogg  click late by, file longer by (samples): {'soundfile': (0, 0), 'pyav': (0, 0), 'pedalboard': (0, 0)}
# mp3  click late by, file longer by (samples): {'soundfile': (0, 0), 'pyav': (0, 0), 'pedalboard': (1105, 1836)}

#!/bin/sh
# soundfile 0.14.0 (libsndfile inside its wheel), and librosa 0.11.0, which reads by it: of a valid MP3 of variable bit rate without
# a Xing header, as ffmpeg writes it to a pipe (or with -write_xing 0), only a part of the sound is read: no error, no warning.
#
# Guess of a good engineer: info().frames may be an estimate there, but read() decodes to the end of the file, as ffmpeg, mpg123 and
# browsers do; at least the number of frames that a file "has" is never under what can be decoded.
# Behaviour: the length is estimated from the first frame's bit rate and taken for the end. A tone of 20 s after half a second of
# noise (a loud start, a calm rest) is read as a few seconds. The same sound with its Xing header is read whole, and so is
# one of constant bit rate. What comes of it: a library that measures tracks by librosa sees their beginnings only.
# What to do: decode through FFmpeg (PyAV), or compare with the container's packets.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet soundfile==0.14.0 librosa==0.11.0 av==18.1.0 imageio-ffmpeg==0.8.1
cat > try.py <<'PY'
import subprocess
import sys
import warnings

import av
import imageio_ffmpeg
import librosa
import soundfile

SECONDS = 20.5
SOURCE = ["-f", "lavfi", "-i", "anoisesrc=duration=0.5:amplitude=0.8:seed=1:sample_rate=44100", "-f", "lavfi", "-i", "sine=frequency=440:duration=20:sample_rate=44100"]
JOIN = ["-filter_complex", "[0][1]concat=n=2:v=0:a=1"]
CODED = {"constant, no Xing": ["-b:a", "128k", "-write_xing", "0"], "variable": ["-q:a", "2"], "variable, no Xing": ["-q:a", "2", "-write_xing", "0"]}
# (librosa loads modules as it is first used, which warns of other things: so the file that is cut short comes last)


def decoded_s(name: str) -> float:
    with av.open(name) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / 44_100


same = True
for kind, options in CODED.items():
    name = kind.replace(", ", "-").replace(" ", "-") + ".mp3"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *SOURCE, *JOIN, "-c:a", "libmp3lame", *options, name], check=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_s = len(soundfile.read(name)[0]) / 44_100
        loaded_s = len(librosa.load(name, sr=None)[0]) / 44_100
    print(f"{kind:<18} {SECONDS} s written, FFmpeg decodes {decoded_s(name):.1f} s, soundfile reads {read_s:.1f} s, librosa {loaded_s:.1f} s, {len(told)} warning(s)")
    whole = read_s > SECONDS - 0.1 and loaded_s > SECONDS - 0.1
    same &= decoded_s(name) > SECONDS - 0.1
    same &= (max(read_s, loaded_s) < SECONDS / 2 and not told) if kind == "variable, no Xing" else whole
sys.exit(0 if same else 1)
PY
venv/bin/python try.py 2>/dev/null
# Seen on 2026-11-30 (Python 3.11, Linux):
# constant, no Xing  20.5 s written, FFmpeg decodes 20.5 s, soundfile reads 20.5 s, librosa 20.5 s
# variable           20.5 s written, FFmpeg decodes 20.5 s, soundfile reads 20.5 s, librosa 20.5 s
# variable, no Xing  20.5 s written, FFmpeg decodes 20.5 s, soundfile reads 3.1 s, librosa 3.1 s, 0 warning(s)

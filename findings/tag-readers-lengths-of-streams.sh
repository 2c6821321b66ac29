#!/bin/sh
# mutagen 1.48.1 and tinytag 2.3.2: how long files are that an encoder wrote to a pipe (what any recorder or server that streams
# makes; all valid, all decoded whole). For 12 seconds they say 0, 2 and 48,695.
#
# Guess of a good engineer: a length that a header leaves open is reckoned from the file's size or packets, or is None.
# Behaviour: WAV: the size field's "unknown" (0xFFFFFFFF) is divided by the byte rate, 13.5 hours in both, though the file's size is
# known; FLAC and fragmented MP4: 0.0, which is a number like any other; MP3 of variable bit rate without Xing header: mutagen
# takes the loud first frame's rate for all; ADTS: tinytag reads a few frames' worth. Ogg is right, since its last page says the end.
# What to do: ask the decoder (packets of the stream), and treat 0 and hours beyond the file's size as unknown.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet mutagen==1.48.1 tinytag==2.3.2 av==18.1.0 imageio-ffmpeg==0.8.1
cat > try.py <<'PY'
import subprocess
import sys

import av
import imageio_ffmpeg
import mutagen
from tinytag import TinyTag

SECONDS = 12.0
SOURCE = ["-f", "lavfi", "-i", "anoisesrc=duration=1:amplitude=0.8:seed=1:sample_rate=44100", "-f", "lavfi", "-i", "sine=frequency=440:duration=11:sample_rate=44100"]
JOIN = ["-filter_complex", "[0][1]concat=n=2:v=0:a=1"]
KINDS = {
    "wav": ["-f", "wav"],
    "flac": ["-f", "flac"],
    "m4a": ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4"],
    "mp3": ["-q:a", "2", "-f", "mp3"],
    "aac": ["-c:a", "aac", "-f", "adts"],
    "ogg": ["-c:a", "libvorbis", "-f", "ogg"],
}


def decoded_s(name: str) -> float:
    with av.open(name) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / 44_100


seen = {}
for ending, options in KINDS.items():
    name = "stream." + ending
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *SOURCE, *JOIN, *options, "-"]
    with open(name, "wb") as file:
        file.write(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    seen[ending] = mutagen.File(name).info.length, TinyTag.get(name).duration
    print(f"{ending:<4} decoded {decoded_s(name):.1f} s, mutagen {seen[ending][0]:.1f} s, tinytag {seen[ending][1]:.1f} s")
    assert abs(decoded_s(name) - SECONDS) < 0.2
same = min(seen["wav"]) > 40_000 and seen["flac"] == seen["m4a"] == (0.0, 0.0)
same &= seen["mp3"][0] < SECONDS / 3 and seen["aac"][1] < SECONDS / 3 and all(abs(each - SECONDS) < 0.2 for each in seen["ogg"])
sys.exit(0 if same else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# wav  decoded 12.0 s, mutagen 48695.8 s, tinytag 48695.8 s
# flac decoded 12.0 s, mutagen 0.0 s, tinytag 0.0 s
# m4a  decoded 12.0 s, mutagen 0.0 s, tinytag 0.0 s
# mp3  decoded 12.0 s, mutagen 2.0 s, tinytag 12.0 s
# aac  decoded 12.0 s, mutagen 12.0 s, tinytag 0.3 s
# ogg  decoded 12.0 s, mutagen 12.0 s, tinytag 12.0 s

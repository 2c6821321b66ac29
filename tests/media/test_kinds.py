"""Files that are neither video nor sound are told what they are, in one sentence."""

from __future__ import annotations

import pytest

from mvr.errors import NotMedia, UnsupportedCodec
from mvr.media.frames import sample_frames
from mvr.media.kinds import other_kind
from mvr.media.probe import probe
from mvr.media.sound import read_sound

MOVING = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.4:r=10"]
STILL = [*MOVING, "-frames:v", 1]
PICTURES = {
    "still.avif": ([*STILL, "-c:v", "libaom-av1", "-cpu-used", 8, "-still-picture", 1], "a photo (AVIF)"),
    "moving.avif": ([*MOVING, "-c:v", "libaom-av1", "-cpu-used", 8], "an animated picture (AVIF)"),
    "moving.webp": ([*MOVING, "-c:v", "libwebp_anim"], "an animated picture (WebP)"),
    "still.webp": ([*STILL, "-c:v", "libwebp"], "a picture (WebP)"),
    "moving.gif": (MOVING, "a picture (GIF)"),
    "still.jpg": ([*STILL, "-update", 1], "a photo (JPEG)"),
    "still.png": ([*STILL, "-update", 1], "a picture (PNG)"),
    "still.bmp": ([*STILL, "-update", 1], "a picture (BMP)"),
    "still.tiff": ([*STILL, "-update", 1], "a picture (TIFF or camera raw)"),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("ending", ["", ".mp4"])
def test_a_picture_is_told_what_it_is_whatever_its_name(ffmpeg, tmp_path, name, ending):
    arguments, kind = PICTURES[name]
    ffmpeg(*arguments, tmp_path / name)
    path = (tmp_path / name).rename(tmp_path / f"{name}{ending}")
    with pytest.raises(NotMedia) as refused:
        probe(path)
    assert str(refused.value).startswith(f"{path.name}: this is {kind}; give a video or a sound file")


def test_documents_and_archives_are_told_too():
    beginnings = {
        b"%PDF-1.7": "PDF",
        b"PK\x03\x04\x14": "ZIP",
        b"#EXTM3U\n": "M3U",
        b"\x00\x00\x00\x18ftypheic": "HEIC",
    }
    for beginning, kind in beginnings.items():
        assert kind in (other_kind(beginning.ljust(64, b"\0")) or "")


def test_what_may_be_video_or_sound_is_let_through(numbered_clip, write_wav, tune, tmp_path):
    for path in (numbered_clip, write_wav(tmp_path / "tune.wav", tune, 48000)):
        assert other_kind(path.read_bytes()[:64]) is None


def test_an_encrypted_clip_is_told_that_it_is(numbered, ffmpeg, tmp_path):
    plain = numbered(
        "plain.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-crf", 12, "-g", 15]
    )
    locked = tmp_path / "locked.mp4"
    ffmpeg("-i", plain, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1",
           "-encryption_kid", "0" * 31 + "2", locked)  # fmt: skip
    for read in (probe, lambda path: sample_frames(path, count=1)):
        with pytest.raises(
            UnsupportedCodec, match=r"locked\.mp4: the picture is encrypted \(copy protection\)"
        ):
            read(locked)


def test_an_encrypted_track_is_told_that_it_is(write_wav, tune, ffmpeg, tmp_path):
    locked = tmp_path / "locked.m4a"
    ffmpeg("-i", write_wav(tmp_path / "tune.wav", tune, 48000), "-c:a", "aac", "-encryption_scheme", "cenc-aes-ctr",
           "-encryption_key", "0" * 31 + "1", "-encryption_kid", "0" * 31 + "2", "-f", "mp4", locked)  # fmt: skip
    with pytest.raises(UnsupportedCodec, match=r"locked\.m4a: the sound is encrypted"):
        read_sound(locked, 48000)

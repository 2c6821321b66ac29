from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from mvr.errors import NoPicture, NoSound, TooLong
from mvr.media.container import OpenMedia
from mvr.media.limits import MediaLimits
from mvr.media.probe import probe
from mvr.media.tonemap import Transfer


@pytest.fixture(scope="module")
def clip_with_sound(plain_clip, ffmpeg, tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "both.mp4"
    sound = "sine=f=440:d=3:r=44100"
    ffmpeg("-i", plain_clip, "-f", "lavfi", "-i", sound, "-c:v", "copy", "-c:a", "aac", "-ac", 2, path)
    return path


def test_a_probe_says_what_is_in_the_file(clip_with_sound):
    info = probe(clip_with_sound)
    video, audio = info.video, info.audio
    assert info.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert info.duration_s == pytest.approx(3.0, abs=0.05)
    assert info.size_bytes == clip_with_sound.stat().st_size
    assert video is not None and audio is not None
    assert (video.codec, video.width_px, video.height_px, video.pixel_format) == ("h264", 128, 64, "yuv420p")
    assert (video.frame_rate_hz, video.sample_aspect, video.rotation_deg) == (30, Fraction(1), 0)
    assert video.transfer is Transfer.SDR and not video.mirrored
    assert (audio.codec, audio.sample_rate_hz, audio.channels, audio.layout) == ("aac", 44100, 2, "stereo")


def test_needs_are_checked(plain_clip, write_wav, tune, tmp_path):
    wav = write_wav(tmp_path / "tune.wav", tune, 48000)
    with pytest.raises(NoSound, match="no sound"):
        probe(plain_clip, needs=("picture", "sound"))
    with pytest.raises(NoPicture, match="no picture"):
        probe(wav, needs=("picture",))
    assert probe(wav).video is None
    assert probe(wav).duration_s == pytest.approx(4.0)


def test_music_has_its_own_time_limit(clip_with_sound, write_wav, tune, tmp_path):
    limits = MediaLimits(video_s=2, music_s=5)
    with pytest.raises(TooLong, match="at most 2 s"):
        probe(clip_with_sound, limits)
    assert probe(clip_with_sound, limits, needs=("sound",)).duration_s == pytest.approx(3, abs=0.1)
    with pytest.raises(TooLong, match="4 s long; at most 1 s"):
        probe(write_wav(tmp_path / "tune.wav", tune, 48000), MediaLimits(music_s=1))


def test_a_duration_that_the_header_lacks_is_measured(plain_clip, ffmpeg, tmp_path):
    live = tmp_path / "live.mkv"  # as a recorder writes it that cannot go back to its header
    ffmpeg("-i", plain_clip, "-c", "copy", "-live", 1, "-f", "matroska", live)
    assert probe(live).duration_s == pytest.approx(3.0, abs=0.05)


def test_cover_art_is_no_picture(write_wav, tune, ffmpeg, tmp_path):
    wav, cover, song = (
        write_wav(tmp_path / "tune.wav", tune, 48000),
        tmp_path / "cover.png",
        tmp_path / "song.mp3",
    )
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-frames:v", 1, cover)
    ffmpeg(
        "-i", wav, "-i", cover, "-map", 0, "-map", 1, "-c:v", "copy", "-disposition:v", "attached_pic", song
    )
    with pytest.raises(NoPicture, match="no picture"):
        probe(song, needs=("picture",))
    assert probe(song).video is None


def test_of_two_pictures_the_default_one_counts(ffmpeg, tmp_path):
    two = tmp_path / "two.mkv"
    sources = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", "-f", "lavfi", "-i", "testsrc2=s=64x32:d=1"]
    ffmpeg(
        *sources,
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "libx264",
        "-disposition:v:0",
        0,
        "-disposition:v:1",
        "default",
        two,
    )
    video = probe(two).video
    assert video is not None and (video.index, video.width_px) == (1, 64)


@pytest.mark.parametrize(("transfer", "found"), [("smpte2084", Transfer.PQ), ("arib-std-b67", Transfer.HLG)])
def test_high_dynamic_range_is_noticed(ffmpeg, tmp_path, transfer, found):
    clip = tmp_path / "hdr.mp4"
    colours = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"]
    params = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x64", "-i", "-"]
    data = np.full((2, 64, 64, 3), 128, np.uint8).tobytes()
    ffmpeg(
        *raw, "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params", params, *colours, clip, feed=data
    )
    video = probe(clip).video
    assert video is not None and video.transfer is found and video.color_matrix == "bt2020"


def test_the_first_picture_is_decoded_alone(ffmpeg, tmp_path, monkeypatch):
    """Though two might be shown before it: of 4K each takes as long as all else that is looked up."""
    path = tmp_path / "b-frames.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", "-bf", 3, "-pix_fmt", "yuv420p", f"file:{path}")
    decoded, decode = [], OpenMedia.decode
    monkeypatch.setattr(
        OpenMedia, "decode", lambda self, packet: decoded.append(packet) or decode(self, packet)
    )
    found = probe(path).video
    assert (len(decoded), found.width_px, found.pixel_format) == (1, 320, "yuv420p")


def test_a_first_picture_that_is_damaged_gives_way_to_the_next(ffmpeg, tmp_path, monkeypatch):
    path = tmp_path / "two-keys.ts"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:d=2", "-g", 12, "-pix_fmt", "yuv420p", f"file:{path}")
    with av.open(str(path)) as container:
        first = next(container.demux(video=0))
        assert first.is_keyframe and first.pos is not None
    spoilt = bytearray(path.read_bytes())
    for at in range(
        first.pos + 188, first.pos + first.size // 2, 188
    ):  # packets of 188 bytes keep their heads
        spoilt[at + 40 : at + 184] = bytes(144)
    path.write_bytes(spoilt)
    decoded, decode = [], OpenMedia.decode
    monkeypatch.setattr(
        OpenMedia, "decode", lambda self, packet: decoded.append(packet) or decode(self, packet)
    )
    assert probe(path).video.width_px == 320
    assert len(decoded) > 12  # up to the next key frame

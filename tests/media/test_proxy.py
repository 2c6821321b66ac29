from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mvr.config.outputs import written_whole
from mvr.errors import NoPicture, OutputRefused, TooSlow
from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.frames import sample_frames
from mvr.media.loudness import measure_loudness
from mvr.media.probe import probe
from mvr.media.proxy import fitted_size, make_proxy, save_poster
from mvr.media.sound import read_sound


def is_in_front(path):
    """Whether the index comes before the data."""
    data = path.read_bytes()
    return data.index(b"moov") < data.index(b"mdat")


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_any_clip_becomes_browser_safe(numbered_clip, read_numbers, tmp_path):
    out = tmp_path / "proxy.mp4"
    info = make_proxy(numbered_clip, out)
    assert info.video is not None and info.audio is None
    assert (info.video.codec, info.video.pixel_format) == ("h264", "yuv420p")
    assert info.container.startswith("mov") and is_in_front(out)
    assert info.duration_s == pytest.approx(3.0, abs=0.05)
    times = [0.0, 0.5, 1.25, 2.9]
    assert read_numbers(sample_frames(out, times_s=times).images) == read_numbers(
        sample_frames(numbered_clip, times_s=times).images
    )


def test_a_safe_picture_is_copied_bit_by_bit(plain_clip, tmp_path):
    out = tmp_path / "proxy.mp4"
    make_proxy(plain_clip, out)
    assert packets(out) == packets(plain_clip)


@pytest.mark.parametrize("size", ["1920x1080", "720x1600", "1080x1080", "642x642"])
def test_large_pictures_fit_into_720p(ffmpeg, tmp_path, size):
    clip = tmp_path / "large.webm"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s={size}:d=0.3:r=10", "-c:v", "libvpx", "-deadline", "realtime", clip
    )
    video = make_proxy(clip, tmp_path / "proxy.mp4").video
    width, height = map(int, size.split("x"))
    assert video is not None and video.width_px % 2 == 0 and video.height_px % 2 == 0
    assert max(video.width_px, video.height_px) <= 1280 and min(video.width_px, video.height_px) <= 720
    assert video.width_px / video.height_px == pytest.approx(width / height, rel=0.01)


@given(width=st.integers(1, 8192), height=st.integers(1, 8192))
def test_fitted_sizes_are_even_and_within_the_sides(width, height):
    wide, high = fitted_size(width, height, (1280, 720))
    assert wide % 2 == 0 and high % 2 == 0 and max(wide, high) <= 1280 and min(wide, high) <= 720
    assert wide <= max(2, width + 1) and high <= max(2, height + 1)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
def test_rotated_clips_play_upright(plain_clip, ffmpeg, tmp_path, degrees, encoder):
    coded, turned = tmp_path / "coded.mp4", tmp_path / "turned.mp4"
    ffmpeg("-i", plain_clip, "-c:v", encoder, "-q:v", 2, "-pix_fmt", "yuv420p", coded)
    ffmpeg("-display_rotation", degrees, "-i", coded, "-c", "copy", turned)
    make_proxy(turned, tmp_path / "proxy.mp4")
    ours = sample_frames(tmp_path / "proxy.mp4", times_s=[1.0]).images
    truth = sample_frames(turned, times_s=[1.0]).images
    assert ours.shape == truth.shape
    assert np.abs(ours.astype(int) - truth).mean() < 12


def test_pixels_become_square(numbered, tmp_path):
    wide = numbered("sar.avi", ["-vf", "setsar=2", "-c:v", "mpeg4", "-q:v", 2])
    video = make_proxy(wide, tmp_path / "proxy.mp4").video
    assert video is not None and (video.width_px, video.height_px, video.sample_aspect) == (256, 64, 1)


def test_a_safe_picture_keeps_pixels_that_are_not_square(numbered, tmp_path):
    wide = numbered("sar.mp4", ["-vf", "setsar=2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 12])
    video = make_proxy(wide, tmp_path / "proxy.mp4").video
    assert video is not None and (video.width_px, video.height_px, video.sample_aspect) == (256, 64, 2)
    assert packets(tmp_path / "proxy.mp4") == packets(wide)


def test_a_rounded_aspect_is_no_disagreement(numbered, ffmpeg, tmp_path):
    odd = numbered("odd.mp4", ["-vf", "setsar=818/821", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 12])
    rounded = tmp_path / "rounded.mkv"  # Matroska says whole pixels
    ffmpeg("-i", odd, "-c", "copy", rounded)
    make_proxy(rounded, tmp_path / "proxy.mp4")
    assert packets(tmp_path / "proxy.mp4") == packets(odd)


def test_a_picture_and_a_container_that_disagree_on_the_pixels_are_made_one(numbered, ffmpeg, tmp_path):
    square = numbered("square.mp4", ["-vf", "setsar=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 12])
    said = tmp_path / "said.mkv"  # the coded picture says 1:1, the container says twice as wide
    ffmpeg("-i", square, "-c", "copy", "-aspect", "4:1", said)
    video = make_proxy(said, tmp_path / "proxy.mp4").video
    assert video is not None and (video.width_px, video.height_px, video.sample_aspect) == (256, 64, 1)


def test_sound_stays_in_time_and_becomes_aac(plain_clip, write_wav, ffmpeg, tmp_path):
    clicks = np.zeros(3 * 44100, np.float32)
    clicks[[22050, 66150, 110250]] = 0.9
    wav, clip = write_wav(tmp_path / "clicks.wav", clicks, 44100), tmp_path / "clicks.mkv"
    ffmpeg("-i", plain_clip, "-i", wav, "-c:v", "copy", "-c:a", "flac", clip)
    info = make_proxy(clip, tmp_path / "proxy.mp4")
    assert info.audio is not None and (info.audio.codec, info.audio.channels) == ("aac", 2)
    heard = np.flatnonzero(np.abs(read_sound(tmp_path / "proxy.mp4", 44100)) > 0.3)
    np.testing.assert_allclose(sorted({round(at / 44100, 2) for at in heard}), [0.5, 1.5, 2.5], atol=0.011)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_copy_is_as_loud_as_the_clip(plain_clip, write_wav, ffmpeg, tmp_path, channels):
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(3 * 48000) / 48000)[:, None]
    wav, clip = (
        write_wav(tmp_path / "tone.wav", np.repeat(tone, channels, axis=1), 48000),
        tmp_path / "loud.mkv",
    )
    ffmpeg("-i", plain_clip, "-i", wav, "-c:v", "copy", "-c:a", "flac", clip)
    make_proxy(clip, tmp_path / "proxy.mp4")
    before, after = measure_loudness(clip), measure_loudness(tmp_path / "proxy.mp4")
    assert after.integrated_lufs == pytest.approx(before.integrated_lufs, abs=0.2)


def test_a_copy_in_standard_range_says_nothing_of_the_high_one(ffmpeg, tmp_path):
    clip = tmp_path / "hdr.mp4"
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.3:r=10", "-c:v", "libx265", "-pix_fmt", "yuv420p10le",
           "-x265-params", "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
           f"master-display={display}:max-cll=1000,400", clip)  # fmt: skip
    kinds = {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
    assert side_data(clip) >= kinds
    make_proxy(clip, tmp_path / "proxy.mp4")
    assert not side_data(tmp_path / "proxy.mp4") & kinds
    written = (tmp_path / "proxy.mp4").read_bytes()
    assert b"mdcv" not in written and b"clli" not in written


def side_data(path):
    """Names of what a file's first frame carries beside the picture."""
    with av.open(str(path)) as container:
        return {data.type.name for data in next(container.decode(video=0)).side_data}


def test_where_a_clip_was_filmed_does_not_get_out(plain_clip, ffmpeg, tmp_path):
    tagged = tmp_path / "tagged.mp4"
    tags = [
        "-metadata",
        "location=+48.2082+016.3738/",
        "-metadata",
        "comment=SECRETNOTE",
        "-movflags",
        "use_metadata_tags",
    ]
    ffmpeg("-i", plain_clip, "-c", "copy", *tags, tagged)
    assert b"SECRETNOTE" in tagged.read_bytes()
    make_proxy(tagged, tmp_path / "proxy.mp4")
    assert b"SECRETNOTE" not in (tmp_path / "proxy.mp4").read_bytes()
    assert b"48.2082" not in (tmp_path / "proxy.mp4").read_bytes()


def test_progress_goes_up_to_the_end(ffmpeg, tmp_path):
    clip = tmp_path / "clip.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:d=4:r=30", "-c:v", "mpeg4", clip)
    seen: list[float] = []
    make_proxy(clip, tmp_path / "proxy.mp4", progress=seen.append)
    assert seen == sorted(seen) and 0.9 <= seen[-1] <= 1.0


def test_at_the_deadline_the_work_is_killed_and_nothing_is_left(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    endless = ["-f", "lavfi", "-i", "testsrc2=s=1280x720", "-c:v", "libx264", "-f", "mp4"]
    with (
        pytest.raises(TooSlow, match=r"clip\.mov: not finished within 0\.5 s"),
        written_whole(folder / "a.mp4") as part,
    ):
        run_ffmpeg([*endless, f"file:{part}"], Path("clip.mov"), timeout_s=0.5)
    assert list(folder.iterdir()) == []


def test_a_failure_leaves_the_old_file_alone(write_wav, tune, tmp_path):
    out = tmp_path / "proxy.mp4"
    out.write_bytes(b"old")
    with pytest.raises(NoPicture, match="no picture"):
        make_proxy(write_wav(tmp_path / "tune.wav", tune, 48000), out)
    assert out.read_bytes() == b"old"


def test_a_folder_that_is_not_there_is_named(plain_clip, tmp_path):
    with pytest.raises(OutputRefused, match="does not exist"):
        make_proxy(plain_clip, tmp_path / "gone" / "proxy.mp4")


def test_a_poster_is_the_frame_at_its_time(plain_clip, read_numbers, tmp_path):
    save_poster(plain_clip, tmp_path / "poster.jpg", time_s=2.0)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.format == "JPEG" and poster.size == (128, 64)
        assert read_numbers(np.asarray(poster)[None]) == [60]
    save_poster(plain_clip, tmp_path / "middle.jpg")
    with Image.open(tmp_path / "middle.jpg") as poster:
        assert read_numbers(np.asarray(poster)[None]) == [45]


def test_the_proxy_of_a_whole_probe_is_what_probe_says(plain_clip, tmp_path):
    assert make_proxy(plain_clip, tmp_path / "proxy.mp4") == probe(tmp_path / "proxy.mp4")

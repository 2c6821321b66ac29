from __future__ import annotations

import gc

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvr.errors import MediaError, NoPicture, TooLarge, TooLong, TooManyPixels, TooSlow, Truncated, UsageError
from mvr.media.container import OpenMedia, open_media
from mvr.media.frames import open_picture, sample_frames
from mvr.media.limits import DEFAULT_LIMITS, ONE_THREAD, MediaLimits
from mvr.media.probe import probe


def shown_at(path, times_s):
    """The slow oracle: decode everything, take the last frame at or before each time."""
    with av.open(str(path)) as container:
        start = container.start_time / 1e6
        frames = [
            (frame.time - start, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    picked = []
    for time in times_s:
        before = [image for at, image in frames if at <= time + 1e-4]
        picked.append(before[-1] if before else frames[0][1])
    return np.stack(picked)


def test_every_time_gives_the_frame_shown_then(numbered_clip, read_numbers):
    times = [2.9, 0.0, 1.234, 0.5, 0.51, 1.2, 2.999, 99.0, 0.034]
    frames = sample_frames(numbered_clip, times_s=times)
    assert read_numbers(frames.images) == read_numbers(shown_at(numbered_clip, times))


def test_uniform_frames_are_the_middles_of_equal_parts(numbered_clip, read_numbers):
    frames = sample_frames(numbered_clip, count=6)  # parts of 15 frames: middles at 7.5, 22.5, ...
    assert [n - i * 15 for i, n in enumerate(read_numbers(frames.images))] == pytest.approx([7] * 6, abs=1)
    np.testing.assert_allclose(np.diff(frames.times_s), 0.5, atol=0.04)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(times=st.lists(st.floats(0, 2.999), min_size=1, max_size=6))
def test_any_times_in_any_order_are_exact(plain_clip, read_numbers, times):
    frames = sample_frames(plain_clip, times_s=times)
    wanted = [int(np.floor((time + 1e-4) * 30)) for time in times]
    assert read_numbers(frames.images) == wanted
    np.testing.assert_allclose(frames.times_s, np.array(wanted) / 30, atol=1e-4)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(start=st.floats(0, 2.5), length=st.floats(0.1, 3), rate=st.floats(0.5, 60))
def test_a_rate_within_a_span_counts_as_it_says(plain_clip, read_numbers, start, length, rate):
    end = min(start + length, 3.0)
    frames = sample_frames(plain_clip, rate_hz=rate, start_s=start, end_s=start + length)
    assert abs(len(frames) - max(1, (end - start) * rate)) <= 1
    wanted = [int(np.floor((start + i / rate + 1e-4) * 30)) for i in range(len(frames))]
    assert read_numbers(frames.images) == wanted


def test_where_the_video_has_fewer_frames_they_repeat_and_the_times_say_so(numbered, read_numbers):
    clip = numbered("three.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 12], frames=3)
    frames = sample_frames(clip, count=9)
    assert read_numbers(frames.images) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    np.testing.assert_allclose(frames.times_s, np.repeat([0, 1 / 30, 2 / 30], 3), atol=1e-4)


def test_variable_frame_rate_follows_the_clock_not_the_count(numbered, ffmpeg, read_numbers, tmp_path):
    clip = numbered("slow.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 12], frames=30, rate=10)
    varied = tmp_path / "varied.mp4"  # frames 0..9 in the first second, then 10..29 at twice the speed
    retimed = r"settb=1/1000,setpts='if(lt(N,10),N/10,1+(N-10)/20)/TB'"
    ffmpeg("-i", clip, "-vf", retimed, "-fps_mode", "vfr", "-enc_time_base", "1/1000", "-crf", 12, varied)
    frames = sample_frames(varied, times_s=[0.05, 0.95, 1.01, 1.52])
    assert read_numbers(frames.images) == [0, 9, 10, 20]


def test_theora_that_repeats_pictures_by_empty_packets_is_whole(numbered, read_numbers):
    arguments = ["-vf", "fps=30", "-c:v", "libtheora", "-q:v", 9, "-g", 16]
    clip = numbered("repeats.ogv", arguments, frames=12, rate=3)
    with av.open(str(clip)) as container:
        empty = [packet for packet in container.demux(video=0) if not packet.size and packet.pts is not None]
    assert len(empty) > MediaLimits().decode_errors  # as many as would make a file "too damaged"
    frames = sample_frames(clip, times_s=[0.1, 1.1, 2.9, 3.8])
    assert read_numbers(frames.images) == [0, 3, 8, 11]


def test_images_are_scaled_down_but_never_up(plain_clip):
    assert sample_frames(plain_clip, count=1, max_side_px=32).images.shape == (1, 16, 32, 3)
    assert sample_frames(plain_clip, count=1, max_side_px=4000).images.shape == (1, 64, 128, 3)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_clips_come_upright(plain_clip, ffmpeg, tmp_path, degrees):
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", degrees, "-i", plain_clip, "-c", "copy", turned)
    upright = sample_frames(plain_clip, times_s=[1.5]).images[0]
    image = sample_frames(turned, times_s=[1.5]).images[0]
    np.testing.assert_array_equal(image, np.rot90(upright, degrees // 90))  # both count anticlockwise
    video = probe(turned).video
    assert video is not None and video.rotation_deg == 360 - degrees
    assert (video.height_px, video.width_px) == image.shape[:2]


@pytest.mark.parametrize("flip", ["-display_hflip", "-display_vflip"])
def test_mirrored_clips_come_as_displayed(plain_clip, ffmpeg, tmp_path, flip):
    mirrored, baked = tmp_path / "mirrored.mp4", tmp_path / "baked.mkv"
    ffmpeg("-display_rotation", 0, flip, "-i", plain_clip, "-c", "copy", mirrored)
    ffmpeg("-i", mirrored, "-c:v", "ffv1", baked)  # ffmpeg's own turning is the oracle
    times = [0.4, 2.0]
    difference = (
        sample_frames(mirrored, times_s=times).images.astype(int) - sample_frames(baked, times_s=times).images
    )
    assert np.abs(difference).mean() < 3
    assert probe(mirrored).video.mirrored  # type: ignore[union-attr]


def test_pixels_that_are_not_square_are_made_square(numbered, read_numbers):
    wide = numbered("sar.mp4", ["-vf", "setsar=2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 12])
    frames = sample_frames(wide, times_s=[1.0])
    assert frames.images.shape == (1, 64, 256, 3)
    assert read_numbers(frames.images) == [30]


@pytest.mark.parametrize(
    ("matrix", "full_range", "size"),
    [("bt709", False, 128), ("bt709", True, 128), ("smpte170m", False, 128), ("bt2020nc", False, 128),
     (None, False, 128), (None, False, 720)],
)  # fmt: skip
def test_colours_survive_matrix_and_range(ffmpeg, tmp_path, matrix, full_range, size):
    colour = (200, 60, 30)
    picture = np.tile(np.array(colour, np.uint8), (size, size, 1))
    coded = matrix or ("bt709" if size >= 720 else "smpte170m")  # what unnamed colours mean
    filters = f"scale=out_color_matrix={coded}:out_range={'pc' if full_range else 'tv'}"
    if matrix is None:
        filters += ",format=yuv420p,setparams=colorspace=unknown"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}", "-i", "-"]
    clip = tmp_path / "colour.mp4"
    ffmpeg(
        *raw,
        "-vf",
        filters,
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-crf",
        1,
        clip,
        feed=picture.tobytes(),
    )
    image = sample_frames(clip, count=1).images[0]
    np.testing.assert_allclose(image.mean(axis=(0, 1)), colour, atol=3)


def test_a_hole_in_the_file_costs_only_the_frames_in_it(numbered, read_numbers, tmp_path):
    clip = numbered("holes.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", 10, "-crf", 1])
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(600)
    holed = tmp_path / "holed.mp4"
    holed.write_bytes(data)
    frames = sample_frames(holed, rate_hz=10)
    numbers = read_numbers(frames.images)  # decoders conceal damage with grey: none of that comes through
    np.testing.assert_allclose(frames.times_s * 30, numbers, atol=0.01)
    right = np.arange(0, 90, 3) == numbers
    assert right.sum() >= 20 and right[0] and right[-1]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("damage", range(6))
def test_a_damaged_file_never_shows_a_frame_at_the_wrong_time(numbered_clip, read_numbers, tmp_path, damage):
    rng = np.random.default_rng(damage)
    data = bytearray(numbered_clip.read_bytes())
    for at in rng.integers(2000, max(2001, len(data) - 2000), 3):
        data[at : at + 12] = rng.bytes(12)
    path = tmp_path / numbered_clip.name
    path.write_bytes(data)
    try:
        frames = sample_frames(path, rate_hz=7)
    except MediaError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(frames.times_s).all() and (np.diff(frames.times_s) >= 0).all()


def test_a_file_cut_short_is_named_truncated(plain_clip, ffmpeg, tmp_path):
    fast, cut = tmp_path / "fast.mp4", tmp_path / "cut.mp4"
    ffmpeg("-i", plain_clip, "-c", "copy", "-movflags", "+faststart", fast)
    cut.write_bytes(fast.read_bytes()[: int(fast.stat().st_size * 0.4)])
    with pytest.raises(Truncated, match=r"breaks off after 0\.\d of 3\.0 s"):
        sample_frames(cut, count=4)
    with pytest.raises(Truncated, match="breaks off"):
        probe(cut)


def test_limits_are_kept_from_the_header(plain_clip):
    with pytest.raises(TooLong, match="3 s long; at most 2 s"):
        sample_frames(plain_clip, count=1, limits=MediaLimits(video_s=2))
    with pytest.raises(TooManyPixels, match="128 x 64 pixels; at most 100"):
        sample_frames(plain_clip, count=1, limits=MediaLimits(side_px=100))
    with pytest.raises(TooLarge, match=r"at most 0\.001 MB"):
        sample_frames(plain_clip, count=1, limits=MediaLimits(size_mb=0.001))


def test_limits_are_kept_while_decoding(plain_clip):
    with pytest.raises(TooLarge, match="90 frames of 128 x 64 pixels need 2 MB; at most 1 MB"):
        sample_frames(plain_clip, count=90, limits=MediaLimits(memory_mb=1))
    with pytest.raises(TooSlow, match="not finished within 0 s"):
        sample_frames(plain_clip, count=1, limits=MediaLimits(timeout_s=0))


def test_a_picture_that_grows_in_the_middle_is_refused(ffmpeg, tmp_path):
    for name, size in (("small", "64x64"), ("large", "640x64")):
        offset = 0 if name == "small" else 1
        source = ["-f", "lavfi", "-i", f"testsrc2=s={size}:d=1", "-output_ts_offset", offset]
        ffmpeg(*source, "-c:v", "libx264", "-bf", 0, tmp_path / f"{name}.ts")
    grown = tmp_path / "grown.ts"
    grown.write_bytes((tmp_path / "small.ts").read_bytes() + (tmp_path / "large.ts").read_bytes())
    with pytest.raises(TooManyPixels, match="640 x 64"):
        sample_frames(grown, times_s=[0.1, 1.9], limits=MediaLimits(side_px=320))


def test_a_sound_file_has_no_frames(write_wav, tune, tmp_path):
    wav = write_wav(tmp_path / "tune.wav", tune, 48000)
    with pytest.raises(NoPicture, match="no picture"):
        sample_frames(wav, count=1)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"count": 2, "rate_hz": 1.0},
        {"count": 0},
        {"rate_hz": 0.0},
        {"times_s": []},
        {"times_s": [float("nan")]},
    ],
)
def test_a_wish_must_be_clear(plain_clip, wish):
    with pytest.raises(UsageError, match=r"exactly one|at least|must be"):
        sample_frames(plain_clip, **wish)


def test_an_empty_span_is_refused(plain_clip):
    with pytest.raises(UsageError, match="picture ends at 3 s"):
        sample_frames(plain_clip, count=2, start_s=5)


def test_a_frame_is_let_go_before_the_next_is_decoded(plain_clip, monkeypatch):
    """Of 4K each holds 12 MB: besides what the decoder keeps, only the shown frame and one after."""
    alive, decode = [], OpenMedia.decode

    def counted(self, packet):
        frames = [each for each in gc.get_objects() if isinstance(each, av.VideoFrame)]
        alive.append(sum(frame.format is not None and frame.format.name == "yuv420p" for frame in frames))
        return decode(self, packet)

    monkeypatch.setattr(OpenMedia, "decode", counted)
    gc.collect()  # of those that tests before left
    gc.freeze()  # nor are all other objects of the run looked through for every packet
    try:
        sample_frames(plain_clip, rate_hz=5)
    finally:
        gc.unfreeze()
    assert max(alive) == 2


@pytest.mark.parametrize(
    ("cores", "side_px", "threads"), [(16, 180, 1), (16, 720, 4), (2, 720, 2), (1, 720, 1)]
)
def test_one_thread_decodes_a_small_picture_and_four_at_most_a_large_one(
    tmp_path, monkeypatch, cores, side_px, threads
):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = side_px * 16 // 9, side_px, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(stream.width, stream.height, "yuv420p")))
        container.mux(stream.encode())
    with open_media(path, DEFAULT_LIMITS) as media:
        assert open_picture(media).codec_context.thread_count == threads
    with open_media(path, ONE_THREAD) as media:
        assert open_picture(media).codec_context.thread_count == 1

from __future__ import annotations

import subprocess

import av
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from mvr.backbones.descriptors import VideoDescriptors, colour, motion
from mvr.backbones.descriptors.cells import cell_means
from mvr.backbones.descriptors.video import _histograms, describe_frames, squeeze
from mvr.datatypes import Segment

NAMES = [dimension.name for dimension in VideoDescriptors.dimensions()]
SHAPE = (5, 24, 64, 64, 3)


def picture(seed: int = 0, size: int = 64) -> np.ndarray:
    """A smooth random picture (size, size, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size * 2 * np.pi
    waves = [np.sin(kx * x + ky * y + p) for kx, ky, p in rng.uniform(-4, 4, (9, 3)).round()]
    mixed = np.tensordot(rng.standard_normal((3, 9)), np.stack(waves), 1)
    return np.clip(128 + 40 * mixed.transpose(1, 2, 0), 0, 255).astype(np.uint8)


def still(image: np.ndarray) -> np.ndarray:
    return np.broadcast_to(image, SHAPE).copy()


def value(frames: np.ndarray, name: str) -> float:
    return float(VideoDescriptors().encode(frames[None])[0, NAMES.index(name)])


def panned(pixels_per_frame: int) -> np.ndarray:
    wide = picture()
    return np.stack([[np.roll(wide, -pixels_per_frame * n, axis=1) for n in range(24)]] * 5)


def test_every_column_has_its_own_name_unit_and_range():
    dimensions = VideoDescriptors.dimensions()
    assert len(dimensions) == len(set(NAMES)) == VideoDescriptors().dim
    assert all(d.unit and d.low < d.high for d in dimensions)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_flat_stills_give_finite_numbers_inside_their_ranges(level):
    backbone = VideoDescriptors()
    features = backbone.encode(np.full((1, *SHAPE), level, np.uint8))[0]
    assert np.isfinite(features).all()
    for number, dimension in zip(features, backbone.dimensions(), strict=True):
        assert dimension.low - 1e-4 <= number <= dimension.high + 1e-4, dimension


def test_a_batch_is_its_items_one_by_one():
    batch = np.stack([panned(1), still(picture(1)), panned(3)])
    backbone = VideoDescriptors()
    alone = np.concatenate([backbone.encode(row[None]) for row in batch])
    np.testing.assert_array_equal(backbone.encode(batch), alone)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [((255, 255, 255), (100, 0, 0)), ((255, 0, 0), (53.24, 80.09, 67.20)), ((0, 0, 255), (32.30, 79.19, -107.86)),
     ((0, 128, 0), (46.23, -51.70, 49.90)), ((0, 0, 0), (0, 0, 0))],
)  # fmt: skip
def test_lab_values_are_the_published_ones(rgb, expected):
    np.testing.assert_allclose(colour.lab(np.array([rgb], np.uint8))[0], expected, atol=0.25)


def test_lab_of_many_frames_is_that_of_each_pixel():
    frames = np.random.default_rng(5).integers(0, 256, (9, 64, 64, 3), dtype=np.uint8)
    alone = [colour.lab(row) for row in frames.reshape(-1, 64, 3)]
    np.testing.assert_allclose(colour.lab(frames).reshape(-1, 64, 3), alone, rtol=0, atol=0.05)


def test_lightness_alone_is_the_first_of_lab():
    frames = np.random.default_rng(6).integers(0, 256, (9, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(colour.lightness(frames), colour.lab(frames)[..., 0])


@pytest.mark.parametrize(("down", "across"), [(2, 2), (4, 4), (1, 3), (8, 8)])
def test_means_of_cells_are_means(down, across):
    pictures = np.random.default_rng(7).normal(50, 20, (3, 8 * down, 4 * across)).astype(np.float32)
    means = pictures.astype(np.float64).reshape(3, 8, down, 4, across).mean(axis=(2, 4))
    np.testing.assert_allclose(cell_means(pictures, down, across), means, rtol=1e-5)


def test_a_value_shares_itself_between_the_two_nearest_levels():
    frames = np.random.default_rng(8).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    expected = np.zeros((2, 3, 16))
    for frame, channel, row, column in np.ndindex(2, 3, 4, 4):
        place = frames[frame, 2 * row, 2 * column, channel] / 17
        for level in range(16):
            expected[frame, channel, level] += max(0.0, 1 - abs(place - level)) / (3 * 16)
    np.testing.assert_allclose(_histograms(frames[:, ::2, ::2]), expected.reshape(2, 48), atol=1e-6)


@pytest.mark.parametrize(("width", "height"), [(128, 72), (72, 128), (64, 64), (50, 64), (31, 17), (1, 1)])
def test_frames_are_squeezed_as_pil_does_one_by_one(width, height):
    images = np.random.default_rng(9).integers(0, 256, (35, height + 2, width + 4, 3), dtype=np.uint8)
    images = images[:, 1:-1, 2:-2]  # as after borders were cut off
    alone = [np.asarray(Image.fromarray(i).resize((64, 64), Image.Resampling.BOX)) for i in images]
    np.testing.assert_array_equal(squeeze(images, 64), alone)


def test_a_still_does_not_move_and_a_pan_moves_at_its_speed():
    assert value(still(picture()), "motion.change_mean") == pytest.approx(-5)
    speeds = [10 ** value(panned(n), "motion.flow_mean") for n in (1, 2)]
    assert speeds[0] == pytest.approx(8 / 64, rel=0.25)  # one of 64 pixels at 8 Hz, in widths per second
    assert speeds[1] == pytest.approx(2 * speeds[0], rel=0.3)


def test_the_direction_of_a_pan_is_seen():
    assert value(panned(1), "motion.flow_horizontal") > 0.8
    assert value(panned(1), "motion.flow_drift_x") < 0 < value(panned(-1), "motion.flow_drift_x")
    assert value(panned(1), "motion.flow_coherence") > 0.7


def test_flow_of_a_shift_is_that_shift():
    one = 60 * np.sin(np.arange(64)[None] / 5) + 30 * np.cos(np.arange(64)[:, None] / 6)
    before, after = one[None].astype(np.float32), np.roll(one, 2, axis=1)[None].astype(np.float32)
    vectors, weights = motion.cell_flow(cell_means(before, 2, 2), cell_means(after, 2, 2))
    inner = vectors.reshape(8, 8, 2)[1:-1, 1:-1]
    np.testing.assert_allclose(np.median(inner[..., 0]), 2 / 64, rtol=0.15)
    np.testing.assert_allclose(np.median(inner[..., 1]), 0, atol=0.004)
    assert (weights >= 0).all()


@pytest.mark.parametrize("every", [4, 8, 12])
def test_cuts_are_counted(every):
    tints = np.array([(1, 0.4, 0.2), (0.2, 0.5, 1), (0.5, 1, 0.4)])
    shots = [(picture(k + 1) * tints[k]).astype(np.uint8) for k in range(3)]
    frames = np.stack([[shots[n // every % 3] for n in range(24)]] * 5)
    cuts = 23 // every
    assert value(frames, "cuts.rate") == pytest.approx(8 * cuts / 23, rel=0.01)


def test_noise_and_flicker_are_no_cuts():
    rng = np.random.default_rng(0)
    noisy = np.clip(still(picture()).astype(int) + rng.integers(-12, 13, SHAPE), 0, 255).astype(np.uint8)
    assert value(noisy, "cuts.rate") == 0


def test_a_pulse_shows_in_the_rhythm_of_motion():
    frames = still(picture()).astype(float)
    frames[:, ::4] *= 0.9  # a flash every half second at 8 Hz
    rhythm = [value(frames.astype(np.uint8), f"motion.rhythm.{lag:02d}") for lag in range(12)]
    assert int(np.argmax(rhythm)) in (3, 7, 11)


def test_darker_and_grey_pictures_say_so():
    frames = still(picture())
    assert (
        value((frames * 0.4).astype(np.uint8), "colour.lightness_mean")
        < value(frames, "colour.lightness_mean") - 10
    )
    grey = np.repeat(frames.mean(axis=-1, keepdims=True), 3, axis=-1).astype(np.uint8)
    assert value(grey, "colour.chroma_mean") < 1 < value(frames, "colour.chroma_mean")
    assert value(grey, "motion.change_mean") == pytest.approx(-5)


def test_mirroring_changes_no_statistics_but_direction():
    frames = panned(1)
    plain, mirrored = (describe_frames(f, 8.0) for f in (frames, frames[..., ::-1, :].copy()))
    sided = [
        n for n, name in enumerate(NAMES) if "drift_x" in name or "orientation" in name or "edge" in name
    ]
    np.testing.assert_allclose(np.delete(plain, sided), np.delete(mirrored, sided), rtol=0.1, atol=0.25)


@pytest.mark.parametrize(
    ("duration_s", "distinct"), [(0.04, 1), (1.0, 8), (3.0, 24), (15.0, 120), (600.0, 120)]
)
def test_times_lie_inside_the_segment(duration_s, distinct):
    times = VideoDescriptors().times_s(Segment(start_s=2.0, end_s=2.0 + duration_s))
    assert times.shape == (5, 24)
    assert times.min() >= 2.0 and times.max() <= 2.0 + duration_s
    assert len(np.unique(times.round(4))) == distinct


def test_a_short_clip_is_played_forth_and_back_without_a_jump():
    times = VideoDescriptors().times_s(Segment(start_s=0.0, end_s=1.0))
    assert np.abs(np.diff(times, axis=1)).max() <= 0.125 + 1e-9


def test_runs_that_lie_apart_begin_at_key_frames():
    keys = np.arange(0.0, 360.0, 8.3)
    times = VideoDescriptors().times_s(Segment(start_s=0.0, end_s=360.0), keys)
    plain = VideoDescriptors().times_s(Segment(start_s=0.0, end_s=360.0))
    begins = times[:, 0] - 1 / 16
    assert all(np.abs(keys - begin).min() < 1e-9 for begin in begins)
    assert (begins <= plain[:, 0]).all() and (plain[:, 0] - begins < 8.4).all()
    assert (times[1:, 0] > times[:-1, -1]).all()  # runs stay apart
    np.testing.assert_allclose(np.diff(times, axis=1), 1 / 8)


@pytest.mark.parametrize("duration_s", [2.0, 9.3, 15.0])
def test_where_runs_touch_key_frames_do_not_matter(duration_s):
    segment, backbone = Segment(start_s=0.0, end_s=duration_s), VideoDescriptors()
    np.testing.assert_array_equal(
        backbone.times_s(segment, np.arange(0, duration_s, 0.5)), backbone.times_s(segment)
    )


def test_a_run_without_a_key_frame_in_its_gap_stays_where_it_is():
    segment, backbone = Segment(start_s=10.0, end_s=40.0), VideoDescriptors()
    times, plain = backbone.times_s(segment, [0.0, 16.0]), backbone.times_s(segment)
    assert times[1, 0] == 16.0 + 1 / 16  # the second run; the others have none since the run before them
    np.testing.assert_array_equal(np.delete(times, 1, axis=0), np.delete(plain, 1, axis=0))


def test_a_long_film_is_read_at_its_key_frames(tmp_path, monkeypatch):
    film = tmp_path / "long.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=60:r=10"]
    coding = [
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "50",
        "-sc_threshold",
        "0",
        "-preset",
        "ultrafast",
    ]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *coding, str(film)], check=True)
    wanted: list[float] = []
    whole = VideoDescriptors.frames_at

    def spied(self, path, times_s):
        wanted.extend(times_s[0, :, 0])
        return whole(self, path, times_s)

    monkeypatch.setattr(VideoDescriptors, "frames_at", spied)
    opened: list[str] = []
    open_file = av.open
    monkeypatch.setattr(av, "open", lambda name, **options: opened.append(name) or open_file(name, **options))
    rows = VideoDescriptors().preprocess(film, [Segment(start_s=0.0, end_s=60.0)])
    assert rows.shape == (1, 5, 24, 64, 64, 3)
    assert np.array(wanted) - 1 / 16 == pytest.approx([0.0, 10.0, 25.0, 40.0, 55.0])
    assert opened == [str(film)]  # for its key frames, its table and its pictures

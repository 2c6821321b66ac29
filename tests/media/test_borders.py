from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, uniform_filter, zoom

from mvr.errors import UsageError
from mvr.media.borders import BorderSettings, Box, crop, detect_borders

FRAMES = 5


def texture(rng, height, width, low=30.0, high=230.0):
    """(FRAMES, H, W, 3) moving picture-like content between two levels: soft structures, some detail."""
    base = uniform_filter(rng.standard_normal((height + FRAMES * 3, width, 3)), (9, 9, 1)) * 9
    fine = rng.standard_normal((height + FRAMES * 3, width, 3)) * 0.3
    both = base + fine
    both = low + (high - low) * (0.5 + 0.5 * np.tanh(both))
    return np.stack([both[3 * i : 3 * i + height] for i in range(FRAMES)])


def framed(content, box, height, width, rng, black=0.0, noise=1.0):
    """The content inside a black frame, with coding noise everywhere."""
    images = np.full((FRAMES, height, width, 3), float(black))
    images[:, box.top : box.bottom, box.left : box.right] = content
    images += rng.uniform(-noise, noise, images.shape)
    return images.clip(0, 255).round().astype(np.uint8)


def box_of(shares, height, width):
    left, top, right, bottom = shares
    return Box(
        round(left * width),
        round(top * height),
        width - round(right * width),
        height - round(bottom * height),
    )


SHARE = st.one_of(st.just(0.0), st.floats(0.01, 0.40))
SIZES = st.sampled_from([(120, 160), (160, 90), (100, 100)])


@settings(max_examples=70, deadline=None, derandomize=True)
@given(
    shares=st.tuples(SHARE, SHARE, SHARE, SHARE), size=SIZES, seed=st.integers(0, 99), black=st.floats(0, 16)
)
def test_black_borders_of_any_share_on_any_side_are_found_to_the_pixel(shares, size, seed, black):
    rng = np.random.default_rng(seed)
    box = box_of(shares, *size)
    images = framed(texture(rng, box.height, box.width), box, *size, rng, black=black)
    assert detect_borders(images) == box


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shares=st.tuples(SHARE, SHARE, SHARE, SHARE), seed=st.integers(0, 99), high=st.floats(20, 60))
def test_dark_content_is_never_eaten(shares, seed, high):
    rng = np.random.default_rng(seed)
    box = box_of(shares, 120, 160)
    images = framed(texture(rng, box.height, box.width, low=2, high=high), box, 120, 160, rng)
    found = detect_borders(images)
    assert (
        found.left <= box.left
        and found.top <= box.top
        and found.right >= box.right
        and found.bottom >= box.bottom
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 999),
    kind=st.sampled_from(["noise", "vignette", "sky", "spot", "night", "credits", "skyline"]),
)
def test_a_dark_scene_without_borders_stays_whole(seed, kind):
    rng = np.random.default_rng(seed)
    height, width = 120, 160
    y, x = np.mgrid[0:height, 0:width]
    if kind == "noise":
        plane = rng.uniform(0, 30, (height, width))
    elif kind == "vignette":
        plane = 120 * np.exp(-(((y - 60) / 45) ** 2 + ((x - 80) / 60) ** 2) * rng.uniform(1, 2))
    elif kind == "sky":  # black sky that gets lighter towards the ground
        plane = np.where(y < 60, 0.3 * y * rng.uniform(0.2, 1), 40 + 60 * rng.random((height, width)))
    elif kind == "spot":  # one lamp in a black room
        plane = 200.0 * (((y - rng.integers(20, 100)) ** 2 + (x - rng.integers(20, 140)) ** 2) < 200)
    elif kind == "credits":  # white text on black
        plane = np.zeros((height, width))
        for line in range(30, 90, 14):
            for at in range(40, 120, 8):  # letters: a stem, some with a bar on top or below
                plane[line : line + 8, at + 1 : at + 3] = 230
                plane[line + rng.integers(0, 4) * 2, at + 1 : at + 7] = 230
    elif kind == "skyline":  # black houses of different heights against a lit sky
        roofs = np.repeat(rng.integers(45, 100, 16), 10)  # an edge all dark but for a third is a border
        plane = np.where(y < roofs, 90.0, 2.0)
    else:
        plane = 12 + 6 * gaussian_filter(rng.standard_normal((height, width)), 3) * 10
    images = np.repeat(np.repeat(plane[None, ..., None], FRAMES, axis=0), 3, axis=3)
    images = (images + rng.uniform(-1, 1, images.shape)).clip(0, 255).astype(np.uint8)
    assert detect_borders(images) == Box(0, 0, width, height)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shares=st.tuples(SHARE, SHARE, SHARE, SHARE), seed=st.integers(0, 99))
def test_fades_hide_nothing(shares, seed):
    rng = np.random.default_rng(seed)
    box = box_of(shares, 120, 160)
    images = framed(texture(rng, box.height, box.width), box, 120, 160, rng).astype(float)
    fade = np.linspace(0, 1, FRAMES)[:, None, None, None]
    assert detect_borders((images * fade).astype(np.uint8)) == box
    assert detect_borders((images * fade[::-1]).astype(np.uint8)) == box


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    share=st.floats(0.12, 0.4),
    side=st.sampled_from(["left", "top", "right", "bottom"]),
    at=st.floats(0, 1),
    touching=st.sampled_from(["free", "outside", "inside"]),
    seed=st.integers(0, 99),
)
def test_a_logo_in_the_border_does_not_hide_it(share, side, at, touching, seed):
    rng = np.random.default_rng(seed)
    height, width = 160, 160
    shares = [share if side == s else 0.0 for s in ("left", "top", "right", "bottom")]
    box = box_of(shares, height, width)
    images = framed(texture(rng, box.height, box.width), box, height, width, rng)
    depth = round(share * 160)
    thick, along = max(4, depth // 2), 36
    begin = {"free": (depth - thick) // 2, "outside": 0, "inside": depth - thick}[touching]
    offset = round(at * (160 - along))
    logo = rng.integers(120, 255, (thick, along, 3))
    view = {
        "top": images, "bottom": images[:, ::-1], "left": images.transpose(0, 2, 1, 3),
        "right": images[:, :, ::-1].transpose(0, 2, 1, 3),
    }[side]  # fmt: skip
    view[:, begin : begin + thick, offset : offset + along] = logo
    assert detect_borders(images) == box


def test_all_black_and_one_pixel_frames_stay_whole():
    assert detect_borders(np.zeros((3, 40, 60, 3), np.uint8)) == Box(0, 0, 60, 40)
    assert detect_borders(np.full((3, 1, 1, 3), 200, np.uint8)) == Box(0, 0, 1, 1)
    assert detect_borders(np.zeros((1, 1, 1, 3), np.uint8)) == Box(0, 0, 1, 1)


def test_bars_that_are_not_black_are_not_black_borders():
    rng = np.random.default_rng(3)
    box = Box(0, 20, 160, 100)
    images = framed(texture(rng, 80, 160), box, 120, 160, rng, black=60)
    assert detect_borders(images) == Box(0, 0, 160, 120)


def test_bars_that_come_and_go_are_content():
    rng = np.random.default_rng(4)
    images = texture(rng, 120, 160).astype(np.uint8)
    images[:3, :20] = 0
    assert detect_borders(images) == Box(0, 0, 160, 120)


def blurred_fill(rng, share, upright):
    """Content with a blurred, enlarged copy of itself on both sides."""
    height, width = 160, 240
    bar = round(share * width)
    content = texture(rng, height, width - 2 * bar)
    back = np.stack([zoom(frame, (1, width / frame.shape[1], 1), order=1) for frame in content])
    images = gaussian_filter(back, (0, 9, 9, 0))
    images[:, :, bar : width - bar] = content
    images = images.clip(0, 255).astype(np.uint8)
    box = Box(bar, 0, width - bar, height)
    if upright:
        return images, box
    return np.ascontiguousarray(images.transpose(0, 2, 1, 3)), Box(0, box.left, height, box.right)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(share=st.floats(0.08, 0.38), upright=st.booleans(), seed=st.integers(0, 99))
def test_blurred_fill_is_found_on_request_only(share, upright, seed):
    images, box = blurred_fill(np.random.default_rng(seed), share, upright)
    whole = Box(0, 0, images.shape[2], images.shape[1])
    assert detect_borders(images) == whole
    assert detect_borders(images, BorderSettings(blurred_fill=True)) == box


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 99))
def test_plain_content_has_no_blurred_fill(seed):
    images = texture(np.random.default_rng(seed), 120, 200).astype(np.uint8)
    assert detect_borders(images, BorderSettings(blurred_fill=True)) == Box(0, 0, 200, 120)
    soft = gaussian_filter(images.astype(float), (0, 4, 4, 0)).astype(np.uint8)
    assert detect_borders(soft, BorderSettings(blurred_fill=True)) == Box(0, 0, 200, 120)


def test_borders_survive_video_coding(ffmpeg, tmp_path):
    from mvr.media.frames import sample_frames

    clip = tmp_path / "bars.mp4"
    picture = "testsrc2=s=404x720:r=10:d=2,pad=1280:720:438:0:black"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-crf", 28, "-pix_fmt", "yuv420p", clip)
    found = detect_borders(sample_frames(clip, count=8).images)
    assert (found.top, found.bottom) == (0, 720)
    assert found.left == pytest.approx(438, abs=2) and found.right == pytest.approx(842, abs=2)


def test_crop_takes_the_box_out():
    images = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)
    np.testing.assert_array_equal(crop(images, Box(1, 2, 5, 4)), images[:, 2:4, 1:5])
    assert (Box(1, 2, 5, 4).width, Box(1, 2, 5, 4).height) == (4, 2)


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (4, 4, 3), (2, 4, 4, 1), (2, 0, 4, 3)])
def test_what_are_no_frames_is_refused(shape):
    with pytest.raises(UsageError, match="images must be"):
        detect_borders(np.zeros(shape, np.uint8))


def test_settings_must_make_sense():
    with pytest.raises(UsageError, match="max_share"):
        BorderSettings(max_share=0.5)

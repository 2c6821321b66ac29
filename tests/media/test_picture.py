from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from hypothesis import given
from hypothesis import strategies as st

from mvr.media.limits import DEFAULT_LIMITS
from mvr.media.picture import Orientation, PictureConverter, display_size, sane_aspect

ORIENTATIONS = [
    Orientation(transpose=t, flip_x=x, flip_y=y)
    for t in (False, True)
    for x in (False, True)
    for y in (False, True)
]


@given(width=st.integers(1, 6), height=st.integers(1, 6), which=st.integers(0, 7))
def test_rotation_and_mirror_describe_what_apply_does(width, height, which):
    orientation = ORIENTATIONS[which]
    image = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    turned = np.rot90(image, -orientation.rotation_deg // 90)  # numpy counts anticlockwise
    if orientation.mirrored and turned.shape == orientation.apply(image).shape:
        mirrors = [turned[:, ::-1], turned[::-1]]
        assert any(np.array_equal(orientation.apply(image), mirror) for mirror in mirrors)
    else:
        np.testing.assert_array_equal(orientation.apply(image), turned)


@given(width=st.integers(1, 4000), height=st.integers(1, 4000), a=st.integers(1, 10), b=st.integers(1, 10))
def test_display_size_keeps_the_shape(width, height, a, b):
    wide = display_size(width, height, Fraction(a, b), Orientation())
    tall = display_size(width, height, Fraction(a, b), Orientation(transpose=True))
    assert wide == tall[::-1]
    assert wide[1] == height and wide[0] == pytest.approx(max(1, width * a / b), abs=0.51)


@pytest.mark.parametrize(
    ("given_aspect", "sane"),
    [
        (None, 1),
        (Fraction(0), 1),
        (Fraction(1, 1000), 1),
        (Fraction(5000), 1),
        (Fraction(16, 11), Fraction(16, 11)),
    ],
)
def test_a_nonsense_aspect_counts_as_none(given_aspect, sane):
    assert sane_aspect(given_aspect) == sane


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj422p", "yuv444p10le", "gbrp", "gray", "rgb24"])
@pytest.mark.parametrize("longest", [None, 64])
def test_a_picture_is_the_one_that_ffmpeg_packs_itself(pixels, longest):
    """The converter reads planes of green, blue and red; FFmpeg's slower way to packed RGB is the oracle."""
    noise = np.random.default_rng(3).integers(0, 256, (91, 130, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(noise).reformat(format=pixels)
    found = PictureConverter(Path("noise"), Fraction(1), longest, DEFAULT_LIMITS).convert(frame)
    ways = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    size, named = {"width": found.shape[1], "height": found.shape[0]}, frame.format.is_rgb
    packed = frame.reformat(
        **size, format="rgb24", src_colorspace=None if named else Colorspace.ITU601,
        dst_color_range=ColorRange.JPEG, interpolation=ways,
    )  # fmt: skip
    assert found.shape == ((91, 130, 3) if longest is None else (45, 64, 3))
    np.testing.assert_array_equal(found, packed.to_ndarray())

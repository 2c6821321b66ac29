"""Views of a video: which frames, which crops, borders; on real files against the published loader."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F

from mvr.backbones.imagebind import (
    ImageBindVideo,
    VideoViews,
    preprocess_image,
    preprocess_text,
    preprocess_video,
)
from mvr.backbones.imagebind.views import frame_times
from mvr.datatypes import Segment
from mvr.errors import UsageError
from mvr.media.frames import sample_frames

# Mean of |CLIP-normalised pixel| per grey level is 1 / 255 / 0.27.
GREY_LEVEL = 1 / 255 / 0.27


def numbered(count: int, height: int, width: int) -> np.ndarray:
    """Frame k has the grey value 2 k + 20, so that a frame tells its number."""
    return np.stack([np.full((height, width, 3), 20 + 2 * k, np.uint8) for k in range(count)])


def numbers_of(views: np.ndarray) -> np.ndarray:
    """(views, 3, 2, H, W) -> (views, 2) frame numbers of `numbered` frames."""
    red = views[:, 0].mean(axis=(-2, -1)) * 0.26862954 + 0.48145466
    return (red * 255 - 20) / 2


def test_each_clip_gives_its_first_and_last_frame(write_video):
    path = write_video(numbered(100, 64, 96), rate_hz=10)  # 10 s
    views = preprocess_video(path, [Segment(start_s=0, end_s=10)], VideoViews(crops=1))
    assert views.shape == (1, 5, 3, 2, 224, 224)
    # clips start at 0, 2, 4, 6, 8 s and hold 20 frames each
    wanted = [[0, 19], [20, 39], [40, 59], [60, 79], [80, 99]]
    np.testing.assert_allclose(numbers_of(views[0]), wanted, atol=0.8)


def test_a_video_shorter_than_a_clip_is_one_clip(write_video):
    path = write_video(numbered(8, 64, 96), rate_hz=10)
    views = preprocess_video(path, [Segment(start_s=0, end_s=0.8)], VideoViews(clips=2, crops=1))
    np.testing.assert_allclose(numbers_of(views[0]), [[0, 7], [0, 7]], atol=0.8)


@given(
    st.floats(0, 20),
    st.floats(0.05, 60),
    st.sampled_from([None, 10.0, 23.976, 25.0, 60.0]),
    st.integers(1, 7),
)
def test_frame_times_are_ordered_and_inside_the_segment(
    start_s: float, length_s: float, rate_hz: float | None, clips: int
):
    segment = Segment(start_s=start_s, end_s=start_s + length_s)
    times = frame_times(segment, rate_hz, VideoViews(clips=clips))
    assert len(times) == 2 * clips
    frame_s = 1 / rate_hz if rate_hz else 0.0
    assert all(math.isfinite(t) and start_s <= t <= segment.end_s + 2 * frame_s for t in times)
    assert all(first <= last for first, last in zip(times[::2], times[1::2], strict=True))


@pytest.mark.parametrize(("height", "width"), [(64, 128), (128, 64)])
def test_three_crops_lie_along_the_longer_side(height: int, width: int, write_video):
    ramp = np.linspace(16, 240, max(height, width))
    image = np.tile(ramp, (height, 1)) if width > height else np.tile(ramp[:, None], (1, width))
    path = write_video(
        np.repeat(image[None, ..., None], 12, axis=0).repeat(3, axis=3).astype(np.uint8), rate_hz=10
    )
    views = preprocess_video(path, [Segment(start_s=0, end_s=1.2)], VideoViews(clips=1))
    begin, centre, end = views[0, :, 0, 0].mean(axis=(-2, -1))
    assert begin < centre < end
    assert centre == pytest.approx((begin + end) / 2, abs=0.05)


@pytest.mark.parametrize("clips", [1, 5])  # 2 frames are too few to find borders by, 10 are not
@pytest.mark.parametrize("frames_mb", [0, 256])  # decoded in parts, or all at once
def test_black_borders_are_removed_first(
    clips: int, frames_mb: int, write_video, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mvr.backbones.imagebind.views._FRAMES_MB", frames_mb)
    plain = np.full((20, 120, 640, 3), 180, np.uint8)
    plain[:, :, ::16] = 120  # some structure, so that the picture differs from a border
    boxed = np.zeros((20, 240, 640, 3), np.uint8)
    boxed[:, 60:180] = plain
    path, segments = write_video(boxed, rate_hz=10), [Segment(start_s=0, end_s=2)]
    kept = preprocess_video(path, segments, VideoViews(clips=clips))
    removed = preprocess_video(path, segments, VideoViews(clips=clips, remove_borders=True))
    black = (0 - 0.48145466) / 0.26862954
    assert (kept[:, :, 0] < black + 0.2).mean() > 0.3
    assert (removed[:, :, 0] < black + 0.4).mean() == 0


def test_how_borders_are_found_belongs_to_the_settings(options: dict[str, dict[str, Any]]):
    kept = ImageBindVideo(**options["imagebind"])
    removed = ImageBindVideo(**options["imagebind"], remove_borders=True)
    assert "borders" not in kept.settings
    assert removed.settings["borders"]["black_level"] > 0
    assert json.dumps(removed.settings) != json.dumps(kept.settings)


def test_without_segments_the_whole_video_is_one(moving_video: Path):
    whole = preprocess_video(moving_video, [Segment(start_s=0, end_s=4.0)])
    np.testing.assert_array_equal(preprocess_video(str(moving_video)), whole)


def test_a_still_picture_is_prepared_like_clips(moving_video: Path):
    transform = open_clip.image_transform(224, is_train=False)
    image = sample_frames(moving_video, count=1).images[0]
    wanted = transform(Image.fromarray(image)).numpy()
    np.testing.assert_allclose(preprocess_image(image), wanted, atol=2.1 * GREY_LEVEL)


def test_words_are_clips_tokens(small: dict[str, torch.Tensor]):
    ids = preprocess_text(["a calm piano", "a calm piano " * 100])
    assert ids.shape == (2, 77) and ids.dtype == torch.int64
    assert torch.equal(ids, open_clip.get_tokenizer("ViT-B-32")(["a calm piano", "a calm piano " * 100]))
    assert int(ids.max()) == 49_407 and int(ids[1, -1]) == 49_407


def test_segments_of_one_file_are_segments_alone(moving_video: Path):
    segments = [Segment(start_s=0, end_s=2), Segment(start_s=1, end_s=4)]
    both = preprocess_video(moving_video, segments, VideoViews(clips=2, crops=1))
    for row, segment in zip(both, segments, strict=True):
        np.testing.assert_array_equal(
            row, preprocess_video(moving_video, [segment], VideoViews(clips=2, crops=1))[0]
        )


@pytest.mark.parametrize("wrong", [{"clips": 0}, {"crops": 2}, {"clip_s": 0.0}])
def test_views_that_make_no_sense_are_refused(wrong: dict[str, float]):
    with pytest.raises(UsageError, match="give at least 1 clip"):
        VideoViews(**wrong)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["bbb_360p_10s.mp4", "bbb_000_030.webm"])
def test_views_equal_the_published_loader(name: str, shared: Path):
    path = shared / "media" / "soundtrack" / name
    reference = load_file(shared / "fixtures" / "imagebind_video.safetensors")
    stem = path.stem
    views = torch.from_numpy(preprocess_video(path))[0]
    pooled = F.avg_pool2d(views.flatten(0, 2)[:, None], 8).view(15, 3, 2, 28, 28)
    difference = (pooled - reference[f"{stem}/pooled8"].float()).abs()
    assert difference.mean() < 0.03
    assert difference.mean(dim=(1, 3, 4)).max() < 0.03  # of every single frame: one frame off would show
    assert (views[1] - reference[f"{stem}/segment0_middle"].float()).abs().mean() < 0.03

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from mvr.errors import NoPicture
from mvr.media.frames import sample_frames
from mvr.media.watching import points_of, watch_pictures, watching
from mvr.timing.film import measure_film_file


def write_film(path: Path, frames: int = 40, size: tuple[int, int] = (320, 192)) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            image = np.full((size[1], size[0], 3), 20 if number < frames // 2 else 200, np.uint8)
            image[:, : size[0] // 2] += 20
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("watching") / "film.mp4")


def test_every_frame_is_shown_once_in_order_with_its_own_time(film):
    times = []
    watch_pictures(film, lambda time_s, _points: times.append(time_s))
    np.testing.assert_allclose(times, np.arange(40) / 20, atol=1e-3)


def test_looking_stops_where_it_is_told_to(film):
    times = []
    watch_pictures(film, lambda time_s, _points: times.append(time_s), until_s=0.5)
    assert len(times) == 10


def test_long_films_are_decoded_for_less_with_the_same_cuts_and_curves(tmp_path, monkeypatch):
    """Blocks that move over a texture, cut once; coded hard, so that smoothing edges of blocks changes frames."""
    path, rng = tmp_path / "film.mp4", np.random.default_rng(3)
    textures = rng.integers(0, 255, (2, 12, 20, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=20, options={"crf": "34", "bf": "3", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for number in range(80):
            image = np.roll(textures[number // 50], int(number + 6 * np.sin(number)), axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    exact = measure_film_file(path)
    monkeypatch.setattr("mvr.media.watching.LONG_S", 1.0)
    cheap = measure_film_file(path)
    np.testing.assert_array_equal(cheap.cuts_s, exact.cuts_s)
    assert list(exact.cuts_s) == pytest.approx([2.5]) and len(cheap.energy) == len(exact.energy)
    assert np.abs(cheap.energy - exact.energy).max() > 0
    for curve in ("energy", "novelty", "motion"):
        both = [np.ravel(getattr(film, curve)) for film in (cheap, exact)]
        assert np.corrcoef(*both)[0, 1] > 0.99


def test_frames_that_are_decoded_anyway_are_seen_and_the_same_frames_come_back(film):
    seen = []
    with watching(lambda time_s, points: seen.append((time_s, points))):
        looked_at = sample_frames(film, rate_hz=4)
    alone = sample_frames(film, rate_hz=4)
    np.testing.assert_array_equal(looked_at.images, alone.images)
    times = [time_s for time_s, _ in seen]
    assert times == sorted(times) and max(np.diff([0, *times, 2.0])) <= 0.3
    assert abs(float(seen[-1][1][:4].mean()) - float(seen[0][1][:4].mean())) > 100


def test_nobody_looks_on_after_the_context(film):
    seen = []
    with watching(lambda time_s, _points: seen.append(time_s)):
        pass
    sample_frames(film, count=2)
    assert seen == []


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv420p10le", "rgb24", "gray"])
def test_points_are_the_mean_of_the_picture_around_them_in_every_format(pixels):
    ramp = np.tile(np.linspace(40, 200, 480)[None, :, None], (270, 1, 3)).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(ramp).reformat(format=pixels)
    expected = frame.reformat(48, 27, "yuv444p", interpolation="AREA").to_ndarray().transpose(1, 2, 0)
    luma, chroma = np.split(points_of(frame).astype(int), [4])
    seen = np.stack([luma.sum(axis=0) // 4, *chroma], axis=-1)
    np.testing.assert_allclose(seen, expected.astype(int), atol=3)


def test_a_file_without_a_picture_is_refused(tmp_path):
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(NoPicture, match="no picture"):
        watch_pictures(path, lambda *_: None)

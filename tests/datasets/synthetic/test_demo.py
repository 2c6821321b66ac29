from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mvr.backbones.descriptors import VideoDescriptors
from mvr.datasets.synthetic.demo import FILMS, LICENCE, TRACKS, plan_demo, write_demo
from mvr.datasets.synthetic.encode import EncodeSettings, write_film
from mvr.datasets.synthetic.latents import GENRES, draw_latents
from mvr.datasets.synthetic.pictures import Film
from mvr.datatypes import Segment
from mvr.errors import UsageError

DEMO = Path(__file__).parents[3] / "assets" / "demo"


def test_the_plan_has_24_tracks_and_8_films_with_names_of_their_own():
    items = plan_demo(1)
    assert [sum(item.kind == kind for item in items) for kind in ("track", "video")] == [24, 8]
    assert len({item.id for item in items}) == 32
    assert set(TRACKS) == set(GENRES)
    assert {genre for genre, _, _ in FILMS} <= set(GENRES)
    assert items == plan_demo(1) != plan_demo(2)


def test_tracks_of_a_genre_have_different_moods():
    tracks = [item for item in plan_demo(1) if item.kind == "track"]
    moods = {(item.latents.genre, item.latents.mood) for item in tracks}
    assert len(moods) == len(tracks)


def test_the_shipped_library_is_the_plan_and_small():
    manifest = json.loads((DEMO / "manifest.json").read_text(encoding="utf-8"))
    seed = int(manifest["command"].split()[-1])
    assert manifest["items"] == [item.to_json() for item in plan_demo(seed)]
    assert {item["licence"] for item in manifest["items"]} == {LICENCE}
    files = [DEMO / item["file"] for item in manifest["items"]]
    assert sum(file.stat().st_size for file in files) < 12_000_000


def test_another_folder_is_left_alone(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds something other"):
        write_demo(tmp_path, 1)
    assert (tmp_path / "letter.txt").exists()


def test_features_of_a_file_are_nearly_those_of_the_arrays_it_was_made_from(tmp_path: Path):
    film = Film(draw_latents(21, "folk"), 2.0, 21, ("hills",))
    settings = EncodeSettings(width_px=180, height_px=320, rate_fps=16)
    sound = np.zeros((44_100, 2), np.float32)
    write_film(tmp_path / "f.mp4", (film.frame(n / 16, 180, 320) for n in range(32)), sound, settings, {})
    backbone, whole = VideoDescriptors(), Segment(start_s=0.0, end_s=2.0)
    from_file = backbone.encode(backbone.preprocess(tmp_path / "f.mp4", [whole]))[0]
    times = backbone.times_s(whole)
    moments, place = np.unique(np.floor(times * 16 + 1e-6) / 16, return_inverse=True)
    painted = np.stack([film.frame(float(t), 64, 64, 9 / 16) for t in moments])[place.reshape(times.shape)]
    from_arrays = backbone.encode(painted[None])[0]
    ranges = np.array([d.high - d.low for d in backbone.dimensions()])
    assert (np.abs(from_file - from_arrays) / ranges).mean() < 0.06

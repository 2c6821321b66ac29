"""The demo library: 24 tracks and 8 vertical films, rendered, tagged and listed in `manifest.json`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mvr.datasets.synthetic.effects import limit
from mvr.datasets.synthetic.encode import EncodeSettings, Pixels, write_film, write_music
from mvr.datasets.synthetic.latents import Latents, blur_latents, draw_latents
from mvr.datasets.synthetic.music import Span, render_music
from mvr.datasets.synthetic.pictures import Film
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import UsageError

ARTIST = "mvr generator"
LICENCE = "CC0-1.0"
TRACK_S, FILM_S = 30.0, 12.0
LOUDNESS_LUFS = -16.0

# genre -> titles of its tracks; every genre has two, four have three
TRACKS: dict[str, tuple[str, ...]] = {
    "ambient": ("Tide Pools at Four", "Glass Meridian", "Slow Aurora"),
    "lo-fi": ("Rain on the Tram", "Borrowed Umbrella", "Kettle and Cassette"),
    "house": ("Rooftop Until Six", "Velvet Turnstile"),
    "drum and bass": ("Overpass Runner", "Parallax Chase"),
    "rock": ("Gravel and Gasoline", "Loud Little Town"),
    "orchestral": ("The Long Ridge", "Harbour of Giants", "First Light, Last Snow"),
    "folk": ("Barefoot on the Jetty", "Letters from the Orchard"),
    "jazz": ("Two Steps Past Midnight", "Corner Table Regulars"),
    "synthwave": ("Neon Tidewater", "Chrome Horizon", "Last Exit Arcade"),
    "trap": ("Cold Marble", "Static Halo"),
}
# genre, title, scenes that the title promises
FILMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ambient", "Northern Veil", ("aurora", "waves")),
    ("lo-fi", "Window Seat", ("rain", "bokeh")),
    ("house", "Confetti Geometry", ("shapes",)),
    ("drum and bass", "Through the Rings", ("tunnel", "stars")),
    ("rock", "Front Row", ("stage",)),
    ("orchestral", "Beyond the Ridge", ("hills", "clouds")),
    ("folk", "Leaves in October", ("forest", "hills")),
    ("synthwave", "Grid Runner", ("grid", "city")),
)


@dataclass(frozen=True, kw_only=True)
class DemoItem:
    """One file to render."""

    kind: str
    title: str
    latents: Latents
    scenes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """File name without extension: the title in lower case, joined by hyphens."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())

    @property
    def file(self) -> str:
        """Path below the demo folder."""
        return f"tracks/{self.id}.m4a" if self.kind == "track" else f"videos/{self.id}.mp4"

    def to_json(self) -> JsonDict:
        """The item's entry in the manifest."""
        return {
            "id": self.id,
            "kind": self.kind,
            "file": self.file,
            "title": self.title,
            "artist": ARTIST,
            "licence": LICENCE,
            "genre": self.latents.genre,
            "mood": self.latents.mood,
            "tempo_bpm": self.latents.tempo_bpm,
            "duration_s": TRACK_S if self.kind == "track" else FILM_S,
        }

    def tags(self) -> dict[str, str]:
        """Tags inside the file."""
        return {
            "title": self.title,
            "artist": ARTIST,
            "album": "mvr demo library",
            "genre": self.latents.genre,
            "copyright": f"{LICENCE}: no rights reserved",
            "comment": "rendered by mvr.datasets.synthetic",
        }


def plan_demo(seed: int) -> list[DemoItem]:
    """All items of one seed; tracks of one genre have different moods as far as the genre has them."""
    items = []
    for number, (genre, titles) in enumerate(TRACKS.items()):
        moods: set[str] = set()
        for place, title in enumerate(titles):
            latents = _another_mood(seed * 10_000 + number * 100 + place * 10, genre, moods)
            moods.add(latents.mood)
            items.append(DemoItem(kind="track", title=title, latents=latents))
    for number, (genre, title, scenes) in enumerate(FILMS):
        latents = draw_latents(seed * 10_000 + 5000 + number, genre)
        items.append(DemoItem(kind="video", title=title, latents=latents, scenes=scenes))
    return items


def _another_mood(first: int, genre: str, moods: set[str]) -> Latents:
    """The first of ten draws with a mood not yet there, or else the first draw."""
    draws = [draw_latents(first + i, genre) for i in range(10)]
    return next((latents for latents in draws if latents.mood not in moods), draws[0])


def write_demo(
    out: Path, seed: int, settings: EncodeSettings | None = None, progress: Callable[[str], None] = print
) -> None:
    """Render the demo library into `out` (created; files of an earlier run are replaced).

    Raises:
        UsageError: `out` is a file or holds something that is not a demo library.
    """
    settings = settings or EncodeSettings()
    if out.is_file() or (out.exists() and any(out.iterdir()) and not (out / "manifest.json").exists()):
        raise UsageError(f"{out} holds something other than a demo library; choose a new folder")
    for name in ("tracks", "videos"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    items = plan_demo(seed)
    for item in items:
        (render_track if item.kind == "track" else render_film)(out / item.file, item, settings)
        progress(f"{item.file} · {item.latents.genre}, {item.latents.mood}, {item.latents.tempo_bpm:.0f} bpm")
    _write_manifest(out, seed, items)


def render_track(path: Path, item: DemoItem, settings: EncodeSettings) -> None:
    """Render, level and encode one track."""
    write_music(path, demo_sound(item.latents, TRACK_S, settings.sample_rate_hz), settings, item.tags())


def render_film(path: Path, item: DemoItem, settings: EncodeSettings) -> None:
    """Render and encode one film with its own music."""
    sound = demo_sound(item.latents, FILM_S, settings.sample_rate_hz, start_s=8.0)
    write_film(path, film_frames(item, settings), sound, settings, item.tags())


def film_frames(item: DemoItem, settings: EncodeSettings) -> Iterator[Pixels]:
    """Frames of a demo film, one after the other."""
    film = film_of(item)
    for number in range(round(FILM_S * settings.rate_fps)):
        yield film.frame(number / settings.rate_fps, settings.width_px, settings.height_px)


def film_of(item: DemoItem) -> Film:
    """The film of a demo video: it paints frames and knows its cuts."""
    latents = blur_latents(item.latents, np.random.default_rng([item.latents.seed, 9]), 0.03)
    return Film(latents, FILM_S, latents.seed, item.scenes)


def demo_sound(latents: Latents, duration_s: float, rate_hz: int, start_s: float = 0.0) -> FloatArray:
    """Stereo (n, 2) at -16 LUFS with a fade at the end (and at the start where it begins inside the piece)."""
    from mvr.media.loudness import loudness_of

    stereo = render_music(latents, Span(start_s=start_s, duration_s=duration_s, rate_hz=rate_hz))
    t = np.arange(len(stereo), dtype=np.float32) / rate_hz
    fade = np.clip((duration_s - t) / (2.5 if start_s == 0 else 0.8), 0, 1)
    if start_s > 0:
        fade = fade * np.clip(t / 0.03, 0, 1)
    stereo = (stereo * fade[:, None]).astype(np.float32)
    measured = loudness_of(stereo, rate_hz).integrated_lufs
    assert measured is not None, "a rendered piece is never silent"
    return limit(stereo * np.float32(10 ** ((LOUDNESS_LUFS - measured) / 20)), rate_hz, ceiling=0.8)


def _write_manifest(out: Path, seed: int, items: list[DemoItem]) -> None:
    manifest: dict[str, Any] = {
        "title": "mvr demo library",
        "licence": LICENCE,
        "artist": ARTIST,
        "command": f"python -m mvr.datasets.synthetic --out assets/demo --seed {seed}",
        "items": [item.to_json() for item in items],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")

"""One result as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.paths import home_dir
from mvr.datatypes import Modality
from mvr.page.search.waveform import draw_waveform
from mvr.page.serving.shelf import MEDIA_TYPES, Shelf, ShelfItem
from mvr.page.templates import clock

if TYPE_CHECKING:
    from mvr.library import Item


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a ranked list.

    Attributes:
        id: of the item in its library.
        credit: the line to print under a published clip.
        path: the item's file; never shown.
        play_from_s: where the best segment begins, and the player with it.
        music_from_s: where the music starts when the two are put together.
        facts: short words such as genre, tempo, length.
        fit_percent: length of the bar, the best result being 100.
        from_percent, to_percent: the best segment on the item's time line.
    """

    rank: int
    id: str
    title: str
    artist: str
    licence: str
    licence_url: str
    credit: str
    score: float
    path: Path
    play_from_s: float
    music_from_s: float
    end_s: float
    duration_s: float
    facts: tuple[str, ...]
    media_url: str
    wave_url: str
    poster_url: str
    fit_percent: float

    @property
    def from_percent(self) -> float:
        """Start of the best segment, of the whole item."""
        return 100 * self.play_from_s / max(self.duration_s, 1e-9)

    @property
    def to_percent(self) -> float:
        """End of the best segment, of the whole item."""
        return min(100.0, 100 * self.end_s / max(self.duration_s, 1e-9))


def media_url(shelf: Shelf, item: Item, owner: str | None) -> str:
    """Address of an item for a player; sound that browsers do not play is converted on first request."""
    if item.path.suffix.lower() in MEDIA_TYPES:
        return shelf.put(ShelfItem(path=item.path, name=item.path.name, owner=owner))
    suffix = ".mp4" if item.modality is Modality.VIDEO else ".m4a"
    made = cache_file(item, suffix, owner)
    return shelf.put(
        ShelfItem(
            path=made,
            name=f"{item.path.stem}{suffix}",
            owner=owner,
            make=lambda out: _convert(item, out),
        )
    )


def wave_url(shelf: Shelf, item: Item, owner: str | None) -> str:
    """Address of a drawing of the item's loudness over time, made on first request."""
    made = cache_file(item, ".svg", owner)
    return shelf.put(
        ShelfItem(path=made, name="wave.svg", owner=owner, make=lambda out: draw_waveform(item.path, out))
    )


def poster_url(shelf: Shelf, item: Item, owner: str | None) -> str:
    """Address of a still of a video, made on first request."""
    made = cache_file(item, ".jpg", owner)
    return shelf.put(ShelfItem(path=made, name="poster.jpg", owner=owner, make=lambda out: _still(item, out)))


def cache_file(item: Item, suffix: str, owner: str | None) -> Path:
    """Where something that was made from an item is kept, by the item's content id: beside the files of the visit
    `owner` when the item itself is one of them, so that both are deleted together; else in the page's own cache.
    """
    visit = next((folder for folder in item.path.parents if folder.name == owner), home_dir())
    return visit / "page-cache" / f"{item.id}{suffix}"


def delete_made(item: Item, owner: str | None) -> None:
    """Delete everything that was made from an item."""
    for suffix in (".svg", ".jpg", ".mp4", ".m4a"):
        cache_file(item, suffix, owner).unlink(missing_ok=True)


def facts_of(item: Item) -> tuple[str, ...]:
    """Genre, tempo and length, as far as they are known."""
    facts = [*item.genre[:2]]
    if item.modality is Modality.AUDIO and item.tempo_bpm:
        facts.append(f"{item.tempo_bpm:.0f} bpm")
    facts.append(clock(item.duration_s))
    return tuple(facts)


def _convert(item: Item, out: Path) -> None:
    if item.modality is Modality.VIDEO:
        from mvr.media.proxy import make_proxy

        make_proxy(item.path, out)
        return
    from mvr.media.mux import MuxSettings, render_music

    render_music(item.path, out, 0.0, item.duration_s, MuxSettings())


def _still(item: Item, out: Path) -> None:
    from mvr.media.proxy import save_poster

    save_poster(item.path, out, max_side_px=360)

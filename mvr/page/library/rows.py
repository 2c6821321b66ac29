"""An item of a library as the page shows it: what is written about it, and addresses of its media."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.paths import home_dir
from mvr.datatypes import Modality
from mvr.library.item import UNKNOWN_LICENCE
from mvr.page import texts
from mvr.page.library.waveform import draw_waveform
from mvr.page.serving.shelf import MEDIA_TYPES, Shelf, ShelfItem
from mvr.page.templates import clock

if TYPE_CHECKING:
    from mvr.library import Item


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a ranked list.

    Attributes:
        id: of the item in its library.
        gain_db: brings the whole track to the loudness of excerpts and exports.
        sound_url: the excerpt of the pair's music that plays under its picture; empty where none is made.
        streams: it is too long to be decoded whole.
        levels_url: the levels at which a found video's own sound and the music are mixed.
        credit: the line to print under a published clip.
        path: the item's file; never shown.
        play_from_s: where the best segment begins, and the player with it.
        music_from_s: where the music starts when the two are put together.
        facts: short words such as genre, tempo, length.
        because: words that the clip asks for and the item has.
        words: all that is said of the item's sound: what a click on a word keeps it for.
        why, begins: what is heard or seen of it, and where the music starts.
        placed: how sure that start is, in words and numbers; empty where the pair was not placed in time.
        strength, strength_told: how it stands against the library, as a word and in numbers.
        fit_percent: length of the bar beside the word.
        timing: what the strip under the picture draws, JSON; empty where the pair was not placed in time.
        from_percent, to_percent: the best segment on the item's time line.
    """

    rank: int
    id: str
    title: str
    artist: str
    licence: str
    licence_url: str
    may_use: str
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
    gain_db: float = 0.0
    sound_url: str = ""
    streams: bool = False
    levels_url: str = ""
    why: str = ""
    begins: str = ""
    placed: str = ""
    strength: str = ""
    strength_told: str = ""
    fit_percent: float
    because: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    timing: str = ""

    @property
    def decoded_url(self) -> str:
        """The excerpt, where the browser is to decode it; empty where the music streams."""
        return "" if self.streams else self.sound_url

    @property
    def excerpts_url(self) -> str:
        """The beginning of the addresses of excerpts from other seconds; see `mvr.page.search.audition.sound_url`."""
        return self.sound_url.removesuffix("sound.flac")

    @property
    def from_percent(self) -> float:
        """Start of the best segment, of the whole item."""
        return 100 * self.play_from_s / max(self.duration_s, 1e-9)

    @property
    def to_percent(self) -> float:
        """End of the best segment, of the whole item."""
        return min(100.0, 100 * self.end_s / max(self.duration_s, 1e-9))


def item_row(shelf: Shelf, item: Item, owner: str | None) -> Row:
    """An item of a library as a row without a rank; `owner` is the visit that alone may see it."""
    from mvr.delivery.plan import level_db

    audio = item.modality is Modality.AUDIO
    return Row(
        rank=0, score=0.0, fit_percent=0.0, play_from_s=0.0, end_s=0.0, music_from_s=0.0,
        id=item.id, title=item.title, artist=item.artist, path=item.path, duration_s=item.duration_s,
        licence=licence_shown(item.licence), licence_url=item.licence_url or licence_url(item.licence),
        may_use=item.rights.may_use,
        credit=item.credit_line, facts=facts_of(item), media_url=media_url(shelf, item, owner),
        wave_url=wave_url(shelf, item, owner) if audio else "",
        gain_db=level_db(item.loudness_lufs, item.true_peak_dbtp) if audio and _plays(item) else 0.0,
        poster_url="" if audio else poster_url(shelf, item, owner),
    )  # fmt: skip


def media_url(shelf: Shelf, item: Item, owner: str | None) -> str:
    """Address of an item for a player; sound that browsers do not play is converted on first request."""
    if _plays(item):
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


def _plays(item: Item) -> bool:
    """Whether browsers play the file itself; a copy has the export's loudness already."""
    return item.path.suffix.lower() in MEDIA_TYPES


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
    for suffix in (".svg", ".jpg", ".mp4", ".m4a", ".json"):
        cache_file(item, suffix, owner).unlink(missing_ok=True)


def facts_of(item: Item) -> tuple[str, ...]:
    """Genre, tempo and length, as far as they are known; and that the file is gone."""
    gone = item.missing or not item.path.exists()
    facts = [*([texts.LIBRARY_GONE] if gone else []), *item.genre[:2]]
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


def licence_shown(licence: str) -> str:
    """A licence in words that stand alone.

    >>> licence_shown("unknown"), licence_shown("CC0 1.0")
    ('licence unknown', 'CC0 1.0')
    """
    return texts.LICENCE_UNKNOWN if licence == UNKNOWN_LICENCE else licence


def licence_url(licence: str) -> str:
    """Where a Creative Commons licence is explained; empty for others.

    >>> licence_url("CC BY-NC 4.0"), licence_url("CC0 1.0"), licence_url("all rights reserved")
    ('https://creativecommons.org/licenses/by-nc/4.0/', 'https://creativecommons.org/publicdomain/zero/1.0/', '')
    """
    words = licence.lower().replace("-", " ").split()
    if not words or words[0] not in ("cc", "cc0"):
        return ""
    if words[0] == "cc0" or words[1:2] == ["zero"]:
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    terms = [word for word in words[1:] if word in ("by", "nc", "sa", "nd")]
    release = words[-1] if words[-1][0].isdigit() else "4.0"
    return f"https://creativecommons.org/licenses/{'-'.join(terms)}/{release}/" if terms else ""

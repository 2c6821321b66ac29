"""What the player of a search tab needs to put a track on the clip at once: excerpts, and levels of the own sound.

An excerpt is the track from its matching second on, as long as the clip, as the export would lay it (started over where
it is too short, faded out at the end) and as loud: FLAC, which every browser decodes to the sample. It is made on first
request and kept while there is room. Under a clip of more than `LONGEST_DECODED_S` the whole track streams at once, and
then the excerpt in its place; of more than `LONGEST_EXCERPT_S` the track alone, at the level of the whole of it.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mvr.datatypes import Modality
from mvr.page.library import cache_file
from mvr.page.serving import Shelf, ShelfItem
from mvr.page.serving.room import make_room

if TYPE_CHECKING:
    from mvr.datatypes import FloatArray
    from mvr.page.search.desk import Desk
    from mvr.retrieval import Result

LONGEST_DECODED_S = 50.0  # three excerpts, the heard one and its neighbours, stay below 60 MB decoded
LONGEST_EXCERPT_S = 180.0  # made in seconds, and kept in 25 MB
LEVELS_HOP_S = 0.05
_MOVED = re.compile(r"from-([0-9]{1,5}\.[0-9]{3})\.flac")
_MARGIN_S = 0.5  # beyond the clip's end: decoders and clocks round
_KEPT_BYTES = 1 << 30


def sounds_of(shelf: Shelf, desk: Desk, result: Result, owner: str | None) -> tuple[str, str]:
    """Addresses of what a row of the list is heard with: the excerpt of the pair's music, and the levels of the own
    sound of a video that was found.

    Args:
        shelf: serves it.
        desk: whose list; its clip is the picture, or the music that asks.
        result: the row.
        owner: whose visit may hear the library's items; None: everybody.
    """
    assert desk.clip is not None and desk.ranked is not None
    item, kept = result.item, cache_file(result.item, "", owner)
    if item.modality is Modality.AUDIO:
        span = (result.start_s, desk.clip.info.duration_s)
        return sound_url(shelf, item.path, kept, owner, span), ""
    asks, span = desk.clip.kept(desk.ranked.query.content[:16]), (result.query_start_s, item.duration_s)
    excerpt_url = sound_url(shelf, desk.clip.path, asks, None if desk.clip.shared else desk.owner, span)
    return excerpt_url, levels_url(shelf, item.path, kept, owner, item.duration_s)


def sound_url(shelf: Shelf, music: Path, kept: Path, owner: str | None, span: tuple[float, float]) -> str:
    """Address of a track's excerpt; empty where the clip is so long that the track alone streams.

    Under `from-12.500.flac` in place of the last part lies the one that begins there, for music that is moved by hand.

    Args:
        shelf: serves it.
        music: the track.
        kept: where what was made of it lies, named after it and without an ending.
        owner: whose visit may hear it; None: everybody.
        span: second of the track at which the clip begins, and the clip's length.
    """
    start_s, length_s = span
    if length_s > LONGEST_EXCERPT_S:
        return ""

    def sound(from_s: float) -> ShelfItem:
        def make(out: Path) -> None:
            write_excerpt(music, out, from_s, length_s)
            make_room(out.parent, "*.flac", _KEPT_BYTES)

        made = kept.parent / "auditions" / f"{kept.name}-{from_s:.3f}-{length_s:.2f}.flac"
        return ShelfItem(path=made, name="sound.flac", owner=owner, make=make)

    def named(name: str) -> ShelfItem | None:
        wanted = _MOVED.fullmatch(name)
        return None if wanted is None else sound(float(wanted[1]))

    return shelf.put(replace(sound(start_s), named=named))


def write_excerpt(music: Path, out: Path, start_s: float, length_s: float) -> None:
    """Write the excerpt, at the loudness of the export as far as its peaks allow without a limiter.

    Raises:
        MediaError: the file cannot be used. UsageError: it ends before `start_s`.
    """
    write_flac(levelled(excerpt(music, start_s, length_s)), out, music)


def write_lossless(sound: Path, out: Path) -> None:
    """Write a sound that is on the export's level already as FLAC, with a margin. Raises MediaError."""
    from mvr.media.loudness import RATE_HZ
    from mvr.media.sound import read_stereo

    samples = read_stereo(sound, RATE_HZ)
    write_flac(np.pad(samples, ((0, round(_MARGIN_S * RATE_HZ)), (0, 0))), out, sound)


def write_flac(samples: FloatArray, out: Path, music: Path) -> None:
    """Write samples (n, 2) at 48 kHz of `music` as FLAC. Raises MediaError."""
    from mvr.config.outputs import written_whole
    from mvr.media.ffmpeg import run_ffmpeg
    from mvr.media.limits import DEFAULT_LIMITS
    from mvr.media.loudness import RATE_HZ

    with tempfile.TemporaryDirectory(prefix="mvr-") as folder, written_whole(out) as part:
        raw = Path(folder) / "sound.f32"
        np.ascontiguousarray(samples, "<f4").tofile(raw)
        run_ffmpeg(
            [
                "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", f"file:{raw}", "-sample_fmt", "s16",
                "-c:a", "flac", "-compression_level", "3", "-f", "flac", f"file:{part.absolute()}",
            ],
            music,
            DEFAULT_LIMITS.timeout_s,
        )  # fmt: skip


def excerpt(music: Path, start_s: float, length_s: float) -> FloatArray:
    """The track as the export lays it on a clip, and a margin of silence: (n, 2) float32 at 48 kHz."""
    from mvr.media.loudness import RATE_HZ
    from mvr.media.soundtrack import MuxSettings, fit_music, read_music

    length = max(1, round(length_s * RATE_HZ))
    samples, begin_s = read_music(music, length, start_s)
    fitted = fit_music(samples, length, MuxSettings(start_s=start_s), begin_s)
    return np.pad(fitted, ((0, round(_MARGIN_S * RATE_HZ)), (0, 0)))


def levelled(samples: FloatArray) -> FloatArray:
    """Samples at the export's loudness, or as near as its highest true peak lets them."""
    from mvr.media.loudness import RATE_HZ, loudness_of
    from mvr.media.soundtrack import MuxSettings

    settings, found = MuxSettings(), loudness_of(samples, RATE_HZ)
    if found.integrated_lufs is None or found.true_peak_dbtp is None:
        return samples
    gain_db = min(
        settings.loudness_lufs - found.integrated_lufs, settings.true_peak_dbtp - found.true_peak_dbtp
    )
    return samples * np.float32(10 ** (gain_db / 20))


def levels_url(shelf: Shelf, video: Path, kept: Path, owner: str | None, duration_s: float) -> str:
    """Address of the levels at which a clip's own sound and the music are mixed; made on first request."""

    def make(out: Path) -> None:
        out.write_text(json.dumps(own_levels(video, duration_s)), encoding="utf-8")

    made = kept.with_name(f"{kept.name}.json")
    return shelf.put(ShelfItem(path=made, name="levels.json", owner=owner, make=make))


def own_levels(video: Path, duration_s: float) -> dict[str, object]:
    """The export's levels of a clip's own sound: `own_db` of it, `mix_db` of the music beside it, and `duck_db` of the
    music every `hop_s` seconds where it makes room. A silent clip has nothing to make room for.

    Raises:
        MediaError: the file cannot be used.
    """
    from mvr.media.loudness import RATE_HZ, loudness_of
    from mvr.media.probe import probe
    from mvr.media.sound import read_stereo
    from mvr.media.soundtrack import MuxSettings, duck_curve, own_gain_db

    settings = MuxSettings()
    nothing = {"own_db": 0.0, "mix_db": 0.0, "duck_db": [], "hop_s": LEVELS_HOP_S}
    if probe(video).audio is None:
        return nothing
    original = read_stereo(video, RATE_HZ)
    loudness = loudness_of(original, RATE_HZ).integrated_lufs
    if loudness is None:
        return nothing
    curve = duck_curve(original, max(1, round(duration_s * RATE_HZ)), loudness, settings.duck_db)
    hop = round(LEVELS_HOP_S * RATE_HZ)
    return {
        "own_db": own_gain_db(loudness, settings),
        "mix_db": settings.mix_music_db,
        "duck_db": [round(float(db), 2) for db in curve[::hop]],
        "hop_s": LEVELS_HOP_S,
    }

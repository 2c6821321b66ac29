"""Real clips and music in folders, and how they are cut."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.backbones.soundscape import LEAST_DBFS, MOST_FLATNESS, MOST_SPEECH, Soundscape, is_music
from mvr.datatypes import FloatArray, Modality, Segment
from mvr.embeddings.system import System
from mvr.errors import DataError
from mvr.library.scan import scan
from mvr.media.probe import probe

SEGMENT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A media file cut into disjoint segments of equal length.

    Attributes:
        source: what it was cut from: the file name up to the first underscore, so all of `bbb_...` is one film.
    """

    path: Path
    source: str
    duration_s: float
    segments: tuple[Segment, ...]


def cut_apart(duration_s: float, least: int) -> tuple[Segment, ...]:
    """Disjoint segments of about `SEGMENT_S`, at least `least`, that cover the whole length."""
    count = max(least, int(duration_s // SEGMENT_S))
    length = duration_s / count
    return tuple(Segment(start_s=i * length, end_s=(i + 1) * length) for i in range(count))


def find_clips(folder: Path, works: Mapping[str, str] | None = None) -> list[Clip]:
    """Files with picture and sound, in order of name, each in at least two segments.

    Args:
        folder: of videos.
        works: file name -> work, for what was cut from the same film or song; others go by their file name.

    Raises:
        DataError: there are none.
    """
    clips = []
    for path in scan([folder]).files:
        info = probe(path, needs=("picture", "sound"))
        segments = cut_apart(info.duration_s, least=2)
        source = (works or {}).get(path.name) or path.stem.split("_")[0]
        clips.append(Clip(path=path, source=source, duration_s=info.duration_s, segments=segments))
    if not clips:
        raise DataError(f"{folder} holds no videos")
    return clips


def read_works(table: Path) -> dict[str, str]:
    """File name -> work, from a CSV with the columns `file` and `work`. Raises DataError."""
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            return {Path(row["file"]).name: row["work"].strip() for row in csv.DictReader(lines)}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{table} is no table with the columns file and work: {error!r}") from error


def with_music(clips: list[Clip]) -> tuple[list[Clip], list[str]]:
    """The clips whose sound is music, and why each of the others was left out."""
    check, kept, left_out = Soundscape(), [], []
    for clip in clips:
        found = check.encode(check.preprocess(clip.path, clip.segments))
        if is_music(found):
            kept.append(clip)
        else:
            speech, flatness, level = np.median(found, axis=0)
            left_out.append(
                f"{clip.path.name}: speech {speech:.2f}, flatness {flatness:.2f}, {level:.0f} dBFS"
            )
    if not kept:
        raise DataError("none of the clips has music in it")
    return kept, left_out


def music_rule() -> str:
    """What counts as music, in words."""
    return (
        f"at most {MOST_SPEECH:.0%} speech, spectral flatness at most {MOST_FLATNESS:g}, "
        f"level at least {LEAST_DBFS:g} dBFS (medians over segments)"
    )


def find_music(folder: Path) -> list[Clip]:
    """Files with sound, in order of name.

    Raises:
        DataError: there are none.
    """
    tracks = []
    for path in scan([folder]).files:
        info = probe(path, needs=("sound",))
        segments = cut_apart(info.duration_s, least=1)
        tracks.append(Clip(path=path, source=path.stem, duration_s=info.duration_s, segments=segments))
    if not tracks:
        raise DataError(f"{folder} holds no music")
    return tracks


class Shelf:
    """Features of segments, made once for all systems with the same backbone and settings."""

    def __init__(self) -> None:
        self._features: dict[tuple[str, Path, tuple[Segment, ...]], FloatArray] = {}

    def embed(
        self, system: System, clip: Clip, modality: Modality, segments: tuple[Segment, ...] = ()
    ) -> FloatArray:
        """Embeddings (S, B, D) of a clip's segments (or of some of them) by one system.

        Raises:
            MediaError: the file cannot be used.
        """
        return system.encode(self.features(system, clip, modality, segments), modality).vectors

    def features(
        self, system: System, clip: Clip, modality: Modality, segments: tuple[Segment, ...] = ()
    ) -> FloatArray:
        """Features (S, D) of the same. Raises MediaError: the file cannot be used."""
        wanted = segments or clip.segments
        key = (system.recipe_hash(modality), clip.path, wanted)
        if key not in self._features:
            backbone = system.backbone(modality)
            rows = backbone.preprocess(clip.path, wanted)
            self._features[key] = np.concatenate(
                [backbone.encode(rows[i : i + 4]) for i in range(0, len(rows), 4)]
            )
        return self._features[key]

"""Reference items: what the backbones `concepts` and `audio-tags` say of real clips and sounds; arrays, no media."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from eval.real.clips import find_clips
from mvr.backbones.audio_tags import AudioTags
from mvr.backbones.backbone import Backbone
from mvr.backbones.concepts import ConceptsVideo
from mvr.config.cards import SegmentCard
from mvr.config.digest import content_hash
from mvr.datatypes import FloatArray, Modality
from mvr.embeddings.segments import segments_of
from mvr.errors import DataError, MediaError, NotFinite
from mvr.library.scan import scan
from mvr.media.probe import probe
from mvr.training.bridge import Reference

_CUT = SegmentCard(audio_s=10.0, audio_hop_s=10.0)


def make_reference(media: Path) -> Reference:
    """Every clip of `media` whose picture can be read, and the sounds of `music/` and of each work of `soundtrack/`.

    Raises:
        DataError: fewer than two clips or sounds.
    """
    picture, sound = ConceptsVideo(), AudioTags()
    clips = _once([*scan([media / "soundtrack"]).files, *scan([media / "odd"]).files])
    works: dict[str, Path] = {}
    for clip in find_clips(media / "soundtrack"):
        works.setdefault(clip.source, clip.path)
    concepts = [row for row in (_mean(picture, path) for path in clips) if row is not None]
    sounds = [*scan([media / "music"]).files, *works.values()]
    logits = [row for row in (_mean(sound, path) for path in sounds) if row is not None]
    if len(concepts) < 2 or len(logits) < 2:
        raise DataError(
            f"{media} gives {len(concepts)} clips and {len(logits)} sounds; a spread needs two of each"
        )
    return Reference(
        concepts=np.stack(concepts),
        logits=np.stack(logits),
        concept_names=picture.concepts,
        outputs=sound.outputs,
    )


def _once(paths: list[Path]) -> list[Path]:
    """The first file of every content."""
    first: dict[str, Path] = {}
    for path in paths:
        first.setdefault(content_hash(path), path)
    return list(first.values())


def _mean(backbone: Backbone, path: Path) -> FloatArray | None:
    """Mean features of a file over its segments; None, and a line on stderr, where it cannot be used."""
    try:
        info = probe(path, needs=("picture",) if backbone.modality is Modality.VIDEO else ("sound",))
        segments = segments_of(info.duration_s, backbone.modality, _CUT)
        mean: FloatArray = backbone.encode(backbone.preprocess(path, segments)).mean(axis=0)
    except (MediaError, NotFinite) as error:
        print(f"left out {error}", file=sys.stderr)
        return None
    return mean

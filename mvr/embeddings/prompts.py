"""Prompt vectors of the text towers of a system, for ranking by words before any head is trained.

They are computed once, when the weights are there, and kept under `MVR_HOME/prompts` by the hash of both backbones'
settings and of the prompts' texts: other weights, another number format or other words are other vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mvr.backbones.backbone import Backbone, TextBackbone, check_features
from mvr.backbones.tag_table import INSTRUMENT, TAG_KINDS
from mvr.config.digest import content_hash
from mvr.config.outputs import written_whole
from mvr.config.paths import assets_dir, home_dir
from mvr.config.settings import settings_hash
from mvr.datatypes import FloatArray
from mvr.errors import UsageError
from mvr.heads.bridge import BridgeHead
from mvr.heads.file import load_head
from mvr.heads.prompts import WordsHead, tables_of_prompts

PROFILES = "heads/bridge-mini.safetensors"  # whose concepts, tags and profiles join the two sides
_CONCEPTS = ("a photo of {}", "a video of {}")
_TAGS = ("{} music", "this music is {}")
_INSTRUMENTS = ("music with {}", "the sound of {}")
# concepts and tags whose names are no phrase; the others stand as they are
_PHRASES = {
    "brass": "brass instruments",
    "woodwind": "a saxophone, a clarinet or a flute",
    "dj": "a DJ at turntables",
    "console": "a game console",
    "offroad": "an off-road vehicle",
    "racing": "a car race",
    "truck bus": "a truck or a bus",
    "space": "outer space",
    "balloon parachute": "a balloon or a parachute",
    "military": "soldiers and military vehicles",
    "water sport": "surfing or other water sports",
    "lake river": "a lake or a river",
    "plant garden": "plants in a garden",
    "reptile insect": "a reptile or an insect",
    "hair": "a hairstyle",
    "makeup": "a face with make-up",
    "paper art": "paper crafts",
    "tool wood": "woodworking tools",
    "building city": "buildings in a city",
    "amusement": "an amusement park",
    "light night": "lights at night",
    "hero costume": "a superhero costume",
    "indie, alternative": "indie and alternative rock",
    "party, fast": "fast party",
    "slow, tender": "slow, tender",
    "acoustic": "acoustic guitar",
    "beat": "a drum machine",
    "strings": "a string section",
    "vocals": "singing",
    "female voice": "a female singer",
    "male voice": "a male singer",
}


def concept_prompts(concept: str) -> tuple[str, ...]:
    """What a text tower is asked of a picture.

    >>> concept_prompts("lake river")
    ('a photo of a lake or a river', 'a video of a lake or a river')
    """
    return tuple(form.format(_PHRASES.get(concept, concept)) for form in _CONCEPTS)


def tag_prompts(tag: str) -> tuple[str, ...]:
    """What a text tower is asked of a sound.

    >>> tag_prompts("piano"), tag_prompts("sad")
    (('music with piano', 'the sound of piano'), ('sad music', 'this music is sad'))
    """
    forms = _INSTRUMENTS if TAG_KINDS.get(tag) == INSTRUMENT else _TAGS
    return tuple(form.format(_PHRASES.get(tag, tag)) for form in forms)


def words_head(video: Backbone, audio: Backbone) -> WordsHead:
    """The head that joins two backbones by words.

    Raises:
        UsageError: a backbone without a text tower. WeightsError: the profiles, or what a tower needs to read words.
    """
    for side in (video, audio):
        if not isinstance(side, TextBackbone):
            raise UsageError(
                f"backbone {side.name!r} cannot read words; train a head on its features instead"
            )
    path = assets_dir() / PROFILES
    bridge = load_head(path)
    assert isinstance(bridge, BridgeHead)
    texts = {
        "concepts": [concept_prompts(name) for name in bridge.tables.concepts],
        "tags": [tag_prompts(name) for name in bridge.tables.tags],
    }
    said = {"picture": video.settings, "sound": audio.settings, **texts}
    key = settings_hash({name: list(value) if name in texts else value for name, value in said.items()})
    file = home_dir() / "prompts" / f"{key}.safetensors"
    vectors = _read(file, [(len(texts["concepts"]), video.dim), (len(texts["tags"]), audio.dim)])
    if vectors is None:
        vectors = prompt_vectors(video, texts["concepts"]), prompt_vectors(audio, texts["tags"])
        _write(file, vectors)
    return WordsHead(tables_of_prompts(bridge.tables, *vectors), f"{key}-{content_hash(path)[:16]}")


def prompt_vectors(backbone: Backbone, prompts: Sequence[Sequence[str]]) -> FloatArray:
    """(P, D): for each of P things, the mean direction of its prompts, unit length."""
    assert isinstance(backbone, TextBackbone)
    rows = []
    for texts in prompts:
        found = check_features(backbone.encode_text(texts), backbone.name)
        mean = (found / np.linalg.norm(found, axis=1, keepdims=True)).mean(axis=0)
        rows.append(mean / np.linalg.norm(mean))
    return np.stack(rows).astype(np.float32)


def _read(file: Path, shapes: list[tuple[int, int]]) -> tuple[FloatArray, FloatArray] | None:
    """Both sides' vectors; None where they were not computed yet, or the file is damaged: it is made again."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        kept = load_file(file)
        picture, sound = kept["picture"], kept["sound"]
    except (SafetensorError, KeyError, OSError):
        return None
    whole = [picture.shape, sound.shape] == shapes and np.isfinite(picture).all() and np.isfinite(sound).all()
    return (picture, sound) if whole else None


def _write(file: Path, vectors: tuple[FloatArray, FloatArray]) -> None:
    """Both sides' vectors in one step: a killed writer leaves none."""
    from safetensors.numpy import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as part:
        save_file(dict(zip(("picture", "sound"), vectors, strict=True)), part)

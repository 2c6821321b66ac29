"""The columns of a set of short videos with music, and what each means.

`video` holds the pictures without sound and without black borders, `audio` the sound; both are {bytes, path} and are
never decoded by the loader (`decode=False`): `mvr.media` reads them, so no further codec package is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mvr.errors import DataError

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

VERSION = "1.1.0"
MEDIA = ("video", "audio")
TAXONOMIES = ("genre", "mood", "instrument")

# name -> (type, meaning); "labels" is a list of strings, "guesses" of words with kind and
# confidence
COLUMNS: dict[str, tuple[str, str]] = {
    "id": ("string", "first 16 hexadecimal digits of the SHA-256 of the source file"),
    "video": ("video", "pictures without sound, black borders removed"),
    "audio": ("audio", "sound, AAC"),
    "title": ("string", "title, else the file's name"),
    "author": ("string", "who published it"),
    "source": ("string", "where it comes from"),
    "licence": ("string", "licence of the clip, 'unknown' where nothing says"),
    "search_term": ("string", "the words it was found by"),
    "theme": ("string", "its theme, such as travel or vlog"),
    "likes": ("int64", "likes when it was collected; null where unknown"),
    "duration_s": ("float32", "length in seconds"),
    "width_px": ("int32", "displayed width, borders included"),
    "height_px": ("int32", "displayed height, borders included"),
    "borders": ("box", "picture inside the black borders: left, top, right, bottom in pixels"),
    "speech_share": ("float32", "share of time in which a voice speaks or sings out, 0 to 1"),
    "noise": ("float32", "median spectral flatness of the sound, 0 a tone to 1 white noise"),
    "loudness_lufs": ("float32", "integrated loudness (EBU R128); null for silence"),
    "tempo_bpm": ("float32", "tempo estimate in beats per minute; null where there is no pulse"),
    "music_group": ("string", "the same for all clips with the same music"),
    "video_group": ("string", "the same for all clips with the same pictures"),
    "group": ("string", "the same for all clips joined by either; a group sits in one split"),
    "genre": ("labels", "genre labels"),
    "mood": ("labels", "mood labels"),
    "instrument": ("labels", "instrument labels"),
    "guessed": (
        "guesses",
        "words that a network guessed of the sound (word; kind: genre, mood or instrument; confidence); no labels",
    ),
    "video_sha256": ("string", "SHA-256 of the video bytes"),
    "audio_sha256": ("string", "SHA-256 of the audio bytes"),
}
NEWER = ("guessed",)  # columns that sets of version 1.0.0 lack
METADATA = ("title", "author", "source", "licence", "search_term", "theme", "likes", *TAXONOMIES)


def features() -> datasets.Features:
    """The columns as Hugging Face features, with media that stay bytes."""
    import datasets

    kinds = {
        "video": datasets.Video(decode=False),
        "audio": datasets.Audio(decode=False),
        "box": {side: datasets.Value("int32") for side in ("left", "top", "right", "bottom")},
        "labels": datasets.List(datasets.Value("string")),
        "guesses": datasets.List(
            {
                "word": datasets.Value("string"),
                "kind": datasets.Value("string"),
                "confidence": datasets.Value("float32"),
            }
        ),
    }
    return datasets.Features(
        {name: kinds[kind] if kind in kinds else datasets.Value(kind) for name, (kind, _) in COLUMNS.items()}
    )


def arrow_schema() -> pa.Schema:
    """The columns as an Arrow schema that carries the features, so that plain Parquet loads with them."""
    return features().arrow_schema


def no_set(place: Path | str) -> DataError:
    """What is said of a folder without shards."""
    return DataError(f"{place} holds no data/*.parquet; is it a set that `mvr dataset build` made?")

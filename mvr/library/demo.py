"""The demo library that ships with the project: rendered tracks and videos, measured and embedded beforehand.

`assets/demo/` holds `manifest.json` (what the generator wrote), the media, `measures.json` and `features.safetensors`.
The last two are written by `mvr library bake-demo`; what they do not cover (another system, a changed recipe) is
computed when it is first needed and kept in the user's own folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mvr.config.digest import content_hash
from mvr.config.paths import assets_dir, home_dir
from mvr.datatypes import JsonDict, Modality
from mvr.embeddings.cache import BakedFeatures, FeatureCache, bake_features
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import DataError
from mvr.library.adding import make_item
from mvr.library.catalogue import Catalogue
from mvr.library.guesses import Guesser
from mvr.library.item import UNKNOWN_LICENCE
from mvr.library.library import Library
from mvr.library.measure import Measures, measure
from mvr.library.report import Progress
from mvr.library.tags import Tags
from mvr.library.timings import Timings
from mvr.timing.store import TimingStore

_KINDS = {"track": Modality.AUDIO, "video": Modality.VIDEO}


TIMING = "timing"  # folder of the demo's timings


def demo_dir() -> Path:
    """Where the demo library lies."""
    return assets_dir() / "demo"


def open_demo_library(folder: Path | None = None) -> Library:
    """Open the demo library: its items live in memory, nothing can be added to it for good.

    Args:
        folder: another folder of the same form.

    Raises:
        DataError: no manifest, or one that names a file that is not there.
    """
    folder = folder or demo_dir()
    baked = _read_json(folder / "measures.json") if (folder / "measures.json").is_file() else {}
    items = []
    for modality, entry in read_manifest(folder):
        path = folder / entry["file"]
        content = content_hash(path)
        known = baked.get(content)
        measures = Measures(**known) if known else _measured(path, modality)
        items.append(make_item(path, content, modality, measures, _tags(entry)))
    catalogue = Catalogue(None)
    catalogue.add_new(items)
    cache = FeatureCache(home_dir() / "demo-features")
    return Library(
        home_dir() / "demo-library",
        catalogue,
        cache,
        [BakedFeatures(folder / "features.safetensors")],
        shipped_timings=(folder / TIMING,),
    )


def _measured(path: Path, modality: Modality) -> Measures:
    from mvr.media.probe import probe

    return measure(path, probe(path), modality)


def read_manifest(folder: Path) -> list[tuple[Modality, JsonDict]]:
    """Entries of `manifest.json` with their modality.

    Raises:
        DataError: it cannot be read, or a file that it names is not there.
    """
    manifest = _read_json(folder / "manifest.json")
    entries = [(_KINDS[entry["kind"]], entry) for entry in manifest["items"]]
    for _, entry in entries:
        if not (folder / entry["file"]).is_file():
            raise DataError(f"{folder / 'manifest.json'} names {entry['file']}, which does not exist")
    return entries


def bake_demo(systems: Iterable[System], folder: Path | None = None, progress: Progress | None = None) -> int:
    """Measure and embed the demo library and write what `open_demo_library` reads; returns the number of items."""
    folder = folder or demo_dir()
    entries, guesser = read_manifest(folder), Guesser()
    loaded = [part for system in systems for part in system.parts]
    measures: JsonDict = {}
    features: dict[tuple[str, str], SegmentFeatures] = {}
    timings = Timings(TimingStore(folder / TIMING))
    for done, (modality, entry) in enumerate(entries):
        if progress is not None:
            progress(done, len(entries), entry["file"])
        path = folder / entry["file"]
        content = content_hash(path)
        found = vars(_measured(path, modality))
        unkept = ("signature", "fingerprint")
        measures[content] = {name: value for name, value in found.items() if name not in unkept}
        for system in dict.fromkeys([*loaded, *(guesser.systems if modality is Modality.AUDIO else ())]):
            key = (system.recipe_hash(modality), content)
            features[key] = features.get(key) or system.features_of_file(path, modality)
        timings.measure(path, content, modality)
    bake_features(folder / "features.safetensors", features)
    text = json.dumps(measures, indent=1, sort_keys=True, allow_nan=False)
    (folder / "measures.json").write_text(text + "\n", encoding="utf-8")
    return len(entries)


def _tags(entry: JsonDict) -> Tags:
    return Tags(
        title=entry.get("title", ""),
        artist=entry.get("artist", ""),
        genre=_labels(entry.get("genre")),
        mood=_labels(entry.get("mood")),
        licence=entry.get("licence") or UNKNOWN_LICENCE,
        credit=entry.get("credit", ""),
        tempo_bpm=entry.get("tempo_bpm"),
    )


def _labels(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _read_json(path: Path) -> JsonDict:
    try:
        values: JsonDict = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return values

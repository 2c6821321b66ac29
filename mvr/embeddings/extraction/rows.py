"""From encoded items to the store: a new one, rows appended to the one that is there, or one in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvr.datatypes import FloatArray, JsonDict, Modality
from mvr.embeddings.extraction.items import Item
from mvr.embeddings.growth import append_rows, replace_store
from mvr.embeddings.manifest import complete_manifest
from mvr.embeddings.matrix import MATRICES
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Items in the dataset's order, `features(items, modality)` (n, D) of some of them, and the store's meta."""

    items: tuple[Item, ...]
    features: Callable[[Sequence[Item], Modality], FloatArray]
    meta: JsonDict


def write_rows(out: Path, rows: Rows) -> FeatureStore:
    """Make `out` hold these rows; where it holds some of them already, the others come behind them.

    Where a row's split, group, labels or content is another than before, the whole store is written anew, in the
    dataset's order.

    Raises:
        UsageError: `out` has rows that would be lost. SettingsMismatch: it was made with other settings.
    """
    if not out.exists():
        return replace_store(out, **_parts(rows.items, rows), meta=rows.meta)
    settings = {name: rows.meta[name]["settings"] for name in MATRICES}
    before = FeatureStore.open(out, settings=settings)
    by_id = {item.id: item for item in rows.items}
    lost = sorted(set(before.ids) - set(by_id))
    if lost:
        raise UsageError(
            f"{out} holds {len(lost)} rows that this run does not have, such as {lost[0]!r}; choose a new folder"
        )
    known = [by_id.pop(identifier) for identifier in before.ids]
    if manifest_of(known).to_pydict() != before.manifest.to_pydict():
        return replace_store(out, **_parts(rows.items, rows), meta=rows.meta)
    new = tuple(by_id.values())
    return append_rows(out, **_parts(new, rows), settings=settings) if new else before


def manifest_of(items: Sequence[Item]) -> pa.Table:
    """Manifest rows of items: id, split, group, labels."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        "id": pa.array([item.id for item in items], pa.string()),
        "split": pa.array([item.split for item in items], pa.string()),
        "group": pa.array([item.group for item in items], pa.string()),
    }
    for taxonomy in sorted({name for item in items for name in item.labels}):
        columns[taxonomy] = pa.array([item.labels.get(taxonomy, []) for item in items], pa.list_(pa.string()))
    return complete_manifest(pa.table(columns))


def _parts(items: Sequence[Item], rows: Rows) -> dict[str, Any]:
    matrices = {name: rows.features(items, Modality(name)) for name in MATRICES}
    return {**matrices, "manifest": manifest_of(items)}

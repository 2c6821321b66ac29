"""A store's manifest: row order, splits, groups and labels, as one Parquet file that is replaced in one step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import SPLITS
from mvr.embeddings.durable import commit_file
from mvr.errors import DataError, Leakage

if TYPE_CHECKING:
    import pyarrow as pa


def complete_manifest(manifest: pa.Table) -> pa.Table:
    """The manifest with `split` and `group` filled in, checked.

    Raises:
        DataError: no or duplicate ids, an unknown split. Leakage: one group in two splits.
    """
    import pyarrow as pa

    if "id" not in manifest.column_names:
        raise DataError(f"the manifest has no column 'id', only {', '.join(manifest.column_names) or 'none'}")
    columns = {name: manifest[name] for name in manifest.column_names}
    columns["id"] = manifest["id"].cast(pa.string())
    columns.setdefault("split", pa.array(["train"] * len(manifest), pa.string()))
    columns.setdefault("group", columns["id"])
    table = pa.table({name: columns.pop(name) for name in ("id", "split", "group")} | columns)
    check_manifest(table)
    return table


def check_manifest(table: pa.Table) -> None:
    """Refuse duplicate or missing ids, unknown splits and groups on both sides of a split."""
    import pyarrow.compute as pc

    for name in ("id", "split", "group"):
        if table[name].null_count:
            raise DataError(f"the manifest's column {name!r} has {table[name].null_count} empty cells")
    counts = pc.value_counts(table["id"])
    twice = [row["values"] for row in counts.filter(pc.greater(pc.struct_field(counts, 1), 1)).to_pylist()]
    if twice:
        raise DataError(f"{len(twice)} ids appear more than once in the manifest, for example {twice[0]!r}")
    unknown = sorted(set(pc.unique(table["split"]).to_pylist()) - set(SPLITS))
    if unknown:
        raise DataError(f"unknown split {unknown[0]!r} in the manifest; choose from {', '.join(SPLITS)}")
    per_group = table.group_by("group").aggregate([("split", "count_distinct")])
    leaking = per_group.filter(pc.greater(per_group["split_count_distinct"], 1))["group"].to_pylist()
    if leaking:
        raise Leakage(
            f"{len(leaking)} groups are in more than one split, for example {sorted(leaking)[0]!r}; "
            "give all rows of a group the same split"
        )


def taxonomy_columns(table: pa.Table) -> list[str]:
    """Names of the list-of-strings columns."""
    import pyarrow as pa

    return [f.name for f in table.schema if pa.types.is_list(f.type) or pa.types.is_large_list(f.type)]


def read_manifest(path: Path) -> pa.Table:
    """Read and check `manifest.parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read as a feature store's manifest: {error}") from error
    missing = [name for name in ("id", "split", "group") if name not in table.column_names]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}")
    check_manifest(table)
    return table


def write_manifest(path: Path, table: pa.Table) -> None:
    """Write `manifest.parquet` by renaming: readers see the old one or the new one."""
    import pyarrow.parquet as pq

    temporary = path.with_name(path.name + ".tmp")
    pq.write_table(table, temporary)
    commit_file(temporary, path)

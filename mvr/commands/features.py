"""`mvr features`: feature stores from precomputed matrices, from published feature sets, and from media."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mvr.commands.options import JsonOption
from mvr.commands.output import many_steps, note, print_json, say
from mvr.config.outputs import check_output_folder

if TYPE_CHECKING:
    from mvr.datasets.features.paired import PairedFeatures

app = typer.Typer(no_args_is_help=True, help="Feature stores: backbone features of paired videos and music.")

_Out = Annotated[Path, typer.Option(help="Folder for the store; it must not exist yet.", show_default=False)]
_Labels = Annotated[
    Path | None,
    typer.Option(help="Labels from `mvr dataset audioset`, matched by id, as more label columns."),
]


@app.command("import")
def import_matrices(
    video: Annotated[Path, typer.Option(help="(N, D) .npy matrix of video features.")],
    audio: Annotated[Path, typer.Option(help="(N, D) .npy matrix of audio features.")],
    manifest: Annotated[
        Path, typer.Option(help="CSV with id and optional split, group, genre, emotion, ...")
    ],
    out: _Out,
    labels: _Labels = None,
    as_json: JsonOption = False,
) -> None:
    """Import two precomputed feature matrices; separate several labels in a cell by ;"""
    from mvr.datasets.features.matrices import import_matrices as read

    _write(read(video, audio, manifest), out, labels, as_json)


@app.command("import-youtube8m")
def import_youtube8m(
    shards: Annotated[list[Path], typer.Argument(help="Video-level .tfrecord files.")],
    out: _Out,
    vocabulary: Annotated[Path | None, typer.Option(help="CSV with index and name of the labels.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Keep rows with this label (repeatable).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Import YouTube-8M's video-level TFRecords."""
    from mvr.datasets.features.youtube8m import import_youtube8m as read

    found = read(shards, vocabulary=vocabulary, only_labels=frozenset(only or ()))
    _write(found, out, None, as_json)


@app.command("import-vggish")
def import_vggish(
    shards: Annotated[list[Path], typer.Argument(help="AudioSet's .tfrecord files of VGGish embeddings.")],
    video: Annotated[Path, typer.Option(help="(N, D) .npy matrix of video features of the same videos.")],
    manifest: Annotated[
        Path, typer.Option(help="CSV with id (AudioSet's video id) and optional split, group, genre, ...")
    ],
    out: _Out,
    labels: _Labels = None,
    as_json: JsonOption = False,
) -> None:
    """Import AudioSet's VGGish embeddings with video features of your own; rows without sound are left out."""
    from mvr.datasets.features.vggish import import_vggish as read

    _write(read(shards, video, manifest), out, labels, as_json)


@app.command("import-mgsv")
def import_mgsv(
    tables: Annotated[Path, typer.Option(help="Folder of train_data.csv, val_data.csv, test_data.csv.")],
    video: Annotated[Path, typer.Option(help="Folder of vit_feature/ and vit_mask/.")],
    audio: Annotated[Path, typer.Option(help="Folder of ast_feature/ and ast_mask/.")],
    out: _Out,
    as_json: JsonOption = False,
) -> None:
    """Import MGSV-EC's published feature folders; rows whose music is in a later split are left out and counted."""
    from mvr.datasets.features.mgsv import import_mgsv as read

    _write(read(tables, video, audio), out, None, as_json)


@app.command()
def extract(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A built set, or a folder of videos with their own sound: a path, or a URL that fsspec opens (s3://...)."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the store, beside its cache; a second run continues where the first ended, adding what "
            "is new. With --engine ray on a cluster it must be on storage that every machine mounts at the same place."
        ),
    ],
    system: Annotated[str, typer.Option(help="The system whose backbones to run.")] = "control-mvr-mini",
    engine: Annotated[
        str, typer.Option(help="local: processes of this machine; ray: Ray Data (an extra).")
    ] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Processes, or Ray actors.")] = 2,
    gpus_per_worker: Annotated[float, typer.Option(min=0, help="GPU share of a Ray actor.")] = 0.0,
    address: Annotated[
        str | None,
        typer.Option(
            help="A running Ray cluster: auto on one of its machines, or HOST:PORT. Every machine needs mvr."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run both backbones of a system over a dataset; files that fail are reported and skipped."""
    from mvr.embeddings.extraction import ExtractSettings, extract_features

    check_output_folder(out, ("meta.json",))
    check_output_folder(out.with_name(f"{out.name}.cache"), ("cache.db",))
    settings = ExtractSettings(
        system=system, engine=engine, workers=workers, gpus_per_worker=gpus_per_worker, address=address
    )
    with many_steps() as show:
        report = extract_features(dataset, out, settings, command=_command(), progress=show)
    if as_json:
        print_json(report.to_json())
        return
    for name, reason in report.failed:
        note(f"skipped {name}: {reason}")
    say(f"{report.rows} rows in {out} ({report.added} new, {len(report.failed)} failed)")


def _write(found: PairedFeatures, out: Path, labels: Path | None, as_json: bool) -> None:
    from mvr.embeddings.store import write_store

    table = found.manifest if labels is None else _with_labels(found.manifest, labels)
    store = write_store(
        out, video=found.video, audio=found.audio, manifest=table, meta={**found.meta, "command": _command()}
    )
    splits = {split: store.splits.count(split) for split in sorted(set(store.splits))}
    document = {"store": str(out), "rows": len(store), "splits": splits, "notes": list(found.notes)}
    if as_json:
        print_json(document)
        return
    for line in found.notes:
        note(line)
    shown = ", ".join(f"{count} {split}" for split, count in splits.items())
    say(f"{len(store)} rows in {out}: {shown}; taxonomies: {', '.join(store.taxonomies) or 'none'}")


def _with_labels(manifest: Any, labels: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mvr.datasets.audioset import TAXONOMIES, labels_for
    from mvr.errors import DataError

    try:
        table = pq.read_table(labels)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{labels} cannot be read as labels of `mvr dataset audioset`: {error}") from error
    absent = sorted({"id", "ytid", *TAXONOMIES} - set(table.column_names))
    if absent:
        raise DataError(f"{labels} is not a table of `mvr dataset audioset`: it has no column {absent[0]!r}")
    for taxonomy, cells in labels_for(manifest["id"].to_pylist(), table, list(TAXONOMIES)).items():
        if taxonomy in manifest.column_names:
            raise DataError(
                f"the manifest has a column {taxonomy!r} already; remove it or leave --labels out"
            )
        manifest = manifest.append_column(taxonomy, pa.array(cells, pa.list_(pa.string())))
    return manifest


def _command() -> str:
    return shlex.join(["mvr", *sys.argv[1:]])

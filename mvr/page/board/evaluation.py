"""What the tab "Evaluate" shows, without Gradio: committed results, a visitor's file, curves over alpha."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mvr.arena.board.exclusion import kept_rows
from mvr.config.paths import assets_dir
from mvr.datatypes import BranchedEmbeddings, JsonDict
from mvr.errors import DataError, TooLarge, WrongShape
from mvr.metrics.retrieval.curve import Duel, alpha_preference
from mvr.metrics.retrieval.document import MOST_BYTES, read_rows
from mvr.metrics.retrieval.measure import Embedded, measure, rows_with_intervals
from mvr.metrics.retrieval.plan import LABEL_PREFIX, PAIR, Plan, TestSet
from mvr.metrics.significance import Resampling
from mvr.page import texts

if TYPE_CHECKING:
    from mvr.page.serving.uploads import Upload
    from mvr.votes.store import VoteStore

MOST_PAIRS, WIDEST = 5000, 2048
MOST_MATRIX_BYTES = MOST_PAIRS * WIDEST * 8 + 4096
SHOWN_ALPHAS = (None, 0.0, 0.25, 0.5, 0.75, 1.0)
Place = tuple[str, str, int]  # task, direction, pool: only rows of one place may be compared


@dataclass(frozen=True, kw_only=True)
class ResultSet:
    """The results of one protocol: `name` is its folder, `rows` are of the contract's form."""

    name: str
    title: str
    note: str
    rows: list[JsonDict]


def committed_results(folder: Path | None = None) -> list[ResultSet]:
    """All retrieval results that ship with the project, the demo first; none outside a checkout."""
    folder = folder or assets_dir().parent / "eval" / "results"
    found = []
    for path in sorted(folder.glob("*/results.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "features" not in document:  # another report that lies beside them, such as the real-media check
            continue
        features, settings = document["features"], document["settings"]
        note = texts.EVALUATE_NOTE.format(
            video=features["video"], audio=features["audio"], rows=features["rows"], split=settings["split"]
        )
        found.append(
            ResultSet(name=path.parent.name, title=document["title"], note=note, rows=document["rows"])
        )
    return sorted(found, key=lambda one: (one.name != "demo", one.name))


def places(rows: Sequence[JsonDict]) -> list[Place]:
    """Where rows may be compared, in the order of the rows."""
    return list(dict.fromkeys((row["task"], row["direction"], row["pool"]) for row in rows))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table; `own` marks the visitor's."""

    system: str
    alpha: str
    cells: list[tuple[str, str]]  # value, interval
    own: bool = False


def table_lines(rows: Sequence[JsonDict], own: Sequence[JsonDict], place: Place) -> list[Line]:
    """Committed and own rows of one place; of many alphas the ones at quarters are shown, or all if none is."""
    mixed = [(row, False) for row in rows] + [(row, True) for row in own]
    here = [(row, mine) for row, mine in mixed if (row["task"], row["direction"], row["pool"]) == place]
    shown = [(row, mine) for row, mine in here if row["alpha"] in SHOWN_ALPHAS or mine]
    return [_line(row, mine) for row, mine in shown or here]


def _line(row: JsonDict, own: bool) -> Line:
    measure_name, ks = main_metric(row)
    cells = [(f"{100 * row[measure_name][k]:.1f}", _interval(row, f"{measure_name}@{k}")) for k in ks]
    cells += [(f"{row['median_rank']:.1f}", ""), (f"{row['mrr']:.3f}", "")]
    alpha = "" if row["alpha"] is None else f"{row['alpha']:g}"
    return Line(system=row["system"], alpha=alpha, cells=cells, own=own)


def headings(row: JsonDict) -> list[str]:
    """Column names of the table that `row` is in."""
    name, ks = main_metric(row)
    letter = "R" if name == "recall" else "P"
    return [*texts.EVALUATE_FIRST, *(f"{letter}@{k} %" for k in ks), *texts.EVALUATE_LAST]


def main_metric(row: JsonDict) -> tuple[str, list[str]]:
    """Recall for the true pair, precision for labels; and up to three depths."""
    name = "recall" if row["task"] == PAIR else "precision"
    wanted = [k for k in ("1", "5", "10") if k in row[name]]
    return name, wanted or list(row[name])[:3]


def chance_cells(row: JsonDict) -> list[str]:
    """The values of chance, in the order of the columns; empty where the row does not carry them."""
    if "chance" not in row:
        return []
    name, ks = main_metric(row)
    values = [f"{100 * row['chance'][name][k]:.1f}" for k in ks if k in row["chance"][name]]
    return [*values, f"{row['chance']['median_rank']:.1f}", f"{row['chance']['mrr']:.3f}"]


def _interval(row: JsonDict, name: str) -> str:
    if name not in row.get("intervals", {}):
        return ""
    low, high = row["intervals"][name]
    return f"{100 * low:.1f} to {100 * high:.1f}"


def preference_points(store: VoteStore) -> list[tuple[float, float, float, float]]:
    """Human preference over alpha: (alpha, share won, low, high) from the decisive votes that count."""
    duels = []
    for vote in kept_rows(store):
        if vote["outcome"] not in ("left", "right"):
            continue
        loser = "right" if vote["outcome"] == "left" else "left"
        duels.append(
            Duel(
                winner=vote[f"{vote['outcome']}_alpha"],
                loser=vote[f"{loser}_alpha"],
                voter=str(vote["voter_id"]),
            )
        )
    return [(alpha, share.point, share.low, share.high) for alpha, share in alpha_preference(duels).items()]


def read_uploads(uploads: Sequence[Upload]) -> list[JsonDict]:
    """Rows from a visitor's files: one results file, or a pair of embedding matrices with a manifest.

    Raises:
        DataError: what is wrong, in one sentence; TooLarge, WrongShape, NotFinite likewise.
    """
    kinds = {upload.name: Path(upload.name).suffix.lower() for upload in uploads}
    if len(uploads) == 1 and kinds[uploads[0].name] in (".json", ".csv"):
        return read_rows(_content(uploads[0], MOST_BYTES), uploads[0].name)
    matrices = [upload for upload in uploads if kinds[upload.name] == ".npy"]
    tables = [upload for upload in uploads if kinds[upload.name] == ".csv"]
    if len(matrices) != 2 or len(tables) != 1 or len(uploads) != 3:
        raise DataError(texts.EVALUATE_WANTED)
    return measure_matrices(*_video_and_audio(matrices), tables[0])


def _video_and_audio(matrices: Sequence[Upload]) -> tuple[Upload, Upload]:
    video = [one for one in matrices if "video" in one.name.lower()]
    audio = [one for one in matrices if one not in video]
    if len(video) != 1 or not any(word in audio[0].name.lower() for word in ("audio", "music")):
        raise DataError(texts.EVALUATE_NAMES)
    return video[0], audio[0]


def measure_matrices(video: Upload, audio: Upload, manifest: Upload) -> list[JsonDict]:
    """Rows of a system given by its embeddings: both matrices live in one space, row i of each is pair i.

    Split test is measured, or all rows where the manifest has none. At most `MOST_PAIRS` rows, `WIDEST` wide.
    """
    from mvr.datasets.features.matrices import read_manifest, read_matrix

    _content(manifest, MOST_BYTES)
    table = read_manifest(manifest.path)
    sides = []
    for upload in (video, audio):
        check_matrix_header(upload)
        sides.append(read_matrix(upload.path))
    if sides[0].shape != sides[1].shape or len(sides[0]) != len(table):
        raise WrongShape(
            f"{video.name} is {sides[0].shape}, {audio.name} {sides[1].shape}, and {manifest.name} has "
            f"{len(table)} rows; the matrices must have equal shapes and one row per line of the manifest"
        )
    splits = np.array(table["split"].to_pylist())
    rows = np.flatnonzero(splits == "test") if (splits == "test").any() else np.arange(len(table))
    labels = {
        name: [table[name][int(row)].as_py() or [] for row in rows]
        for name in table.column_names
        if name not in ("id", "split", "group")
    }
    tests = TestSet(
        ids=[table["id"][int(row)].as_py() for row in rows],
        groups=[table["group"][int(row)].as_py() for row in rows],
        labels=labels,
    )
    tasks = (PAIR, *(LABEL_PREFIX + name for name, column in sorted(labels.items()) if any(column)))
    plan = Plan(tasks=tasks, resampling=Resampling(draws=1000))
    system = Embedded(
        system=texts.EVALUATE_YOURS, video=_unit(sides[0][rows], video), audio=_unit(sides[1][rows], audio)
    )
    return rows_with_intervals(measure(system, tests, plan), tests, plan)


def check_matrix_header(upload: Upload) -> None:
    """Refuse a matrix by its header, before anything of the size that it claims is allocated.

    Raises:
        DataError: no `.npy` header, or not a matrix of numbers. TooLarge: more than the limits. WrongShape: the header
            claims other contents than the file holds.
    """
    size = upload.path.stat().st_size
    if size > MOST_MATRIX_BYTES:
        raise TooLarge(
            f"{upload.name} has {size / 2**20:.0f} MB; at most {MOST_MATRIX_BYTES / 2**20:.0f} MB are read here"
        )
    with upload.path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            reader = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = reader(file)
        except (ValueError, EOFError) as error:
            raise DataError(f"{upload.name} is not an .npy matrix: {error}") from error
        start = file.tell()
    if dtype.kind not in "fiu" or len(shape) != 2:
        raise DataError(f"{upload.name} holds {dtype} of shape {shape}, not a matrix of numbers")
    if shape[0] > MOST_PAIRS or shape[1] > WIDEST or 0 in shape:
        raise TooLarge(
            f"{upload.name} is {shape[0]} x {shape[1]}; 1 to {MOST_PAIRS} rows, at most {WIDEST} wide"
        )
    if shape[0] * shape[1] * dtype.itemsize != size - start:
        raise WrongShape(
            f"{upload.name} claims {shape[0]} x {shape[1]} of {dtype}, which is not what the file holds"
        )


def _unit(matrix: Any, upload: Upload) -> BranchedEmbeddings:
    rows = np.asarray(matrix, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise DataError(f"{upload.name} has rows without a direction: all zero, or too large for float32")
    return BranchedEmbeddings(vectors=(rows / lengths)[:, None, :], branches=("ssl",))


def _content(upload: Upload, most: int) -> bytes:
    size = upload.path.stat().st_size
    if size > most:
        raise TooLarge(
            f"{upload.name} has {size / 2**20:.1f} MB; at most {most / 2**20:.0f} MB are read here"
        )
    return upload.path.read_bytes()

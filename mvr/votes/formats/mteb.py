"""A retrieval task in the layout that mteb reads: queries, corpus, graded qrels, and a card with the licences.

`mteb.abstasks.retrieval_dataset_loaders` reads a folder whose card names the configurations "corpus", "queries" and
"default" (the qrels) of split "test". Media are a column of {bytes, path}, not yet decoded, empty where a file may not
leave the house: such a row is known by its id and its hash. No column is null: mteb's batches refuse that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mvr
from mvr.datatypes import Direction, JsonDict

WORDS = ("title", "licence", "licence_url", "credit")


@dataclass(frozen=True, kw_only=True)
class TaskItem:
    """A query or a document; without `media` only its id and hash are given away.

    Attributes:
        sha256: of the file's bytes, "" where nobody knows it.
        media: its file, if it may be handed on; title, licence and credit go with it.
    """

    id: str
    sha256: str = ""
    media: Path | None = None
    title: str = ""
    licence: str = ""
    licence_url: str = ""
    credit: str = ""

    def to_row(self, column: str) -> JsonDict:
        """Its row; words only beside the media that they belong to."""
        words = {name: getattr(self, name) if self.media else "" for name in WORDS}
        name = f"{self.id}{self.media.suffix.lower()}" if self.media else ""
        data = self.media.read_bytes() if self.media else b""
        return {"id": self.id, "sha256": self.sha256, column: {"bytes": data, "path": name}, **words}


@dataclass(frozen=True, kw_only=True)
class RetrievalTask:
    """One judged pool in one direction.

    Attributes:
        qrels: query -> document -> grade 0 to 3; what nobody judged is not in it.
        left_out: reason -> number of queries that were left out for it.
    """

    pool_version: str
    direction: Direction
    queries: Sequence[TaskItem]
    corpus: Sequence[TaskItem]
    qrels: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, int]

    @property
    def name(self) -> str:
        """Folder and name of the task."""
        return f"{self.pool_version}-{self.direction}"


def task_writers(task: RetrievalTask, out: Path) -> dict[Path, Callable[[Path], object]]:
    """File -> what writes it."""
    folder = out / task.name
    rows = [
        {"query-id": query, "corpus-id": item, "score": grade}
        for query, grades in sorted(task.qrels.items())
        for item, grade in sorted(grades.items())
    ]
    card = task_card(task)
    return {
        folder / "queries.parquet": partial(_write_items, task.queries, str(task.direction.query)),
        folder / "corpus.parquet": partial(_write_items, task.corpus, str(task.direction.target)),
        folder / "qrels.parquet": partial(_write_rows, rows),
        folder / "README.md": partial(Path.write_text, data=card, encoding="utf-8", newline="\n"),
    }


def _write_items(items: Sequence[TaskItem], column: str, path: Path) -> None:
    _write_rows([item.to_row(column) for item in items], path)


def _write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def task_card(task: RetrievalTask) -> str:
    """Markdown with the front matter that datasets and mteb read; every licence and credit of the media in it."""
    with_media = [item for item in (*task.queries, *task.corpus) if item.media]
    silent = len(task.queries) + len(task.corpus) - len(with_media)
    licences = sorted({item.licence for item in with_media})
    files = {"default": "qrels", "corpus": "corpus", "queries": "queries"}
    configs = "".join(
        f"- config_name: {config}\n  data_files:\n  - split: test\n    path: {name}.parquet\n"
        for config, name in files.items()
    )
    credits = "".join(
        f"\n- `{item.id}`: {_one_line(item.credit) or item.title} ({_one_line(item.licence)}"
        f"{', ' + item.licence_url if item.licence_url else ''})"
        for item in with_media
    )
    left = "".join(f"\n- {reason}: {count}" for reason, count in sorted(task.left_out.items())) or "\n- none"
    judged = sum(len(grades) for grades in task.qrels.values())
    asks = "Videos ask for music" if task.direction is Direction.VIDEO_TO_MUSIC else "Music asks for videos"
    return (
        "---\nlicense: other\nlicense_name: see-credits\ntask_categories: [other]\n"
        f"tags: [mteb, music, video, retrieval]\nconfigs:\n{configs}---\n\n"
        f"# Background music for video: {task.name}\n\n"
        f"{asks}: {len(task.queries)} queries, {len(task.corpus)} documents (what any compared system listed, and what "
        f"was judged), {judged} grades by people, 0 (does not fit) to 3 (fits perfectly), the lower median of each "
        "item's judges. What nobody judged is not in the qrels, and mteb counts it as 0: compare only systems whose "
        "first ten are judged.\n\n"
        f"Written by mvr {mvr.__version__}. Grades: CC BY 4.0. Media keep their own licences "
        f"({', '.join(licences) or 'none'}): {len(with_media)} files are in it, {silent} rows are ids and SHA-256 "
        "only.\n\n"
        f"Queries left out:\n{left}\n\nCredits of the media:\n{credits or chr(10) + '- none'}\n\n"
        "Run systems of mvr on it: `python -m eval.mteb --task FOLDER --systems control-mvr-mini --out report`.\n"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""A folder that `mvr votes export --to mteb` wrote, as a retrieval task of mteb."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mvr.config.extras import need
from mvr.datatypes import Direction
from mvr.errors import DataError

CATEGORIES = {
    Direction.VIDEO_TO_MUSIC: ("v2a", "video", "audio"),
    Direction.MUSIC_TO_VIDEO: ("a2v", "audio", "video"),
}


def load_task(folder: Path) -> Any:
    """The task of a folder; its name is the folder's, its direction stands at the end of it.

    Raises:
        ExtraMissing: mteb is not installed.
        DataError: no task is there.
    """
    need("mteb", "this evaluation", "mteb")
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    direction = next((one for one in Direction if folder.name.endswith(f"-{one}")), None)
    lacking = [name for name in ("queries", "corpus", "qrels") if not (folder / f"{name}.parquet").is_file()]
    if direction is None or lacking:
        raise DataError(
            f"{folder} is no task; name a folder such as POOL-v2m that `mvr votes export --to mteb` wrote"
        )
    category, query, target = CATEGORIES[direction]
    described = TaskMetadata(
        name=f"BackgroundMusic{direction.upper()}Retrieval",
        description="Which music fits a short video (or which video a piece of music), graded 0 to 3 by people.",
        reference=None,
        dataset={"path": str(folder), "revision": "local"},
        type="Any2AnyRetrieval",
        category=category,
        modalities=[query, target],
        eval_splits=["test"],
        eval_langs=["zxx-Zxxx"],
        main_score="ndcg_at_10",
        date=None,
        domains=["Music"],
        task_subtypes=[],
        license="not specified",
        annotations_creators="human-annotated",
        dialect=[],
        sample_creation="found",
        bibtex_citation="",
    )

    class BackgroundMusicRetrieval(AbsTaskRetrieval):  # type: ignore[misc,unused-ignore]
        """Reads the files themselves: the cache of `datasets` takes two folders of one name for one."""

        metadata = described
        data_loaded: bool

        def load_data(self, num_proc: int | None = None, **_: Any) -> None:
            """Queries, corpus and grades of the folder."""
            if not self.data_loaded:
                self.dataset = {"default": {"test": read_split(folder)}}
                self.data_loaded = True

    return BackgroundMusicRetrieval()


def read_split(folder: Path) -> dict[str, Any]:
    """The three tables of a folder as mteb holds them."""
    import pyarrow.parquet as pq
    from datasets import Dataset

    grades: dict[str, dict[str, int]] = {}
    for row in pq.read_table(folder / "qrels.parquet").to_pylist():
        grades.setdefault(row["query-id"], {})[row["corpus-id"]] = row["score"]
    tables = {name: Dataset(pq.read_table(folder / f"{name}.parquet")) for name in ("queries", "corpus")}
    return {**tables, "relevant_docs": grades, "top_ranked": None}

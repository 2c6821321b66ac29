"""Write everything of an evaluation into a folder.

results.json      rows, comparisons, systems, settings, input hashes: the contract
results.csv .md .tex
queries.parquet   rank of the truth (or of the first relevant item) of every query, in every row of the table
alpha.svg .png    ranks.svg .png
gallery.html      worst and best queries
run.json          command, code revision and versions: the only file that may differ between machines
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from eval.provenance import describe_run
from eval.retrieval import figures, tables
from eval.retrieval.evaluation import Evaluation, trained
from eval.retrieval.gallery import Gallery, write_gallery
from mvr.datatypes import JsonDict
from mvr.metrics.retrieval.plan import PAIR, TestSet
from mvr.metrics.retrieval.values import Measured

REPRODUCIBLE = ("results.json", "results.csv", "results.md", "results.tex", "queries.parquet", "gallery.html")


def write_report(evaluation: Evaluation, out: Path, command: list[str], media: Path | None = None) -> None:
    """Write all files of the report into the folder `out`, which is made if need be."""
    out.mkdir(parents=True, exist_ok=True)
    document = evaluation.document
    (out / "results.json").write_text(as_json(document), encoding="utf-8")
    (out / "results.md").write_text(tables.markdown(document), encoding="utf-8")
    (out / "results.tex").write_text(tables.latex(document), encoding="utf-8")
    (out / "results.csv").write_text(tables.csv_table(document), encoding="utf-8")
    write_queries(evaluation.measured, evaluation.tests, out / "queries.parquet")
    figures.save(figures.alpha_curves(document), out / "alpha")
    if any(row.key.task == PAIR for row in evaluation.measured):
        figures.save(figures.rank_histograms(evaluation.measured), out / "ranks")
    gallery = Gallery(title=evaluation.request.title, media=media, alpha=min(evaluation.request.plan.alphas))
    write_gallery(trained(evaluation), evaluation.tests, gallery, out / "gallery.html")
    (out / "run.json").write_text(as_json(describe_run(command)), encoding="utf-8")


def as_json(values: JsonDict) -> str:
    """JSON that is the same for the same values; NaN is an error."""
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_queries(measured: Sequence[Measured], tests: TestSet, path: Path) -> None:
    """One line per row of the table and query: rank and all per-query metric values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(dict.fromkeys(name for row in measured for name in row.columns))
    parts = []
    for row in measured:
        count = len(row.queries)
        columns = {
            **{
                name: pa.array([value] * count)
                for name, value in row.key.to_json().items()
                if name != "alpha"
            },
            "alpha": pa.array([row.key.alpha] * count, pa.float64()),
            "id": pa.array([tests.ids[query] for query in row.queries], pa.string()),
            "group": pa.array([tests.groups[query] for query in row.queries], pa.string()),
            "rank": pa.array(row.ranks),
        }
        for name in names:
            values = row.columns.get(name)
            columns[name] = (
                pa.nulls(count, pa.float64()) if values is None else pa.array(values, pa.float64())
            )
        if count:
            parts.append(pa.table(columns))
    pq.write_table(pa.concat_tables(parts), path, compression="zstd")

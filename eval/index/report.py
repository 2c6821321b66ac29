"""The growth of indexes as a table and as a chart."""

from __future__ import annotations

from pathlib import Path

from mvr.datatypes import JsonDict

_HEAD = (
    "| kind | rows | p50 ms | p95 ms | recall at the worst alpha | answer | build s per million | "
    "MB per million | load | load building |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)
ABOUT = """# How indexes grow

Items of three segments, 2 x 128 float16 numbers each, no clusters; queries off the rows' cloud. One search: the ten
best items at one alpha; 20 queries at five alphas, one client, one thread of ours; a server has threads of its own.
"load" is what the machine's two cores had to do meanwhile, while searching and while building: times compare only
beside like loads. "-" was not measured. "codes": 2-bit codes of the rows lie on the machine that searches and say which
rows it reads from the database; built is what reading them took, MB is its memory. "HNSW": pgvector's graphs, one over
each end of the slider; MB beside the rows. Beyond a million rows "half" reads its vectors from a file, and five queries
are asked. Made by `python -m eval.index`.

"""


def markdown(lines: list[JsonDict]) -> str:
    """One line for each kind and size, those that were not measured, too."""
    known = {(line["kind"], line["rows"]): line for line in lines}
    kinds, sizes = sorted({kind for kind, _ in known}), sorted({rows for _, rows in known})
    rows = (_row(kind, size, known.get((kind, size))) for kind in kinds for size in sizes)
    return ABOUT + _HEAD + "".join(rows)


def _row(kind: str, rows: int, line: JsonDict | None) -> str:
    name = f"| {kind} | {rows:,} | "
    if line is None:
        return name + " | ".join("-" * 8) + " |\n"
    built_under = line.get("build_load", "-")
    if "p50_ms" not in line:
        return f"{name}- | - | - | not built in {line['build_s']:.0f} s | - | - | - | {built_under} |\n"
    words, worst = ", ".join(line["answers"]), min(line["recall"].values())
    return (
        f"{name}{line['p50_ms']:.1f} | {line['p95_ms']:.1f} | {worst:.3f} | {words} | "
        f"{line['build_s_per_million']:.0f} | {line['mb_per_million']:.0f} | {line['load']} | {built_under} |\n"
    )


def draw(path: Path, lines: list[JsonDict]) -> None:
    """Median search time against rows, both axes logarithmic."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    sizes = sorted({line["rows"] for line in lines})
    for number, kind in enumerate(sorted({line["kind"] for line in lines})):
        points = dict(sorted((e["rows"], e["p50_ms"]) for e in lines if e["kind"] == kind and "p50_ms" in e))
        axes.plot(list(points), list(points.values()), marker="o", color=f"C{number}", label=kind)
        lacking = [rows for rows in sizes if rows not in points]
        heights = [0.02 + 0.03 * number] * len(lacking)
        axes.plot(
            lacking, heights, "x", color=f"C{number}", transform=axes.get_xaxis_transform(), clip_on=False
        )
    axes.plot([], [], "x", color="grey", label="not measured")
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xscale="log", yscale="log", xlabel="rows (segments)", ylabel="median search, ms",
        title="One search of ten items",
    )  # fmt: skip
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)

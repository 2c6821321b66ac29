"""The growth of indexes as a table and as a chart."""

from __future__ import annotations

from pathlib import Path

from mvr.datatypes import JsonDict

_HEAD = (
    "| kind | rows | p50 ms | p95 ms | recall at the worst alpha | answer | build s per million | "
    "MB per million | load |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)
ABOUT = """# How indexes grow

Items of three segments, 2 x 128 float16 numbers each, no clusters; queries off the rows' cloud. One search: the ten
best items at one alpha; 20 queries at five alphas, one client, one thread of ours; a server has threads of its own.
"load" is what the machine's two cores had to do meanwhile: times compare only beside like loads. Made by
`python -m eval.index`.

"""


def markdown(lines: list[JsonDict]) -> str:
    """One line for each kind and size."""
    return ABOUT + _HEAD + "".join(_row(line) for line in lines)


def _row(line: JsonDict) -> str:
    built = f"{line['build_s_per_million']:.0f}"
    name = f"{line['kind']} | {line['rows']:,}"
    if "not built" in line["facts"]:
        return f"| {name} | - | - | - | not built in {line['build_s']:.0f} s | - | - | {line['load']} |\n"
    words = ", ".join(line["answers"])
    worst = min(line["recall"].values())
    return (
        f"| {name} | {line['p50_ms']:.1f} | {line['p95_ms']:.1f} | {worst:.3f} | {words} | {built} | "
        f"{line['mb_per_million']:.0f} | {line['load']} |\n"
    )


def draw(path: Path, lines: list[JsonDict]) -> None:
    """Median search time against rows, both axes logarithmic."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for kind in sorted({line["kind"] for line in lines}):
        points = sorted((e["rows"], e["p50_ms"]) for e in lines if e["kind"] == kind and "p50_ms" in e)
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=kind)
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xscale="log", yscale="log", xlabel="rows (segments)", ylabel="median search, ms",
        title="One search of ten items",
    )  # fmt: skip
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)

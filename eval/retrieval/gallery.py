"""The failure gallery: a static page with the worst and the best queries of a system, and what it ranked first.

Everything from outside is escaped. Media are played where a folder of files named after the ids is given; the page
links them relatively and copies nothing. It holds no script and loads nothing from elsewhere.
"""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mvr.datatypes import Direction, Modality
from mvr.metrics.ranks import Ranks, rank_embeddings
from mvr.metrics.retrieval.measure import Embedded
from mvr.metrics.retrieval.plan import TestSet

SUFFIXES = {
    Modality.VIDEO: (".mp4", ".webm", ".mov", ".mkv"),
    Modality.AUDIO: (".m4a", ".mp3", ".opus", ".ogg", ".wav", ".flac"),
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}
th{background:#f3f3f3}.true{font-weight:700}ol{margin:0;padding-left:1.4rem}.number{font-variant-numeric:tabular-nums}
video{max-width:16rem}audio{width:16rem}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#eee}th{background:#24272d}th,td{border-color:#444}}
"""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """What to show.

    Attributes:
        title: heading of the page.
        alpha: alpha at which the systems rank.
        media: folder of files named ID.mp4, ID.m4a, ..., or None.
        examples: worst and best queries per system and direction.
        listed: candidates shown for each query.
    """

    title: str
    alpha: float = 0.0
    media: Path | None = None
    examples: int = 8
    listed: int = 5


def write_gallery(systems: Sequence[Embedded], tests: TestSet, gallery: Gallery, out: Path) -> None:
    """Write the page to `out`."""
    files = _find_media(gallery.media, out.parent)
    parts = [
        _section(system, direction, tests, gallery, files) for system in systems for direction in Direction
    ]
    title = html.escape(gallery.title)
    out.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: worst and best queries</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; media-src 'self' file:\">"
        f"<style>{_STYLE}</style></head><body><main><h1>{title}: worst and best queries</h1>"
        f"{''.join(parts)}</main></body></html>\n",
        encoding="utf-8",
    )


def _section(
    system: Embedded,
    direction: Direction,
    tests: TestSet,
    gallery: Gallery,
    files: dict[tuple[Modality, str], str],
) -> str:
    queries, items = (system.mixed(side, gallery.alpha) for side in (direction.query, direction.target))
    ranks = rank_embeddings(queries, items, groups=tests.groups)
    order = np.lexsort((np.arange(len(ranks)), ranks.expected))
    count = min(gallery.examples, len(ranks) // 2)
    heading = f"{html.escape(system.system)}, {direction.words}"
    tables = []
    for name, chosen in (("Worst", order[::-1][:count]), ("Best", order[:count])):
        rows = "".join(
            _query_row(int(q), queries[q] @ items.T, ranks, _Page(direction, tests, gallery, files))
            for q in chosen
        )
        tables.append(
            f"<h3>{name}</h3><table><thead><tr><th scope='col'>query</th><th scope='col'>rank of the true pair</th>"
            f"<th scope='col'>true pair</th><th scope='col'>ranked first</th></tr></thead><tbody>{rows}</tbody></table>"
        )
    return f"<section><h2>{heading}</h2>{''.join(tables)}</section>"


@dataclass(frozen=True)
class _Page:
    direction: Direction
    tests: TestSet
    gallery: Gallery
    files: dict[tuple[Modality, str], str]

    def item(self, modality: Modality, row: int) -> str:
        """An item's id, labels and player."""
        name = self.tests.ids[row]
        labels = "; ".join(label for column in self.tests.labels.values() for label in column[row])
        shown = html.escape(name) + (f" <small>({html.escape(labels)})</small>" if labels else "")
        address = self.files.get((modality, name))
        if address is None:
            return shown
        tag = "video" if modality is Modality.VIDEO else "audio"
        return f'{shown}<br><{tag} controls preload="none" src="{html.escape(address)}"></{tag}>'


def _query_row(query: int, scores: np.ndarray, ranks: Ranks, page: _Page) -> str:
    tests, target = page.tests, page.direction.target
    first = np.argsort(-scores, kind="stable")[: page.gallery.listed]
    listed = "".join(
        f"<li class='{'true' if tests.groups[item] == tests.groups[query] else 'other'}'>"
        f"{page.item(target, int(item))} {scores[item]:.3f}</li>"
        for item in first
    )
    return (
        f"<tr><td>{page.item(page.direction.query, query)}</td>"
        f"<td class='number'>{ranks.expected[query]:g} of {ranks.pool}</td>"
        f"<td>{page.item(target, query)}</td><td><ol>{listed}</ol></td></tr>"
    )


def _find_media(folder: Path | None, beside: Path) -> dict[tuple[Modality, str], str]:
    """Relative addresses of the files of a folder, by modality and id."""
    if folder is None:
        return {}
    found = {}
    for path in sorted(folder.rglob("*")):
        for modality, suffixes in SUFFIXES.items():
            if path.suffix.lower() in suffixes and path.is_file():
                found[modality, path.stem] = quote(os.path.relpath(path, beside).replace(os.sep, "/"))
    return found

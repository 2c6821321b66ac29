"""What a visitor takes away: the muxed MP4, the credit line, the list as CSV or JSON, all of it as one zip."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import mvr
from mvr.config.extras import has
from mvr.config.outputs import written_whole
from mvr.datatypes import JsonDict
from mvr.page import texts
from mvr.page.search.handover import papers, write_page_timeline
from mvr.page.serving import Shelf, ShelfItem

if TYPE_CHECKING:
    from mvr.page.library import Catalogue
    from mvr.page.search.desk import Desk
    from mvr.page.search.preview import Preview
    from mvr.page.serving import Visit

Links = list[tuple[str, str, str]]  # label, address, what


def list_csv(desk: Desk) -> str:
    """The ranked list as CSV, without where the files lie."""
    assert desk.ranked is not None
    rows = list(csv.reader(io.StringIO(desk.ranked.to_csv())))
    keep = [column for column, name in enumerate(rows[0]) if name != "path"]
    out = io.StringIO()
    csv.writer(out).writerows([[row[column] for column in keep] for row in rows])
    return out.getvalue()


def list_json(desk: Desk) -> JsonDict:
    """The ranked list in the form that the command line prints, without where the files lie."""
    assert desk.ranked is not None
    document = desk.ranked.to_json()
    results = [{k: v for k, v in result.items() if k != "path"} for result in document["results"]]
    return {**document, "results": results}


def list_links(shelf: Shelf, visit: Visit, desk: Desk) -> Links:
    """Write the list as CSV and JSON and return their links; one file each, written anew with every list."""
    visit.folder.mkdir(parents=True, exist_ok=True)
    files = {
        "csv": (texts.EXPORT_CSV, list_csv(desk)),
        "json": (texts.EXPORT_JSON, json.dumps(list_json(desk), ensure_ascii=False, indent=1)),
    }
    links = []
    for kind, (label, content) in files.items():
        path = visit.folder / f"{desk.direction}-list.{kind}"
        path.write_text(content, encoding="utf-8", newline="")
        item = ShelfItem(path=path, name=f"ranked list.{kind}", owner=visit.id, download=True)
        links.append((label, shelf.put(item), kind))
    return links


def preview_links(catalogue: Catalogue, shelf: Shelf, visit: Visit, desk: Desk) -> tuple[str, Links]:
    """Address of the MP4 as a download, and links to its credit line and to the decision pack."""
    preview = desk.preview
    assert preview is not None
    stem = Path(preview.name).stem
    credit = visit.folder / f"{desk.direction}-credit.txt"
    credit.write_text(credit_text(preview), encoding="utf-8")
    pack = preview.path.with_suffix(".zip")
    mp4 = shelf.put(ShelfItem(path=preview.path, name=preview.name, owner=visit.id, download=True))
    return mp4, [
        *timeline_link(shelf, visit, desk, preview),
        (
            texts.EXPORT_CREDIT,
            shelf.put(ShelfItem(path=credit, name=f"{stem} - credit.txt", owner=visit.id, download=True)),
            "credit",
        ),
        (
            texts.EXPORT_PACK,
            shelf.put(
                ShelfItem(
                    path=pack,
                    name=f"{stem}.zip",
                    owner=visit.id,
                    download=True,
                    make=lambda out: write_pack(catalogue, desk, preview, out),
                )
            ),
            "pack",
        ),
    ]


def timeline_link(shelf: Shelf, visit: Visit, desk: Desk, preview: Preview) -> Links:
    """Link to the timeline, made on first request; none where the part of the program that writes it is missing."""
    if not has("opentimelineio"):
        return []
    item = ShelfItem(
        path=preview.path.with_suffix(".otioz"),
        name=f"{Path(preview.name).stem}.otioz",
        owner=visit.id,
        download=True,
        make=lambda out: write_page_timeline(desk, preview, out),
    )
    return [(texts.EXPORT_TIMELINE, shelf.put(item), "timeline")]


def credit_text(preview: Preview) -> str:
    """The credit line, and where the music starts."""
    where = texts.CREDIT_FROM.format(start=preview.start_s) if preview.plan is None else texts.CREDIT_FITTED
    return texts.CREDIT_FILE.format(credit=preview.credit, where=where, version=mvr.__version__)


def decision(catalogue: Catalogue, desk: Desk, preview: Preview) -> JsonDict:
    """What was chosen and how it came about: enough to find the same list again."""
    assert desk.asked is not None
    system = catalogue.system(desk.asked.system)
    return {
        "chosen": preview.item_id,
        "credit": preview.credit,
        "music_start_s": round(preview.start_s, 3),
        "fit": None if preview.plan is None else preview.plan.to_json(),
        "original_sound": preview.original,
        "library": desk.asked.library,
        "system_identity": system.identity,
        "mvr": mvr.__version__,
        "ranking": list_json(desk),
    }


def write_pack(catalogue: Catalogue, desk: Desk, preview: Preview, out: Path) -> None:
    """Write the decision pack: MP4, credit line, the papers of the music, and the decision with what it rests on."""
    with written_whole(out) as part, zipfile.ZipFile(part, "w") as pack:
        pack.write(preview.path, preview.name)
        pack.writestr("credit.txt", credit_text(preview))
        for name, content in papers(desk, preview).items():
            pack.writestr(name, content)
        pack.writestr(
            "decision.json", json.dumps(decision(catalogue, desk, preview), ensure_ascii=False, indent=1)
        )

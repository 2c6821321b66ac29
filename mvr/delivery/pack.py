"""The export pack: cue sheet, credits, licences and claim evidence in one zip; the music itself is never in it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from mvr.config.outputs import written_whole
from mvr.delivery.cues import cue_sheet
from mvr.delivery.evidence import claim_evidence, evidence_page
from mvr.delivery.plan import Delivery

PACK_ENDINGS = (".zip",)


def pack_files(delivery: Delivery, *, drop_frame: bool = False) -> dict[str, str]:
    """Names and contents of what a pack holds.

    Raises:
        DataError: the music file has changed since the library read it.
    """
    evidence = claim_evidence(delivery, drop_frame=drop_frame)
    return {
        "cue sheet.csv": cue_sheet(delivery, drop_frame=drop_frame),
        "credits.txt": f"{delivery.chosen.credit}\n",
        "licences.txt": _licences(delivery),
        "claim evidence.json": json.dumps(evidence, ensure_ascii=False, indent=1, allow_nan=False) + "\n",
        "claim evidence.html": evidence_page(evidence),
    }


def write_pack(delivery: Delivery, out: Path, *, drop_frame: bool = False) -> list[str]:
    """Write the pack; returns the names of what is in it.

    Raises:
        DataError: see `pack_files`. UsageError: drop-frame at a rate that has none.
    """
    files = pack_files(delivery, drop_frame=drop_frame)
    with written_whole(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return list(files)


def _licences(delivery: Delivery) -> str:
    """The licence by name, and where its text is, as far as they were found."""
    sound = delivery.chosen
    where = sound.licence_url or "no address was found"
    source = f"source: {sound.source}\n" if sound.source else ""
    return f"“{sound.title}”\nlicence: {sound.licence}\ntext: {where}\n{source}"

"""The page in a real browser: from choosing a file to the list, from a click on a track to its sound, and memory.

Each against the page of an earlier commit, served from a git work tree of it in the same run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.speed.audition import audition_contest
from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs
from eval.speed.served import ROOT, ROWS, Served, chromium, earlier_tree


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Upload to results; needs chromium, and says so where there is none."""
    if chromium() is None:
        print("page: chromium is not installed; nothing is measured", file=sys.stderr)
        return
    seconds = 3.0 if inputs.short else 15.0
    size = (320, 180) if inputs.short else (1920, 1080)
    clip = inputs.video("phone", seconds=seconds, size=size)
    before = earlier_tree()
    candidates = {"the page": lambda: _page(clip, ROOT)}
    if before is not None:
        candidates["the page before"] = lambda: _page(clip, before)
    yield Contest(
        name="page-upload",
        title="Upload to results in the page",
        work=f"a {seconds:g} s {size[0]}x{size[1]} H.264 clip, demo library, default system, all on one machine",
        ours="the page",
        candidates=candidates | {"the retriever alone": lambda: _retriever(clip)},
        media_s=seconds,
        aims=(Aim(text="results within 3 s of choosing the file", wall_s_at_most=3.0),),
    )
    yield audition_contest(ROOT, before, switches=20 if inputs.short else 100)


def _retriever(clip: Path) -> Work:
    from mvr.config.paths import DEFAULT_SYSTEM
    from mvr.datatypes import Direction
    from mvr.embeddings.system import load_system
    from mvr.library import open_demo_library
    from mvr.retrieval import Retriever

    os.environ["MVR_HOME"] = tempfile.mkdtemp(prefix="mvr-speed-")
    retriever = Retriever(open_demo_library(), load_system(DEFAULT_SYSTEM))
    retriever.prepare(Direction.VIDEO_TO_MUSIC)

    def work() -> dict[str, Any]:
        query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
        return {"results": len(retriever.rank(query).results)}

    return work


def _page(clip: Path, tree: Path) -> Work:
    served = Served(tree, Path(tempfile.mkdtemp(prefix="mvr-speed-")))
    page = served.open()
    page.wait_for_selector("#mv-upload-v2m", timeout=60_000)

    def work() -> dict[str, Any]:
        page.evaluate(f"document.querySelectorAll('{ROWS}').forEach(row => row.remove())")
        begun = time.monotonic()
        page.set_input_files("#mv-upload-v2m input[type=file]", str(clip))
        page.wait_for_selector(ROWS, timeout=120_000)
        listed_s = time.monotonic() - begun
        page.locator("#mv-tab-video-to-music .mv-status-busy").wait_for(state="detached", timeout=120_000)
        return {"list s": round(listed_s, 2), "player s": round(time.monotonic() - begun, 2)}

    return work

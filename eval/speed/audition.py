"""From a click on a track to its sound on the clip: heard, not assumed; and what a hundred switches leave in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from eval.speed.contest import Contest, Work
from eval.speed.ear import EAR, PLAIN_PLAYERS, TONES_HZ, write_tone
from eval.speed.served import ROWS, Served, memory_mb
from mvr.media.ffmpeg import run_ffmpeg

LISTED_S = 5.0  # how long the list is shown before the first switch that counts
SETTLED_S = (
    3.0  # the earlier page empties its list when the answer about the library comes after that about the clip
)
MEASURED = 20
COLD_HZ = {"wma": 390, "flac": 980}  # more tracks, of formats that take more to be made ready
_COUNT = len(TONES_HZ) + len(COLD_HZ)
_STAGE = "#mv-tab-video-to-music .mv-stage video"
_USE = "[data-hear], .mv-use"


def audition_contest(tree: Path, before: Path | None, switches: int) -> Contest:
    """Click to sound, this page against an earlier one; `switches` before memory is read."""
    candidates = {"the page": lambda: _auditions(tree, switches, plain=False)}
    if before is not None:
        candidates["the page before"] = lambda: _auditions(before, switches, plain=True)
    return Contest(
        name="page-audition",
        title="A track heard on the clip: click to sound",
        work=(
            f"a demo clip of 12 s, a library of {_COUNT} tones, the list shown for {LISTED_S:g} s, {MEASURED} "
            "switches; cold: a click as soon as the list is there, with nothing made before, on the first track "
            f"(WAV), one in WMA and one in FLAC; memory after {switches} switches"
        ),
        ours="the page",
        candidates=candidates,
        derive=faster,
    )


def faster(rows: Mapping[str, dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """How many times sooner the sound comes at the median."""
    if "the page before" not in rows:
        return {}
    ours, theirs = (rows[name]["facts"]["p50 ms"] for name in ("the page", "the page before"))
    return {"the page": {"times sooner": round(theirs / ours, 1)}}


def _auditions(tree: Path, switches: int, *, plain: bool) -> Work:
    home = Path(tempfile.mkdtemp(prefix="mvr-speed-"))
    music = home / "music"
    music.mkdir()
    for hz in TONES_HZ:
        write_tone(music, hz)
    for ending, hz in COLD_HZ.items():
        plain_wave = write_tone(home, hz)
        run_ffmpeg(["-i", f"file:{plain_wave}", f"file:{music / plain_wave.stem}.{ending}"], plain_wave, 60.0)
    served = Served(tree, home)
    served.add(music)

    def work() -> dict[str, Any]:
        page = served.open(EAR + (PLAIN_PLAYERS if plain else ""))
        cold_ms = {"cold": _heard_ms(page, _search(page))}
        for ending, hz in COLD_HZ.items():
            _begin_anew(page, home)
            _search(page)
            cold_ms[f"cold {ending.upper()}"] = _heard_ms(page, hz)
        _begin_anew(page, home)
        _search(page)
        page.wait_for_timeout(1000 * LISTED_S)
        waits = [_heard_ms(page, TONES_HZ[turn % len(TONES_HZ)]) for turn in range(switches)]
        first = np.array(waits[:MEASURED])
        return {
            "p50 ms": round(float(np.median(first))),
            "p95 ms": round(float(np.percentile(first, 95))),
            **{f"{name} ms": round(wait_ms) for name, wait_ms in cold_ms.items()},
            "browser MB": round(memory_mb(os.getpid())),
            "server MB": round(memory_mb(served.process.pid)),
        }

    return work


def _begin_anew(page: Any, home: Path) -> None:
    """A new visit, to a server that has made nothing of any track yet."""
    shutil.rmtree(home / "page-cache", ignore_errors=True)
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.wait_for_selector("#mv-tabs [role=tab]")


def _search(page: Any) -> int:
    """Search the tones for a clip of the demo library; returns the tone of the first row."""
    own = page.locator("#mv-tab-video-to-music input[type=radio][value=own]")
    if not own.count():  # the earlier page keeps it in a fold
        page.get_by_role("button", name="Refine").first.click()
        own.wait_for(state="attached")
    if not own.is_checked():
        own.check(force=True)
        page.wait_for_timeout(1000 * SETTLED_S)
    page.locator("#mv-examples-v2m [data-event=pick]").nth(2).click()
    page.wait_for_function(
        "([rows, count]) => document.querySelectorAll(rows).length === count", arg=[ROWS, _COUNT]
    )
    page.wait_for_selector(_STAGE)
    return int(page.locator(ROWS).first.get_attribute("data-name").split()[1])


def _heard_ms(page: Any, hz: int) -> float:
    """From a click on a tone's row until it is what is heard."""
    row = page.locator(f"{ROWS}[data-name='tone {hz}']")
    button = row.locator(_USE).first.element_handle()
    return float(page.evaluate("([button, hz]) => switched(button, hz)", [button, hz]))

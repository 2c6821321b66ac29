"""A host's library of real clips and music in the arena: the clips' own soundtracks compete, blind, up to the board."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mvr.arena.board import build_board
from mvr.arena.candidates import ORIGINAL
from mvr.library import open_demo_library
from mvr.page import texts
from mvr.votes.records import Battle, Vote
from mvr.votes.store import VoteStore
from tests.browser.conftest import ROOT
from tests.browser.voting import arena, in_step, listen, start

pytestmark = [pytest.mark.browser, pytest.mark.real_data, pytest.mark.slow, pytest.mark.timeout(900)]

CLIPS = ("bbb_360p_10s.mp4", "ms_fishes_12s.wmv")
SPEECH = "friday_cc0_speechlike.mp4"
MOST = 60  # battles until the clip's own sound has come up; it is on about one side in six battles


def make_library(folder: Path, shared: Path) -> Path:
    """What a host does: `mvr library add`, clips and music, one clip with no music in it."""
    files = [shared / "media" / "soundtrack" / name for name in CLIPS]
    files += [shared / "media" / "odd" / SPEECH, *sorted((shared / "media" / "music").iterdir())[:4]]
    files += [
        sorted((ROOT / "assets" / "demo" / "videos").iterdir())[0]
    ]  # somebody kept a rendered clip, too
    command = [sys.executable, "-m", "mvr", "library", "add", *map(str, files), "--library", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return folder


def battles(server: Any) -> list[Battle]:
    with VoteStore.open(Path(server.home) / "votes.sqlite") as store:
        return sorted(store.rows(Battle), key=lambda battle: battle.sequence)


def has_original(battle: Battle) -> bool:
    return ORIGINAL in (battle.left.system_id, battle.right.system_id)


def to_the_next(page: Any, press: Callable[[], None]) -> None:
    token = page.evaluate("() => mvArena.battle.token")
    press()
    page.wait_for_function("token => mvArena.battle.token !== token && mvArena.step === 'battle'", arg=token)


def to_an_original(page: Any, server: Any) -> Battle:
    """Skip from battle to battle until one has the clip's own sound on a side."""
    for _ in range(MOST):
        if has_original(battles(server)[-1]):
            return battles(server)[-1]
        to_the_next(page, lambda: page.keyboard.press("5"))
    raise AssertionError("the clip's own sound never came up")


def test_real_clips_own_music_is_heard_blind_voted_on_named_and_counted(
    new_visitor: Any, other_server: Any, tmp_path: Path, shared: Path
) -> None:
    library = make_library(tmp_path / "library", shared)
    with other_server(tmp_path, MVR_ARENA_LIBRARY=str(library), MVR_APP_LISTEN_MS="1000") as server:
        visitor = new_visitor()
        visitor.server = server
        page = arena(visitor)
        start(page)
        for known in (True, False):
            battle = to_an_original(page, server)
            assert battle.source == "library" and battle.direction == "v2m"
            shown = page.locator("#mv-arena").inner_html() + str(page.evaluate("() => mvArena.battle"))
            assert (
                ORIGINAL not in shown.replace("recognised the clip's own sound", "")
                and battle.query_id not in shown
            )
            page.locator("[name=mv-known]").set_checked(known)
            listen(page)
            side = "left" if battle.left.system_id == ORIGINAL else "right"
            page.locator(f"[data-outcome={side}]").click()
            in_step(page, "voted")
            page.locator("[data-action=names]").click()
            page.locator("[data-part=reveal]").get_by_text(texts.ORIGINAL_TITLE).wait_for()
            to_the_next(page, page.locator("[data-action=next]:visible").click)
        check_store(server)
        page.get_by_role("tab", name="Leaderboard").click()
        page.get_by_role("button", name="Count again").click()
        page.locator("#mv-board").get_by_text(texts.BOARD_ORIGINAL).wait_for()
        assert "VTMR, 2026" in page.locator("#mv-board").inner_text()
        page.close()  # before its server


def check_store(server: Any) -> None:
    """Two votes for the clips' own sound, one of somebody who knew it; no speech, no demo clip has ever competed."""
    demo = {one.id for one in open_demo_library().items()}
    drawn = battles(server)
    assert not demo & {battle.query_id for battle in drawn if has_original(battle)}
    assert {battle.source for battle in drawn} <= {"library", "demo"}
    with VoteStore.open(Path(server.home) / "votes.sqlite") as store:
        votes = [vote for vote in store.rows(Vote) if vote.outcome in ("left", "right")]
        rows = build_board(store).document["original"]
    assert sorted(vote.recognised for vote in votes) == [0, 1]
    assert sum(row["votes"] for row in rows) == 2 and sum(row["votes_unrecognised"] for row in rows) == 1
    assert all(row["win_or_tie"] == 0 for row in rows), "the clips' own sound won both"
    names = Path(server.home) / "battles" / "own-music.json"
    assert names.read_text().count('"competes": true') >= 1

"""What is taken away: the list on the screen, without paths, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mvr.datatypes import BranchedEmbeddings, Direction, Modality
from mvr.errors import VoteRefused
from mvr.library import Item
from mvr.page.search import learned
from mvr.page.search.desk import Ask, Desk
from mvr.page.search.exports import list_csv, list_json
from mvr.page.search.learned import Reordered, Teachers, rank_by_taste
from mvr.page.serving import Shelf, ShelfItem
from mvr.page.voting.contest import Contest
from mvr.retrieval import Filters, Query, RankedList, Result

TITLES = ("plain", "=1+1", "+A1", "-A1", "@x", "\t=1", "\r=1")


def ranked(count: int = len(TITLES)) -> RankedList:
    query = Query(
        name="clip.mp4", content="0" * 64, direction=Direction.VIDEO_TO_MUSIC, duration_s=9.0, segments=(),
        embeddings=BranchedEmbeddings(vectors=np.zeros((1, 1, 2), np.float32), branches=("ssl",)), system="s",
    )  # fmt: skip
    items = [
        Item(
            id=str(n), content=str(n), modality=Modality.AUDIO, path=Path(f"/secret/folder/{n}.mp3"),
            name=f"{n}.mp3", title=TITLES[n % len(TITLES)], duration_s=30.0,
        )
        for n in range(count)
    ]  # fmt: skip
    results = [
        Result(
            rank=n + 1, item=item, score=0.5, start_s=0.0, end_s=10.0, query_start_s=0.0, query_end_s=9.0,
            branches={},
        )
        for n, item in enumerate(items)
    ]  # fmt: skip
    return RankedList(
        query=query, system="s", alpha=0.3, results=tuple(results), candidates=count, library_items=count
    )


def desk(found: RankedList | None) -> Desk:
    return Desk(direction=Direction.VIDEO_TO_MUSIC, owner="me", ranked=found)


def test_neither_list_says_where_a_file_lies() -> None:
    assert "secret" not in list_csv(desk(ranked()))
    assert "secret" not in json.dumps(list_json(desk(ranked())))


def test_a_title_is_never_a_formula_in_a_spreadsheet() -> None:
    rows = list(csv.DictReader(io.StringIO(list_csv(desk(ranked())), newline="")))
    assert [row["title"] for row in rows] == ["plain", *("'" + title for title in TITLES[1:])]


ASK = Ask(alpha=0.3, library="demo", system="s", filters=Filters(), count=10)


def teachers(said: str = "") -> Teachers:
    def refused() -> object:
        raise VoteRefused("this id is not of this server")

    votes = SimpleNamespace(by_votes=lambda found, library: Reordered(ranked=found, said=said))
    return Teachers(catalogue=None, learned=votes, ballots=refused)  # type: ignore[arg-type]


def test_a_note_goes_with_the_order_that_it_was_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "rank_shared", lambda *_: (None, ""))
    monkeypatch.setattr(learned, "rank", lambda *_: ranked(10))
    mine = desk(None)
    rank_by_taste(teachers("votes moved three"), mine, Ask(**vars(ASK) | {"taste": "votes"}), "")
    assert mine.note == "votes moved three"
    rank_by_taste(teachers(), mine, ASK, "")
    assert mine.note == ""


def test_a_refused_id_leaves_the_list_as_it_was_and_no_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "rank_shared", lambda *_: (None, ""))
    monkeypatch.setattr(learned, "rank", lambda _, ask, __: ranked(ask.count))
    mine = desk(None)
    rank_by_taste(teachers(), mine, ASK, "")
    with pytest.raises(VoteRefused, match="not of this server"):
        rank_by_taste(teachers(), mine, Ask(**vars(ASK) | {"taste": "mine"}), "forged")
    assert mine.ranked is not None and len(mine.ranked.results) == 10
    assert list_csv(mine).count("\r\n") == 11, "the file is the list on the screen"


def test_what_is_taken_away_is_never_kept_by_a_browser_and_what_is_played_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    shelf = Shelf()
    client = TestClient(Starlette(routes=[shelf.route()]))
    kept = client.get("/" + shelf.put(ShelfItem(path=tmp_path / "a.csv", name="a.csv")))
    taken = client.get("/" + shelf.put(ShelfItem(path=tmp_path / "a.csv", name="a.csv", download=True)))
    assert taken.headers["cache-control"] == "no-store"
    assert kept.headers["cache-control"] == "private, max-age=3600"


def test_a_clip_belongs_to_the_first_voter_who_asks_for_it() -> None:
    contest = Contest(None, "demo", learned=object())  # type: ignore[arg-type]
    contest.add_own(SimpleNamespace(item=SimpleNamespace(query_id="own-1")))  # type: ignore[arg-type]
    assert contest.claim("own-1", "me")
    assert not contest.claim("own-1", "another")
    assert contest.claim("own-1", "me")
    assert not contest.claim("own-2", "me"), "one that was never handed in belongs to nobody"

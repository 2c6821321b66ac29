"""`python -m eval.votes` and `mvr votes`: files, exit codes, the same bytes as the page's function."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.votes.__main__ import main
from mvr.__main__ import app
from mvr.arena.board import build_board
from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "votes.sqlite"
    names = ("cca", "random")
    with VoteStore.open(path) as store:
        for number in range(40):
            voter = f"voter-{number % 8}"
            if number < 8:
                store.add(Consent(voter_id=voter, session_id="s", version="1", text_sha256="0"))
            sides = [Side(system_id=n, system_version="1", item_id=n, item_group_id=n) for n in names]
            if number % 2:
                sides.reverse()
            battle = Battle(
                voter_id=voter,
                session_id="s",
                direction="v2m",
                query_id=f"v{number % 5}",
                query_group_id=f"v{number % 5}",
                left=sides[0],
                right=sides[1],
                pool_version="1",
                pool_size=9,
                policy_id="uniform-v1",
                pair_prob=1.0,
                seed=number,
                ui_version="1",
            )
            store.add(battle)
            outcome = ("left", "right", "left", "tie", "right")[number % 5]
            heard = {"listen_left_ms": 5000, "listen_right_ms": 5000}
            store.cast(
                Vote(
                    battle_id=battle.battle_id,
                    voter_id=voter,
                    session_id="s",
                    consent_version="1",
                    outcome=outcome,
                    **heard,
                )
            )
    return path


def test_the_report_has_the_bytes_of_the_shared_function(database, tmp_path, capsys):
    assert main(["--db", f"sqlite:///{database}", "--out", str(tmp_path / "one"), "--json"]) == 0
    with VoteStore.open(database) as store:
        expected = build_board(store).to_bytes()
    assert capsys.readouterr().out.encode() == expected == (tmp_path / "one" / "board.json").read_bytes()
    assert main(["--db", str(database), "--out", str(tmp_path / "two")]) == 0
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"board.json", "ratings.csv", "differences.csv", "report.md", "forest-all.svg"} <= set(files)
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_wrong_path_ends_with_one_sentence_and_status_2(tmp_path, capsys):
    assert main(["--db", str(tmp_path / "no.sqlite"), "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "no votes at" in captured.err


def test_votes_go_out_and_in_by_the_command_line(database, tmp_path):
    runner = CliRunner()
    for kind in ("jsonl", "csv", "parquet"):
        folder, copy = tmp_path / kind, tmp_path / f"{kind}.sqlite"
        done = runner.invoke(
            app, ["votes", "export", "--db", str(database), "--out", str(folder), "--format", kind]
        )
        assert done.exit_code == 0 and "vote." + kind in done.stdout
        done = runner.invoke(app, ["votes", "import", str(folder), "--db", str(copy), "--json"])
        assert json.loads(done.stdout)["vote"] == {"added": 40, "known": 0}
        stats = [
            runner.invoke(app, ["votes", "stats", "--db", str(db), "--json"]).stdout
            for db in (database, copy)
        ]
        assert stats[0] == stats[1] and json.loads(stats[0])["votes"]["votes on the board"] == 40


def test_qrels_and_runs_go_in_and_out(database, tmp_path):
    runner = CliRunner()
    (tmp_path / "in.qrels").write_text("v1 0 m1 3\nv1 0 m2 1\n")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "cca.run").write_text("v1 Q0 m1 1 9999 cca\nv1 Q0 m2 2 9998 cca\n")
    more = ["--db", str(database), "--pool", "p1", "--direction", "v2m"]
    assert runner.invoke(app, ["votes", "import", str(tmp_path / "in.qrels"), *more]).exit_code == 0
    assert runner.invoke(app, ["votes", "import", str(tmp_path / "runs"), *more]).exit_code == 0
    out = tmp_path / "out"
    done = runner.invoke(
        app, ["votes", "export", "--db", str(database), "--out", str(out), "--format", "trec"]
    )
    assert done.exit_code == 0
    assert (out / "p1-v2m.qrels").read_text() == (tmp_path / "in.qrels").read_text()
    assert (out / "p1-v2m" / "cca.run").read_text() == (tmp_path / "runs" / "cca.run").read_text()

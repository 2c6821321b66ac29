"""Nothing of the user's is ever overwritten: every command that writes a file or folder that it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mvr.votes.records import Consent
from mvr.votes.store import VoteStore

Attempt = Callable[..., tuple[int, str, str]]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mine(tmp_path: Path, make_clip, make_tone) -> Path:
    """A clip and a track under several names, a library that holds another track, and letters."""
    folder = tmp_path / "mine"
    folder.mkdir()
    make_clip(folder / "clip.mp4", seconds=1.0)
    make_tone(folder / "track.wav", seconds=2.0, seed=1)
    (folder / "letters.txt").write_text("dear ...")
    (folder / "link.mp4").symlink_to("clip.mp4")
    os.link(folder / "track.wav", folder / "track under another name.mov")
    return folder


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("clip.mp4", "is read by this command and is never written over"),
        ("link.mp4", "is read by this command and is never written over"),
        ("../mine/clip.mp4", "is read by this command and is never written over"),
        ("track under another name.mov", "is read by this command and is never written over"),
        (".", "is a folder; name a file in it"),
        ("new.webm", "name a file that ends in .mp4, .mov or .mkv"),
        ("track.wav", "name a file that ends in .mp4, .mov or .mkv"),
        ("nowhere/new.mp4", "nowhere does not exist; make it first"),
    ],
)
def test_an_export_refuses_what_it_must_not_write(
    attempt: Attempt, mine: Path, out: str, sentence: str, force: list[str]
) -> None:
    before = tree(mine)
    code, printed, errors = attempt(
        "export", mine / "clip.mp4", mine / "track.wav", "--out", f"{mine}/{out}", *force
    )
    assert (code, printed) == (2, "") and sentence in errors and errors.count("\n") == 1
    assert tree(mine) == before


def test_an_export_over_a_library_file_is_refused_and_one_over_another_file_takes_force(
    attempt: Attempt, mine: Path, tiny_assets: Path, make_clip
) -> None:
    make_clip(mine / "owned.mp4", seconds=1.0, seed=2)
    assert attempt("library", "add", mine / "owned.mp4", "--system", "chance")[0] == 0
    (mine / "other name.mp4").symlink_to("owned.mp4")
    words = ("export", mine / "clip.mp4", mine / "track.wav", "--out")
    before = tree(mine)
    for name in ("owned.mp4", "other name.mp4"):
        code, _, errors = attempt(*words, mine / name, "--force")
        assert code == 2 and "is a file of the library and is never written over" in errors
    (mine / "earlier.mkv").write_text("an earlier export")
    code, _, errors = attempt(*words, mine / "earlier.mkv")
    assert code == 2 and "is there already; name another file, or replace it with --force" in errors
    assert tree(mine) == before | {"earlier.mkv": b"an earlier export"}
    assert attempt(*words, mine / "earlier.mkv", "--force")[0] == 0
    from mvr.media.probe import probe

    assert probe(mine / "earlier.mkv").container == "matroska,webm"
    assert {k: v for k, v in tree(mine).items() if k != "earlier.mkv"} == before


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.sqlite"
    with VoteStore.open(path) as store:
        store.add(Consent(voter_id="v", session_id="s", version="1", text_sha256="0"))
    return path


def test_votes_are_exported_once_and_again_by_force(attempt: Attempt, votes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("votes", "export", "--db", votes, "--out", out)
    assert attempt(*words)[0] == 0
    (out / "consent.jsonl").write_text("mended by hand")
    before = tree(out)
    code, _, errors = attempt(*words)
    assert code == 2 and "is there already" in errors and tree(out) == before
    assert attempt(*words, "--force")[0] == 0 and tree(out) != before
    assert attempt(*words, "--format", "csv")[0] == 0, "another form beside it replaces nothing"


def test_a_foreign_folder_is_left_alone(
    attempt: Attempt, votes: Path, mine: Path, tmp_path: Path, tiny_assets: Path
) -> None:
    before = tree(mine)
    for words in (
        ("votes", "export", "--db", votes, "--out", mine, "--force"),
        ("library", "add", mine / "track.wav", "--library", mine, "--system", "chance"),
        ("dataset", "build", tmp_path, "--out", mine),
        ("features", "extract", tmp_path, "--out", mine),
    ):
        code, printed, errors = attempt(*words)
        assert (code, printed) == (2, "") and "holds other files (clip.mp4) and is left alone" in errors, (
            words
        )
    assert tree(mine) == before


def test_reports_are_printed_into_their_own_folders_only(
    votes: Path, mine: Path, tmp_path: Path, capsys
) -> None:
    from eval.votes.__main__ import main

    assert main(["--db", str(votes), "--out", str(tmp_path / "report")]) == 0
    assert main(["--db", str(votes), "--out", str(tmp_path / "report")]) == 0, "printed again"
    before = tree(mine)
    assert main(["--db", str(votes), "--out", str(mine)]) == 2
    assert "is left alone" in capsys.readouterr().err and tree(mine) == before


def test_a_head_is_not_trained_over_a_file_that_is_there(
    attempt: Attempt, mine: Path, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "meta.json").write_text("{}")
    words = ("train", "cca", "--features", tmp_path / "store", "--out")
    for out, sentence in (
        (mine / "letters.txt", "is there already"),
        (tmp_path / "store" / "meta.json", "is read by this command"),
        (mine, "is a folder"),
    ):
        code, _, errors = attempt(*words, out)
        assert code == 2 and sentence in errors
    assert (mine / "letters.txt").read_text() == "dear ..."


def test_what_votes_teach_is_not_written_over_the_votes(attempt: Attempt, votes: Path) -> None:
    before = votes.read_bytes()
    for db in (votes, f"sqlite:///{votes}"):
        code, _, errors = attempt("votes", "learn", "--db", db, "--out", votes, "--force")
        assert code == 2 and "is read by this command and is never written over" in errors
    assert votes.read_bytes() == before

"""A library and votes in folders that may only be read: reading works, writing is one sentence."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvr.embeddings.system import load_system
from mvr.library import Library
from mvr.votes.records import Consent
from mvr.votes.store import VoteStore


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory, make_tone, make_clip, tiny_assets: Path) -> Iterator[Path]:
    """A library of two tracks and a votes file, in a folder that nobody may write to."""
    folder = tmp_path_factory.mktemp("kept")
    for seed in (1, 2):
        make_tone(folder / f"{seed}.wav", seconds=1.0, seed=seed)
    make_clip(folder / "clip.mp4", seconds=1.0)
    Library.open(folder / "library").add([folder / "1.wav", folder / "2.wav"], load_system("chance"))
    with VoteStore.open(folder / "votes.sqlite") as store:
        store.add(Consent(voter_id="v", session_id="s", version="1", text_sha256="0"))
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for place in places:
        for path in place.iterdir():
            if path.is_file():
                path.chmod(0o444)
        place.chmod(0o555)
    yield folder
    for place in places:
        place.chmod(0o755)


def without_privilege() -> None:
    """Root, too, is bound by permissions from the next program on: no CAP_DAC_OVERRIDE, no CAP_DAC_READ_SEARCH."""
    if os.geteuid() == 0:
        for capability in (1, 2):
            assert ctypes.CDLL(None, use_errno=True).prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP


RUN = """
import contextlib, io, json, sys
from mvr.__main__ import main
told = []
for words in json.loads(sys.stdin.read()):
    sys.argv, out, errors = ["mvr", *words], io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
    told.append([code, out.getvalue(), errors.getvalue()])
print(json.dumps(told))
"""


def run(*commands: tuple[object, ...]) -> list[tuple[int, str, str]]:
    """Status, stdout and stderr of commands, as a user without rights of their own runs them."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=words, capture_output=True, text=True, preexec_fn=without_privilege
    )
    assert done.returncode == 0, done.stderr
    return [(code, out, errors) for code, out, errors in json.loads(done.stdout)]


def test_reading_works_and_writing_is_one_sentence(kept: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in kept.rglob("*")}
    library, votes = ("--library", kept / "library"), ("--db", kept / "votes.sqlite")
    reads = run(
        ("library", "list", "--json", *library),
        ("recommend", kept / "clip.mp4", "--system", "chance", "--json", *library),
        ("votes", "stats", "--json", *votes),
    )
    assert [code for code, _, _ in reads] == [0, 0, 0], reads
    listed, ranked, stats = (json.loads(out) for _, out, _ in reads)
    assert [item["name"] for item in listed["items"]] == ["1.wav", "2.wav"]
    assert len(ranked["results"]) == 2 and stats["votes"]
    writes = {
        ("library", "add", kept / "1.wav", "--system", "chance", *library): "can only be read",
        ("library", "edit", listed["items"][0]["id"], "--title", "x", *library): "can only be read",
        ("library", "remove", listed["items"][0]["id"], *library): "can only be read",
        (
            "library",
            "add",
            kept / "1.wav",
            "--system",
            "chance",
            "--library",
            kept / "new",
        ): "cannot be kept in",
        ("votes", "import", kept, *votes): "cannot be written to",
    }
    for (code, out, errors), sentence in zip(run(*writes), writes.values(), strict=True):
        assert code in (1, 2) and out == "" and sentence in errors and errors.count("\n") == 1, errors
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("*")} == before


def test_folders_and_files_without_read_permission_are_noted_and_the_rest_is_added(
    tmp_path: Path, make_tone, tiny_assets: Path
) -> None:
    music = tmp_path / "music"
    for folder in ("a", "closed", "z"):
        (music / folder).mkdir(parents=True)
        make_tone(music / folder / "tone.wav", seconds=1.0, seed=ord(folder[0]))
    make_tone(music / "unreadable.wav", seconds=1.0)
    (music / "unreadable.wav").chmod(0o000)
    (music / "closed").chmod(0o000)
    try:
        ((code, out, errors),) = run(("library", "add", music, "--system", "chance", "--json"))
    finally:
        (music / "closed").chmod(0o755)
    report = json.loads(out)
    assert code == 0 and [Path(item["path"]).parent.name for item in report["added"]] == ["a", "z"]
    assert [Path(entry["path"]).name for entry in report["skipped"]] == ["unreadable.wav"]
    (note,) = report["notes"]
    assert note == f"the folder {music / 'closed'} cannot be opened: Permission denied" and note in errors

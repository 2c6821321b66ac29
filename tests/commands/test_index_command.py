"""`mvr library push --index` and `--index` of a search: another machine's library, and what happens without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"


@pytest.fixture
def pushed(attempt, tmp_path, monkeypatch):
    """A library of two tracks in a shared file; the machine that searches has none."""
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "there"))
    (tmp_path / "music").mkdir()
    for track in sorted((DEMO / "tracks").iterdir())[:2]:
        shutil.copy(track, tmp_path / "music")
    assert attempt("library", "add", tmp_path / "music")[0] == 0
    url = f"duckdb:{tmp_path / 'shared.duckdb'}"
    code, out, _ = attempt("library", "push", "--index", url, "--json")
    assert code == 0 and json.loads(out)["written"] == 2
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "here"))
    return url


def test_another_machine_ranks_what_was_pushed(pushed, attempt):
    clip = sorted((DEMO / "videos").glob("*.mp4"))[0]
    code, out, _ = attempt("recommend", clip, "--index", pushed, "--json")
    document = json.loads(out)
    assert code == 0 and document["answer"] == "proven complete" and document["library_items"] == 2
    assert len(document["results"]) == 2 and document["results"][0]["path"].endswith(".m4a")


def test_an_index_that_does_not_answer_leaves_the_local_list(attempt, tmp_path, monkeypatch):
    monkeypatch.setenv("MVR_HOME", str(tmp_path))
    clip = sorted((DEMO / "videos").glob("*.mp4"))[0]
    code, out, err = attempt("recommend", clip, "--index", f"duckdb:{tmp_path / 'gone'}", "--json", "-k", 3)
    assert code == 0 and len(json.loads(out)["results"]) == 3
    assert "there is no index at" in err and "searching this machine's library instead" in err


def test_words_are_refused_where_the_index_knows_none(pushed, attempt):
    clip = sorted((DEMO / "videos").glob("*.mp4"))[0]
    code, _, err = attempt("recommend", clip, "--index", pushed, "--diversity", "0.5")
    assert code == 2 and "--text and --diversity do not work with an index" in err and err.count("\n") == 1

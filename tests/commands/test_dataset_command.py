"""`mvr dataset` as a user runs it: JSON forms, exit statuses, one sentence for each mistake, and the hub's API."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

from tests.commands.conftest import invoke

ROOT = Path(__file__).parents[2]


def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own: where the hub lies is read once, at import."""
    clean = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-m", "mvr", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.fixture
def place(built: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of the set."""
    return Path(shutil.copytree(built[0], tmp_path / "set"))


def test_build_prints_what_was_kept_and_why_the_rest_was_not(built: tuple[Path, Result]) -> None:
    out, result = built
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["clips"] == 9 and document["kept"] == 8 and document["dropped"] == {"no sound": 1}
    assert document["missing"] == ["gone.mp4"] and sum(document["splits"].values()) == 8
    assert document["settings"]["max_hash_bits"] == 0.0
    assert (out / "README.md").exists() and (out / "report.html").exists()


def test_a_second_build_says_it_for_people(clips: Path, place: Path) -> None:
    config = place.with_name("loose.json")
    config.write_text('{"max_noise": 1.0}')
    result = invoke("dataset", "build", clips, "--out", place, "--config", config, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "8 of 9 clips kept" in result.stdout and "has no sound" in result.stdout
    assert "1 listed clips are missing: gone.mp4" in result.stdout


def test_review_lists_decides_and_refuses_an_unknown_clip(place: Path, attempt) -> None:
    found = json.loads((place / "build.json").read_text())
    found["borderline_clips"] = [{"id": "ab", "file": "v1.mp4", "decision": "kept", "why": "voice 0.18"}]
    (place / "build.json").write_text(json.dumps(found))
    listed = json.loads(invoke("dataset", "review", place, "--json").stdout)
    assert listed["clips"] == [{**found["borderline_clips"][0], "by_hand": None}]
    decided = invoke("dataset", "review", place, "--drop", "ab")
    assert decided.exit_code == 0 and "1 borderline clips, 0 undecided" in decided.stdout
    assert json.loads((place / "decisions.json").read_text()) == {"ab": "drop"}
    code, printed, errors = attempt("dataset", "review", place, "--keep", "zz")
    assert code == 2 and printed == "" and "'zz' is not a borderline clip" in errors


def test_validate_exits_with_one_when_something_is_wrong(place: Path) -> None:
    good = invoke("dataset", "validate", place, "--json")
    assert good.exit_code == 0 and json.loads(good.stdout) == {"rows": 8, "faults": []}
    path = min((place / "data").glob("train-*.parquet"))
    table = pq.read_table(path)
    column = pa.array(["0" * 64] * table.num_rows)
    number = table.column_names.index("video_sha256")
    pq.write_table(table.set_column(number, "video_sha256", column), path)
    bad = invoke("dataset", "validate", place)
    assert bad.exit_code == 1
    assert f"video does not match its checksum video_sha256\n8 rows, {table.num_rows} faults" in bad.stdout


def test_info_counts_rows_and_labels_and_draws(place: Path, tmp_path: Path) -> None:
    document = json.loads(invoke("dataset", "info", place, "--json").stdout)
    assert sum(document["splits"].values()) == 8
    assert document["counts"]["genre"] == {"folk": 4, "live": 4, "rock": 4}
    plain = invoke("dataset", "info", place, "--plot", tmp_path / "set.png")
    assert plain.exit_code == 0 and "duration_s: known 8" in plain.stdout
    assert (tmp_path / "set.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("build", "nowhere", "--out", "o"), 1, "nowhere is not a folder; give a folder of short videos"),
        (("validate", "nowhere"), 1, "holds no data/*.parquet"),
        (("info", "nowhere"), 1, "holds no data/*.parquet"),
        (("review", "nowhere"), 1, "holds no build to review"),
        (("push", "nowhere", "me/set"), 1, "holds no data/*.parquet"),
    ],
)
def test_a_place_without_a_set_is_one_sentence(words, code, message, attempt) -> None:
    left, printed, errors = attempt("dataset", *words)
    assert left == code and message in errors
    assert printed == "" and len(errors.strip().splitlines()) == 1


def test_an_unknown_setting_of_the_builder_is_a_usage_error(clips: Path, tmp_path: Path, attempt) -> None:
    (tmp_path / "b.json").write_text('{"min_like": 3}')
    words = ("dataset", "build", clips, "--out", tmp_path / "o", "--config")
    code, _, errors = attempt(*words, tmp_path / "b.json")
    assert code == 2 and "min_like" in errors
    code, _, errors = attempt(*words, tmp_path / "gone.json")
    assert code == 2 and "gone.json cannot be read as JSON settings (min_likes, " in errors


def test_audioset_counts_classes_and_writes_labels(tmp_path: Path, attempt) -> None:
    ontology, table, out = tmp_path / "o.json", tmp_path / "s.csv", tmp_path / "labels.parquet"
    roots = {"/m/genre": "Music genre", "/m/mood": "Music mood", "/m/instrument": "Musical instrument"}
    tree = {"/m/music": ("Music", list(roots))} | {mid: (name, []) for mid, name in roots.items()}
    tree |= {"/m/genre": ("Music genre", ["/m/rock"])}
    tree |= {"/m/rock": ("Rock music", []), "/m/dog": ("Dog", [])}
    entries = [{"id": mid, "name": name, "child_ids": below} for mid, (name, below) in tree.items()]
    ontology.write_text(json.dumps(entries))
    rows = [f'v{number}, 0.000, 10.000, "/m/rock"' for number in range(4)] + ['d, 0.000, 10.000, "/m/dog"']
    table.write_text("\n".join(["# Segments", *rows]) + "\n")
    words = ("dataset", "audioset", "--ontology", ontology, "--segments", table, "--out", out)
    result = invoke(*words, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["clips"], document["of"]) == (4, 5)
    assert document["counts"]["genre"] == {"Rock music": 4}
    assert pq.read_table(out)["genre"].to_pylist() == [["Rock music"]] * 4
    code, _, errors = attempt(*words, "--level", "some")
    assert code == 2 and "unknown level 'some'; choose from direct, all" in errors


@pytest.mark.parametrize("streaming", [False, True])
def test_the_snippet_of_the_docs_runs_as_printed(
    built: tuple[Path, Result],
    streaming: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import datasets

    # `datasets` knows a folder by its last name: an earlier set called "set" must not stand in for this one
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path))
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    (snippet,) = [code for code in re.findall(r"```python\n(.*?)```", text, re.S) if "load_dataset" in code]
    monkeypatch.chdir(built[0].parent)  # beside the folder "set" that the builder made
    if streaming:
        snippet = snippet.replace('split="train")', 'split="train", streaming=True)')
        snippet = snippet.replace("videos[0]", "next(iter(videos))")
    exec(snippet, {})
    title, duration_s = capsys.readouterr().out.split("\n")[0].rsplit(" ", 1)
    assert title.startswith("Clip ") and float(duration_s) == pytest.approx(3.5, abs=0.2)


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's API as an upload without large-file storage needs."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state = self.server.state  # type: ignore[attr-defined]
        state.seen.append((self.path, self.headers.get("Authorization")))
        if state.refuse:
            self._answer({"error": "no right to write"}, 403)
        elif self.path == "/api/repos/create":
            state.created = json.loads(body)
            self._answer({"url": f"{state.address}/datasets/me/set", "name": "me/set"})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            self._answer({"files": files})
        elif "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    state.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            self._answer({"commitUrl": f"{state.address}/datasets/me/set/commit/0a", "commitOid": "0a"})
        else:
            self._answer({"error": self.path}, 404)

    def do_GET(self) -> None:
        state = self.server.state  # type: ignore[attr-defined]
        state.seen.append((self.path, self.headers.get("Authorization")))
        self._answer({"id": "me/set", "sha": "00", "siblings": []})

    def _answer(self, document: object, status: int = 200) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[SimpleNamespace]:
    """A stand-in of the hub on this machine, and what it was told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    address = f"http://127.0.0.1:{server.server_port}"
    server.state = SimpleNamespace(  # type: ignore[attr-defined]
        address=address, seen=[], files={}, created=None, refuse=False
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.state  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def hub_environment(hub: SimpleNamespace, home: Path) -> dict[str, str]:
    return {
        "HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_test", "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }  # fmt: skip


def test_push_uploads_card_and_shards_and_nothing_else(place: Path, hub, tmp_path: Path) -> None:
    result = run("dataset", "push", place, "me/set", "--json", **hub_environment(hub, tmp_path / "hf"))
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"commit": f"{hub.address}/datasets/me/set/commit/0a"}
    shards = sorted((place / "data").glob("*.parquet"))
    wanted = {"README.md": (place / "README.md").read_bytes()}
    wanted |= {f"data/{path.name}": path.read_bytes() for path in shards}
    assert hub.files == wanted
    assert hub.created["visibility"] == "private" and hub.created["type"] == "dataset"
    commits = [token for path, token in hub.seen if "/commit/" in path]
    assert commits == ["Bearer hf_test"]


def test_a_refusal_of_the_hub_and_offline_mode_are_one_sentence(place: Path, hub, tmp_path: Path) -> None:
    environment = hub_environment(hub, tmp_path / "hf")
    hub.refuse = True
    refused = run("dataset", "push", place, "me/set", **environment)
    assert refused.returncode == 1 and "the hub refused me/set: " in refused.stderr
    offline = run("dataset", "push", place, "me/set", **environment, HF_HUB_OFFLINE="1")
    assert offline.returncode == 1 and "HF_HUB_OFFLINE is set: unset it to push" in offline.stderr
    wrong = run("dataset", "push", place, "me/set/more", **environment)
    assert wrong.returncode == 1 and "the hub refused me/set/more: " in wrong.stderr
    for result in (refused, offline, wrong):
        assert result.stdout == "" and len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_guessed_words_stand_beside_labels_and_are_guessed_once(
    clips: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mvr.library.guesses import Guess, Guesser

    def rows() -> list[dict[str, object]]:
        names = ["title", "genre", "guessed"]
        return [
            row
            for file in sorted((place / "data").glob("*.parquet"))
            for row in pq.read_table(file, columns=names).to_pylist()
        ]

    plain = {row["title"]: row["genre"] for row in rows()}
    jazz, asked = Guess(word="jazz", kind="genre", confidence=0.9), []
    monkeypatch.setattr(Guesser, "guess_file", lambda self, path: asked.append(path.name) or (jazz,))
    shutil.rmtree(place / ".build" / "guesses")
    config = place.with_name("loose.json")
    config.write_text('{"max_noise": 1.0}')
    words = ("dataset", "build", clips, "--out", place, "--config", config, "--workers", 1)
    assert invoke(*words).exit_code == 0
    assert len(asked) == 8 == len(rows())
    for row in rows():
        (guess,) = row["guessed"]
        assert (guess["word"], guess["kind"], round(guess["confidence"], 3)) == ("jazz", "genre", 0.9)
        assert row["genre"] == plain[row["title"]] and "jazz" not in row["genre"]
    assert invoke(*words).exit_code == 0 and len(asked) == 8  # a second run guesses nothing again
    assert invoke(*words, "--no-guess").exit_code == 0
    assert all(row["guessed"] == [] for row in rows())

"""The command line as a user runs it: a subprocess, small real media, stdout and stderr apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from mvr.__main__ import app_for
from mvr.library.demo import demo_dir

HEAVY = ["sqlalchemy", "scipy", "onnxruntime", "rich", "asyncio", "huggingface_hub.file_download"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mvr(tiny_assets: Path, tmp_path: Path) -> Run:
    def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "mvr", *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONUTF8": "1", "COLUMNS": "200", "TERM": "dumb"},
            timeout=280,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def media(
    tmp_path_factory: pytest.TempPathFactory, make_tone: Callable[..., Path], make_clip: Callable[..., Path]
) -> Path:
    folder = tmp_path_factory.mktemp("媒体")
    for seed, name in enumerate(("été + naïve #1.wav", "音楽.wav")):
        make_tone(folder / name, seconds=4.0, seed=seed)
    make_clip(folder / "clip one.mp4", seconds=2.0)
    (folder / "text.mp4").write_text("no video")
    (folder / "metadata.csv").write_text("file,title,artist,licence\n音楽.wav,Sea,Mei,CC BY 4.0\n", "utf-8")
    return folder


def document(done: subprocess.CompletedProcess[str]) -> Any:
    assert "NaN" not in done.stdout
    return json.loads(done.stdout)


def test_the_tour_of_a_newcomer(mvr: Run, media: Path, tmp_path: Path) -> None:
    """add twice, list, recommend, find videos, export by id, remove: one library, one story."""
    added = mvr("library", "add", media, "--system", "tiny", "--json")
    report = document(added)
    assert (len(report["added"]), report["embedded"]) == (3, 3)
    assert [Path(entry["path"]).name for entry in report["skipped"]] == ["text.mp4"]
    assert "skipped" in added.stderr and "text.mp4" in added.stderr

    again = mvr("library", "add", media, "--system", "tiny")
    assert again.stdout == "0 added, 3 known, 0 embedded, 1 skipped, 1 other files ignored\n"

    listed = document(mvr("library", "list", "--json"))["items"]
    assert {item["name"] for item in listed} == {"été + naïve #1.wav", "音楽.wav", "clip one.mp4"}

    clip = media / "clip one.mp4"
    ranked = document(mvr("recommend", clip, "--system", "tiny", "--alpha", "0.3", "-k", "5", "--json"))
    assert (ranked["system"], ranked["alpha"], ranked["query"]["name"]) == ("tiny", 0.3, "clip one.mp4")
    assert [result["rank"] for result in ranked["results"]] == [1, 2]
    sea = next(result for result in ranked["results"] if result["title"] == "Sea")
    assert (sea["artist"], sea["licence"]) == ("Mei", "CC BY 4.0") and sea["start_s"] < sea["end_s"]
    filtered = document(mvr("recommend", clip, "--system", "tiny", "--licence", "CC BY", "--json"))
    assert [result["id"] for result in filtered["results"]] == [sea["id"]]

    turned = document(mvr("find-videos", media / "音楽.wav", "--system", "tiny", "--alpha", "0.3", "--json"))
    assert [result["name"] for result in turned["results"]] == ["clip one.mp4"]
    assert turned["results"][0]["score"] == pytest.approx(sea["score"], abs=1e-5), "both directions, one pair"

    out = tmp_path / "with music.mp4"
    exported = mvr("export", clip, sea["id"], "--out", out, "--start", "1.5")
    assert "“Sea” by Mei, licence: CC BY 4.0" in exported.stdout
    from mvr.media.probe import probe

    info = probe(out, needs=("picture", "sound"))
    assert info.duration_s == pytest.approx(2.0, abs=0.15)

    assert mvr("library", "remove", sea["id"]).stdout == "1 removed\n"
    assert len(document(mvr("library", "list", "--json"))["items"]) == 2


def test_faults_of_the_input_are_one_sentence_and_exit_1(mvr: Run, media: Path, tmp_path: Path) -> None:
    mvr("library", "add", media / "音楽.wav", "--system", "chance")
    done = mvr("recommend", media / "text.mp4", "--system", "chance", "--json", code=1)
    assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("mvr: text.mp4")
    done = mvr("find-videos", media / "音楽.wav", "--system", "chance", code=1)
    assert "holds no videos; add some with `mvr library add PATH`" in done.stderr
    done = mvr("export", media / "clip one.mp4", "0123456789abcdef", "--out", tmp_path / "o.mp4", code=1)
    assert "the library holds no item '0123456789abcdef'" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("recommend", "clip.mp4", "--alpha", "2"),
        ("recommend", "nowhere.mp4", "--system", "nonesuch"),
        ("library", "add", "/nowhere/at/all", "--system", "chance"),
        ("recommend",),
        ("nonesuch",),
    ],
)
def test_wrong_usage_exits_2(mvr: Run, wrong: tuple[str, ...]) -> None:
    done = mvr(*wrong, code=2)
    assert done.stdout == "" and "Traceback" not in done.stderr


def test_the_doctor_names_each_system_and_what_it_lacks(mvr: Run, tiny_assets: Path) -> None:
    (tiny_assets / "heads" / "tiny.safetensors").unlink()
    systems = {row["name"]: row for row in document(mvr("doctor", "--json"))["systems"]}
    assert systems["chance"]["ready"] and not systems["tiny"]["ready"]
    assert "mvr train control-mvr" in systems["tiny"]["lacks"]
    found = document(mvr("doctor", "--json"))
    assert all(found["codecs"].values()) and found["ffmpeg"] and found["packages"]["torch"]


def test_help_is_light_and_names_every_command(mvr: Run) -> None:
    shown = mvr("--help").stdout
    for name in ("doctor", "library", "recommend", "find-videos", "export", "train"):
        assert name in shown
    heavy = ["torch", "transformers", "faiss", "gradio", "librosa", "datasets", "matplotlib", "moviepy"]
    heavy += ["sqlalchemy", "scipy", "av", "pyarrow"]
    script = f"import sys, mvr.__main__; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [("doctor",), ("library", "list"), ("recommend", str(demo_dir() / "videos" / "front-row.mp4"))],
    ids=lambda words: words[0],
)
def test_an_everyday_command_imports_neither_scipy_nor_a_server_s_database(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    script = f"""
import sys
from mvr.__main__ import main
sys.argv = ["mvr", *{words}, "--json"]
try:
    main()
except SystemExit as ended:
    assert not ended.code
print([m for m in {HEAVY} if m in sys.modules])
"""
    surroundings = {**os.environ, "MVR_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hub")}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=surroundings)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "given", "threads"),
    [("doctor", None, "1"), ("doctor", "3", "3"), ("serve", None, "None"), ("train", None, "None")],
)
def test_a_short_command_multiplies_on_one_thread_unless_told_otherwise(
    words: str, given: str | None, threads: str
) -> None:
    """Asked of OpenBLAS itself where it was told."""
    script = f"""
import os, sys
sys.argv = ["mvr", {words!r}]
import mvr.__main__, numpy
from threadpoolctl import threadpool_info
print(os.environ.get("OPENBLAS_NUM_THREADS"))
told = os.environ.get("OPENBLAS_NUM_THREADS") or min(2, os.cpu_count())
[found] = [one["num_threads"] for one in threadpool_info() if "numpy" in one["filepath"]]
assert found == min(int(told), os.cpu_count()) or told == 2, (found, told)
"""
    surroundings = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    surroundings |= {} if given is None else {"OPENBLAS_NUM_THREADS": given}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=surroundings)
    assert done.stdout.strip() == threads


def test_what_the_page_imports_of_votes_and_metrics_brings_no_scipy() -> None:
    rooms = (
        "mvr.arena.arena, mvr.arena.board.board, mvr.arena.reranking.personal, mvr.metrics.retrieval.measure"
    )
    script = f"import sys, {rooms}; print([m for m in sys.modules if m.split('.')[0] == 'scipy'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_command_that_is_named_is_built() -> None:
    everything = typer.main.get_command(app_for([]))
    assert {*everything.commands} >= {"doctor", "library", "votes"}  # type: ignore[attr-defined]
    assert typer.main.get_command(app_for(["nonesuch"])).commands.keys() == everything.commands.keys()  # type: ignore[attr-defined]
    for name, whole in everything.commands.items():  # type: ignore[attr-defined]
        alone = typer.main.get_command(app_for([name, "--help"])).commands  # type: ignore[attr-defined]
        assert [*alone] == [name]
        assert [one.name for one in alone[name].params] == [one.name for one in whole.params]


def test_without_a_library_the_demo_library_is_ranked_and_says_so(
    mvr: Run, media: Path, tiny_assets: Path, tmp_path: Path
) -> None:
    (tiny_assets / "demo").mkdir()
    entries = [{"kind": "track", "file": "../../sea.wav", "title": "Shipped", "licence": "CC0-1.0"}]
    (tmp_path / "sea.wav").write_bytes((media / "音楽.wav").read_bytes())
    (tiny_assets / "demo" / "manifest.json").write_text(json.dumps({"items": entries}))
    clip = media / "clip one.mp4"
    done = mvr("recommend", clip, "--system", "chance", "--json")
    (result,) = document(done)["results"]
    assert result["title"] == "Shipped" and "the demo library is searched" in done.stderr
    exported = mvr("export", clip, result["id"], "--out", tmp_path / "out.mp4", "--json")
    assert document(exported)["track"]["title"] == "Shipped" and (tmp_path / "out.mp4").stat().st_size > 1000
    done = mvr("recommend", clip, "--library", tmp_path / "empty", "--system", "chance", code=2)
    assert "empty is not a library; `mvr library add PATH --library" in done.stderr
    assert not (tmp_path / "empty").exists(), "asking leaves nothing behind"


@pytest.mark.parametrize(
    "words", [("weights", "fetch", "clap-general"), ("weights", "fetch", "mert-95m", "--accept-licence")]
)
def test_a_home_that_cannot_be_made_is_one_sentence(attempt, monkeypatch, tmp_path, words) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    (tmp_path / "file").write_text("in the folder's place")
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "file" / "mvr"))
    code, out, err = attempt(*words)
    assert (code, out) == (1, "") and "Traceback" not in err
    assert err.splitlines()[-1].startswith(f"mvr: {tmp_path / 'file'}") and "set MVR_HOME" in err

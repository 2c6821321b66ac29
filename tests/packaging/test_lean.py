"""What the core does without torch and its kind: they are blocked here, as if they were not installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from mvr.embeddings.store import write_store

LEAN = Path(__file__).with_name("lean.py")
ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"


def lean(home, *arguments: str, code: int = 0) -> str:
    environment = {**os.environ, "MVR_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, LEAN, *arguments], capture_output=True, text=True, env=environment, timeout=240
    )
    assert done.returncode == code, done.stderr[-2000:]
    return done.stdout if code == 0 else done.stderr


def test_a_clip_gets_music_from_a_folder_of_one_s_own(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for track in sorted((DEMO / "tracks").iterdir())[:2]:
        shutil.copy(track, music)
    clip = str(sorted((DEMO / "videos").glob("*.mp4"))[0])
    lean(tmp_path, "library", "add", str(music))
    listed = json.loads(lean(tmp_path, "library", "list", "--json"))["items"]
    assert len(listed) == 2
    found = json.loads(lean(tmp_path, "recommend", clip, "--json"))
    assert {row["id"] for row in found["results"]} == {item["id"] for item in listed}
    lean(tmp_path, "export", clip, found["results"][0]["id"], "--out", str(tmp_path / "out.mp4"))
    assert (tmp_path / "out.mp4").stat().st_size > 10_000


def test_cca_is_trained_and_networks_say_the_line_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("LEAN_STORES", "1")
    import pyarrow as pa

    generator = np.random.default_rng(3)
    shared = generator.normal(size=(120, 4))
    video, audio = (
        (shared @ generator.normal(size=(4, 9)) + 0.2 * generator.normal(size=(120, 9))).astype(np.float32)
        for _ in range(2)
    )
    manifest = pa.table({
        "id": [f"p{i}" for i in range(120)],
        "split": ["test" if i % 5 == 0 else "train" for i in range(120)],
        "group": [f"g{i}" for i in range(120)],
    })  # fmt: skip
    side = {"backbone": "made here", "settings": {}}
    write_store(
        tmp_path / "store", video=video, audio=audio, manifest=manifest,
        meta={"video": side, "audio": side, "command": "test", "source": "test"},
    )  # fmt: skip
    out = tmp_path / "cca.safetensors"
    arguments = ("--features", str(tmp_path / "store"), "--out", str(out), "--json")
    trained = json.loads(lean(tmp_path, "train", "cca", *arguments))
    assert trained["kind"] == "cca" and trained["val"]["ssl"]["median_rank"] < 4
    refused = lean(tmp_path, "train", "mvbind", *arguments[:2], "--out", str(tmp_path / "other"), code=1)
    assert "training mvbind needs torch" in refused and "pip install 'mvr[train]'" in refused
    assert refused.count("\n") == 1


def test_doctor_names_what_each_system_lacks(tmp_path):
    systems = {row["name"]: row for row in json.loads(lean(tmp_path, "doctor", "--json"))["systems"]}
    assert systems["control-mvr-mini"]["ready"] and systems["mvbind-mini"]["ready"]
    assert "needs open_clip, torch" in systems["imagebind"]["lacks"]
    assert "pip install 'mvr[models]'" in systems["imagebind"]["lacks"]


@pytest.fixture
def page(tmp_path):
    """The page in a process of its own; its address."""
    environment = {**os.environ, "MVR_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "GRADIO_SERVER_PORT": ""}
    environment.pop("GRADIO_SERVER_PORT")
    log = tmp_path / "log"
    # a shell's background jobs ignore Ctrl-C, and so would what they start
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", LEAN, "serve"], env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    signal.signal(signal.SIGINT, heard)
    try:
        deadline = time.monotonic() + 180
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.2)
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def test_the_page_is_served(page):
    with urllib.request.urlopen(page + "/config", timeout=60) as answer:
        config = json.load(answer)
    assert any(part["props"].get("label") == "Vote" for part in config["components"] if "props" in part)

"""docs/editors.md, run as printed: clip to timeline and back, clip to agent to file, server to list to playlist."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from eval.timelines.reading import read_timeline
from mvr.config.paths import assets_dir
from tests.conftest import free_port

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
SUPYSONIC = "supysonic==0.7.9"  # AGPL: in an environment and a process of its own
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def blocks(heading: str, kind: str = "") -> list[str]:
    """Code of one section, in order."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [code for name, code in re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", section) if name == kind]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a clip, and the command `mvr` on the path with a home of its own."""
    shutil.copy(sorted((assets_dir() / "demo" / "videos").iterdir())[0], tmp_path / "clip.mp4")
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "mvr"
    home = os.environ["MVR_HOME"]
    shim.write_text(
        f"#!/bin/sh\nMVR_HOME='{home}' PYTHONPATH='{ROOT}' exec '{sys.executable}' -m mvr \"$@\"\n"
    )
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def run(desk: Path, *words: str, **env: str) -> str:
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True, env=os.environ | env, timeout=280)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timelines
def test_from_a_clip_to_a_timeline_and_back(desk: Path) -> None:
    commands, (reread,) = (
        blocks("From a clip to a timeline, and back"),
        blocks("From a clip to a timeline, and back", "python"),
    )
    run(desk, "sh", "-ec", commands[0])
    lines = run(desk, sys.executable, "-c", reread).splitlines()
    placed = read_timeline(desk / "cut.xml").placed
    assert len(lines) == len(placed) >= 4
    assert [" True " in line for line in lines] == [place.heard for place in placed]
    assert [int(line.split()[-1]) for line in lines] == [place.source_start for place in placed]
    assert (desk / "cut - music.wav").exists() and (desk / "cut.csv").read_text().startswith("frame,timecode")
    run(desk, "sh", "-ec", blocks("The papers")[0])
    assert (desk / "papers.zip").exists()


@pytest.mark.timelines
def test_from_a_clip_to_an_agent_to_a_dry_run_to_a_file(desk: Path) -> None:
    story, three = blocks("An agent's tools", "python")
    plan, files = run(desk, sys.executable, "-c", story).splitlines()
    assert "a dry run: nothing is written" in plan and files == str([str(desk.resolve() / "agent.otioz")])
    assert any(not place.heard for place in read_timeline(desk / "agent.otioz").placed)
    (desk / "home" / "Music").mkdir(parents=True, exist_ok=True)
    for track in sorted((assets_dir() / "demo" / "tracks").iterdir())[:2]:
        shutil.copy(track, desk / "home" / "Music")
    run(desk, sys.executable, "-c", three, HOME=str(desk / "home"))
    assert (desk / "out.mp4").stat().st_size > 10_000


@pytest.fixture
def music_server(tmp_path: Path) -> Iterator[int]:
    """A supysonic with two demo tracks and the user me; its port."""
    place = tmp_path / "server"
    (place / "music" / "artist" / "album").mkdir(parents=True)
    for number, track in enumerate(sorted((assets_dir() / "demo" / "tracks").iterdir())[:3]):
        shutil.copy(track, place / "music" / "artist" / "album" / f"{number} {track.name}")
    parts = {
        "base": f"database_uri = sqlite:///{place}/db",
        "webapp": f"cache_dir = {place}/cache",
        "daemon": f"socket = {place}/s",
    }
    config = "".join(f"[{name}]\n{line}\n" for name, line in parts.items())
    (place / "supysonic.conf").write_text(config)
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    python, cli = place / "venv" / "bin" / "python", place / "venv" / "bin" / "supysonic-cli"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def call(*words: object) -> None:
        subprocess.run(
            list(map(str, words)), cwd=place, env=env, check=True, capture_output=True, timeout=280
        )

    call(python, "-m", "pip", "install", "--quiet", SUPYSONIC)
    call(cli, "user", "add", "me", "-p", "s3cret")
    call(cli, "folder", "add", "music", place / "music")
    call(cli, "folder", "scan", "-f", "music")
    port = free_port()
    serve = f"from supysonic.web import create_application as c; c().run('127.0.0.1', {port})"
    with subprocess.Popen([python, "-c", serve], cwd=place, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/rest/ping.view", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the music server does not answer")


def test_from_a_server_to_a_list_to_a_playlist(
    desk: Path, music_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (printed,) = blocks("The library you already have")
    commands = printed.replace("127.0.0.1:4533", f"127.0.0.1:{music_server}").splitlines()
    monkeypatch.setenv("MVR_SUBSONIC_PASSWORD", "s3cret")
    assert run(desk, "sh", "-ec", commands[0]).startswith("3 added, 0 known, 3 embedded")
    ranked = re.findall(r"[0-9a-f]{16}  (.*?)(?: by |  \[)", run(desk, "sh", "-ec", commands[1]))
    assert len(ranked) == 3
    assert run(desk, "sh", "-ec", commands[2]).startswith("0 added, 3 known, 0 embedded"), (
        "the playlist came back"
    )

    from mvr.library.subsonic import Client, parse_address

    with Client(parse_address(f"subsonic://me@127.0.0.1:{music_server}"), "s3cret", private=True) as client:
        songs = client.playlist("For my clip")
        assert [song.title for song in songs] == ranked, "in the order of the list"
        assert {song.id for song in client.songs()} == {song.id for song in songs}

    def said(*words: str) -> str:
        done = subprocess.run(["mvr", *words], cwd=desk, capture_output=True, text=True, timeout=280)
        assert done.returncode != 0 and done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    address = f"subsonic://me@127.0.0.1:{music_server}"
    assert "add --private if that is intended" in said("library", "add", address)
    assert "already has a playlist 'For my clip'" in said(
        "recommend", "clip.mp4", "--playlist", "For my clip", "--private"
    )
    monkeypatch.setenv("MVR_SUBSONIC_PASSWORD", "wrong")
    assert "says: Wrong username or password" in said("library", "add", address, "--private")
    monkeypatch.setenv("MVR_SUBSONIC_PASSWORD", "s3cret")
    assert "cannot be reached" in said("library", "add", "subsonic://me@127.0.0.1:1", "--private")

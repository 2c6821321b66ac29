"""Before the page starts: folders it can write to, what killed servers left, uploads that several people share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mvr.errors import UsageError
from mvr.page.serving.addresses import Hosts, trusted_proxies
from mvr.page.serving.start import check_folders, sweep, sweep_leftovers
from mvr.page.serving.uploads import take_over

ROOT = Path(__file__).parents[2]


def test_a_home_that_cannot_be_written_to_is_told_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file" / "home", Path("/proc/mvr")):
        with pytest.raises(
            UsageError, match=r"cannot be written to \(.+\); set MVR_HOME to a folder that can"
        ):
            check_folders(home)


def test_uploads_inside_home_are_told_before_the_first_one_is_lost(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "home" / "uploads"))
    with pytest.raises(UsageError, match="is inside MVR_HOME"):
        check_folders(tmp_path / "home")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    check_folders(tmp_path / "home")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"MVR_HOME": "/proc/mvr"}, "/proc/mvr cannot be written to"),
        ({"MVR_SECRET": "short"}, "the secret has 5 bytes"),
        ({"MVR_VOTERS": "account"}, "MVR_VOTERS=account needs sign-in"),
        ({"MVR_TRUSTED_PROXIES": "10.0.0.5"}, "MVR_TRUSTED_PROXIES needs MVR_ALLOWED_HOSTS"),
    ],
)
@pytest.mark.slow
def test_the_page_says_why_it_does_not_start_and_shows_no_traceback(tmp_path, changes, sentence):
    environment = os.environ | {"MVR_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)} | changes
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py")], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 1 and done.stderr.startswith("app.py: ") and sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_put_away_while_it_is_looked_at_stops_no_start(tmp_path, monkeypatch):
    folder = tmp_path / "mvr-a"
    folder.mkdir()
    (folder / "HEAD").touch()
    plain = Path.lstat

    def lstat(path):
        if path.name == "HEAD":
            path.unlink()
        return plain(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert sweep(tmp_path, older_than_s=-1.0) == 0
    assert not list(folder.iterdir())


def test_folders_of_killed_servers_go_and_those_in_use_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, fresh, busy, foreign = (tmp_path / name for name in ("mvr-a", "mvr-b", "mvr-c", "other"))
    run = tmp_path / "home" / "battles" / "0123456789abcdef"
    kept = tmp_path / "home" / "battles" / "excerpts"
    for folder in (old, fresh, busy, foreign, run, kept):
        folder.mkdir(parents=True)
        (folder / "part").write_text("x")
    (tmp_path / "mvr-link").symlink_to(foreign)
    long_ago = time.time() - 7 * 3600
    for folder in (old, busy, foreign, run, kept):
        for path in (folder / "part", folder):
            os.utime(path, (long_ago, long_ago))
    os.utime(busy / "part")  # somebody still writes there
    assert sweep_leftovers(tmp_path / "home") == 2
    assert [folder.exists() for folder in (old, fresh, busy, foreign, run, kept)] == [
        False,
        True,
        True,
        True,
        False,
        True,
    ]
    assert sweep(tmp_path / "nowhere") == 0


def test_eight_visitors_with_the_same_upload_all_get_it(tmp_path):
    stored = tmp_path / "clip.mp4"
    stored.write_bytes(b"one file for all who send the same")
    for number in range(8):
        take_over(stored, tmp_path / f"visit-{number}.mp4")
    (tmp_path / "visit-0.mp4").unlink()
    assert [(tmp_path / f"visit-{n}.mp4").read_bytes() for n in range(1, 8)] == [stored.read_bytes()] * 7


def test_an_upload_on_another_file_system_is_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_bytes(b"x")
    take_over(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x" == (tmp_path / "a").read_bytes()


def test_only_names_of_this_server_are_its_own():
    local = Hosts.of_this_server("127.0.0.1", {})
    assert all(map(local.allows, ("localhost:7860", "127.0.0.1", "[::1]:80", "LOCALHOST")))
    assert not any(
        map(
            local.allows,
            ("evil.example", "192.168.1.5:7860", "", "localhost.evil.example", "127.0.0.1.nip.io"),
        )
    )
    shared = Hosts.of_this_server("0.0.0.0", {"MVR_ALLOWED_HOSTS": "music.example.org, MVR.lan"})
    assert all(
        map(shared.allows, ("music.example.org", "mvr.lan:7860", "192.168.1.5:7860", "[2001:db8::1]:7860"))
    )
    assert not shared.allows("evil.example")
    assert Hosts.of_this_server("0.0.0.0", {"SPACE_HOST": "me-mvr.hf.space"}).allows("me-mvr.hf.space")


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.0/99"])
def test_a_proxy_that_is_no_address_is_refused(proxies):
    with pytest.raises(UsageError, match="write addresses or networks"):
        trusted_proxies({"MVR_TRUSTED_PROXIES": proxies, "MVR_ALLOWED_HOSTS": "x"})


def test_nobody_is_trusted_unless_told():
    assert trusted_proxies({}) == ""
    assert (
        trusted_proxies({"MVR_TRUSTED_PROXIES": "10.0.0.5, 10.1.0.0/16", "MVR_ALLOWED_HOSTS": "x"})
        == "10.0.0.5,10.1.0.0/16"
    )
    assert trusted_proxies({"SPACE_ID": "me/mvr"}) == "10.0.0.0/8"

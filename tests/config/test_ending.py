"""A command that is asked to end takes back what it began."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mvr.config.ending import end_as_on_interrupt

ROOT = Path(__file__).parents[2]
WORK = """
import signal, sys, time
from pathlib import Path

for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)  # as in a terminal, whatever runs the tests (nohup)

from mvr.config.ending import end_as_on_interrupt
from mvr.config.outputs import written_whole

end_as_on_interrupt()
with written_whole(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("begun", flush=True)
    while True:  # a signal that comes just before a sleep is heard after it
        time.sleep(0.05)
"""


@pytest.mark.parametrize("request_to_end", ["SIGTERM", "SIGHUP"])
def test_nothing_half_written_stays(tmp_path: Path, request_to_end: str) -> None:
    number = signal.Signals[request_to_end]
    command = [sys.executable, "-c", WORK, str(tmp_path / "out.mp4")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.wait(120) == 128 + number
    assert not list(tmp_path.iterdir())


def test_what_is_ignored_stays_ignored() -> None:
    """`nohup` ignores the end of a terminal for what it starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        end_as_on_interrupt()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])


@pytest.mark.parametrize(
    ("command", "name", "request_to_end"), [("export", "out.mp4", "SIGTERM"), ("fit", "out.wav", "SIGINT")]
)
def test_a_command_that_writes_sound_or_a_film_lets_go_of_it(
    tmp_path: Path, command: str, name: str, request_to_end: str
) -> None:
    demo, number = ROOT / "assets" / "demo", signal.Signals[request_to_end]
    clip, track = (
        sorted((demo / folder).glob(ending))[0] for folder, ending in (("videos", "*.mp4"), ("tracks", "*"))
    )
    environment = {**os.environ, "MVR_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "mvr", command, clip, track, "--out", tmp_path / name]
    heard = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # as in a terminal, whatever runs the tests
    with subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        signal.signal(signal.SIGINT, heard)
        while not list(tmp_path.glob("mvr-*/*")):  # its sound is being written
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number and said == (
        "mvr: stopped\n" if number == signal.SIGINT else ""
    )
    assert not [path.name for path in tmp_path.iterdir() if path.name != "home"]

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


def test_a_command_that_writes_a_film_lets_go_of_it(tmp_path: Path) -> None:
    demo = ROOT / "assets" / "demo"
    clip, track = (
        sorted((demo / name).glob(ending))[0] for name, ending in (("videos", "*.mp4"), ("tracks", "*"))
    )
    environment = {**os.environ, "MVR_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "mvr", "export", clip, track, "--out", tmp_path / "out.mp4"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        while not list(tmp_path.glob("mvr-*/*")):  # its sound is being written
            assert process.poll() is None
            time.sleep(0.02)
        process.terminate()
        assert process.wait(120) == 128 + signal.SIGTERM
    assert not [path.name for path in tmp_path.iterdir() if path.name != "home"]

"""What the benchmark of auditions says of its numbers, and its tones."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.speed import served
from eval.speed.audition import faster
from eval.speed.ear import RATE_HZ, TONES_HZ, write_tone


def test_how_many_times_sooner_the_sound_comes_is_the_ratio_of_the_medians() -> None:
    rows = {"the page": {"facts": {"p50 ms": 40}}, "the page before": {"facts": {"p50 ms": 1800}}}
    assert faster(rows) == {"the page": {"times sooner": 45.0}}
    assert faster({"the page": rows["the page"]}) == {}, "without an earlier page there is nothing to compare"


@pytest.mark.parametrize("hz", TONES_HZ)
def test_a_tone_leads_its_own_melody(tmp_path: Path, hz: int) -> None:
    with wave.open(str(write_tone(tmp_path, hz, 4))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * RATE_HZ / len(samples) == pytest.approx(hz, abs=1)


def test_the_work_tree_of_the_earlier_page_is_made_once_and_taken_away_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, temporary = tmp_path / "checkout", tmp_path / "temporary"
    temporary.mkdir()

    def git(*arguments: str) -> str:
        name = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        command = ["git", *name, *arguments]
        return subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout

    checkout.mkdir()
    git("init", "--quiet")
    (checkout / "app.py").write_text("", encoding="utf-8")
    git("add", ".")
    git("commit", "--quiet", "-m", "the page before")
    at_end: list[tuple[Callable[..., object], tuple[object, ...]]] = []
    monkeypatch.setattr(served.tempfile, "gettempdir", lambda: str(temporary))
    monkeypatch.setattr(served, "ROOT", checkout)
    monkeypatch.setattr(served, "BEFORE", "HEAD")
    monkeypatch.setattr(served.atexit, "register", lambda call, *given: at_end.append((call, given)))
    tree = served.earlier_tree()
    assert tree is not None and (tree / "app.py").exists()
    assert served.earlier_tree() == tree and len(at_end) == 1, "only who makes it takes it away"
    [(call, given)] = at_end
    call(*given)
    assert not tree.exists() and len(git("worktree", "list").splitlines()) == 1

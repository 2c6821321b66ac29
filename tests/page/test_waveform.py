"""Drawings of loudness."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from mvr.page.library.waveform import draw_waveform


def test_drawings_are_made_one_at_a_time(tmp_path, monkeypatch):
    busy, most = [], []

    def read_sound(source, rate_hz):
        busy.append(source)
        most.append(len(busy))
        time.sleep(0.02)
        busy.remove(source)
        return np.ones(1000, np.float32)

    monkeypatch.setattr("mvr.media.sound.read_sound", read_sound)
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda n: draw_waveform(Path(f"{n}.wav"), tmp_path / f"{n}.svg"), range(4), timeout=60
            )
        )
    assert most == [1, 1, 1, 1] and len(list(tmp_path.glob("*.svg"))) == 4

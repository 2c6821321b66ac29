"""A slow system says how long it will take before it starts; a quick one does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvr.datatypes import Direction
from mvr.media.probe import MediaInfo
from mvr.page.search.desk import Clip
from mvr.page.search.search_events import announcement


@pytest.fixture
def clip() -> Clip:
    info = MediaInfo(
        path=Path("clip.mp4"), container="mp4", duration_s=30.0, size_bytes=1, video=None, audio=None
    )
    return Clip(path=info.path, name="clip.mp4", info=info)


def test_a_slow_system_is_announced_with_its_title_and_seconds(clip: Clip, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mvr.backbones.cost.matrix_rate", lambda *_: 100e9)  # a small processor
    said = announcement(clip, "imagebind", Direction.VIDEO_TO_MUSIC)
    # 15 views of 336 billion operations at 70 billion a second
    assert said == "ImageBind, zero-shot needs about 72 s for this on this machine …"


def test_a_quick_system_is_not_announced(clip: Clip):
    assert announcement(clip, "control-mvr-mini", Direction.VIDEO_TO_MUSIC) is None

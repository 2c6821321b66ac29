"""What several test files share: where the real data lie, seeded generators, settings of property tests."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from mvr.config.extras import LAST_PYTHON

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("MVR_SHARED", ROOT.parent / "shared"))
GOLDEN = Path(__file__).parent / "golden"
BROWSER = Path(__file__).parent / "browser"

# The same examples in every run, and no judgement by the clock: a busy machine is slow, not wrong.
settings.register_profile(
    "suite", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here: the tests are deselected, and the count says so.

    `real_data` where the real data are not, `timelines` on a Python that OpenTimelineIO has no wheel for. A browser
    test that is not in the folder that `make test` collects for them would never run, and is an error.
    """
    astray = [
        item.nodeid for item in items if item.get_closest_marker("browser") and item.path.parent != BROWSER
    ]
    if astray:
        raise pytest.UsageError(f"browser tests belong into tests/browser, not {astray[0]}")
    absent = set() if SHARED.exists() else {"real_data"}
    if sys.version_info[:2] > LAST_PYTHON["opentimelineio"]:
        absent.add("timelines")
    out = [item for item in items if absent.intersection(mark.name for mark in item.iter_markers())]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real media and features."""
    assert SHARED.exists(), f"{SHARED} is not there; run with -m 'not real_data'"
    return SHARED


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's own library, cache or votes."""
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def free_port() -> int:
    """A TCP port that is free and that no outgoing connection takes meanwhile (Linux gives those 32768 and up).

    Drawn from the system's randomness: tests side by side that looked in one order would find the same one free.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:  # taken
                continue
            return port
    raise AssertionError("no free port from 20000 to 32000")


def write_tone(path: Path, *, seconds: float = 6.0, seed: int = 0, rate_hz: int = 22050) -> Path:
    """A stereo WAV file of three seeded partials with a beat: real sound that costs nothing to keep."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    beat = 0.5 + 0.5 * np.cos(2 * np.pi * rng.uniform(1, 3) * t) ** 8
    partials = sum(np.sin(2 * np.pi * hz * t) for hz in rng.uniform(110, 1760, 3))
    samples = np.stack([0.2 * beat * partials] * 2, axis=1) + 0.002 * rng.standard_normal((len(t), 2))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_clip(path: Path, *, seconds: float = 2.0, seed: int = 0, rate_hz: int = 10) -> Path:
    """A silent H.264 file of a drifting gradient, 160 x 288, seeded."""
    import av

    rng = np.random.default_rng(seed)
    speed, hue = rng.uniform(1, 12), rng.uniform(0, 255, 3)
    rows, columns = np.mgrid[0:288, 0:160]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz)
        stream.width, stream.height, stream.pix_fmt = 160, 288, "yuv420p"
        for frame in range(round(seconds * rate_hz)):
            wave_ = np.sin((rows + columns + speed * frame) / 20)[:, :, None]
            picture = (hue * (0.6 + 0.4 * wave_)).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def make_tone() -> Callable[..., Path]:
    """`write_tone`."""
    return write_tone


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Path]:
    """`write_clip`."""
    return write_clip


@pytest.fixture
def tiny_assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`write_tiny_assets`, in use."""
    folder = write_tiny_assets(tmp_path / "assets")
    monkeypatch.setenv("MVR_ASSETS", str(folder))
    return folder


@pytest.fixture(scope="session")
def make_tiny_assets() -> Callable[[Path], Path]:
    """`write_tiny_assets`, for fixtures that outlive a test."""
    return write_tiny_assets


def write_tiny_assets(folder: Path) -> Path:
    """An assets folder with two systems: "tiny" (fresh two-branch head over descriptors) and "chance"."""
    import torch

    from mvr.backbones.backbone import create_backbone
    from mvr.datatypes import Modality
    from mvr.heads import create_head, save_head

    (folder / "systems").mkdir(parents=True)
    base = {"summary": "", "trained_on": "nothing", "segments": {"audio_s": 4.0, "audio_hop_s": 2.0}}
    cards = {
        "tiny": {
            "audio": {"name": "descriptors"},
            "head": {"kind": "control-mvr", "weights": "heads/tiny.safetensors"},
            "alpha": True,
        },
        "chance": {"head": {"kind": "random"}},
    }
    for name, card in cards.items():
        text = json.dumps(base | card | {"name": name, "title": name})
        (folder / "systems" / f"{name}.json").write_text(text, encoding="utf-8")
    torch.manual_seed(0)
    widths = {"video_dim": 32, "audio_dim": create_backbone("descriptors", Modality.AUDIO).dim}
    head = create_head("control-mvr", taxonomies=["genre"], hidden=32, dim=16, **widths)
    save_head(head, folder / "heads" / "tiny.safetensors")
    return folder

"""What several test files share: where the real data lie, seeded generators."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("MVR_SHARED", ROOT.parent / "shared"))
GOLDEN = Path(__file__).parent / "golden"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave `real_data` tests out where the real data are not: they are deselected, and the count says so."""
    if SHARED.exists():
        return
    kept = [item for item in items if "real_data" not in item.keywords]
    config.hook.pytest_deselected(items=[item for item in items if "real_data" in item.keywords])
    items[:] = kept


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

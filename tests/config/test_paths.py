"""Where a user's data goes, and what an empty variable says: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvr.config.paths import assets_dir, home_dir, resource
from mvr.errors import UsageError


def test_an_empty_variable_is_as_none_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MVR_HOME", "MVR_ASSETS", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, "")
    assert home_dir() == tmp_path / ".local" / "share" / "mvr"
    assert assets_dir() == resource("assets")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert home_dir() == tmp_path / "data" / "mvr"
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "own"))
    assert home_dir() == tmp_path / "own"


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MVR_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number: int) -> None:  # as in a container that runs under a number without a name
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(UsageError, match="set MVR_HOME to a folder"):
        home_dir()

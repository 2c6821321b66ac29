"""Pushing without a connection is one sentence, whichever HTTP library the hub's client uses."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from mvr.datasets.svm10k.hub import push
from mvr.errors import MvrError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.parquet").write_bytes(b"rows")
    return tmp_path


def test_no_connection_is_one_sentence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    nobody = "http://127.0.0.1:9"
    monkeypatch.setattr(
        huggingface_hub, "HfApi", lambda token: huggingface_hub.hf_api.HfApi(endpoint=nobody, token="hf_test")
    )
    with pytest.raises(MvrError, match=r"the hub cannot be reached: .*; try again with a connection"):
        push(place, "me/set")

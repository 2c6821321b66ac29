"""`mvr weights` as a program: one JSON document, licences accepted once, nothing downloaded offline."""

from __future__ import annotations

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from mvr.backbones.weights import WeightsFile, licence_accepted, source, weights_source
from mvr.commands.weights import app
from mvr.errors import LicenceNotAccepted, WeightsMissing

RUN = CliRunner()


def test_the_list_names_every_set_with_licence_and_size():
    answer = json.loads(RUN.invoke(app, ["list", "--json"]).stdout)
    rows = {row["name"]: row for row in answer["weights"]}
    assert {"imagebind", "mert-95m", "clip:ViT-B-32/openai"} <= set(rows)
    assert rows["imagebind"]["licence"] == "CC BY-NC-SA 4.0" and not rows["imagebind"]["ready"]
    shown = RUN.invoke(app, ["list"]).stdout
    assert "4,804 MB, CC BY-NC-SA 4.0" in shown


def test_a_licence_has_to_be_accepted_before_anything_else():
    result = RUN.invoke(app, ["fetch", "mert-95m"])
    assert isinstance(result.exception, LicenceNotAccepted)


def test_accepting_is_remembered_and_offline_says_what_to_put_where():
    result = RUN.invoke(app, ["fetch", "mert-95m", "--accept-licence"])
    assert isinstance(result.exception, WeightsMissing) and "put it at" in str(result.exception)
    assert "CC BY-NC 4.0" in result.stderr
    assert licence_accepted(weights_source("mert-95m"))


def test_weights_put_there_by_hand_are_found_by_a_systems_name(monkeypatch: pytest.MonkeyPatch):
    tiny = dataclasses.replace(source.IMAGEBIND, files=(WeightsFile(name="imagebind_huge.pth"),))
    monkeypatch.setitem(source._FIXED, "imagebind", tiny)
    tiny.folder.mkdir(parents=True)
    (tiny.folder / "imagebind_huge.pth").write_bytes(b"weights")
    result = RUN.invoke(app, ["fetch", "mvbind", "--accept-licence", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "files": {"imagebind/imagebind_huge.pth": str(tiny.folder / "imagebind_huge.pth")}
    }

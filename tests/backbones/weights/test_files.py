"""Finding, fetching and refusing whole sets of weights; licences; what cards lack."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

import pytest

from mvr.backbones.weights import (
    WeightsFile,
    WeightsSource,
    accept_licence,
    fetch_weights,
    file_sha256,
    find_files,
    licence_accepted,
    missing_weights,
    source,
    status,
    weights_of_card,
    weights_source,
)
from mvr.config.cards import BackboneCard, SystemCard
from mvr.config.paths import home_dir
from mvr.errors import ExtraMissing, LicenceNotAccepted, UsageError, WeightsCorrupt, WeightsMissing

BODY = b"tiny weights" * 1000
FREE = WeightsSource(
    name="tiny",
    title="Tiny",
    licence="MIT",
    licence_url="https://example.org/mit",
    noncommercial=False,
    repo="someone/tiny",
    revision="c0ffee",
    files=(
        WeightsFile(name="w.bin", size_bytes=len(BODY), digest=hashlib.sha256(BODY).hexdigest()),
        WeightsFile(name="config.json"),
    ),
)
PAID = dataclasses.replace(FREE, name="tiny-nc", licence="CC BY-NC 4.0", noncommercial=True)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(source._FIXED, "tiny", FREE)
    monkeypatch.setitem(source._FIXED, "tiny-nc", PAID)


@pytest.fixture
def hub(server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    server.files = {
        "/someone/tiny/resolve/c0ffee/w.bin": BODY,
        "/someone/tiny/resolve/c0ffee/config.json": b"{}",
    }
    return server


def test_files_come_from_the_hub_that_the_environment_names(hub, capsys: pytest.CaptureFixture[str]):
    paths = fetch_weights(FREE)
    assert paths["w.bin"].read_bytes() == BODY and paths["config.json"].read_bytes() == b"{}"
    assert paths["w.bin"].parent == home_dir() / "weights" / "tiny"
    said = capsys.readouterr().err
    assert "MIT" in said and "0 MB" in said and hub.url in said


def test_cached_weights_make_no_request(hub):
    fetch_weights(FREE)
    hub.requests.clear()
    fetch_weights(FREE)
    assert hub.requests == []


def test_what_is_in_the_folder_already_is_not_asked_for_again(hub):
    FREE.folder.mkdir(parents=True)
    (FREE.folder / "w.bin").write_bytes(BODY)
    fetch_weights(FREE)
    assert [path for path, _ in hub.requests] == ["/someone/tiny/resolve/c0ffee/config.json"]


def test_offline_says_what_to_put_where_and_makes_no_request(hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsMissing, match=r"Tiny lacks w\.bin .*resolve/c0ffee/w\.bin and put it at"):
        fetch_weights(FREE)
    assert hub.requests == []


def test_a_file_put_there_by_hand_counts(monkeypatch: pytest.MonkeyPatch):
    FREE.folder.mkdir(parents=True)
    for name, body in (("w.bin", BODY), ("config.json", b"{}")):
        (FREE.folder / name).write_bytes(body)
    assert fetch_weights(FREE)["w.bin"] == FREE.folder / "w.bin"
    assert status("tiny").ready


def test_a_file_with_another_size_is_refused_and_named():
    FREE.folder.mkdir(parents=True)
    (FREE.folder / "w.bin").write_bytes(BODY[:-1])
    assert not status("tiny").ready
    with pytest.raises(WeightsCorrupt, match="has 11999 bytes, expected 12000"):
        fetch_weights(FREE)


def test_a_file_with_other_bytes_is_refused_by_its_digest():
    FREE.folder.mkdir(parents=True)
    (FREE.folder / "w.bin").write_bytes(BODY[:-1] + b"?")
    with pytest.raises(WeightsCorrupt, match="damaged or another version"):
        fetch_weights(FREE)


def test_the_hubs_own_cache_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import huggingface_hub.constants

    snapshot = tmp_path / "models--someone--tiny" / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (snapshot / "w.bin").write_bytes(BODY)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert find_files(FREE) is None  # config.json is not there: half a set is none
    (snapshot / "config.json").write_bytes(b"{}")
    assert find_files(FREE) == {"w.bin": snapshot / "w.bin", "config.json": snapshot / "config.json"}
    assert fetch_weights(FREE)["w.bin"] == snapshot / "w.bin"


def test_a_noncommercial_licence_is_shown_and_accepted_once(hub):
    with pytest.raises(
        LicenceNotAccepted, match=r"CC BY-NC 4\.0 .*mvr weights fetch tiny-nc --accept-licence"
    ):
        fetch_weights(PAID)
    assert hub.requests == []
    accept_licence("tiny-nc")
    assert licence_accepted(PAID)
    fetch_weights(PAID)
    assert json.loads((home_dir() / "licences.json").read_text())["tiny-nc"]["licence"] == "CC BY-NC 4.0"


def test_a_licence_that_changes_is_asked_again():
    accept_licence("tiny-nc")
    assert not licence_accepted(dataclasses.replace(PAID, licence="CC BY-NC 5.0"))


def test_status_says_what_lacks_without_a_request(hub):
    found = status("tiny-nc")
    assert not found.ready and not found.licence_accepted and found.noncommercial
    assert "w.bin, config.json" in found.lacks and "mvr weights fetch tiny-nc" in found.lacks
    assert hub.requests == []


def test_a_digest_is_read_once_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "w.bin"
    path.write_bytes(BODY)
    first = file_sha256(path)
    assert first == hashlib.sha256(BODY).hexdigest()
    with monkeypatch.context() as patched:
        patched.setattr("mvr.backbones.weights.digest.content_hash", lambda *_: pytest.fail("read again"))
        assert file_sha256(path) == first
    path.write_bytes(BODY + b"!")
    assert file_sha256(path) == hashlib.sha256(BODY + b"!").hexdigest()


def card(**fields) -> SystemCard:
    return SystemCard(name="x", title="X", summary="", trained_on="nothing", **fields)


def test_a_card_lacks_the_weights_of_both_its_backbones():
    system = card(video=BackboneCard(name="clip"), audio=BackboneCard(name="mert"))
    assert weights_of_card(system) == ["clip:ViT-B-32/openai", "mert-95m"]
    clip, mert = missing_weights(system)
    assert "CLIP ViT-B-32 (openai) lacks" in clip and "MERT-v1-95M lacks" in mert


def test_one_set_of_weights_for_both_backbones_is_named_once():
    system = card(video=BackboneCard(name="imagebind"), audio=BackboneCard(name="imagebind"))
    assert weights_of_card(system) == ["imagebind"]
    assert "4.8 GB" in missing_weights(system)[0]


def test_descriptors_and_local_files_need_nothing(tmp_path: Path):
    path = tmp_path / "own.pth"
    path.touch()
    system = card(
        video=BackboneCard(name="descriptors"),
        audio=BackboneCard(name="imagebind", options={"weights": str(path)}),
    )
    assert weights_of_card(system) == [] and missing_weights(system) == []
    path.unlink()
    assert missing_weights(system) == [f"the weights file {path} does not exist"]


@pytest.mark.parametrize("name", ["nonsense", "clip", "clip:ViT-B-32/homemade"])
def test_unknown_weights_are_refused(name: str):
    with pytest.raises(UsageError, match="choose from"):
        weights_source(name)


def test_every_fixed_source_says_its_licence_and_pins_its_files():
    for name in ("imagebind", "mert-95m"):
        found = weights_source(name)
        assert found.noncommercial and found.licence.startswith("CC BY-NC")
        assert all(file.size_bytes and file.digest for file in found.files)
    assert weights_source("mert-95m").revision != "main"
    assert weights_source("clip:ViT-B-32/openai").revision != "main"
    assert not weights_source("clip:ViT-B-32/openai").noncommercial


def test_weights_that_only_open_clip_knows_say_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(
        ExtraMissing, match=r"'clip:RN50/yfcc15m' needs open_clip, .* pip install 'mvr\[models\]'"
    ):
        weights_source("clip:RN50/yfcc15m")
    assert weights_source("clip:ViT-B-32/openai").licence == "MIT"

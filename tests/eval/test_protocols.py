"""Protocol files: all of them validate, one runs from store to report, training is not repeated."""

from __future__ import annotations

import json

import pytest

from eval.protocols.__main__ import main
from eval.protocols.protocol import load_protocol, protocol_names, with_heads
from mvr.errors import UsageError
from tests.eval.conftest import few_steps, write_protocol


def test_every_shipped_protocol_validates_and_can_be_planned():
    names = protocol_names()
    assert {"emomv", "mgsv-ec", "papers", "yt8m-musicvideo", "yt8m-public", "yt8m-topics"} <= set(names)
    for name in names:
        protocol = load_protocol(name)
        assert protocol.name == name and protocol.about and protocol.plan(("pair",)).tasks


@pytest.fixture
def small(tmp_path):
    return write_protocol(tmp_path / "small.yaml", few_steps("genre"), alphas=[0, 1])


def test_a_protocol_runs_from_store_to_report_and_trains_once(small, store, tmp_path):
    command = ["run", str(small), "--features", str(store), "--work", str(tmp_path / "work")]
    assert main([*command, "--out", str(tmp_path / "first")]) == 0
    heads = list((tmp_path / "work" / "heads").glob("ours-*.safetensors"))
    made = [path.stat().st_mtime_ns for path in heads]
    assert len(heads) == 1
    assert main([*command, "--out", str(tmp_path / "second")]) == 0
    assert [path.stat().st_mtime_ns for path in heads] == made
    first, second = ((tmp_path / name / "results.json").read_bytes() for name in ("first", "second"))
    assert first == second
    systems = {row["system"] for row in json.loads(first)["rows"]}
    assert systems == {"ours", "cca", "random"}


def test_a_protocol_without_its_store_says_how_to_get_it(small, tmp_path, capsys):
    assert main(["run", str(small), "--out", str(tmp_path / "out")]) == 2
    assert "needs --features STORE: mvr features import" in capsys.readouterr().err
    assert main(["run", "emomv", "--out", str(tmp_path / "out")]) == 2
    assert "give --data DIR" in capsys.readouterr().err


def test_unknown_names_and_keys_are_refused(tmp_path, capsys):
    assert main(["run", "emomw", "--out", str(tmp_path)]) == 2
    assert "unknown protocol 'emomw'; choose from" in capsys.readouterr().err
    (tmp_path / "bad.yaml").write_text("name: a\ntitle: b\nabout: c\nstore: {}\nalpha: [0]\n")
    with pytest.raises(UsageError, match="alpha"):
        load_protocol(str(tmp_path / "bad.yaml"))


def test_some_heads_of_a_protocol_can_be_chosen():
    protocol = load_protocol("emomv")
    assert [spec.name for spec in with_heads(protocol, ["mvbind"]).heads] == ["mvbind"]
    assert with_heads(protocol, []) == protocol
    with pytest.raises(UsageError, match="has no head 'mvbond'; choose from mvbind"):
        with_heads(protocol, ["mvbond"])


def test_the_list_names_every_protocol(capsys):
    assert main(["list"]) == 0
    assert all(name in capsys.readouterr().out for name in ("emomv",))

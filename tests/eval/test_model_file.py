"""How the small models are written."""

from __future__ import annotations

import json
import sys

from eval.timing.models.model_file import write_model


def test_a_model_tells_the_command_that_made_it_and_on_how_many_examples(tmp_path, monkeypatch, capsys):
    out, product = tmp_path / "out.json", tmp_path / "bar_model.json"
    monkeypatch.setattr(sys, "argv", ["x", "--rounds", "3", "--out", str(out)])
    counts = {"rounds": 24, "songs": 2}
    write_model(
        "about", product, counts, lambda rounds, songs: range(rounds * songs), lambda data: {"weights": data}
    )
    made_by = "python -m eval.timing.models.bar_model --rounds 3 --songs 2"
    assert json.loads(out.read_text()) == {"made_by": made_by, "examples": 6, "weights": [0, 1, 2, 3, 4, 5]}
    assert not product.exists() and capsys.readouterr().out == f"{out}: fitted on 6 examples\n"

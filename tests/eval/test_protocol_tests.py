"""The further tests of a protocol: the alpha is chosen on val and recounted here, normalisation stands apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from eval.protocols.__main__ import main
from eval.protocols.mixing import _best_alpha
from eval.retrieval.evaluation import embed_split
from eval.retrieval.systems import load_candidates
from mvr.datatypes import Direction, branch_weights, mix_branches
from mvr.embeddings.store import FeatureStore
from mvr.metrics.ranks import rank_embeddings
from tests.eval.conftest import few_steps, write_protocol

ALPHAS = [0, 0.25, 0.5, 0.75, 1]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("protocol") / "small.yaml"
    return write_protocol(path, few_steps("genre", epochs=3), tasks=["pair", "label:genre"], alphas=ALPHAS)


@pytest.fixture(scope="module")
def command(small, store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("further")
    return [
        str(small),
        "--features",
        str(store),
        "--work",
        str(folder / "work"),
        "--out",
        str(folder),
    ], folder


def recall(head, store, split, direction, alpha) -> np.ndarray:
    """Recall@10 per query, counted anew from the head's embeddings."""
    opened = FeatureStore.open(store)
    (candidate,) = load_candidates(opened, [str(head)], ())
    tests, (embedded,) = embed_split([candidate], opened, split)
    weights = branch_weights(alpha, 2)
    sides = {"video": mix_branches(embedded.video.vectors, weights)}
    sides["audio"] = mix_branches(embedded.audio.vectors, weights)
    return rank_embeddings(sides[direction.query], sides[direction.target], groups=tests.groups).hits(10)


def test_the_alpha_is_the_best_of_val_and_its_gain_that_of_test(command, store):
    options, folder = command
    assert main(["mixing", *options]) == 0
    entries = json.loads((folder / "mixing.json").read_text())["comparisons"]
    assert [(e["task"], e["direction"]) for e in entries] == [
        (task, direction) for task in ("pair", "label:genre") for direction in ("v2m", "m2v")
    ]
    (head,) = (folder / "work" / "heads").glob("*.safetensors")
    on_val = {a: np.mean([recall(head, store, "val", d, a).mean() for d in Direction]) for a in ALPHAS}
    assert on_val[entries[0]["alpha"]] == pytest.approx(max(on_val.values()))
    for entry, direction in zip(entries[:2], Direction, strict=True):
        mixed, alone = (recall(head, store, "test", direction, a).mean() for a in (entry["alpha"], 0.0))
        assert entry["difference"] == pytest.approx(mixed - alone, abs=1e-6)
        assert entry["not_worse"] == (entry["interval"][0] > -0.02)
    assert "not worse" in (folder / "mixing.md").read_text()


def test_of_equal_alphas_the_nearest_to_the_branch_is_taken():
    class Flat:
        def values(self, task, direction, alpha):
            return np.ones(3)

    assert _best_alpha(Flat(), "pair", (0.0, 0.5, 1.0), alone=0.0) == 0.0
    assert _best_alpha(Flat(), "label:genre", (0.0, 0.5, 1.0), alone=1.0) == 1.0


def test_normalisation_stands_beside_the_plain_system_with_a_bank_of_training_rows(command, store):
    options, folder = command
    assert main(["hubs", *options]) == 0
    document = json.loads((folder / "hubs.json").read_text())
    assert document["banks"] == {"all training rows": 100}
    assert len(document["rows"]) == 2 * 3 * 2  # ours and cca; none and two methods; two directions
    (head,) = (folder / "work" / "heads").glob("*.safetensors")
    for row in document["rows"]:
        if (row["system"], row["method"]) == ("ours", "none"):
            plain = recall(head, store, "test", Direction(row["direction"]), 0.0).mean()
            assert row["recall"]["10"] == pytest.approx(plain, abs=1e-6)
        if row["method"] != "none":
            (base,) = [
                r
                for r in document["rows"]
                if (r["system"], r["direction"], r["method"]) == (row["system"], row["direction"], "none")
            ]
            gain = row["recall"]["10"] - base["recall"]["10"]
            assert row["against_plain"]["difference"] == pytest.approx(gain, abs=2e-6)
    assert "Not part of any other table" in (folder / "hubs.md").read_text()


def test_protocols_without_branches_or_labels_are_refused(small, store, tmp_path, capsys):
    protocol = yaml.safe_load(small.read_text())
    (tmp_path / "pairs.yaml").write_text(yaml.safe_dump({**protocol, "tasks": ["pair"]}))
    (tmp_path / "none.yaml").write_text(yaml.safe_dump({**protocol, "heads": []}))
    for name, message in (("pairs", "needs a label task"), ("none", "no head with two branches")):
        given = [str(tmp_path / f"{name}.yaml"), "--features", str(store), "--out", str(tmp_path / "out")]
        assert main(["mixing", *given]) == 2
        assert message in capsys.readouterr().err

"""The report as a user runs it: the JSON of the contract, slow recounts of its numbers, identical bytes, refusals."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from eval.retrieval.__main__ import main
from mvr.datatypes import branch_weights
from mvr.embeddings.store import FeatureStore
from mvr.heads import load_head


@pytest.fixture(scope="session")
def report(store, head, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    assert main(arguments(store, head, out)) == 0
    return out


def arguments(store, head, out):
    options = ["--features", str(store), "--head", str(head), "--out", str(out)]
    return [*options, "--alphas", "0,0.5,1", "--pool", "20", "--draws", "500"]


def rows_of(report, **wanted):
    document = json.loads((report / "results.json").read_text())
    return [row for row in document["rows"] if all(row[name] == value for name, value in wanted.items())]


def test_json_is_the_documented_form_and_the_only_thing_on_stdout(store, head, tmp_path, capsys):
    assert main([*arguments(store, head, tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "results.json").read_text())
    for row in document["rows"]:
        assert {
            "system",
            "alpha",
            "direction",
            "task",
            "pool",
            "recall",
            "median_rank",
            "mrr",
            "precision",
        } < set(row)
        assert row["direction"] in ("v2m", "m2v") and row["task"] in ("pair", "label:genre")
        assert {"recall", "median_rank", "mrr", "precision"} <= set(row["chance"])
        assert set(row["recall"]) == {"1", "5", "10"}
    assert {row["system"] for row in document["rows"]} == {"control-mvr", "cca", "random"}
    assert {row["alpha"] for row in document["rows"] if row["system"] == "control-mvr"} == {0.0, 0.5, 1.0}
    assert {row["pool"] for row in document["rows"]} == {39, 20}


@pytest.mark.parametrize("direction", ["v2m", "m2v"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_pair_numbers_equal_a_slow_count(report, store, head, direction, alpha):
    opened, loaded = FeatureStore.open(store), load_head(head)
    rows = opened.rows("test")
    sides = {}
    for name, encode in (("v", loaded.encode_video), ("m", loaded.encode_audio)):
        matrix = np.asarray((opened.video if name == "v" else opened.audio)[rows], np.float32)
        vectors = encode(matrix).vectors.astype(np.float64)
        mixed = (vectors * branch_weights(alpha, 2)[None, :, None]).sum(axis=1)
        sides[name] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    queries, items = (sides["v"], sides["m"]) if direction == "v2m" else (sides["m"], sides["v"])
    groups = [opened.groups[row] for row in rows]
    ranks = []
    for query, group in zip(queries, groups, strict=True):
        best: dict[str, float] = {}
        for item, own in zip(items, groups, strict=True):
            best[own] = max(best.get(own, -2.0), float(query @ item))
        ranks.append(1 + sum(score > best[group] for score in best.values()))
    (row,) = rows_of(report, system="control-mvr", alpha=alpha, direction=direction, task="pair", pool=39)
    assert row["recall"]["10"] == pytest.approx(np.mean([r <= 10 for r in ranks]), abs=1e-6)
    assert row["median_rank"] == np.median(ranks)
    assert row["mrr"] == pytest.approx(np.mean([1 / r for r in ranks]), abs=1e-6)
    assert row["intervals"]["recall@10"][0] <= row["recall"]["10"] <= row["intervals"]["recall@10"][1]


def test_label_precision_equals_a_slow_count(report, store, head):
    opened, loaded = FeatureStore.open(store), load_head(head)
    rows = opened.rows("test")
    labels = [opened.labels["genre"][row] for row in rows]
    video = loaded.encode_video(np.asarray(opened.video[rows], np.float32)).vectors[:, 1]
    music = loaded.encode_audio(np.asarray(opened.audio[rows], np.float32)).vectors[:, 1]
    groups = [opened.groups[row] for row in rows]
    shares = []
    for query, own in zip(video, labels, strict=True):
        if not own:
            continue
        best: dict[str, tuple[float, set[str]]] = {}
        for item, group, names in zip(music, groups, labels, strict=True):
            score, known = best.get(group, (-2.0, set()))
            best[group] = (max(score, float(query @ item)), known | set(names))
        first = sorted(best.values(), key=lambda pair: -pair[0])[:5]
        shares.append(np.mean([bool(names & set(own)) for _, names in first]))
    (row,) = rows_of(report, system="control-mvr", alpha=1.0, direction="v2m", task="label:genre", pool=39)
    assert row["queries"] == len(shares)
    assert row["precision"]["5"] == pytest.approx(np.mean(shares), abs=1e-6)


def test_cca_beats_chance_and_random_does_not(report):
    for direction in ("v2m", "m2v"):
        (cca,) = rows_of(report, system="cca", direction=direction, task="pair", pool=39)
        (random,) = rows_of(report, system="random", direction=direction, task="pair", pool=39)
        assert cca["intervals"]["recall@10"][0] > cca["chance"]["recall"]["10"]
        assert random["intervals"]["recall@10"][0] <= random["chance"]["recall"]["10"]
    claims = json.loads((report / "results.json").read_text())["comparisons"]
    (found,) = [c for c in claims if {c["first"], c["second"]} == {"cca", "random"} and c["task"] == "pair"][
        :1
    ]
    assert found["claim"] and found["p_holm"] >= found["p"]


def test_a_smaller_pool_has_its_own_chance(report):
    (row,) = rows_of(report, system="random", direction="v2m", task="pair", pool=20)
    assert row["chance"]["recall"]["10"] == 0.5
    assert row["chance"]["median_rank"] == 10.5


def test_the_same_inputs_give_identical_bytes(report, store, head, tmp_path):
    assert main(arguments(store, head, tmp_path)) == 0
    for name in sorted(path.name for path in report.iterdir()):
        if name != "run.json":  # names the output folder
            first, second = ((folder / name).read_bytes() for folder in (report, tmp_path))
            assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest(), name


def test_every_number_says_where_it_comes_from(report, store):
    document = json.loads((report / "results.json").read_text())
    hashes = document["features"]["sha256"]
    assert hashes["video.npy"] == hashlib.sha256((store / "video.npy").read_bytes()).hexdigest()
    assert document["settings"]["seed"] == 0 and document["settings"]["draws"] == 500
    run = json.loads((report / "run.json").read_text())
    assert len(run["code_sha256"]) == 64 and run["revision"] and run["packages"]["numpy"]


def test_every_query_is_in_the_parquet_file(report):
    table = pq.read_table(report / "queries.parquet").to_pylist()
    own = [
        row
        for row in table
        if (row["system"], row["task"], row["direction"], row["pool"]) == ("cca", "pair", "v2m", 39)
    ]
    (row,) = rows_of(report, system="cca", direction="v2m", task="pair", pool=39)
    assert len(own) == 40
    assert np.median([one["rank"] for one in own]) == row["median_rank"]
    assert np.mean([one["recall@10"] for one in own]) == pytest.approx(row["recall"]["10"], abs=1e-6)


def test_tables_hold_every_system_and_chance(report):
    markdown, latex = ((report / f"results.{suffix}").read_text() for suffix in ("md", "tex"))
    for text in (markdown, latex):
        assert all(name in text for name in ("control-mvr", "cca", "random", "chance", "39 candidates"))
    assert "R@10 \\%" in latex and latex.count("\\begin{tabular}") == latex.count("\\end{tabular}")
    lines = (report / "results.csv").read_text().splitlines()
    assert lines[0].startswith("system,alpha,direction,task,pool,") and len(lines) == 1 + len(rows_of(report))


def test_the_gallery_escapes_what_comes_from_the_store(report):
    page = (report / "gallery.html").read_text()
    assert "clip &lt;1" in page and "clip <1" not in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


def test_a_store_without_split_train_has_no_cca_and_says_so(tmp_path, capsys):
    import pyarrow as pa

    from mvr.embeddings.store import write_store

    generator = np.random.default_rng(1)
    same = generator.standard_normal((15, 6)).astype(np.float32)
    manifest = pa.table({"id": [str(i) for i in range(15)], "split": ["test"] * 15})
    write_store(tmp_path / "store", video=same, audio=same, manifest=manifest)
    assert (
        main(["--features", str(tmp_path / "store"), "--out", str(tmp_path / "out"), "--draws", "200"]) == 0
    )
    assert "cca is not in the table" in capsys.readouterr().err
    (row,) = rows_of(tmp_path / "out", system="identity", direction="v2m", task="pair")
    assert row["recall"]["1"] == 1.0  # one space for both modalities, and equal features


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--split", "tset"], 2, "unknown split 'tset'"),
        (["--tasks", "label:mood"], 2, "there is no task 'label:mood': the label columns are label:genre"),
        (["--tasks", "pairs"], 2, "unknown task 'pairs'"),
        (["--alphas", "0,2"], 2, "alphas must be between 0 and 1"),
        (["--alphas", "x"], 2, "--alphas takes numbers"),
        (["--pool", "50"], 2, "a sub-pool of 50 cannot be drawn from 39 candidates"),
        (["--head", "nowhere.safetensors"], 1, "nowhere.safetensors"),
        (["--head", "a=nowhere", "a=nowhere"], 1, "nowhere"),
    ],
)
def test_wrong_input_is_one_sentence_and_an_exit_code(store, tmp_path, capsys, options, code, message):
    assert main(["--features", str(store), "--out", str(tmp_path / "out"), *options]) == code
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and captured.out == ""


def test_two_heads_of_one_name_are_refused(store, head, tmp_path, capsys):
    options = ["--features", str(store), "--out", str(tmp_path), "--head", f"a={head}", f"a={head}"]
    assert main(options) == 2
    assert "two systems would be called 'a'" in capsys.readouterr().err


def test_a_head_for_other_features_is_refused(tmp_path, head, capsys):
    from tests.eval.conftest import make_store

    other = make_store(tmp_path / "other", video_dim=9)
    assert main(["--features", str(other), "--out", str(tmp_path / "out"), "--head", str(head)]) == 1
    assert "takes features 12 and 8 wide" in capsys.readouterr().err

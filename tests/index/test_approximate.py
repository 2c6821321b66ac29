"""Approximate kinds: exact scores, measured recall, files that refuse what does not fit."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eval.speed.index_file import finish_large, load_index, read_facts, save_index, write_large
from eval.speed.store_index import choose_kind
from mvr.datatypes import branch_weights, mix_branches
from mvr.errors import DataError, SettingsMismatch, UsageError
from mvr.index import IndexSettings, create_index
from mvr.index.approximate import ApproximateIndex
from mvr.index.recall import calibrate, exact_hits, recall_at

BRANCHES = ("ssl", "genre")
ALPHAS = [branch_weights(alpha, 2) for alpha in (0.0, 0.5, 1.0)]


def unit(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Rows of low intrinsic dimension, as embeddings are: 16 latents in `shape[-1]` dimensions."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((shape[1], 16, shape[-1]))
    latents = rng.standard_normal((shape[0], shape[1], 16))
    vectors = np.einsum("nbl,bld->nbd", latents, mixing) + 0.1 * rng.standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def index() -> ApproximateIndex:
    made = create_index("rabitq", 64, BRANCHES, system="s1", options={"rows": 4000})
    made.add([f"r{i}" for i in range(4000)], unit((4000, 2, 64), 1))
    assert isinstance(made, ApproximateIndex)
    return made


@pytest.mark.parametrize("weights", ALPHAS)
def test_scores_are_exact_for_what_is_found(index: ApproximateIndex, weights: np.ndarray) -> None:
    query = unit((1, 2, 64), 2)[0]
    hits = index.search(query, weights, 10)
    stored = np.asarray(index.vectors[hits.rows], np.float32)
    expected = mix_branches(stored, weights) @ mix_branches(query[None], weights)[0]
    np.testing.assert_allclose(hits.scores, expected, atol=1e-4)
    assert (np.diff(hits.scores) <= 0).all() and len(hits.rows) == 10


def test_calibration_reaches_the_wanted_recall_with_the_least_effort(index: ApproximateIndex) -> None:
    queries = unit((30, 2, 64), 3)
    recall = calibrate(index, queries, ALPHAS, wanted=0.99)
    assert recall >= 0.99 and index.effort < 4000
    truth = exact_hits(index.vectors, index.grams, queries, ALPHAS[1], 10)
    assert recall_at(index, truth, queries, ALPHAS[1]) >= recall - 1e-9


def test_the_truth_is_that_of_the_exact_index() -> None:
    rows, queries = unit((3000, 2, 64), 4), unit((5, 2, 64), 5)
    exact = create_index("numpy", 64, BRANCHES)
    exact.add([str(i) for i in range(3000)], rows)
    from mvr.index.mixture import gram

    for weights in ALPHAS:
        for query, truth in zip(queries, exact_hits(rows, gram(rows), queries, weights, 10), strict=True):
            assert truth.rows.tolist() == exact.search(query, weights, 10).rows.tolist()


def test_filters_are_kept_and_few_allowed_rows_are_all_scored(index: ApproximateIndex) -> None:
    query, weights = unit((1, 2, 64), 6)[0], ALPHAS[1]
    allowed = np.arange(4000) % 50 == 0
    hits = index.search(query, weights, 100, allowed=allowed)
    assert len(hits.rows) == 80 and allowed[hits.rows].all()


def test_more_than_there_is_gives_all(index: ApproximateIndex) -> None:
    assert len(index.search(unit((1, 2, 64), 7)[0], ALPHAS[0], 10_000).rows) == 4000


def test_cross_products_cover_every_row(index: ApproximateIndex) -> None:
    query, weights = unit((1, 2, 64), 8)[0], ALPHAS[1]
    scores = index.cross(query).scores(weights)
    expected = (
        mix_branches(np.asarray(index.vectors, np.float32), weights) @ mix_branches(query[None], weights)[0]
    )
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["numpy", "flat", "rabitq"])
def test_a_saved_index_answers_as_before(kind: str, tmp_path: Path) -> None:
    made = create_index(kind, 64, BRANCHES, system="s1", options={"rows": 3000})
    made.add([f"é{i}" for i in range(3000)], unit((3000, 2, 64), 9))
    save_index(made, tmp_path / "i", {"recall_at_10": 0.99})
    again = load_index(tmp_path / "i", system="s1", settings=made.settings)
    query = unit((1, 2, 64), 10)[0]
    for weights in ALPHAS:
        before, after = made.search(query, weights, 7), again.search(query, weights, 7)
        assert before.rows.tolist() == after.rows.tolist() and again.ids == made.ids
        np.testing.assert_allclose(before.scores, after.scores, atol=1e-6)
    assert read_facts(tmp_path / "i")["facts"] == {"recall_at_10": 0.99}


def test_another_systems_or_a_differing_index_is_refused(tmp_path: Path) -> None:
    made = create_index("flat", 64, BRANCHES, system="s1")
    made.add(["a"], unit((1, 2, 64), 0))
    save_index(made, tmp_path / "i")
    with pytest.raises(SettingsMismatch, match="system='s1', but system='s2'"):
        load_index(tmp_path / "i", system="s2")
    other = IndexSettings(kind="flat", dim=64, branches=("ssl", "emotion"), system="s1")
    with pytest.raises(SettingsMismatch, match="branches="):
        load_index(tmp_path / "i", settings=other)
    with pytest.raises(UsageError, match="is there already"):
        save_index(made, tmp_path / "i")


def test_a_damaged_index_is_refused(tmp_path: Path) -> None:
    made = create_index("flat", 64, BRANCHES)
    made.add(["a", "b"], unit((2, 2, 64), 0))
    save_index(made, tmp_path / "i")
    np.save(tmp_path / "i" / "vectors.npy", unit((1, 2, 64), 0))
    with pytest.raises(DataError, match=r"has 1 rows, index\.json says 2"):
        load_index(tmp_path / "i")
    with pytest.raises(DataError, match="is not an index"):
        load_index(tmp_path)


def test_a_large_index_is_built_block_by_block_in_bounded_memory(tmp_path: Path) -> None:
    rows, block = 60_000, 1000
    settings = IndexSettings(kind="rabitq", dim=64, branches=BRANCHES, system="s1")

    def blocks() -> Iterator[tuple[list[str], np.ndarray]]:
        for at in range(0, rows, block):
            yield [f"r{i}" for i in range(at, at + block)], unit((block, 2, 64), at)

    tracemalloc.start()
    made = write_large(tmp_path / "i", settings, rows, blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows * 2 * 64 * 4 / 2, f"{peak / 1e6:.1f} MB: half of what the vectors take"
    recall = calibrate(made, unit((20, 2, 64), 5), ALPHAS)
    finish_large(made, tmp_path / "i", {"recall_at_10": recall})
    again = load_index(tmp_path / "i", system="s1")
    assert isinstance(again, ApproximateIndex) and again.effort == made.effort
    assert isinstance(again.vectors, np.memmap) and recall >= 0.99
    query = unit((1, 2, 64), 11)[0]
    assert again.search(query, ALPHAS[1], 5).rows.tolist() == made.search(query, ALPHAS[1], 5).rows.tolist()


def test_other_than_the_announced_number_of_rows_is_refused(tmp_path: Path) -> None:
    settings = IndexSettings(kind="rabitq", dim=64, branches=BRANCHES)
    with pytest.raises(DataError, match="3 rows came, 5 were announced"):
        write_large(tmp_path / "i", settings, 5, [(["a", "b", "c"], unit((3, 2, 64), 0))])


def test_small_libraries_are_searched_exactly() -> None:
    assert (choose_kind(10), choose_kind(100_000), choose_kind(1_000_000)) == ("flat", "flat", "rabitq")

"""What votes teach: taste that is in the features is found, taste that is not changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from mvr.arena.reranking.gates import may_be_promoted, promotion_gates
from mvr.arena.reranking.model import Reranker, fit_reranker
from mvr.arena.reranking.pairs import VotePairs, vote_pairs
from mvr.arena.reranking.personal import personal_reranker, usable_votes
from mvr.arena.reranking.residual import cross_validate, fit_beta, fit_residual, log_loss, split_folds
from mvr.datatypes import Direction
from mvr.errors import DataError, NotFinite, SettingsMismatch

WIDTH = 8


def synthetic(votes: int = 400, taste: float = 3.0, seed: int = 0) -> VotePairs:
    """Votes of 30 people on 40 videos who like items along one direction of the features, beside similarity."""
    rng = np.random.default_rng(seed)
    likes = rng.normal(size=WIDTH)
    likes *= taste / np.linalg.norm(likes)
    difference = rng.normal(size=(votes, WIDTH)) / np.sqrt(WIDTH)
    gap = rng.normal(0, 0.1, votes)
    chance = 1 / (1 + np.exp(-(8 * gap + difference @ likes)))
    target = np.where(rng.random(votes) < 0.15, 0.5, (rng.random(votes) < chance).astype(float))
    return VotePairs(
        gap=gap,
        difference=difference,
        target=target,
        voter=rng.integers(0, 30, votes).astype(str),
        group=rng.integers(0, 40, votes).astype(str),
    )


def test_taste_is_found_and_foretells_votes_of_unseen_people_on_unseen_videos():
    model, report = fit_reranker(synthetic(), system="cca", version="1")
    assert report.accuracy > report.base_accuracy + 0.05 and report.gain.low > 0
    assert len(model.training_groups) == 40 and report.votes > 250


def test_votes_without_taste_pull_the_residual_to_nothing():
    model, report = fit_reranker(synthetic(taste=0.0), system="cca", version="1")
    assert report.gain.low <= 0
    assert model.residual.beta * np.linalg.norm(model.residual.weights) < 0.6


def test_no_voter_and_no_video_is_in_training_and_test():
    pairs = synthetic(200)
    tested = np.zeros(200, int)
    for train, test in split_folds(pairs, 5, 0):
        assert not set(pairs.voter[train]) & set(pairs.voter[test])
        assert not set(pairs.group[train]) & set(pairs.group[test])
        tested += test
    assert tested.max() == 1 and tested.sum() == 200


def test_the_fit_is_the_minimum_of_the_stated_loss():
    pairs, penalty = synthetic(120), 0.01
    found = fit_residual(pairs, penalty)

    def loss(weights):
        logits = found.beta * (pairs.gap + pairs.difference @ weights)
        return log_loss(logits, pairs.target) + penalty * found.beta**2 * weights @ weights

    assert np.abs(approx_fprime(found.weights, loss, 1e-7)).max() < 1e-4
    rng = np.random.default_rng(0)
    assert all(loss(found.weights + rng.normal(0, 0.1, WIDTH)) > loss(found.weights) for _ in range(20))


def test_beta_is_the_steepness_of_the_similarity():
    rng = np.random.default_rng(1)
    gap = rng.normal(0, 0.2, 20_000)
    target = (rng.random(20_000) < 1 / (1 + np.exp(-7 * gap))).astype(float)
    pairs = VotePairs(
        gap=gap,
        difference=np.zeros((20_000, 1)),
        target=target,
        voter=np.full(20_000, "a"),
        group=np.full(20_000, "b"),
    )
    assert fit_beta(pairs) == pytest.approx(7, rel=0.05)


@pytest.fixture
def model() -> Reranker:
    return fit_reranker(synthetic(150), system="cca", version="1")[0]


def test_only_the_first_places_change_and_scores_stay(model):
    rng = np.random.default_rng(0)
    ids = [f"m{i}" for i in range(30)]
    scores = sorted(rng.normal(0, 0.05, 30).tolist(), reverse=True)
    features = {item: rng.normal(size=WIDTH) for item in ids}
    out = model.rerank(ids, scores, features)
    assert [item for item, _ in out[10:]] == ids[10:] and sorted(out) == sorted(zip(ids, scores, strict=True))
    gained = [score + model.gain(item, features) for item, score in out[:10]]
    assert gained == sorted(gained, reverse=True) and [item for item, _ in out[:10]] != ids[:10]


def test_a_model_is_saved_and_refused_for_another_version(model, tmp_path):
    model.save(tmp_path / "r.json")
    back = Reranker.load(tmp_path / "r.json", version="1")
    np.testing.assert_array_equal(back.residual.weights, model.residual.weights)
    assert back.training_groups == model.training_groups and back.depth == model.depth
    with pytest.raises(SettingsMismatch, match="version='1'"):
        Reranker.load(tmp_path / "r.json", version="2")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match="not a re-ranking model"):
        Reranker.load(tmp_path / "x.json")


def test_items_without_features_are_an_error(model):
    with pytest.raises(DataError, match="m1 has no features of width 8"):
        model.rerank(["m1"], [0.5], {"m1": np.zeros(3)})


def test_nan_in_features_is_an_error():
    with pytest.raises(NotFinite):
        VotePairs(
            gap=np.zeros(1),
            difference=np.full((1, 2), np.nan),
            target=np.ones(1),
            voter=np.array(["a"]),
            group=np.array(["b"]),
        )


def test_too_few_votes_are_refused():
    pairs = synthetic(2)
    with pytest.raises(DataError, match="too few"):
        cross_validate(pairs.where(np.array([True, False])))


def test_a_re_ranking_takes_over_only_through_all_three_gates():
    _, report = fit_reranker(synthetic(), system="cca", version="1")
    good = {"recall_before": 0.5, "recall_after": 0.49, "wins": 70, "losses": 30}
    assert may_be_promoted(promotion_gates(report, **good))
    for change in ({"recall_after": 0.48}, {"wins": 60, "losses": 40}, {"wins": 30, "losses": 70}):
        gates = promotion_gates(report, **(good | change))
        assert not may_be_promoted(gates) and sum(not gate.passed for gate in gates) == 1
    _, flat = fit_reranker(synthetic(taste=0.0), system="cca", version="1")
    assert not may_be_promoted(promotion_gates(flat, **good))


def test_votes_on_items_that_left_the_library_are_counted_and_left_out():
    row = {"outcome": "left", "query_id": "q", "left_item_id": "a", "right_item_id": "b", "voter_id": "v"}
    rows = [row | {"query_group_id": "g"}, row | {"query_group_id": "g", "right_item_id": "gone"}]
    features = {"a": np.ones(2), "b": np.zeros(2)}
    pairs = vote_pairs([*rows, rows[0] | {"outcome": "both_bad"}], lambda q, item: 0.5, features)
    assert len(pairs) == 1 and pairs.unknown == 1 and pairs.difference.tolist() == [[1.0, 1.0]]
    with pytest.raises(DataError, match="no vote can teach"):
        vote_pairs(rows[1:], lambda q, item: None, features)


def personal(store, voter, features):
    rows = usable_votes(store, voter, Direction.VIDEO_TO_MUSIC)
    return personal_reranker(rows, lambda q, item: 0.0, features, system="cca", version="1")


def test_a_visitor_has_a_ranking_of_their_own_after_twenty_votes_until_forgotten(visit, store):
    rng = np.random.default_rng(2)
    features = {f"audio-{i}": rng.normal(size=4) for i in range(40)}
    for number in range(30):
        shown = visit.next()
        left, right = (features[side.item_id][0] for side in (shown.battle.left, shown.battle.right))
        if number == 19:
            assert personal(store, "anna", features) is None
        visit.vote(shown, "left" if left > right else "right")
    model = personal(store, "anna", features)
    assert model is not None and model.residual.weights[0] > 3 * np.abs(model.residual.weights[1:]).max() / 2
    assert personal(store, "bert", features) is None
    store.forget("anna")
    assert personal(store, "anna", features) is None

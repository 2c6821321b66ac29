"""Graded metrics: K11 and K12 to their printed digits, ir-measures, scikit-learn, all orders of ties."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.errors import DataError, NotFinite
from mvr.metrics.graded import Gain, GradedSettings, graded_scores, refuse_unjudged

KNOWN = json.loads((Path(__file__).parents[1] / "golden" / "evaluation_known_answers.json").read_text())
K11 = KNOWN["K11_ir"]
LINEAR = GradedSettings(ks=(3, 5, 10), gain=Gain.LINEAR, relevant=1)


@pytest.mark.parametrize(
    ("settings_", "ours", "theirs"),
    [
        (LINEAR, "ndcg@3", "nDCG@3"),
        (LINEAR, "ndcg@5", "nDCG@5"),
        (LINEAR, "ap", "AP"),
        (LINEAR, "rr", "RR"),
        (LINEAR, "p@3", "P@3"),
        (LINEAR, "r@3", "R@3"),
        (LINEAR, "r@10", "R@10"),
        (LINEAR, "bpref", "Bpref"),
        (LINEAR, "judged@3", "Judged@3"),
        (GradedSettings(relevant=2), "ap", "AP(rel=2)"),
        (GradedSettings(relevant=2), "rr", "RR(rel=2)"),
        (GradedSettings(ks=(5,), relevant=1), "ndcg@5", "nDCG(gains={2:3,3:7})@5"),
        (
            GradedSettings(ks=(5,), relevant=1, gain=Gain.LINEAR, condensed=True),
            "ndcg@5",
            "nDCG(judged_only=True)@5",
        ),
        (GradedSettings(relevant=1, condensed=True), "ap", "AP(judged_only=True)"),
    ],
)
def test_the_known_answers_hold(settings_, ours, theirs):
    scores = graded_scores(K11["qrels"], K11["run"], settings_)
    expected = K11["per_query"][theirs]
    assert scores.queries == ("v1", "v2")
    for value, query in zip(scores.values[ours], scores.queries, strict=True):
        assert value == pytest.approx(expected[query], abs=5e-7)


def test_every_metric_equals_ir_measures_where_nothing_ties():
    import ir_measures
    from ir_measures import AP, RR, Bpref, Judged, P, R, nDCG

    generator = np.random.default_rng(0)
    names = [f"m{i}" for i in range(25)]
    qrels, run = {}, {}
    for query in range(30):
        judged = generator.choice(names, 12, replace=False)
        qrels[f"q{query}"] = {
            str(m): int(g) for m, g in zip(judged, generator.integers(0, 4, 12), strict=True)
        }
        listed = generator.choice(names, 15, replace=False)
        order = generator.permutation(15)
        run[f"q{query}"] = {str(m): float(s) for m, s in zip(listed, order, strict=True)}
    del run["q3"]  # a missing query counts 0
    pairs = {
        "ndcg@5": nDCG @ 5,
        "ap": AP,
        "rr": RR,
        "p@5": P @ 5,
        "r@5": R @ 5,
        "bpref": Bpref,
        "judged@5": Judged @ 5,
    }
    theirs = {
        (r.query_id, str(r.measure)): r.value for r in ir_measures.iter_calc(list(pairs.values()), qrels, run)
    }
    ours = graded_scores(qrels, run, GradedSettings(ks=(5,), gain=Gain.LINEAR, relevant=1))
    assert ours.missing == 1
    for name, measure in pairs.items():
        expected = [theirs.get((query, str(measure)), 0.0) for query in ours.queries]
        np.testing.assert_allclose(ours.values[name], expected, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("length", [1, 7, 10, 12])
def test_a_short_list_that_is_all_judged_is_judged_in_full_as_ir_measures_has_it(length):
    import ir_measures
    from ir_measures import Judged

    run = {"q": {f"m{i}": float(-i) for i in range(length)}}
    qrels = {"q": {f"m{i}": 3 for i in range(length)}}
    theirs = next(iter(ir_measures.iter_calc([Judged @ 10], qrels, run))).value
    scores = graded_scores(qrels, run)
    assert scores.means()["judged@10"] == theirs == 1.0
    refuse_unjudged({"short": scores})


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 9999))
def test_every_metric_is_the_mean_over_the_orders_of_tied_items(items, levels, seed):
    generator = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(items)]
    tied = dict(zip(names, generator.integers(0, levels, items).astype(float).tolist(), strict=True))
    qrels = {
        "q": {name: int(generator.integers(0, 4)) for name in names if generator.random() < 0.7} | {"x": 3}
    }
    rules = GradedSettings(ks=(2,))
    listings = [
        {name: 10 * tied[name] + place for name, place in zip(names, places, strict=True)}
        for places in itertools.permutations(range(items))
    ]
    means = [graded_scores(qrels, {"q": listing}, rules).means() for listing in listings]
    expected = {name: np.mean([one[name] for one in means]) for name in means[0]}
    ours = graded_scores(qrels, {"q": tied}, rules).means()
    expected.pop("ndcg@2 upper")  # capped at 1 per list, which a mean over orders cannot undo
    ours.pop("ndcg@2 upper")
    assert ours == pytest.approx(expected, abs=1e-12)


def test_an_unjudged_item_never_changes_bpref():
    before = graded_scores(K11["qrels"], K11["run"], LINEAR).values["bpref"]
    run = {query: {**items, "new": 0.99, "newer": 0.65} for query, items in K11["run"].items()}
    np.testing.assert_array_equal(graded_scores(K11["qrels"], run, LINEAR).values["bpref"], before)


def test_bpref_without_judged_non_relevant_items_is_that_of_trec_eval():
    assert graded_scores({"q": {"m1": 3}}, {"q": {"m1": 1.0}}).values["bpref"][0] == 1.0


def test_the_bounds_hold_the_value_whatever_the_unjudged_grades_turn_out_to_be():
    generator = np.random.default_rng(2)
    names = [f"m{i}" for i in range(8)]
    run = {"q": {name: float(8 - i) for i, name in enumerate(names)}}
    qrels = {"q": {"m0": 2, "m2": 0, "m3": 3, "m5": 1}}
    upper = graded_scores(qrels, run).means()["ndcg@10 upper"]
    for _ in range(50):
        full = {"q": {name: int(generator.integers(0, 4)) for name in names} | qrels["q"]}
        assert graded_scores(full, run).means()["ndcg@10"] <= upper + 1e-12


def test_queries_without_a_relevant_item_are_left_out_and_counted():
    scores = graded_scores({"a": {"m": 3}, "b": {"m": 1}}, {"a": {"m": 1.0}, "b": {"m": 1.0}})
    assert (scores.queries, scores.without_relevant) == (("a",), 1)
    with pytest.raises(DataError, match="no judged query has an item of grade 2"):
        graded_scores({"b": {"m": 1}}, {})


def test_a_comparison_of_unjudged_lists_is_refused():
    judged = graded_scores({"a": {f"m{i}": 3 for i in range(10)}}, {"a": {f"m{i}": -i for i in range(10)}})
    outside = graded_scores({"a": {"m0": 3}}, {"a": {f"m{i}": -i for i in range(10)}})
    refuse_unjudged({"old": judged})
    with pytest.raises(DataError, match=r"judged@10 must be at least 0.9 for every system, but is new 0.10"):
        refuse_unjudged({"old": judged, "new": outside})


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(NotFinite, match="NaN"):
        graded_scores({"a": {"m": 3}}, {"a": {"m": float("nan")}})

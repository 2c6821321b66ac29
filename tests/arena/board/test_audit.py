"""The board against itself: each planted fault is flagged in words, a clean board is not."""

from __future__ import annotations

import numpy as np
import pytest

from eval.votes.audit import WANTED
from eval.votes.planted import DAYS, OUTCOMES, planted_boards
from mvr.arena.board.audit import AuditInput, audit_section, flagged
from mvr.arena.board.original import original_section
from mvr.metrics.preference import RatingSettings, Ties
from mvr.metrics.preference.sensitivity import sensitivity


def audited(rows, before=None, by_rule=None, settings=RatingSettings()):
    return audit_section(
        AuditInput(rows=rows, before=before or rows, by_rule=by_rule or {}, settings=settings)
    )


def said(audit, check: str) -> str:
    return next(finding["said"] for finding in audit["findings"] if finding["check"] == check)


@pytest.fixture(scope="module")
def boards():
    return planted_boards(0)


@pytest.fixture
def planted_rows(boards, make_row):
    def rows(key: str):
        votes = boards[key]
        return [
            make_row(
                votes.systems[votes.left[i]],
                votes.systems[votes.right[i]],
                OUTCOMES[votes.outcome[i]],
                voter_id=f"voter-{votes.voter[i]}",
                query_group_id=f"video-{votes.video[i]}",
                day=i * DAYS // len(votes),
            )
            for i in range(len(votes))
        ]

    return rows


@pytest.mark.parametrize("key", [key for key in WANTED if "exclusion" not in WANTED[key]])
def test_planted_faults_are_flagged_and_an_even_board_is_not(key, boards, planted_rows):
    bends = sensitivity(boards[key]).publish_decisive_only
    audit = audited(planted_rows(key), settings=RatingSettings(ties=Ties.DROP if bends else Ties.DAVIDSON))
    names = set(flagged(audit))
    assert names >= set(WANTED[key]) and (names == set() or key != "even-board")


def test_a_circle_is_named_and_stands_in_the_points_of_its_pairs(planted_rows):
    audit = audited(planted_rows("rock-paper-scissors"))
    circle = "model-a beats model-b, model-b beats model-c, model-c beats model-a"
    assert circle in said(audit, "cycles")
    pair = next(p for p in audit["pairs"] if (p["first"], p["second"]) == ("model-a", "model-c"))
    assert pair["points_share"] < 0.4 < 0.5 < pair["expected_share"] and pair["p_holm"] < 1e-6


def test_one_system_that_always_stands_left_and_the_order_without_the_slot_term_are_said(planted_rows):
    audit = audited(planted_rows("first-slot-favoured"))
    assert "model-c is on the left in 98 %" in said(audit, "sides")
    slot = said(audit, "slot")
    assert "that matters" in slot and "Without that correction the order is model-c, model-a" in slot
    assert audit["left_share"]["model-c"] == pytest.approx(0.98, abs=0.01)


def test_lopsided_votes_have_a_sentence_with_both_numbers(planted_rows):
    audit = audited(planted_rows("lopsided-budget"))
    assert "model-a is in 5465 votes, model-f in 117" in said(audit, "balance")


def test_power_voters_are_counted_before_the_cap_and_before_they_are_set_aside(planted_rows):
    before = planted_rows("a-few-power-voters")
    barred = {"one system": {f"voter-{number}" for number in (0, 1, 2, 3)}}
    rows = [row for row in before if row["voter_id"] not in barred["one system"]]
    audit = audited(rows, before, barred)
    assert "300 voters count as 42.7 equally busy ones before" in said(audit, "concentration")
    assert "the busiest 6 cast 36 % of the votes" in said(audit, "concentration")
    share = 1 - len(rows) / len(before)
    line = next(other for other in audit["orders"] if other.get("rule") == "one system")
    assert line["share"] == pytest.approx(share) and line["voters"] == 4
    assert f"{100 * share:.1f} % of the votes are set aside" in said(audit, "exclusion")
    assert set(flagged(audit)) >= {"concentration", "exclusion"}


def test_the_order_without_a_rule_has_its_voters_back(make_rows, make_row):
    rows = make_rows([("a", "b", 120, 80)])
    shills = [
        make_row(*sides, (sides[0] == "b" and "left") or "right", voter_id=f"shill-{i % 5}", day=i % 12)
        for i in range(100)
        for sides in (("b", "a"), ("a", "b"))
    ]
    audit = audited(
        rows, [*rows, *shills], {"gold checks": {"nobody"}, "one side": {f"shill-{i}" for i in range(5)}}
    )
    lines = [other for other in audit["orders"] if "rule" in other]
    assert [(line["rule"], line["order"], line["voters"]) for line in lines] == [("one side", ["b", "a"], 5)]
    assert (
        "5 voters with 50.0 % of the votes almost always chose one side (with them the order is b, a)"
        in said(audit, "exclusion")
        and "exclusion" in set(flagged(audit))
    )


def test_one_voter_whom_the_order_hangs_on_is_found(make_rows, make_row):
    rows = make_rows([("a", "b", 96, 104), ("b", "c", 130, 70)])
    rows += [
        make_row("a", "b", "left", voter_id="loud", query_group_id=f"v{i}", day=i % 12) for i in range(40)
    ]
    audit = audited(rows, settings=RatingSettings(cap=float("inf")))
    line = next(other for other in audit["orders"] if other["without"] == "the most influential voter")
    assert (
        line["share"] == pytest.approx(40 / 440)
        and line["order"] == ["b", "a", "c"]
        and not line["same_order"]
    )
    assert "the order is b, a, c" in said(audit, "influence")


def test_tastes_that_turned_in_the_middle_are_flagged_and_steady_ones_are_not(make_rows):
    first, second = make_rows([("a", "b", 300, 100)]), make_rows([("a", "b", 100, 300)])
    for row in first:
        row["day"] = row["day"] % 6
    for row in second:
        row["day"] = 6 + row["day"] % 6
    assert "drift" in set(flagged(audited([*first, *second])))
    assert "Tastes moved" in said(audited([*first, *second]), "drift")
    assert "drift" not in set(flagged(audited(make_rows([("a", "b", 400, 300)]))))


def test_a_clean_board_of_people_with_tastes_raises_neither_circles_nor_drift():
    from eval.votes.crowds import Crowd
    from mvr.metrics.preference import rate
    from mvr.metrics.preference.cycles import find_cycles, pair_fits
    from mvr.metrics.preference.drift import changes_between_halves

    rng = np.random.default_rng(3)
    found = []
    for _ in range(25):
        votes = Crowd(votes=1500, voters=60, voter_days="one").draw(rng)
        pairs = pair_fits(votes, rate(votes))
        sure = [cycle for cycle in find_cycles(pairs) if cycle.p < 0.01]
        moved = [one for one in changes_between_halves(votes, RatingSettings()) if one.p_holm < 0.01]
        found.append(bool(sure) + bool(moved) + (min(pair.p_holm for pair in pairs) < 0.01))
    assert sum(found) <= 3, "at 1 % each, four or more of 75 have a chance of one in a hundred"


def test_misfit_is_tested_as_a_slow_loop_over_votes_does_it():
    """Residual of one pair, its derivative by finite differences, clusters summed one vote after another."""
    from scipy.stats import t as student_t

    from eval.votes.crowds import Crowd
    from mvr.metrics.preference import rate
    from mvr.metrics.preference.cycles import pair_fits

    votes = Crowd(votes=600, voters=25, videos=20, busy=None).draw(np.random.default_rng(1))
    ratings = rate(votes, RatingSettings(cap=float("inf")))
    fit, base = ratings.fit, ratings.fit.parameters

    def mean(parameters, left, right):
        gap = parameters[left] - parameters[right] + parameters[6]
        terms = np.array([np.exp(gap / 2), np.exp(-gap / 2), np.exp(parameters[7])])
        return (terms[0] - terms[1]) / terms.sum() / 2, terms[2] / terms.sum()

    slope, step = np.zeros(8), 1e-6
    for left, right in zip(votes.left, votes.right, strict=True):
        if {left, right} == {0, 1}:
            sign = 1 if left == 0 else -1
            for i in range(8):
                up, down = base.copy(), base.copy()
                up[i], down[i] = up[i] + step, down[i] - step
                slope[i] += sign * (mean(up, left, right)[0] - mean(down, left, right)[0]) / (2 * step)
    follow, total, variances = slope @ fit.bread, 0.0, []
    for cluster in (votes.voter, votes.video):
        sums: dict[int, float] = {}
        total = 0.0
        for left, right, outcome, who in zip(votes.left, votes.right, votes.outcome, cluster, strict=True):
            m, tie = mean(base, left, right)
            score = (0.5, -0.5, 0.0)[outcome] - m
            u = np.zeros(8)
            u[left], u[right], u[6], u[7] = score, -score, score, (outcome == 2) - tie
            own = score * ({(0, 1): 1, (1, 0): -1}.get((left, right), 0))
            total += own
            sums[who] = sums.get(who, 0.0) + own - follow @ u
        variances.append(len(sums) / (len(sums) - 1) * sum(s * s for s in sums.values()))
    expected = 2 * student_t.sf(abs(total) / np.sqrt(max(variances)), ratings.covariances.degrees)
    pair = next(p for p in pair_fits(votes, ratings) if (p.first, p.second) == ("a", "b"))
    assert pair.p == pytest.approx(expected, rel=1e-5)


def test_win_or_tie_against_the_clips_own_music_with_and_without_those_who_knew_it(make_row):
    rows = []
    for number in range(60):
        mine = {"voter_id": f"voter-{number % 12}", "recognised": int(number % 3 == 0)}
        outcome = "right" if number % 3 == 0 else ("left", "tie", "left")[number % 4 % 3]
        sides = ("cca", "original")
        rows.append(make_row(*sides, outcome, **mine))
    rows += [make_row("original", "cca", "both_bad"), make_row("cca", "random", "left")]
    found = original_section(rows)
    assert [one["system"] for one in found] == ["cca"]
    assert found[0]["votes"] == 60 and found[0]["win_or_tie"] == pytest.approx(40 / 60)
    assert found[0]["votes_unrecognised"] == 40 and found[0]["win_or_tie_unrecognised"] == 1.0
    assert found[0]["low"] < found[0]["win_or_tie"] < found[0]["high"]
    assert original_section([make_row("cca", "random", "left")]) == []

"""A re-ranking on trial: votes that it learned from never rate it, and only all three gates let it through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mvr.arena.arena import Arena
from mvr.arena.candidates import Competitor
from mvr.arena.draw import DrawSettings
from mvr.arena.refusal import Refused
from mvr.arena.reranking.gates import may_be_promoted
from mvr.arena.reranking.model import Reranker
from mvr.arena.reranking.residual import Residual
from mvr.arena.reranking.trial import blind_battles, is_held_out, trial_gates
from mvr.arena.rules import ArenaSettings
from mvr.datatypes import Direction
from mvr.errors import DataError
from mvr.votes.records import Battle

LEARNED_FROM = frozenset({"source-0", "source-1", "source-2"})
CV = {
    "penalties": [0.1],
    "losses": [0.6],
    "base_accuracy": 0.5,
    "accuracy": 0.7,
    "gain": {"point": 0.2, "low": 0.1, "high": 0.3},
    "votes": 200,
}


@pytest.fixture
def model() -> Reranker:
    weights = Residual(weights=np.ones(3), beta=5.0, penalty=0.1)
    return Reranker(
        system="cca", version="1", residual=weights, training_groups=tuple(sorted(LEARNED_FROM)), cv=CV
    )


def row(
    model: Reranker, outcome: str, group: str = "source-9", swapped: bool = False, **changes: object
) -> dict:
    plain, new = (model.system, model.version), (model.competitor, model.identity)
    left, right = (new, plain) if not swapped else (plain, new)
    values = {"direction": "v2m", "query_group_id": group, "outcome": outcome}
    for side, (system, version) in (("left", left), ("right", right)):
        values |= {f"{side}_system_id": system, f"{side}_system_version": version, f"{side}_alpha": None}
    return values | changes


def test_wins_and_losses_are_of_this_training_against_the_plain_list_on_unlearned_queries(model):
    rows = [row(model, "left"), row(model, "right"), row(model, "right", swapped=True), row(model, "tie")]
    assert blind_battles(rows, model) == (2, 1)
    others = [
        row(model, "left", group="source-1"),  # it learned from votes on this one
        row(model, "left", direction="m2v"),
        row(model, "left", left_system_version="another training"),
        row(model, "left", right_system_id="random"),
        row(model, "left", left_alpha=0.5, right_alpha=0.5),
    ]
    assert blind_battles([*rows, *others], model) == (2, 1)


def test_another_training_is_another_competitor(model):
    changed = replace(model, residual=replace(model.residual, weights=np.array([1.0, 1.0, 1.1])))
    assert changed.identity != model.identity
    assert replace(model, cv={}, votes=7).identity == model.identity, "what was measured does not change it"


def test_all_three_gates_or_none(model):
    wins = [row(model, "left", swapped=number % 2 == 1) for number in range(40)]
    wins = [one | {"outcome": "right"} if number % 2 else one for number, one in enumerate(wins)]
    assert may_be_promoted(trial_gates(model, wins))
    assert not may_be_promoted(trial_gates(model, wins[:5]))
    learned = [one | {"query_group_id": "source-0"} for one in wins]
    assert not may_be_promoted(trial_gates(model, learned)), "votes on queries it learned from do not count"
    flat = replace(model, cv=CV | {"gain": {"point": 0.0, "low": -0.1, "high": 0.1}})
    assert not may_be_promoted(trial_gates(flat, wins))
    with pytest.raises(DataError, match="first 20 places"):
        trial_gates(replace(model, depth=20), wins)


def test_a_third_of_the_sources_is_kept_for_the_trial_and_always_the_same():
    held = [is_held_out(f"source-{number}") for number in range(2000)]
    assert 0.27 < np.mean(held) < 0.33 and held == [is_held_out(f"source-{n}") for n in range(2000)]
    assert not any(is_held_out(f"source-{n}", 0.0) for n in range(100))


def trial_arena(store, world, signer, clock, learned_from=LEARNED_FROM, check_share=0.0) -> Arena:
    rivals = [
        Competitor(system_id="cca", version="1"),
        Competitor(
            system_id="cca+votes-v2m",
            version="2",
            direction=Direction.VIDEO_TO_MUSIC,
            trained_on=learned_from,
        ),
    ]
    settings = ArenaSettings(draw=DrawSettings(check_share=check_share))
    return Arena(store, world, rivals, signer, settings=settings, clock=clock, seed=3)


def test_the_arena_never_shows_it_for_a_query_that_it_learned_from(store, world, signer, clock, make_visit):
    arena = trial_arena(store, world, signer, clock, check_share=0.3)
    for voter in ("anna", "bert", "cleo"):
        visit = make_visit(arena, voter)
        for _ in range(5):
            visit.vote(visit.next())
    shown = [
        battle
        for battle in store.rows(Battle)
        if "cca+votes-v2m" in (battle.left.system_id, battle.right.system_id)
    ]
    assert len(shown) >= 10 and not {battle.query_group_id for battle in shown} & LEARNED_FROM


def test_it_competes_in_its_own_direction_only_and_not_at_all_when_it_learned_from_every_query(
    store, world, signer, clock, make_visit
):
    arena = trial_arena(store, world, signer, clock)
    with pytest.raises(Refused):
        make_visit(arena, "anna", direction=Direction.MUSIC_TO_VIDEO).next()
    everything = frozenset(f"source-{number}" for number in range(6))
    with pytest.raises(Refused):
        make_visit(trial_arena(store, world, signer, clock, everything), "bert").next()

"""What votes taught on the page's lists: a promoted re-ranking, one on trial, and what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mvr.__main__ import app
from mvr.arena.reranking.files import candidate_path, promoted_path
from mvr.arena.reranking.model import Reranker
from mvr.arena.reranking.residual import Residual
from mvr.datatypes import Direction
from mvr.page.library.catalogue import DEMO, Catalogue
from mvr.page.search.learned import Learned
from mvr.page.voting.contest import Contest
from mvr.retrieval.teaching import item_features
from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore

SYSTEM, V2M = "control-mvr-mini", Direction.VIDEO_TO_MUSIC
CV = {"penalties": [0.1], "losses": [0.6], "base_accuracy": 0.5, "accuracy": 0.7, "votes": 200}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def learned(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Learned:
    monkeypatch.setenv("MVR_HOME", str(tmp_path))
    return Learned(catalogue)


@pytest.fixture
def model(catalogue: Catalogue) -> Reranker:
    """Prefers what points in one direction, strongly: the similarity hardly counts."""
    retriever = catalogue.retriever(DEMO, SYSTEM)
    retriever.prepare(V2M)
    width = len(next(iter(item_features(retriever, retriever.library.items(V2M.target), 0.5).values())))
    weights = np.random.default_rng(0).normal(size=width)
    videos = sorted(item.id for item in retriever.library.items(V2M.query))
    return Reranker(
        system=SYSTEM,
        version=retriever.system.identity,
        residual=Residual(weights=weights, beta=5.0, penalty=0.1),
        slider=True,
        training_groups=tuple(videos[:5]),
        cv=CV | {"gain": {"point": 0.2, "low": 0.1, "high": 0.3}},
        votes=200,
    )


def ranked_list(catalogue: Catalogue):
    retriever = catalogue.retriever(DEMO, SYSTEM)
    video = sorted(retriever.library.items(V2M.query), key=lambda item: item.id)[-1]
    return retriever.rank(retriever.query_item(video.id), 0.3, 15)


def test_without_a_promoted_one_the_list_is_the_systems_and_says_so(learned, catalogue, model):
    plain = ranked_list(catalogue)
    model.save(candidate_path(SYSTEM, V2M))  # on trial is not in force
    found = learned.by_votes(plain, DEMO)
    assert found.ranked == plain and "have not improved" in found.said


def test_a_promoted_one_orders_the_first_ten_and_says_how_many_moved(learned, catalogue, model):
    plain = ranked_list(catalogue)
    model.save(promoted_path(SYSTEM, V2M))
    found = learned.by_votes(plain, DEMO)
    before, after = ([result.item.id for result in one.results] for one in (plain, found.ranked))
    assert sorted(after[:10]) == sorted(before[:10]) and after[10:] == before[10:] and after != before
    assert [result.rank for result in found.ranked.results] == list(range(1, 16))
    scores = {result.item.id: result.score for result in plain.results}
    assert all(result.score == scores[result.item.id] for result in found.ranked.results)
    moved = sum(old != new for old, new in zip(before, after, strict=True))
    assert f"200 votes moved {moved} of the first 10 results" in found.said


def test_one_for_another_version_of_the_system_changes_nothing_and_says_why(learned, catalogue, model):
    replace(model, version="older").save(promoted_path(SYSTEM, V2M))
    plain = ranked_list(catalogue)
    found = learned.by_votes(plain, DEMO)
    assert found.ranked == plain and "version" in found.said


def test_one_on_trial_competes_blind_but_not_on_what_it_learned_from(learned, catalogue, model):
    model.save(candidate_path(SYSTEM, V2M))
    contest = Contest(catalogue, DEMO, learned)
    rivals = {rival.name: rival for rival in contest.competitors()}
    trial, plain = rivals[f"{SYSTEM}+votes-v2m@0.5"], rivals[f"{SYSTEM}@0.5"]
    queries = contest.queries(V2M)
    assert sum(not trial.meets(query, V2M) for query in queries) == 5
    assert all(plain.meets(query, V2M) for query in queries)
    lists = [[one.item_id for one in contest.top(queries[0], rival, 20)] for rival in (trial, plain)]
    assert lists[0] != lists[1] and sorted(lists[0][:10]) == sorted(lists[1][:10])


def trial_votes(path: Path, model: Reranker, group: str, count: int) -> None:
    """`count` people preferred the re-ranked list on a query of one source."""
    with VoteStore.open(path) as store:
        for number in range(count):
            voter = f"{group}-{number}"
            sides = [
                Side(system_id=name, system_version=version, alpha=0.5, item_id=item, item_group_id=item)
                for name, version, item in (
                    (model.competitor, model.identity, "a"),
                    (model.system, model.version, "b"),
                )
            ]
            battle = Battle(
                voter_id=voter, session_id="s", direction="v2m", query_id=group, query_group_id=group,
                left=sides[0], right=sides[1], pool_version="1", pool_size=9, policy_id="uniform-v1",
                pair_prob=1.0, seed=0, ui_version="1",
            )  # fmt: skip
            vote = Vote(
                battle_id=battle.battle_id, voter_id=voter, session_id="s", consent_version="1", outcome="left",
                listen_left_ms=6000, listen_right_ms=6000,
            )  # fmt: skip
            consent = Consent(voter_id=voter, session_id="s", version="1", text_sha256="0")
            store.add(consent, battle)
            store.add(vote)


def test_the_command_promotes_through_all_gates_only(learned, model, tmp_path):
    model.save(candidate_path(SYSTEM, V2M))
    db = tmp_path / "votes.sqlite"
    command = ["votes", "promote", "--db", str(db), "--system", SYSTEM]
    trial_votes(db, model, model.training_groups[0], 20)
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1 and "not passed" in refused.output and "not promoted" in refused.output
    assert not promoted_path(SYSTEM, V2M).exists()
    trial_votes(db, model, "another source", 20)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0 and "in force" in done.output, done.output
    assert [gate["passed"] for gate in Reranker.load(promoted_path(SYSTEM, V2M)).gates] == [True] * 3

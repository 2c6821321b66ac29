"""The benchmark of the backbones times equal work: the ways agree, the number formats stay close."""

from __future__ import annotations

import pytest

from eval.speed import graphics_card, models, models_large
from eval.speed.inputs import Inputs
from eval.speed.networks import NETWORKS


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs(tmp_path_factory.mktemp("inputs"), short=True)


def test_all_ways_to_views_give_the_same_views(inputs: Inputs):
    contest = next(models.contests(inputs))
    facts = {name: prepare()() for name, prepare in contest.candidates.items()}
    assert {fact["views"] for fact in facts.values()} == {15}
    ours = facts["mvr, seeking"]
    for fact in facts.values():
        assert fact["mean"] == pytest.approx(ours["mean"], abs=0.03)
        assert fact["deviation"] == pytest.approx(ours["deviation"], abs=0.03)


def test_cheap_number_formats_are_timed_on_the_same_network(inputs: Inputs):
    contest = next(c for c in models.contests(inputs) if c.name == "models-imagebind-audio")
    facts = {name: prepare()() for name, prepare in contest.candidates.items()}
    assert facts["float32"]["cosine"] == "1.00000"
    assert all(float(fact["cosine"]) > 0.99 for fact in facts.values())
    assert facts["bfloat16"]["weights MB"] == pytest.approx(facts["float32"]["weights MB"] / 2, abs=1)


def test_every_network_has_its_contest(inputs: Inputs):
    named = {c.name for c in models.contests(inputs)} | {c.name for c in models_large.contests(inputs)}
    assert named == {"models-views"} | {f"models-{name}" for name in NETWORKS}


def test_without_a_graphics_card_nothing_is_measured_and_that_is_said(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert list(graphics_card.contests(inputs)) == []
    assert "none on this machine" in capsys.readouterr().err

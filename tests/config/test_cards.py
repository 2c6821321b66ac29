"""System cards: what every shipped one says, and what does not validate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mvr.config.cards import Commercial, SystemCard, load_card, system_names
from mvr.errors import UsageError

BASE = {"name": "x", "title": "x", "summary": "", "trained_on": "nothing"}


@pytest.mark.parametrize("name", [*system_names(), "bridge", "profiles", "soundscape"])
def test_every_weight_says_whether_one_may_earn_money_with_it_and_who_says_so(name: str):
    for licence in load_card(name).licences:
        assert licence.source, licence.what
        assert licence.noncommercial == (licence.commercial is Commercial.NO), licence.what


def test_a_mixture_shows_the_licences_of_all_its_members():
    card = load_card("bridge-mini")
    shown = {licence.what for licence in card.licences}
    for member in card.mix:
        assert {licence.what for licence in load_card(member.system).licences} <= shown


def test_one_weight_that_forbids_it_forbids_it_for_all():
    assert load_card("bridge-mini").commercial is load_card("random").commercial is Commercial.YES
    assert load_card("control-mvr").commercial is Commercial.NO
    unknown = {"what": "w", "licence": "see the model's page"}
    assert SystemCard(**BASE, licences=[unknown]).commercial is Commercial.UNKNOWN


def test_what_is_not_for_commercial_use_is_refused_by_name():
    load_card("bridge-mini").require_commercial()
    with pytest.raises(
        UsageError,
        match=r"MERT-v1-95M weights: CC BY-NC 4\.0, commercial use: no\); choose from .*bridge-mini",
    ):
        load_card("control-mvr").require_commercial()
    with pytest.raises(UsageError, match="commercial use: unknown"):
        SystemCard(**BASE, licences=[{"what": "w", "licence": "?"}]).require_commercial()


def test_non_commercial_weights_cannot_say_yes():
    with pytest.raises(ValueError, match="cannot say commercial: yes"):
        SystemCard(
            **BASE, licences=[{"what": "w", "licence": "NC", "noncommercial": True, "commercial": "yes"}]
        )


def test_a_mixture_has_nothing_of_its_own(tmp_path: Path):
    card = BASE | {"mix": [{"system": "random"}], "head": {"kind": "random"}}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(UsageError, match="no backbones, head or alpha of its own"):
        load_card(str(path))
    path.write_text(json.dumps(BASE | {"mix": [{"system": "random", "weight": 0}]}), encoding="utf-8")
    with pytest.raises(UsageError, match="greater than 0"):
        load_card(str(path))


def test_parts_are_no_systems_to_choose_and_an_unknown_name_lists_those_that_are():
    assert not {"bridge", "profiles", "soundscape"} & set(system_names())
    with pytest.raises(UsageError, match="unknown system 'parts/bridge'; choose from control-mvr-mini"):
        load_card("parts/bridge")

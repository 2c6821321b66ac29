"""The cards of the papers' systems agree with the weights they name."""

from __future__ import annotations

import pytest

from mvr.backbones import backbone_names
from mvr.backbones.weights import missing_weights, weights_of_card, weights_source
from mvr.config.cards import load_card
from mvr.datatypes import Modality
from mvr.errors import UsageError

NAMES = ["imagebind", "mvbind", "control-mvr", "control-mvr-open"]


@pytest.mark.parametrize("name", NAMES)
def test_a_card_names_known_backbones(name: str):
    card = load_card(name)
    assert card.name == name
    assert card.video is not None and card.video.name in backbone_names(Modality.VIDEO)
    assert card.audio is not None and card.audio.name in backbone_names(Modality.AUDIO)


@pytest.mark.parametrize("name", NAMES)
def test_a_card_shows_the_licence_of_every_set_of_weights(name: str):
    card = load_card(name)
    shown = {(entry.licence, entry.noncommercial) for entry in card.licences}
    wanted = {(s.licence, s.noncommercial) for s in map(weights_source, weights_of_card(card))}
    assert shown == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_card_without_its_weights_says_what_lacks(name: str):
    sentences = missing_weights(load_card(name))
    assert len(sentences) == len(weights_of_card(load_card(name)))
    assert all("mvr weights fetch" in sentence for sentence in sentences)


@pytest.mark.parametrize("name", NAMES)
def test_the_download_size_is_at_least_what_is_pinned(name: str):
    card = load_card(name)
    pinned_mb = sum(weights_source(weights).size_bytes for weights in weights_of_card(card)) / 1e6
    assert pinned_mb <= card.download_mb <= pinned_mb + 700


def test_the_open_system_may_be_used_commercially_and_the_others_may_not():
    load_card("control-mvr-open").require_commercial()
    for weights in weights_of_card(load_card("control-mvr-open")):
        assert weights_source(weights).commercial == "yes" and weights_source(weights).revision != "main"
    with pytest.raises(UsageError, match=r"choose from .*control-mvr-open"):
        load_card("control-mvr").require_commercial()

"""The time that is announced grows with the work that a card asks for."""

from __future__ import annotations

import pytest

from mvr.backbones.cost import estimate_seconds
from mvr.config.cards import load_card
from mvr.datatypes import Modality
from mvr.embeddings.expected import expected_seconds


def test_a_track_costs_its_segments():
    card = load_card("control-mvr")
    assert card.audio is not None
    one = estimate_seconds(card.audio, Modality.AUDIO, segment_s=10.0, device="cpu")
    assert one is not None and one > 0
    # 30 s in segments of 10 s, one every 5 s: five of them
    assert expected_seconds(card, Modality.AUDIO, 30.0, "cpu") == pytest.approx(5 * one)


def test_a_clip_is_one_segment_whose_frames_grow_with_its_length():
    card = load_card("control-mvr")
    short, long = (expected_seconds(card, Modality.VIDEO, seconds, "cpu") for seconds in (5.0, 20.0))
    assert short is not None and long == pytest.approx(4 * short)


def test_the_default_system_and_chance_are_not_announced():
    assert expected_seconds(load_card("control-mvr-mini"), Modality.VIDEO, 30.0) == 0
    assert expected_seconds(load_card("random"), Modality.AUDIO, 30.0) == 0

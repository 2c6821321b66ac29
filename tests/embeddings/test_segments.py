"""Segments cover an item."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.config.cards import SegmentCard
from mvr.datatypes import Modality
from mvr.embeddings.segments import cut_segments, segments_of


@settings(deadline=None)
@given(duration=st.floats(0.05, 300), length=st.floats(1, 30), share=st.floats(0.1, 1))
def test_segments_cover_the_item_and_stay_inside(duration: float, length: float, share: float) -> None:
    hop = length * share
    cut = cut_segments(duration, length, hop)
    assert cut[0].start_s == 0 and cut[-1].end_s <= duration + 1e-6
    assert duration - cut[-1].end_s < max(hop / 2, 1e-6) + 1e-6 or len(cut) == 1
    assert all(0 < b.start_s - a.start_s <= hop + 1e-6 for a, b in itertools.pairwise(cut))
    assert all(abs(s.duration_s - min(length, duration)) < 1e-6 for s in cut)


def test_a_short_item_is_one_segment() -> None:
    assert [(s.start_s, s.end_s) for s in cut_segments(3.0, 10.0, 5.0)] == [(0.0, 3.0)]


def test_a_card_cuts_sound_and_leaves_the_clip_whole() -> None:
    assert len(segments_of(60.0, Modality.AUDIO, SegmentCard())) == 11
    assert len(segments_of(60.0, Modality.VIDEO, SegmentCard())) == 1
    assert len(segments_of(60.0, Modality.VIDEO, SegmentCard(video_s=20.0))) == 3

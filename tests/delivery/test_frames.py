"""Frames against slow oracles: labels counted one by one, and times compared as exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mvr.delivery.frames import STANDARD_RATES, FrameRate, editing_rate
from mvr.errors import UsageError

DROP = [rate for rate in STANDARD_RATES if rate.can_drop]


def labels(nominal: int, minutes: int, *, drop: bool) -> list[str]:
    """Every label of a clock in order, those left out by the rule of SMPTE ST 12-1 omitted one by one."""
    skipped = set(range(nominal // 15)) if drop else set()
    return [
        f"00:{minute:02}:{second:02}{';' if drop else ':'}{frame:02}"
        for minute in range(minutes)
        for second in range(60)
        for frame in range(nominal)
        if not (second == 0 and minute % 10 and frame in skipped)
    ]


@pytest.mark.parametrize("rate", STANDARD_RATES, ids=lambda rate: rate.name)
def test_timecode_counts_every_label_once(rate: FrameRate) -> None:
    wanted = labels(rate.nominal, 11, drop=False)
    assert [rate.timecode(frame) for frame in range(len(wanted))] == wanted


@pytest.mark.parametrize("rate", DROP, ids=lambda rate: rate.name)
def test_drop_frame_timecode_leaves_out_numbers_and_no_frames(rate: FrameRate) -> None:
    wanted = labels(rate.nominal, 21, drop=True)
    assert [rate.timecode(frame, drop=True) for frame in range(len(wanted))] == wanted
    assert len(DROP) == 2


@pytest.mark.parametrize("rate", DROP, ids=lambda rate: rate.name)
def test_an_hour_of_drop_frame_is_an_hour_of_the_clock_on_the_wall(rate: FrameRate) -> None:
    hour = rate.frame_at(3600)
    assert rate.timecode(hour, drop=True) == "01:00:00;00"
    assert rate.timecode(hour) == "00:59:56:12" if rate.nominal == 30 else "00:59:56:24"


def test_drop_frame_is_refused_where_it_does_not_exist() -> None:
    with pytest.raises(UsageError, match="frames a second, not at 25"):
        FrameRate(Fraction(25)).timecode(0, drop=True)


@pytest.mark.parametrize("rate", STANDARD_RATES, ids=lambda rate: rate.name)
def test_every_frame_of_ten_minutes_is_found_again_from_its_second(rate: FrameRate) -> None:
    frames = range(0, rate.frame_at(600), 7)
    assert [rate.frame_at(rate.second_of(frame)) for frame in frames] == list(frames)
    assert [rate.frame_at(float(rate.second_of(frame))) for frame in frames] == list(frames)


@pytest.mark.parametrize(
    ("measured", "wanted"),
    [
        *[("23.976", "23.976"), ("24000/1001", "23.976"), ("23.98", "23.976"), ("24", "24"), ("25.01", "25")],
        *[("29.97", "29.97"), ("30.0001", "30"), ("30.01", "30"), ("59.94", "59.94"), ("60", "60")],
        *[
            ("50", "50"),
            ("15", "30"),
            ("12.5", "25"),
            ("100", "50"),
            ("120", "60"),
            ("10", "30"),
            ("240", "60"),
        ],
        ("14.985", "29.97"),
    ],
)
def test_a_phone_s_rate_becomes_the_one_an_editor_knows(measured: str, wanted: str) -> None:
    assert editing_rate(Fraction(measured)).name == wanted

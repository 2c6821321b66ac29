"""The rest of the time is said of what takes long, as often as can be read, and comes out right at an even pace."""

from __future__ import annotations

import pytest

from mvr.page.search.waiting import Progress, Waiting


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_at_an_even_pace_the_rest_is_what_really_follows() -> None:
    watch = Watch()
    waiting, said = Waiting(watch), []
    for second in range(41):
        watch.now = 100.0 + second
        waiting.done(second / 40 if second else 0.001)
        if (told := waiting.told()) is not None and second in (1, 10, 20, 35, 39):
            said.append(told)
    assert said == [
        Progress(percent=2, rest="about 40 s left"),
        Progress(percent=25, rest="about 30 s left"),
        Progress(percent=50, rest="about 20 s left"),
        Progress(percent=87, rest="about 5 s left"),
        Progress(percent=97, rest="about 1 s left"),
    ]


def test_time_in_the_queue_does_not_count() -> None:
    watch = Watch()
    waiting = Waiting(watch)
    watch.now += 300  # others come first
    waiting.done(0.01)
    watch.now += 5
    waiting.done(0.5)
    assert waiting.told() == Progress(percent=50, rest="about 5 s left")


@pytest.mark.parametrize(("passed_s", "share"), [(0.1, 0.01), (1.0, 0.9), (3.0, 0.0)])
def test_nothing_is_said_of_what_is_quick_or_has_not_begun(passed_s: float, share: float) -> None:
    watch = Watch()
    waiting = Waiting(watch)
    waiting.done(0.0)
    watch.now += passed_s
    waiting.done(share)
    assert waiting.told() is None


def test_sentences_do_not_change_faster_than_they_can_be_read() -> None:
    watch = Watch()
    waiting = Waiting(watch)
    waiting.done(0.001)
    watch.now += 10
    waiting.done(0.1)
    assert waiting.told() is not None
    watch.now += 0.2
    waiting.done(0.11)
    assert waiting.told() is None

"""Made once per key, bounded: who waits for whom, and what is kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mvr.page.serving import PerKey


def test_two_who_ask_for_one_key_at_once_wait_for_one_making() -> None:
    made, go, per_key = [], threading.Event(), PerKey[str, int](3)

    def make() -> int:
        made.append(1)
        assert go.wait(60)
        return 7

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(per_key.get, "a", make) for _ in range(4)]
        go.set()
        assert [one.result(60) for one in asked] == [7] * 4
    assert len(made) == 1


def test_a_key_that_takes_long_keeps_nobody_from_another() -> None:
    go, per_key = threading.Event(), PerKey[str, int](3)

    def slow() -> int:
        assert go.wait(60)
        return 1

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(per_key.get, "imagebind", slow)
        assert per_key.get("mini", lambda: 2) == 2, "answered while the other is still being made"
        assert not waiting.done()
        go.set()
        assert waiting.result(60) == 1


def test_what_fails_is_told_and_tried_again() -> None:
    per_key = PerKey[str, int](3)

    def fails() -> int:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        per_key.get("a", fails)
    assert per_key.get("a", lambda: 5) == 5


def test_the_one_unused_longest_goes_first_and_zero_keeps_none() -> None:
    per_key, none = PerKey[str, int](2), PerKey[str, int](0)
    for key in ("a", "b", "a", "c"):
        per_key.get(key, lambda: 1)
    assert per_key.get("a", lambda: 2) == 1
    assert per_key.get("b", lambda: 2) == 2, "b was unused longest when c came"
    none.get("a", lambda: 1)
    assert none.get("a", lambda: 2) == 2


def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    per_key = PerKey[str, int](2)

    def forgotten() -> int:
        per_key.forget(lambda key: key == "a")
        return 1

    assert per_key.get("a", forgotten) == 1
    assert per_key.get("a", lambda: 2) == 2

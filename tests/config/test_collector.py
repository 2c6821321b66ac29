"""The collector rests while somebody wants it to, and is afterwards as it was."""

from __future__ import annotations

import gc
import threading

import pytest

from mvr.config.collector import collector_at_rest


def test_it_rests_and_goes_on_also_after_an_error():
    with collector_at_rest():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="in between"), collector_at_rest():
        raise ValueError("in between")
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off():
    gc.disable()
    try:
        with collector_at_rest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_of_several_threads_the_last_one_lets_it_go_on():
    inside, leave, seen = threading.Event(), threading.Event(), []

    def longer() -> None:
        with collector_at_rest():
            inside.set()
            leave.wait(60)
            seen.append(gc.isenabled())

    with collector_at_rest():
        thread = threading.Thread(target=longer)
        thread.start()
        assert inside.wait(60)
    assert not gc.isenabled()  # the first one is done, the other is not
    leave.set()
    thread.join()
    assert seen == [False] and gc.isenabled()

"""Work waits for its own model and for nobody else's; errors of either reach who asked."""

from __future__ import annotations

import threading

import pytest

from mvr.errors import UsageError
from mvr.page.serving import Jobs


def fail() -> None:
    raise UsageError("there is no such system")


def test_who_loads_takes_no_place_from_who_works() -> None:
    jobs, loaded = Jobs(1), threading.Event()
    waiting = [jobs.submit(lambda: loaded.wait(60), lambda n=n: n) for n in range(20)]
    assert jobs.submit(lambda: None, lambda: "at once").result(timeout=60) == "at once"
    assert not any(one.done() for one in waiting)
    loaded.set()
    assert [one.result(timeout=60) for one in waiting] == list(range(20))


def test_only_so_many_work_at_one_time() -> None:
    jobs, lock, now, most = Jobs(2), threading.Lock(), [0], [0]
    both = threading.Barrier(2)

    def work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        both.wait(60)  # whoever works has one beside them
        threading.Event().wait(0.01)  # in which a third would come in
        with lock:
            now[0] -= 1

    for done in [jobs.submit(lambda: None, work) for _ in range(12)]:
        done.result(timeout=60)
    assert most[0] == 2


@pytest.mark.parametrize(("load", "work"), [(fail, lambda: 1), (lambda: 1, fail)])
def test_an_error_reaches_who_asked(load: object, work: object) -> None:
    with pytest.raises(UsageError, match="no such system"):
        Jobs(1).submit(load, work).result(timeout=60)  # type: ignore[arg-type]

"""Numpy multiplies on one thread while somebody wants it to, and afterwards as before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mvr.config.threads import _libraries, one_thread

ROOT = Path(__file__).parents[2]


def numpy_threads() -> list[int]:
    """Of what multiplied matrices when it was first asked for, by threadpoolctl's own word."""
    there = {library.filepath for library in _libraries()}
    return [found["num_threads"] for found in threadpool_info() if found["filepath"] in there]


def while_one_stays(look: Callable[[], list[int]]) -> list[int]:
    """What `look` says when the first of two threads inside has left; the second has left afterwards, too."""
    inside, leave = threading.Event(), threading.Event()

    def longer() -> None:
        with one_thread():
            inside.set()
            leave.wait(60)

    with one_thread():
        thread = threading.Thread(target=longer)
        thread.start()
        assert inside.wait(60)
    said = look()
    leave.set()
    thread.join()
    return said


BESIDE_FAISS = """
import faiss  # its OpenBLAS counts by OpenMP, for each thread
import numpy as np
from threadpoolctl import threadpool_info

from tests.config.test_threads import while_one_stays

def numbers():
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]

np.ones((2, 2)) @ np.ones((2, 2))
before = numbers()
while_one_stays(numbers)
assert len(before) > 1 and numbers() == before, (before, numbers())
"""


def test_a_library_that_counts_for_each_thread_is_left_alone() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", BESIDE_FAISS], cwd=ROOT, env=environment, check=True)


@pytest.fixture(autouse=True)
def _three_threads() -> Iterator[None]:
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(3, user_api="blas"):
        assert numpy_threads() and set(numpy_threads()) == {3}
        yield


def test_it_is_one_inside_and_as_before_also_after_an_error() -> None:
    with one_thread():
        assert set(numpy_threads()) == {1}
        with one_thread():
            pass
        assert set(numpy_threads()) == {1}
    assert set(numpy_threads()) == {3}
    with pytest.raises(ValueError, match="in between"), one_thread():
        raise ValueError("in between")
    assert set(numpy_threads()) == {3}


def test_of_several_threads_the_last_one_gives_the_others_back() -> None:
    assert set(while_one_stays(numpy_threads)) == {1}  # the first one is done, the other is not
    assert set(numpy_threads()) == {3}

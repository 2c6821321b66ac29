#!/bin/sh
# threadpoolctl 3.8.0: `with threadpool_limits(1)` in a thread does nothing, and says nothing, once another thread that is still alive has
# used it on the OpenBLAS of numpy's wheels.
#
# Guess of a good engineer: the number of OpenBLAS's threads is one for the whole process, so whoever sets it sets it; a server's worker that
# limits it around a product gets one thread, as the documented context manager promises.
# Behaviour: the thread that limited it first controls it until that thread ends, although its own `with` ended long ago. In every other thread
# the limit is ignored, `threadpool_info()` inside the block shows the old number, no error or warning. A limit that a program takes
# once at its start, in its main thread, switches all later limits of its workers off.
# What to do: ask `threadpool_info()` inside the block; or take turns by a lock of one's own and call
# `clear_controlling_thread(force=True)` of the library's controller before setting.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet threadpoolctl==3.8.0 numpy==2.4.6
cat > try.py <<'PY'
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

np.ones((2, 2)) @ np.ones((2, 2))


def number() -> int:
    return next(each["num_threads"] for each in threadpool_info() if each["internal_api"] == "openblas")


def limited() -> int:
    with threadpool_limits(1):
        return number()


threadpool_limits(3)  # the starting number, the same on any machine
with ThreadPoolExecutor(1) as pool:
    worker = pool.submit(limited).result()
print(f"limited to 1 in a worker: {worker} threads; in the main thread: {limited()}")
sys.exit(0 if worker == 3 and limited() == 1 else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux, OpenBLAS 0.3.31 of numpy's wheel):
# limited to 1 in a worker: 3 threads; in the main thread: 1

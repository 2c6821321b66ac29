"""A process that embeds a growing folder and is killed at random moments, again and again; run by test_growth.py.

`python killed_process.py SOURCE FOLDER OUT KILLS SEED`: files of SOURCE come to FOLDER one by one while children that
extract FOLDER into OUT are killed by SIGKILL after a random time; the last child may finish. Everything is imported
before the children are forked, so a kill lands in the work, not in the imports; a child that was faster makes the next
times shorter, so that kills land there on any machine. Prints, per killed child, the rows that readers saw and the
features that were kept, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import mvr.embeddings.extraction.run as extraction
from mvr.embeddings.extraction import ExtractSettings, extract_features
from mvr.embeddings.extraction.jobs import Job, Outcome, encode_job
from mvr.embeddings.extraction.local import stay_on_one_thread
from mvr.embeddings.store import FeatureStore
from mvr.embeddings.system import load_system

SETTINGS = ExtractSettings(system="tiny", workers=1)


def in_this_process(jobs: Sequence[Job], settings: ExtractSettings) -> Iterator[Outcome]:
    """The local engine without its pool: starting one takes seconds, in which a kill would hit nothing."""
    system = load_system(settings.system)
    for job in jobs:
        yield encode_job(system, job)


def start(folder: Path, out: Path) -> int:
    """Fork a child that extracts; returns its process id."""
    child = os.fork()
    if not child:
        try:
            extract_features(folder, out, SETTINGS)
            os._exit(0)
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
    return child


def seen(out: Path) -> dict[str, int]:
    """Rows of the store as a reader sees it, -1 for none, and features in the cache."""
    rows = len(FeatureStore.open(out)) if out.exists() else -1
    database = out.with_name(out.name + ".cache") / "cache.db"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        found = connection.execute("SELECT count(*) FROM features") if "features" in tables else [(0,)]
        return {"rows": rows, "cached": next(iter(found))[0]}


def main(source: Path, folder: Path, out: Path, kills: int, seed: int) -> None:
    """See the module's docstring."""
    extraction._engine = lambda settings: in_this_process
    rng, files = np.random.default_rng(seed), sorted(source.iterdir())
    stay_on_one_thread()  # as the pool's processes
    load_system(SETTINGS.system)
    killed, longest_s = [], 0.2
    for number in range(4 * kills):
        if number < 3 * len(files) and number % 3 == 0:
            shutil.copy(files[number // 3], folder)
        child = start(folder, out)
        time.sleep(float(rng.uniform(0.0, longest_s)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "a child failed, see above"
        if os.WIFSIGNALED(status):
            killed.append(seen(out))
            longest_s = min(0.2, 1.5 * longest_s)
        else:
            longest_s /= 2
        if len(killed) >= kills:
            break
    for path in files:
        shutil.copy(path, folder)
    _, status = os.waitpid(start(folder, out), 0)
    assert status == 0, "the last child failed, see above"
    print(json.dumps(killed))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), int(sys.argv[4]), int(sys.argv[5]))

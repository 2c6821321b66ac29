"""What `eval.speed.large` does in a process of a build's own: `python large_steps.py KIND COUNT FOLDER`.

It runs on the present build and on the first version alike, so it uses only what both have. `make` writes the library
of so many tracks into the folder, where no such one is yet, and ends; every other kind prepares, says "ready", and
prints one JSON line for each line that is read: seconds of wall and processor time and the peak of memory.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

ADDED = 12  # files that are ready to be added, one a round
ALPHAS = [round(0.1 * step, 1) for step in range(11)]
SEGMENTS, SEED, SYSTEM = 3, 20261129, "control-mvr-mini"
Work = Callable[[], Any]


def main(kind: str, count: int, folder: Path) -> None:
    """Make a library, or prepare and do a round for each line of standard input."""
    if kind == "make":
        make(count, folder)
        return
    kinds = {
        "look": look,
        "build": build,
        "moves": moves,
        "filter": filtered,
        "gone": gone,
        "edited": edited,
        "removed": removed,
        "first": first,
        "each": each,
    }
    work = (kinds | {"add": added})[kind](count, folder)
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        took["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps(took), flush=True)


def look(_count: int, clip: Path) -> Work:
    """What a list needs of a clip (instead of a folder): its features."""
    from mvr.datatypes import Modality

    system = loaded()
    return lambda: system.features_of_file(clip, Modality.VIDEO)


def build(_count: int, folder: Path) -> Work:
    """The index of a library that is opened anew."""
    from mvr.datatypes import Modality
    from mvr.library import Library, open_demo_library

    system = loaded()
    open_demo_library().index(system, Modality.AUDIO)  # what is imported and loaded once
    return lambda: Library.open(folder).index(system, Modality.AUDIO)


def moves(_count: int, folder: Path) -> Work:
    """Eleven positions of the slider for one clip, fifty results each."""
    retriever, query = asked(folder)
    return lambda: [retriever.rank(query, alpha, 50) for alpha in ALPHAS]


def filtered(_count: int, folder: Path) -> Work:
    """The same behind a filter by genre and length."""
    from mvr.retrieval import Filters

    retriever, query = asked(folder)
    wanted = Filters(genres=("jazz",), min_duration_s=30.0)
    return lambda: [retriever.rank(query, alpha, 50, filters=wanted) for alpha in ALPHAS]


def gone(_count: int, folder: Path) -> Work:
    """The same with one of the best files gone; `make` brings it back."""
    retriever, query = asked(folder)
    retriever.rank(query, 0.5, 50).results[0].item.path.unlink()
    return lambda: [retriever.rank(query, alpha, 50) for alpha in ALPHAS]


def edited(count: int, folder: Path) -> Work:
    """The first list after a title was changed, as another process changes it."""
    retriever, query = asked(folder)

    def work() -> None:
        with closing(sqlite3.connect(folder / "catalogue.sqlite")) as catalogue, catalogue:
            catalogue.execute(
                "UPDATE items SET title = title || '.' WHERE id = ?", (content(count // 2)[:16],)
            )
            catalogue.execute("UPDATE changes SET revision = revision + 1")
        retriever.rank(query, 0.5, 50)

    return work


def removed(count: int, folder: Path) -> Work:
    """The first list after a track was taken out, and after it was brought back, which the first version cannot."""
    retriever, query = asked(folder)

    def work() -> None:
        retriever.library.remove([content(count // 2)[:16]])
        retriever.rank(query, 0.5, 50)
        retriever.library.restore()
        retriever.rank(query, 0.5, 50)

    return work


def added(count: int, folder: Path) -> Work:
    """One more file, as a command that adds it alone does: the library is opened, the file compared with all tracks.

    Signatures lie as those of the demo tracks do. Each round has a noise of its own, ready before it is timed; the
    first, which finds a library that no build has added to, is not.
    """
    from mvr.library import Library, open_demo_library
    from mvr.media.fingerprint import fingerprint, signature

    system, demo = loaded(), open_demo_library()
    near = np.array(
        [signature(fingerprint(item.path)) for item in demo.items() if str(item.modality) == "audio"]
    )
    rng = np.random.default_rng(SEED)
    write_catalogue(count, folder, near=near)
    files = iter([folder / f"new-{number}.wav" for number in range(ADDED)])

    def work() -> None:
        report = Library.open(folder).add([next(files)], system)
        assert report.embedded == 1, report

    for number in range(ADDED):
        with wave.open(str(folder / f"new-{number}.wav"), "wb") as file:
            file.setparams((1, 2, 22_050, 0, "NONE", ""))
            file.writeframes(rng.integers(-9000, 9000, 3 * 22_050, dtype=np.int16).tobytes())
    work()
    return work


def rows(count: int) -> tuple[Any, Any]:
    """An index of `count` rows of 2 x 128, the leanest exact kind that the build has, and a query."""
    from mvr.index import create_index, index_kinds

    rng = np.random.default_rng(SEED)
    kind = "half" if "half" in index_kinds() else "numpy"
    index = create_index(kind, 128, ("ssl", "genre"), options={"rows": count})
    block = 100_000 if kind == "half" else count  # the first version copies all rows with every block
    for at in range(0, count, block):
        vectors = rng.standard_normal((min(block, count - at), 2, 128), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
        index.add([str(n) for n in range(at, at + len(vectors))], vectors)
    query = rng.standard_normal((2, 128), dtype=np.float32)
    return index, query / np.linalg.norm(query, axis=-1, keepdims=True)


def first(count: int, _folder: Path) -> Work:
    """A query against every row."""
    index, query = rows(count)
    return lambda: index.cross(query)


def each(count: int, _folder: Path) -> Work:
    """The ten best rows at another alpha, eleven times."""
    from mvr.datatypes import branch_weights
    from mvr.index.mixture import best_first

    index, query = rows(count)
    cross = index.cross(query)
    return lambda: [best_first(cross.scores(branch_weights(alpha, 2)), 10) for alpha in ALPHAS]


def asked(folder: Path) -> tuple[Any, Any]:
    """A retriever over the library of a folder, and a clip of the demo library as its query."""
    from mvr.datatypes import Direction, Modality
    from mvr.library import Library, open_demo_library
    from mvr.retrieval import Retriever

    retriever = Retriever(Library.open(folder), loaded())
    video = open_demo_library().items(Modality.VIDEO)[0]
    query = retriever.embed_query(video.path, Direction.VIDEO_TO_MUSIC)
    retriever.rank(query, 0.5, 50)
    return retriever, query


def base(system: Any) -> Any:
    """(n, D) features of the demo tracks."""
    from mvr.datatypes import Modality
    from mvr.library import open_demo_library

    library = open_demo_library()
    found = [library.features(item, system) for item in library.items(Modality.AUDIO)]
    return np.concatenate([each.features for each in found if each is not None])


def make(count: int, folder: Path) -> None:
    """A library of `count` tracks, written by the build itself where none of its present features is there yet.

    Features are those of demo tracks, moved a little; files are empty, for nothing opens them.
    """
    from mvr.datatypes import Modality
    from mvr.library import Library

    system = loaded()
    recipe = system.recipe_hash(Modality.AUDIO)
    paths = [Path(os.fsdecode(track(n, folder)["path"])) for n in range(count)]
    told = folder / "made"
    if told.exists() and told.read_text() == recipe:
        for path in paths:
            if not path.exists():  # an earlier run's, that looked for a file that is gone
                path.touch()
        return
    shutil.rmtree(folder, ignore_errors=True)
    Library.open(folder)
    write_features(count, folder, system)
    write_catalogue(count, folder)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    told.write_text(recipe)


def write_features(count: int, folder: Path, system: Any) -> None:
    """Three segments a track, near those of demo tracks."""
    from mvr.datatypes import Modality

    rng, near = np.random.default_rng(SEED), base(system)
    recipe, width = system.recipe_hash(Modality.AUDIO), near.shape[1]
    spread = (0.2 * near.std(axis=0)).astype(np.float32)
    with (folder / "features" / f"{recipe}.f32").open("wb") as file:
        for at in range(0, count, 1000):
            drawn = near[rng.integers(len(near), size=SEGMENTS * min(1000, count - at))]
            moved = drawn + spread * rng.standard_normal(drawn.shape, dtype=np.float32)
            file.write(moved.astype(np.float32).tobytes())
    times = np.array([(5.0 * n, 5.0 * n + 10) for n in range(SEGMENTS)]).tobytes()
    with closing(sqlite3.connect(folder / "features" / "cache.db")) as cache, cache:
        lines = ((recipe, content(n), SEGMENTS * n, SEGMENTS, width, times) for n in range(count))
        cache.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)", lines)


def loaded() -> Any:
    """The default system."""
    from mvr.embeddings.system import load_system

    return load_system(SYSTEM)


def write_catalogue(count: int, folder: Path, near: Any = None) -> None:
    """Lines for so many tracks; signatures as widely spread as rows `near` (n, W) are, or none."""
    from mvr.library import Library

    Library.open(folder)
    rng = np.random.default_rng(SEED)

    def lines() -> Iterator[tuple[Any, ...]]:
        for at in range(0, count, 1000):
            here = range(at, min(at + 1000, count))
            drawn = [None] * len(here)
            if near is not None:
                spread = rng.standard_normal((len(here), len(near)), dtype=np.float32) / len(near) ** 0.5
                moved = near.mean(0) + spread @ (near - near.mean(0))
                drawn = [(row / np.linalg.norm(row)).astype(np.float32).tobytes() for row in moved]
            yield from ((*track(n, folder).values(), each) for n, each in zip(here, drawn, strict=True))

    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as catalogue, catalogue:
        names = [*track(0, folder), "signature"]
        statement = f"INSERT INTO items ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
        catalogue.executemany(statement, lines())
        catalogue.execute("UPDATE changes SET revision = revision + 1")


def content(number: int) -> str:
    """Instead of a hash."""
    return f"{number * 2654435761 % 2**64:016x}" + f"{number:048x}"


def track(number: int, folder: Path) -> dict[str, Any]:
    """A line of the catalogue, with the columns that every version has."""
    name = f"{number:06}.wav"
    return {
        "id": content(number)[:16], "content": content(number), "modality": "audio",
        "path": os.fsencode(folder / "music" / f"{number // 1000:03}" / name), "name": name,
        "title": f"Track {number}", "artist": f"Artist {number % 500}", "album": "",
        "genre": json.dumps([("jazz", "rock", "ambient", "folk")[number % 4]]), "mood": "[]",
        "licence": "CC0 1.0", "credit": "", "source": "", "duration_s": 20.0 + number % 60,
        "tempo_bpm": 60.0 + number % 120, "loudness_lufs": -14.0, "true_peak_dbtp": -1.0, "size_bytes": 0,
        "added_at": "2026-11-29T00:00:00+00:00", "position": number + 1,
    }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

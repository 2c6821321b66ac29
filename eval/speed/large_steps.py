"""What `eval.speed.large` does in a process of a build's own: `python large_steps.py KIND COUNT FOLDER`.

It runs on the present build and on the first version alike, so it uses only what both have. One JSON line is printed
for each line that is read: seconds of wall and processor time and the peak of memory of one round.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ADDED = 12  # files that are ready to be added, one a round
ALPHAS = [round(0.1 * step, 1) for step in range(11)]
SEGMENTS, SEED, SYSTEM = 3, 20261129, "control-mvr-mini"
Round = Callable[[], Any]


def main(kind: str, count: int, folder: Path) -> None:
    """Prepare, then a round for each line of standard input."""
    prepare = {"build": build, "moves": moves, "filter": filtered, "gone": gone, "first": first, "each": each}
    prepare["add"] = added
    rounds = prepare[kind](count, folder)
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        next(rounds)
        took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        took["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps(took), flush=True)


def build(count: int, folder: Path) -> Iterator[Any]:
    """The index of a library that is opened anew."""
    from mvr.datatypes import Modality
    from mvr.library import Library

    system = made(count, folder)
    system.encode(np.zeros((4, len(base(system)[0])), np.float32), Modality.AUDIO)
    while True:
        library = Library.open(folder)
        yield library.index(system, Modality.AUDIO)


def moves(count: int, folder: Path) -> Iterator[Any]:
    """Eleven positions of the slider for one clip, fifty results each."""
    retriever, query = asked(count, folder)
    while True:
        yield [retriever.rank(query, alpha, 50) for alpha in ALPHAS]


def filtered(count: int, folder: Path) -> Iterator[Any]:
    """The same behind a filter by genre and length."""
    from mvr.retrieval import Filters

    retriever, query = asked(count, folder)
    wanted = Filters(genres=("jazz",), min_duration_s=30.0)
    while True:
        yield [retriever.rank(query, alpha, 50, filters=wanted) for alpha in ALPHAS]


def gone(count: int, folder: Path) -> Iterator[Any]:
    """The same with one of the best files gone."""
    retriever, query = asked(count, folder)
    best = retriever.rank(query, 0.5, 50).results[0].item.path
    best.unlink()
    while True:
        yield [retriever.rank(query, alpha, 50) for alpha in ALPHAS]


def added(count: int, folder: Path) -> Iterator[Any]:
    """One more file, as a command that adds it alone does: the library is opened, the file compared with all tracks.

    Signatures lie as those of the demo tracks do. Each round has a noise of its own, ready before it is timed.
    """
    from mvr.library import Library, open_demo_library
    from mvr.media.fingerprint import fingerprint, signature

    system, demo = loaded(), open_demo_library()
    near = np.array(
        [signature(fingerprint(item.path)) for item in demo.items() if str(item.modality) == "audio"]
    )
    rng = np.random.default_rng(SEED)
    write_catalogue(count, folder, near=near)
    for number in range(ADDED):
        with wave.open(str(folder / f"new-{number}.wav"), "wb") as file:
            file.setparams((1, 2, 22_050, 0, "NONE", ""))
            file.writeframes(rng.integers(-9000, 9000, 3 * 22_050, dtype=np.int16).tobytes())
    for number in range(ADDED):
        yield Library.open(folder).add([folder / f"new-{number}.wav"], system)


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


def first(count: int, folder: Path) -> Iterator[Any]:
    """A query against every row."""
    index, query = rows(count)
    while True:
        yield index.cross(query)


def each(count: int, folder: Path) -> Iterator[Any]:
    """The ten best rows at another alpha, eleven times."""
    from mvr.datatypes import branch_weights
    from mvr.index.mixture import best_first

    index, query = rows(count)
    cross = index.cross(query)
    while True:
        yield [best_first(cross.scores(branch_weights(alpha, 2)), 10) for alpha in ALPHAS]


def asked(count: int, folder: Path) -> tuple[Any, Any]:
    """A retriever over a library of so many tracks, and a clip of the demo library as its query."""
    from mvr.datatypes import Direction, Modality
    from mvr.library import Library, open_demo_library
    from mvr.retrieval import Retriever

    system = made(count, folder)
    retriever = Retriever(Library.open(folder), system)
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


def made(count: int, folder: Path) -> Any:
    """The system; its library of `count` tracks is written by the build itself where it is not there yet.

    Features are those of demo tracks, moved a little; files are empty, for nothing opens them.
    """
    from mvr.datatypes import Modality
    from mvr.library import Library

    system = loaded()
    if (folder / "made").exists():
        return system
    Library.open(folder)
    rng, near = np.random.default_rng(SEED), base(system)
    features = near[rng.integers(len(near), size=count * SEGMENTS)]
    features = features + 0.2 * near.std(axis=0) * rng.standard_normal(features.shape, dtype=np.float32)
    recipe = system.recipe_hash(Modality.AUDIO)
    features.astype(np.float32).tofile(folder / "features" / f"{recipe}.f32")
    times = np.array([(5.0 * n, 5.0 * n + 10) for n in range(SEGMENTS)]).tobytes()
    width = features.shape[1]
    with sqlite3.connect(folder / "features" / "cache.db") as cache:
        lines = ((recipe, content(n), SEGMENTS * n, SEGMENTS, width, times) for n in range(count))
        cache.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)", lines)
    write_catalogue(count, folder)
    for n in range(count):
        path = Path(os.fsdecode(track(n, folder)["path"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "made").touch()
    return system


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

    with sqlite3.connect(folder / "catalogue.sqlite") as catalogue:
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

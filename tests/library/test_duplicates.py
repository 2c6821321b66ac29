"""Nearest signatures are what comparing with every one says, whatever was added, replaced, removed or brought back, and
few are read for it."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.datatypes import Modality
from mvr.library import sketches
from mvr.library.catalogue import Catalogue
from mvr.library.duplicates import Signatures
from mvr.library.item import Item

WIDTH, NEAR = 24, 0.9
ITEM = Item(
    id="", content="", modality=Modality.AUDIO, path=Path("/m/a.wav"), name="a.wav", title="A", artist="", album="",
    genre=(), mood=(), licence="", credit="", source="", duration_s=1.0, tempo_bpm=None, loudness_lufs=None,
    true_peak_dbtp=None, width_px=None, height_px=None, size_bytes=1, same_as=None, added_at="2026-11-29",
)  # fmt: skip


def rows(count: int, seed: int) -> np.ndarray:
    """Unit rows of a few latents around one direction, as signatures lie: many pairs are nearer than 0.9."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((6, WIDTH))
    vectors = 3 + rng.standard_normal((count, 6)) @ mixing + 0.1 * rng.standard_normal((count, WIDTH))
    unit: np.ndarray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def item(name: str) -> Item:
    return dataclasses.replace(ITEM, id=name, content=name, path=Path(f"/m/{name}.wav"))


class Scan:
    """What is wanted: every signature that is there is compared, the earlier of equals first."""

    def __init__(self, catalogue: Catalogue, known: dict[str, np.ndarray]) -> None:
        self._rows = [(each.id, known[each.id]) for each in catalogue.items()]

    def nearest(self, row: np.ndarray, count: int, least: float, but: str | None) -> list[str]:
        found = [(-float(np.float32(other @ row.astype(np.float64))), at, key)
                 for at, (key, other) in enumerate(self._rows) if key != but]  # fmt: skip
        return [key for cosine, _, key in sorted(found)[:count] if -cosine >= least]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "copy", "replace", "remove", "restore", "purge", "ask")),
        st.integers(0, 10**6),
    ),
    min_size=20,
    max_size=60,
)


@given(steps=STEPS, seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_nearest_are_those_of_a_plain_comparison(steps: list[tuple[str, int]], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("_FIT_ROWS", 8), ("_AXES", 5), ("_BLOCK_ROWS", 4)):
            patch.setattr(sketches, name, value)
        catalogue = Catalogue(None)
        known: dict[str, np.ndarray] = {}
        found, fresh = Signatures(catalogue), iter(rows(100, seed))
        asked = rows(100, seed + 5000)

        def add(row: np.ndarray, instead_of: Item | None = None) -> None:
            name = f"t{len(known)}"
            known[name] = row
            catalogue.add(item(name), row.tobytes(), instead_of=instead_of)

        for at, (step, number) in enumerate([("add", 0), *steps, ("ask", 1), ("ask", 2)]):
            here, gone = catalogue.items(), catalogue.removed()
            if step == "add":
                add(next(fresh))
            elif step == "copy" and here:
                add(known[here[number % len(here)].id])
            elif step == "replace" and here:
                add(next(fresh), here[number % len(here)])
            elif step == "remove" and here:
                catalogue.remove([here[number % len(here)].id])
            elif step == "restore" and gone:
                catalogue.restore([gone[0].id])
            elif step == "purge":
                catalogue.purge()
            elif step == "ask":
                row = known[here[number % len(here)].id] if here and number % 2 else asked[at]
                but = here[number % len(here)].id if here and number % 3 else None
                for least in (NEAR, 0.5):
                    wanted = Scan(catalogue, known).nearest(row, 3, least, but)
                    assert [key for key, _ in found.nearest(row.tobytes(), 3, least=least, but=but)] == wanted
        catalogue.close()


def filled(path: Path, count: int, seed: int) -> dict[str, np.ndarray]:
    """A catalogue of so many tracks, written at once as a format without sketches left it."""
    Catalogue(path).close()
    known = {f"t{n}": row for n, row in enumerate(rows(count, seed))}
    with closing(sqlite3.connect(path)) as database:
        names = [f.name for f in dataclasses.fields(Item) if f.name not in ("genre", "mood", "path")]
        values = [
            [n, known[name].tobytes(), b"/m", "[]", "[]", *(getattr(item(name), each) for each in names)]
            for n, name in enumerate(known)
        ]
        columns = ", ".join(["position", "signature", "path", "genre", "mood", *names])
        marks = ", ".join("?" * len(values[0]))
        database.executemany(f"INSERT INTO items ({columns}) VALUES ({marks})", values)
        database.commit()
    return known


def test_ten_times_as_many_tracks_are_no_ten_times_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sketches, "_AXES", 8)
    read = []
    for count in (600, 6000):
        known = filled(tmp_path / f"{count}.sqlite", count, 7)
        catalogue = Catalogue(tmp_path / f"{count}.sqlite")
        found = Signatures(catalogue)
        seen: list[int] = []
        look, scan = catalogue.signatures_at, Scan(catalogue, known)

        def counted(at: np.ndarray) -> list[tuple[int, str, bytes]]:
            seen.append(len(at))
            return look(at)

        monkeypatch.setattr(catalogue, "signatures_at", counted)
        for row in rows(5, 8):
            wanted = scan.nearest(row, 3, NEAR, None)
            assert [key for key, _ in found.nearest(row.tobytes(), 3)] == wanted and len(wanted) == 3
        read.append(sum(seen) / 5)
        catalogue.close()
    assert read[1] < 2 * read[0] and read[1] < 200, f"{read} signatures read for each file"


def test_a_library_without_sketches_gets_them_once_and_an_empty_one_has_nothing_near(tmp_path: Path) -> None:
    row = rows(1, 3)[0].tobytes()
    empty = Catalogue(None)
    assert Signatures(empty).nearest(row, 3) == []
    for name in ("a", "b", "c"):
        empty.add(item(name), row)
    assert [key for key, _ in Signatures(empty).nearest(row, 2)] == ["a", "b"]
    known = filled(tmp_path / "old.sqlite", 600, 4)
    for wanted in ("t599", "t3"):
        catalogue = Catalogue(tmp_path / "old.sqlite")
        found = Signatures(catalogue).nearest(known[wanted].tobytes(), 1)
        assert found[0][0] == wanted and found[0][1] == pytest.approx(1.0, abs=1e-6)
        assert catalogue.sketches().fitted == 600 and len(catalogue.sketches().positions) == 600
        catalogue.close()

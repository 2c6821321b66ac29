"""Signatures of a run of adding: what is nearest is what comparing all would say, whatever was added or replaced."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from mvr.library.duplicates import Signatures


def unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, 12)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_nearest_are_those_of_a_plain_comparison_after_adding_and_replacing() -> None:
    rows = unit_rows(300, 1)
    truth = {f"r{n}": row for n, row in enumerate(rows[:100])}
    found = Signatures(
        SimpleNamespace(signatures=lambda: [(key, row.tobytes()) for key, row in truth.items()])
    )
    for number in range(100, 300):
        gone = f"r{number - 60}" if number % 3 == 0 else None
        found.add(f"r{number}", rows[number].tobytes(), instead_of=gone)
        truth.pop(gone or "", None)
        truth[f"r{number}"] = rows[number]
    for query in unit_rows(5, 2):
        cosine = {key: float(row @ query) for key, row in truth.items()}
        best = sorted(cosine, key=lambda key: -cosine[key])
        assert [key for key, _ in found.nearest(query.tobytes(), 3)] == best[:3]
        assert [key for key, _ in found.nearest(query.tobytes(), 3, but=best[1])] == [best[0], *best[2:4]]


def test_equal_signatures_come_earliest_first_and_an_empty_library_has_none() -> None:
    row = unit_rows(1, 3)[0].tobytes()
    found = Signatures(SimpleNamespace(signatures=list))
    assert found.nearest(row, 3) == []
    for name in ("a", "b", "c"):
        found.add(name, row)
    assert [key for key, _ in found.nearest(row, 2)] == ["a", "b"]

"""The feature cache: what is put comes back, whatever happened in between."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Segment
from mvr.embeddings.cache import BakedFeatures, FeatureCache, bake_features
from mvr.embeddings.system import SegmentFeatures
from mvr.errors import DataError


def made(seed: int, segments: int = 3, dim: int = 5) -> SegmentFeatures:
    features = np.random.default_rng(seed).standard_normal((segments, dim)).astype(np.float32)
    times = tuple(Segment(start_s=n / 3, end_s=n / 3 + 1) for n in range(segments))
    return SegmentFeatures(segments=times, features=features)


def same(a: SegmentFeatures | None, b: SegmentFeatures) -> bool:
    return a is not None and a.segments == b.segments and bool((a.features == b.features).all())


def test_what_is_put_comes_back_by_content_and_recipe(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    for seed in range(5):
        cache.put(f"file{seed}", "r1", made(seed, segments=seed + 1))
    cache.put("file0", "r2", made(50, dim=7))
    again = FeatureCache(tmp_path)
    assert all(same(again.get(f"file{seed}", "r1"), made(seed, segments=seed + 1)) for seed in range(5))
    assert same(again.get("file0", "r2"), made(50, dim=7))
    assert again.get("file1", "r2") is None and again.get("other", "r1") is None


def test_the_first_of_two_puts_stays(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("f", "r", made(1))
    cache.put("f", "r", made(2))
    assert same(cache.get("f", "r"), made(1))


def test_bytes_of_a_killed_writer_are_overwritten(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("a", "r", made(1))
    with (tmp_path / "r.f32").open("ab") as file:
        file.write(b"\x00" * 37)  # a writer died before it told the database
    cache.put("b", "r", made(2))
    assert same(cache.get("a", "r"), made(1)) and same(cache.get("b", "r"), made(2))


def test_rows_that_are_gone_are_an_error_not_silence(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("a", "r", made(1))
    (tmp_path / "r.f32").write_bytes(b"")
    with pytest.raises(DataError, match="is shorter than"):
        cache.get("a", "r")


def test_threads_put_side_by_side(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    threads = [threading.Thread(target=cache.put, args=(f"f{n}", "r", made(n))) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(cache.get(f"f{n}", "r"), made(n)) for n in range(12))


def test_baked_features_come_back(tmp_path: Path) -> None:
    bake_features(tmp_path / "b.safetensors", {("r", "f1"): made(1), ("r", "f2"): made(2, segments=1)})
    baked = BakedFeatures(tmp_path / "b.safetensors")
    assert same(baked.get("f1", "r"), made(1)) and same(baked.get("f2", "r"), made(2, segments=1))
    assert baked.get("f1", "other") is None and BakedFeatures(tmp_path / "none").get("f1", "r") is None

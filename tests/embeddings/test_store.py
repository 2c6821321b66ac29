"""The feature store: what it keeps, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mvr.embeddings.store import FeatureStore, write_store
from mvr.errors import DataError, Leakage, NotFinite, SettingsMismatch, UsageError, WrongShape


def features(rows: int = 6, dim: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)


def table(**columns: Any) -> pa.Table:
    base = {
        "id": [f"clip-{i}" for i in range(6)],
        "split": ["train"] * 3 + ["val", "test", "test"],
        "group": ["a", "a", "b", "c", "d", "d"],
        "genre": [["jazz"], [], ["rock", "folk"], None, ["jazz"], ["jazz"]],
    }
    return pa.table(base | columns)


META = {
    "video": {"backbone": "descriptors", "settings": {"rate_hz": 2}},
    "audio": {"backbone": "descriptors", "settings": {"sample_rate_hz": 22050}},
    "command": "mvr features import ...",
}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return write_store(tmp_path / "s", video=features(), audio=features(6, 3, 1), manifest=table(), meta=META)


def test_a_store_gives_back_what_was_written(store: FeatureStore) -> None:
    again = FeatureStore.open(store.path)
    np.testing.assert_array_equal(again.video, features())
    np.testing.assert_array_equal(again.audio, features(6, 3, 1))
    assert again.ids[0] == "clip-0" and again.groups == ["a", "a", "b", "c", "d", "d"]
    assert again.labels == {"genre": [["jazz"], [], ["rock", "folk"], [], ["jazz"], ["jazz"]]}
    assert again.meta["video"] == {"backbone": "descriptors", "settings": {"rate_hz": 2}, "dim": 4}
    assert again.rows("test").tolist() == [4, 5] and again.rows().tolist() == list(range(6))


def test_matrices_are_mapped_not_read(store: FeatureStore) -> None:
    assert isinstance(store.video, np.memmap) and not store.video.flags.writeable


def test_half_precision_stays_half(tmp_path: Path) -> None:
    half = features().astype(np.float16)
    kept = write_store(tmp_path / "h", video=half, audio=features().astype(np.float64), manifest=table())
    assert kept.video.dtype == np.float16 and kept.audio.dtype == np.float32


def test_split_and_group_are_filled_in(tmp_path: Path) -> None:
    bare = pa.table({"id": [3, 1, 2]})
    kept = write_store(tmp_path / "b", video=features(3), audio=features(3), manifest=bare)
    assert kept.ids == ["3", "1", "2"] == kept.groups and set(kept.splits) == {"train"}


def test_the_settings_hash_follows_the_settings_alone(tmp_path: Path, store: FeatureStore) -> None:
    other = json.loads(json.dumps(META)) | {"command": "another"}
    same = write_store(
        tmp_path / "t", video=features(seed=5), audio=features(6, 3), manifest=table(), meta=other
    )
    other["video"]["settings"]["rate_hz"] = 3
    new = write_store(
        tmp_path / "u", video=features(seed=5), audio=features(6, 3), manifest=table(), meta=other
    )
    assert same.meta["settings_hash"] == store.meta["settings_hash"] != new.meta["settings_hash"]


def test_other_settings_are_refused_on_opening(store: FeatureStore) -> None:
    wanted = {"video": {"rate_hz": 4}, "audio": {"sample_rate_hz": 22050}}
    with pytest.raises(SettingsMismatch, match="rate_hz=2, but rate_hz=4"):
        FeatureStore.open(store.path, settings=wanted)
    FeatureStore.open(store.path, settings=wanted | {"video": {"rate_hz": 2}})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_its_row(tmp_path: Path, bad: float) -> None:
    broken = features()
    broken[4, 1] = bad
    with pytest.raises(NotFinite, match="video features: NaN or infinity in row 4"):
        write_store(tmp_path / "n", video=broken, audio=features(), manifest=table())
    assert not (tmp_path / "n").exists()


def test_a_float64_beyond_float32_is_refused(tmp_path: Path) -> None:
    huge = features().astype(np.float64)
    huge[2, 2] = 1e300
    with pytest.raises(NotFinite, match="row 2"):
        write_store(tmp_path / "n", video=huge, audio=features(), manifest=table())


def test_nan_in_a_stored_matrix_is_refused_on_opening(store: FeatureStore) -> None:
    broken = features()
    broken[0, 0] = np.nan
    np.save(store.path / "video.npy", broken)
    with pytest.raises(NotFinite, match="row 0"):
        FeatureStore.open(store.path)


def test_rows_that_do_not_pair_are_refused(tmp_path: Path, store: FeatureStore) -> None:
    with pytest.raises(WrongShape, match="have 5 rows, the manifest has 6"):
        write_store(tmp_path / "w", video=features(5), audio=features(), manifest=table())
    np.save(store.path / "audio.npy", features(5, 3))
    with pytest.raises(WrongShape, match="manifest has 6 rows"):
        FeatureStore.open(store.path)


def test_another_width_than_meta_says_is_refused(store: FeatureStore) -> None:
    np.save(store.path / "audio.npy", features(6, 9))
    with pytest.raises(WrongShape, match=r"9 wide, meta\.json says 3"):
        FeatureStore.open(store.path)


def test_rows_beyond_the_manifest_are_not_there_yet(store: FeatureStore) -> None:
    np.save(store.path / "video.npy", np.concatenate([features(), features(2, seed=9)]))
    assert FeatureStore.open(store.path).video.shape == (6, 4)


def test_integers_are_no_features(tmp_path: Path) -> None:
    with pytest.raises(WrongShape, match=r"matrix .* of floats"):
        write_store(tmp_path / "i", video=np.ones((6, 2), np.int64), audio=features(), manifest=table())


def test_a_group_on_both_sides_of_a_split_is_leakage(tmp_path: Path) -> None:
    leaking = table(group=["a", "a", "b", "b", "d", "d"])
    with pytest.raises(Leakage, match="1 groups are in more than one split, for example 'b'"):
        write_store(tmp_path / "l", video=features(), audio=features(), manifest=leaking)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["x"] * 6}, "1 ids appear more than once"),
        ({"split": ["train"] * 5 + ["dev"]}, "unknown split 'dev'"),
        ({"group": ["a", "a", "b", None, "d", "d"]}, "column 'group' has 1 empty"),
    ],
)
def test_a_broken_manifest_is_refused(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        write_store(tmp_path / "m", video=features(), audio=features(), manifest=table(**columns))


def test_an_empty_split_and_an_unknown_one_say_what_there_is(tmp_path: Path) -> None:
    kept = write_store(
        tmp_path / "e", video=features(3), audio=features(3), manifest=pa.table({"id": ["a", "b", "c"]})
    )
    with pytest.raises(DataError, match=r"no rows in split 'test'; it has train \(3 rows\)"):
        kept.rows("test")
    with pytest.raises(UsageError, match="unknown split 'dev'; choose from train, val, test"):
        kept.rows("dev")


def test_a_folder_in_use_and_an_unknown_meta_key_are_refused(tmp_path: Path, store: FeatureStore) -> None:
    with pytest.raises(UsageError, match="not empty"):
        write_store(store.path, video=features(), audio=features(), manifest=table())
    with pytest.raises(UsageError, match="unknown key 'vidoe'"):
        write_store(tmp_path / "k", video=features(), audio=features(), manifest=table(), meta={"vidoe": {}})


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a feature store"):
        FeatureStore.open(tmp_path)

"""Stores of public archives: hostile archives are refused, the split is the documented one."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest

from eval.stores.__main__ import main
from eval.stores.archives import read_numbers, read_strings
from eval.stores.builders import emomv_part, source_video
from mvr.embeddings.store import FeatureStore
from mvr.errors import DataError


def test_strings_of_a_fixed_width_and_numbers_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", fixed=np.array(["x", "Björk", ""]), n=np.arange(3))
    assert read_strings(tmp_path / "a.npz", "fixed") == ["x", "Björk", ""]
    assert read_numbers(tmp_path / "a.npz", "n").tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="'n': wanted one row of fixed-width strings"):
        read_strings(tmp_path / "a.npz", "n")


class Bomb:
    def __reduce__(self):
        return (print, ("this ran",))


@pytest.mark.parametrize("values", [[Bomb()], [{"a": 1}], [b"x"], [1], ["text"]])
def test_an_array_that_needs_unpickling_is_refused_and_nothing_in_it_runs(tmp_path, values, capsys):
    array = np.empty(1, object)
    array[0] = values[0]
    np.savez(tmp_path / "a.npz", id=array)
    with pytest.raises(DataError, match="has no usable array 'id'"):
        read_strings(tmp_path / "a.npz", "id")
    assert "this ran" not in capsys.readouterr().out


def test_a_pickle_in_place_of_an_array_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("id.npy", pickle.dumps(["a"]))
    with pytest.raises(DataError, match="no usable array 'id'"):
        read_strings(tmp_path / "a.npz", "id")


def test_what_is_missing_is_named(tmp_path, capsys):
    with pytest.raises(DataError, match="no usable array"):
        read_numbers(tmp_path / "none.npz", "n")
    assert main(["emomv", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "c_train.npz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("clip", "source"),
    [
        ("exciting_TEST_EXT(9)-45-of-95", "exciting_TEST_EXT(9)"),
        ("fear_ORG_FEAR(294)", "fear_ORG_FEAR(294)"),
        ("rp1lHx8vCgc_02", "rp1lHx8vCgc"),
        ("_ab_cd-ef_1_05", "_ab_cd-ef_1"),
    ],
)
def test_clips_of_one_source_video_are_one_group(clip, source):
    assert source_video(clip) == source


def write_emomv(path, ids, emotions):
    """Row r: a picture full of its clip's number and a sound full of the other clip's."""
    halves = [(name.split("_PAIR_")[0], name.split("_PAIR_")[-1]) for name in ids]
    clips = sorted({clip for pair in halves for clip in pair})
    np.savez(
        path,
        id=np.array(ids),
        video=np.array([[clips.index(seen)] * 4 for seen, _ in halves], np.float32),
        audio=np.array([[clips.index(heard)] * 3 for _, heard in halves], np.float32),
        video_emotion=np.array([emotions[seen] for seen, _ in halves]),
        audio_emotion=np.array([emotions[heard] for _, heard in halves]),
    )
    return clips


def test_exchanged_sounds_go_back_to_their_pictures(tmp_path):
    emotions = {"a": "sad", "b": "relax", "c": "fear", "d": "tense"}
    clips = write_emomv(tmp_path / "part.npz", ["c", "a_PAIR_b", "b_PAIR_a", "a_PAIR_d"], emotions)
    part = emomv_part(tmp_path / "part.npz", "train")
    assert part["id"] == ["c", "a", "b"], "of d only the sound is there"
    assert part["labels"] == [["fear"], ["sad"], ["relax"]]
    numbers = [clips.index(name) for name in part["id"]]
    assert part["video"][:, 0].tolist() == part["audio"][:, 0].tolist() == numbers


def test_a_clip_whose_halves_carry_two_emotions_is_refused(tmp_path):
    write_emomv(tmp_path / "part.npz", ["a_PAIR_b", "b_PAIR_a"], {"a": "sad", "b": "relax"})
    with np.load(tmp_path / "part.npz") as archive:
        np.savez(tmp_path / "part.npz", **{**archive, "audio_emotion": np.array(["relax", "fear"])})
    with pytest.raises(DataError, match="'a' has one emotion for its picture, another for its sound"):
        emomv_part(tmp_path / "part.npz", "train")


@pytest.mark.real_data
def test_public_stores_have_the_documented_split(shared, tmp_path):
    for name, counts in (
        ("yt8m-public", (9531, 120, 419)),
        ("yt8m-topics", (9531, 120, 978)),
        ("emomv", (358, 0, 248)),
    ):
        assert main([name, "--data", str(shared / "data"), "--out", str(tmp_path / name)]) == 0
        store = FeatureStore.open(tmp_path / name)
        assert tuple(store.splits.count(split) for split in ("train", "val", "test")) == counts
    emomv = FeatureStore.open(tmp_path / "emomv")
    assert len({emomv.groups[row] for row in emomv.rows("test")}) == 234
    public, topics = (FeatureStore.open(tmp_path / name) for name in ("yt8m-public", "yt8m-topics"))
    trained = {public.ids[row] for row in public.rows("train")}
    assert trained == {topics.ids[row] for row in topics.rows("train")}
    assert not trained & {topics.ids[row] for row in topics.rows("test")}

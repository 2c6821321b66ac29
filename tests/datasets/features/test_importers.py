"""Importers of precomputed features, against files written by trusted libraries."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvr.datasets.features.matrices import import_matrices, read_manifest
from mvr.datasets.features.mgsv import import_mgsv
from mvr.datasets.features.tfrecord import parse_example, read_records
from mvr.datasets.features.vggish import import_vggish, read_vggish
from mvr.datasets.features.youtube8m import import_youtube8m
from mvr.errors import DataError, NotFinite, WrongShape


def messages() -> dict[str, Any]:
    """tf.train's messages, built by Google's Protocol Buffers library from their published definition."""
    file = descriptor_pb2.FileDescriptorProto(name="e.proto", package="tf", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto

    def message(name: str, *fields: tuple[str, int, int, int, str]) -> Any:
        built = file.message_type.add(name=name)
        for field, number, kind, label, of in fields:
            built.field.add(
                name=field, number=number, type=kind, label=label, **({"type_name": of} if of else {})
            )
        return built

    one, many, sub = kinds.LABEL_OPTIONAL, kinds.LABEL_REPEATED, kinds.TYPE_MESSAGE
    message("BytesList", ("value", 1, kinds.TYPE_BYTES, many, ""))
    message("FloatList", ("value", 1, kinds.TYPE_FLOAT, many, ""))
    message("Int64List", ("value", 1, kinds.TYPE_INT64, many, ""))
    message(
        "Feature",
        ("bytes_list", 1, sub, one, ".tf.BytesList"),
        ("float_list", 2, sub, one, ".tf.FloatList"),
        ("int64_list", 3, sub, one, ".tf.Int64List"),
    )
    message("FeatureList", ("feature", 1, sub, many, ".tf.Feature"))
    for owner, value in (("Features", "Feature"), ("FeatureLists", "FeatureList")):
        name = "feature" if owner == "Features" else "feature_list"
        entry = "".join(part.capitalize() for part in name.split("_")) + "Entry"
        built = message(owner, (name, 1, sub, many, f".tf.{owner}.{entry}"))
        nested = built.nested_type.add(name=entry)
        nested.options.map_entry = True
        nested.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=one)
        nested.field.add(name="value", number=2, type=sub, label=one, type_name=f".tf.{value}")
    message("Example", ("features", 1, sub, one, ".tf.Features"))
    message(
        "SequenceExample",
        ("context", 1, sub, one, ".tf.Features"),
        ("feature_lists", 2, sub, one, ".tf.FeatureLists"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tf.{name}"))
        for name in ("Example", "SequenceExample", "Features")
    }


TF = messages()


def fill(features: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(value[0])]
        getattr(features.feature[name], kind).value.extend(value)


def example(**values: Any) -> bytes:
    message = TF["Example"]()
    fill(message.features, values)
    return bytes(message.SerializeToString())


def write_records(path: Path, records: list[bytes]) -> Path:
    def masked(data: bytes) -> bytes:
        crc = google_crc32c.value(data)
        return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)

    with path.open("wb") as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            file.write(length + masked(length) + record + masked(record))
    return path


numbers = st.integers(-(2**63), 2**63 - 1)
values = st.one_of(
    st.lists(st.binary(max_size=20), min_size=1, max_size=4),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4),
    st.lists(numbers, min_size=1, max_size=4),
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=5))
def test_an_example_reads_back_as_google_wrote_it(content: dict[str, Any]) -> None:
    read = parse_example(example() if not content else _serialise(content))
    assert {name: list(value) for name, value in read.items()} == {k: list(v) for k, v in content.items()}


def _serialise(content: dict[str, Any]) -> bytes:
    message = TF["Example"]()
    fill(message.features, content)
    return bytes(message.SerializeToString())


@given(st.binary(max_size=200))
def test_bytes_that_are_no_example_give_an_answer_or_one_clear_error(data: bytes) -> None:
    try:
        parse_example(data)
    except (DataError, UnicodeDecodeError) as error:
        assert str(error)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_a_flipped_byte_anywhere_is_noticed(tmp_path: Path, at: int, flip: int) -> None:
    path = write_records(tmp_path / "a.tfrecord", [b"x" * 40, b"y" * 10])
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= flip
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"a\.tfrecord"):
        list(read_records(path))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a.tfrecord", [b"x" * 40])
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match="ends inside the record at byte 0"):
        list(read_records(path))


def test_youtube8m_rows_come_with_names_of_their_labels(tmp_path: Path) -> None:
    rgb, sound = np.linspace(-1, 1, 1024).tolist(), np.linspace(0, 1, 128).tolist()
    records = [
        example(id=[b"AYaa"], labels=[3, 14], mean_rgb=rgb, mean_audio=sound),
        example(id=[b"rXaa"], labels=[5], mean_rgb=sound * 8, mean_audio=sound),
    ]
    shard = write_records(tmp_path / "validate00.tfrecord", records)
    vocabulary = tmp_path / "vocabulary.csv"
    vocabulary.write_text("Index,Name\n3,Concert\n14,Music video\n5,Car\n")
    found = import_youtube8m([shard], vocabulary=vocabulary, only_labels=frozenset({"Music video"}))
    assert found.manifest.to_pylist() == [
        {
            "id": "validate00/AYaa",
            "split": "train",
            "group": "validate00/AYaa",
            "genre": ["Concert", "Music video"],
        }
    ]
    np.testing.assert_array_equal(found.video[0], np.float32(rgb))
    assert found.notes == ("1 rows have none of the wanted labels",)


def vggish_record(video_id: str, seconds: np.ndarray) -> bytes:
    message = TF["SequenceExample"]()
    context = {"video_id": [video_id.encode()], "start_time_seconds": [30.0], "labels": [0, 137]}
    fill(message.context, context)
    for row in seconds:
        message.feature_lists.feature_list["audio_embedding"].feature.add().bytes_list.value.append(
            row.tobytes()
        )
    return bytes(message.SerializeToString())


def test_vggish_stands_beside_the_video_features_of_the_same_ids(tmp_path: Path) -> None:
    seconds = np.random.default_rng(1).integers(0, 256, (3, 10, 128), dtype=np.uint8)
    records = [vggish_record(name, rows) for name, rows in zip("abc", seconds, strict=True)]
    shard = write_records(tmp_path / "x.tfrecord", records)
    pictures = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save(tmp_path / "clip.npy", pictures)
    (tmp_path / "rows.csv").write_text(
        "id,split,genre\nc,test,Jazz\nx,train,Rock\na,train,Pop;Rock\nb,val,\n"
    )
    found = import_vggish([shard], tmp_path / "clip.npy", tmp_path / "rows.csv")
    assert found.manifest["id"].to_pylist() == ["c", "a", "b"]
    assert found.manifest["genre"].to_pylist() == [["Jazz"], ["Pop", "Rock"], []]
    np.testing.assert_array_equal(found.video, pictures[[0, 2, 3]])
    np.testing.assert_allclose(found.audio, seconds[[2, 0, 1]].mean(axis=1) / 255 * 4 - 2, atol=1e-5)
    assert found.notes == ("1 rows have no sound in the shards",)


@pytest.mark.parametrize(
    ("lines", "error", "words"),
    [
        ("id\nx\ny\n", DataError, "no id of rows.csv is a video id"),
        ("id\na\n", WrongShape, "clip.npy has 2 rows, rows.csv 1"),
    ],
)
def test_vggish_beside_other_videos_is_refused(tmp_path: Path, lines: str, error: Any, words: str) -> None:
    shard = write_records(tmp_path / "x.tfrecord", [vggish_record("a", np.zeros((10, 128), np.uint8))])
    np.save(tmp_path / "clip.npy", np.zeros((2, 3), np.float32))
    (tmp_path / "rows.csv").write_text(lines)
    with pytest.raises(error, match=re.escape(words)):
        import_vggish([shard], tmp_path / "clip.npy", tmp_path / "rows.csv")


def test_vggish_clips_come_back_second_by_second(tmp_path: Path) -> None:
    seconds = np.random.default_rng(0).integers(0, 256, (10, 128), dtype=np.uint8)
    shard = write_records(tmp_path / "x.tfrecord", [vggish_record("--aE2O5G5WE", seconds)])
    (clip,) = read_vggish([shard])
    assert (clip.id, clip.start_s, clip.labels) == ("--aE2O5G5WE", 30.0, (0, 137))
    np.testing.assert_array_equal(clip.embedding, seconds)
    np.testing.assert_allclose(clip.mean(), seconds.mean(axis=0) / 255 * 4 - 2, atol=1e-5)


def mgsv(folder: Path) -> Path:
    for split, rows in {
        "train": ["v1,m1", "v2,m2", "v3,m9"],
        "val": ["v4,m9", "v5,m3"],
        "test": ["v6,m4", "v7,m9"],
    }.items():
        (folder / f"{split}_data.csv").write_text("\n".join(["video_id,music_id", *rows]) + "\n")
    generator = torch.Generator().manual_seed(0)
    for kind, names, width in (
        ("vit", [f"v{i}" for i in range(1, 8) if i != 2], 512),
        ("ast", ["m1", "m3", "m4", "m9"], 768),
    ):
        for part in ("feature", "mask"):
            (folder / f"{kind}_{part}").mkdir()
        for name in names:
            torch.save(torch.randn(6, width, generator=generator), folder / f"{kind}_feature" / f"{name}.pt")
            torch.save(torch.tensor([1, 1, 1, 1, 0, 0]), folder / f"{kind}_mask" / f"{name}.pt")
    return folder


def test_mgsv_keeps_one_music_in_one_split_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    folder = mgsv(tmp_path)
    found = import_mgsv(folder, folder, folder)
    rows = {row["id"]: (row["split"], row["group"]) for row in found.manifest.to_pylist()}
    assert rows == {"v6": ("test", "m4"), "v7": ("test", "m9"), "v5": ("val", "m3"), "v1": ("train", "m1")}
    assert found.notes[0].startswith("2 rows") and found.notes[1].startswith("1 of 5")
    first = torch.load(folder / "vit_feature" / "v6.pt", weights_only=True)[:4].mean(0)
    np.testing.assert_allclose(found.video[0], first, atol=1e-6)


def test_an_id_that_climbs_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    folder = mgsv(tmp_path)
    (folder / "test_data.csv").write_text("video_id,music_id\n../../secret,m4\n")
    with pytest.raises(DataError, match="leads out of its folder"):
        import_mgsv(folder, folder, folder)


def test_matrices_and_manifest_become_pairs(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((2, 3), np.float64))
    np.save(tmp_path / "a.npy", np.ones((2, 5), np.float16))
    (tmp_path / "m.csv").write_text("id,split,genre\nöne,train,rock; jazz\n二,test,\n", encoding="utf-8")
    found = import_matrices(tmp_path / "v.npy", tmp_path / "a.npy", tmp_path / "m.csv")
    assert found.video.dtype == np.float32 and found.audio.dtype == np.float16
    assert found.manifest["genre"].to_pylist() == [["rock", "jazz"], []]
    assert found.manifest["group"].to_pylist() == ["öne", "二"]


@pytest.mark.parametrize(
    "text",
    [
        "id, split, genre\na, train, rock; jazz\nb, test, \n",
        "\ufeffID ,Split , genre\r\na ,train ,rock;jazz\r\nb ,test ,\r\n",
        'id;split;genre\na;train;"rock; jazz"\nb;test;\n',
        'id,  split,  "genre"\na, train,  "rock;jazz"\nb, test, ""\n',
    ],
)
def test_blanks_marks_and_semicolons_change_no_split(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.csv").write_text(text, encoding="utf-8", newline="")
    table = read_manifest(tmp_path / "m.csv")
    assert table.column_names == ["id", "split", "group", "genre"]
    assert table["id"].to_pylist() == ["a", "b"] and table["split"].to_pylist() == ["train", "test"]
    assert table["genre"].to_pylist() == [["rock", "jazz"], []]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nx\n", "column 'id'"),
        ("id\nx\nx\n", "'x' twice"),
        ("id,split\nx,dev\n", "unknown split 'dev'; choose from train, val, test"),
        ("id,split\nx\n", "line 2 has 1 cells"),
        ("id,id\nx,y\n", "names a column twice"),
    ],
)
def test_a_manifest_with_a_fault_names_it(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_manifest(tmp_path / "m.csv")


def test_nan_rows_and_unequal_rows_and_pickles_are_refused(tmp_path: Path) -> None:
    good = np.ones((3, 2), np.float32)
    bad = good.copy()
    bad[1, 0] = np.nan
    np.save(tmp_path / "good.npy", good)
    np.save(tmp_path / "bad.npy", bad)
    np.save(tmp_path / "pickle.npy", np.array([{}, {}, {}], object))
    (tmp_path / "m.csv").write_text("id\na\nb\n")
    with pytest.raises(NotFinite, match="row 1"):
        import_matrices(tmp_path / "bad.npy", tmp_path / "good.npy", tmp_path / "m.csv")
    with pytest.raises(WrongShape, match="3 rows, the audio matrix 3 and the manifest 2"):
        import_matrices(tmp_path / "good.npy", tmp_path / "good.npy", tmp_path / "m.csv")
    with pytest.raises(DataError, match=r"cannot be read as a \.npy matrix"):
        import_matrices(tmp_path / "pickle.npy", tmp_path / "good.npy", tmp_path / "m.csv")

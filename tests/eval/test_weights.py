"""The converters: wheels are checked, a TensorFlow checkpoint is read, folding changes no number."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import google_crc32c
import numpy as np
import pytest

from eval.weights import audio_tags, concepts
from eval.weights.__main__ import main
from eval.weights.checkpoint import read_checkpoint
from mvr.backbones.audio_tags import output_names
from mvr.errors import WeightsCorrupt


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A LevelDB block whose keys share what they can with the one before."""
    body, before = b"", b""
    for key, value in entries:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b),
            min(len(key), len(before)),
        )
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return body + struct.pack("<II", 0, 1)


def write_checkpoint(folder: Path, tensors: dict[str, np.ndarray]) -> tuple[Path, Path]:
    """A tensor bundle in one shard, as TensorFlow writes it without compression."""
    data, entries = b"", [(b"", bytes([8, 1]))]
    for name in sorted(tensors):
        raw = tensors[name].astype("<f4").tobytes()
        shape = b"".join(
            b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(n) for n in tensors[name].shape)
        )
        crc = google_crc32c.value(raw)
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        entry = b"\x08\x01\x12" + varint(len(shape)) + shape
        entry += (
            b"\x20" + varint(len(data)) + b"\x28" + varint(len(raw)) + b"\x35" + struct.pack("<I", masked)
        )
        entries.append((name.encode(), entry))
        data += raw
    table = block(entries)
    handle = varint(0) + varint(len(table))
    table += b"\0" + b"\0" * 4
    top = block([(b"zzz", handle)])
    footer = varint(0) + varint(0) + varint(len(table)) + varint(len(top))
    table += top + b"\0" + b"\0" * 4
    table += footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    index, values = folder / "x.index", folder / "x.data-00000-of-00001"
    index.write_bytes(table)
    values.write_bytes(data)
    return index, values


def test_a_checkpoint_is_read_name_by_name(tmp_path: Path):
    rng = np.random.default_rng(0)
    tensors = {f"layer_{n}/kernel": rng.normal(size=(n + 1, 300)).astype(np.float32) for n in range(4)}
    found = read_checkpoint(*write_checkpoint(tmp_path, tensors))
    assert set(found) == set(tensors)
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_changed_byte_of_a_tensor_is_found(tmp_path: Path):
    index, values = write_checkpoint(tmp_path, {"a": np.ones(4, np.float32)})
    values.write_bytes(b"\1" + values.read_bytes()[1:])
    with pytest.raises(WeightsCorrupt, match="tensor a"):
        read_checkpoint(index, values)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"no table")
    with pytest.raises(WeightsCorrupt, match="no TensorFlow checkpoint"):
        read_checkpoint(tmp_path / "x", tmp_path / "x")


def test_a_folded_convolution_is_the_convolution_and_its_batch_norm():
    import torch

    rng = np.random.default_rng(1)
    weight, x = (
        rng.normal(size=(5, 3, 3, 3)).astype(np.float32),
        rng.normal(size=(2, 3, 8, 8)).astype(np.float32),
    )
    gamma, beta, mean = (rng.normal(size=5).astype(np.float32) for _ in range(3))
    variance = rng.uniform(0.1, 2, 5).astype(np.float32)
    tensors = [torch.from_numpy(v) for v in (x, weight, mean, variance, gamma, beta)]
    plain = torch.nn.functional.conv2d(*tensors[:2])
    wanted = torch.nn.functional.batch_norm(plain, *tensors[2:], eps=1e-3)
    folded, bias = (torch.from_numpy(v) for v in concepts.fold(weight, gamma, beta, mean, variance))
    torch.testing.assert_close(
        torch.nn.functional.conv2d(tensors[0], folded, bias), wanted, atol=1e-4, rtol=1e-4
    )


def test_every_concept_has_classes_of_imagenet():
    numbers = concepts.class_numbers()
    assert len(numbers) == 79 and all(numbers.values())
    assert all(0 <= n < 1000 for row in numbers.values() for n in row)
    assert numbers["electric guitar"] == [546] and numbers["accordion"] == [401]


def test_another_file_under_the_wheels_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wheel = tmp_path / "musicnn-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("musicnn/__init__.py", "raise SystemExit")
    assert main(["audio-tags", "--wheel", str(wheel), "--out", str(tmp_path / "out")]) == 1
    assert audio_tags.WHEEL.sha256 in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_shipped_files_say_where_they_come_from():
    from mvr.backbones.network_file import network_path, read_network

    for name, module, licence in (("concepts", concepts, "Apache-2.0"), ("audio-tags", audio_tags, "ISC")):
        facts = read_network(name).facts
        assert facts["wheel_sha256"] == module.WHEEL.sha256 and facts["licence"] == licence
        assert network_path(name).with_name(f"{name}.LICENCE.txt").read_text(encoding="utf-8").strip()
    notice = network_path("audio-tags").with_name("audio-tags.LICENCE.txt").read_text(encoding="utf-8")
    assert "Music Technology Group, Universitat Pompeu Fabra 2019" in notice
    assert list(read_network("concepts").facts["concepts"].items()) == list(concepts.class_numbers().items())
    assert len(output_names()) == 100

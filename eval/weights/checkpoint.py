"""A TensorFlow checkpoint (tensor bundle) read without TensorFlow: tensors by name.

`NAME.index` is a sorted-string table (LevelDB's format: blocks of prefix-compressed keys, a footer that points to the
index block) from tensor names to BundleEntryProto (dtype 1, shape 2, shard 3, offset 4, size 5, masked CRC-32C 6);
`NAME.data-00000-of-00001` holds the bytes. Sources: TensorFlow's tensor_bundle.proto and LevelDB's
doc/table_format.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mvr.datatypes import FloatArray
from mvr.errors import WeightsCorrupt

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_FLOAT = 1  # DT_FLOAT
_MASK_DELTA = 0xA282EAD8


def read_checkpoint(index: Path, data: Path) -> dict[str, FloatArray]:
    """All float32 tensors of a checkpoint in one shard.

    Raises:
        WeightsCorrupt: no such table, a compressed block, or a tensor whose checksum is wrong.
    """
    table, values = index.read_bytes(), data.read_bytes()
    magic = struct.unpack("<Q", table[-8:])[0] if len(table) >= _FOOTER_BYTES else 0
    if magic != _MAGIC:
        raise WeightsCorrupt(f"{index} is no TensorFlow checkpoint index")
    footer, at = table[-_FOOTER_BYTES:], 0
    for _ in range(2):  # the metaindex block's handle
        _, at = _varint(footer, at)
    tensors = {}
    for _, handle in _block(table, footer[at:]):
        for key, entry in _block(table, handle):
            if key:  # the empty key is the header
                tensor = _tensor(key.decode(), entry, values)
                if tensor is not None:
                    tensors[key.decode()] = tensor
    return tensors


def _block(table: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of the block that a handle (offset, size) points to."""
    offset, at = _varint(handle, 0)
    size, _ = _varint(handle, at)
    if table[offset + size]:
        raise WeightsCorrupt("the checkpoint's index is compressed, which this reader does not know")
    block = table[offset : offset + size]
    end = size - 4 - 4 * struct.unpack("<I", block[-4:])[0]  # restart points and their number
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _tensor(name: str, entry: bytes, values: bytes) -> FloatArray | None:
    fields = dict(_fields(entry))
    if fields.get(1) != _FLOAT:
        return None
    sizes = [dict(_fields(each)) for number, each in _fields(_raw(fields, 2)) if isinstance(each, bytes)]
    shape = [int(size.get(1, 0)) for size in sizes]
    offset, size = int(fields.get(4, 0)), int(fields.get(5, 0))
    raw = values[offset : offset + size]
    if len(raw) != size or _masked_crc(raw) != fields.get(6):
        raise WeightsCorrupt(f"the tensor {name} of the checkpoint is damaged")
    return np.frombuffer(raw, "<f4").reshape(shape).astype(np.float32)


def _raw(fields: dict[int, int | bytes], number: int) -> bytes:
    value = fields.get(number, b"")
    assert isinstance(value, bytes)
    return value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protocol-buffer message: varints, 32-bit numbers and bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(message, at)
            yield number, message[at : at + length]
            at += length
        elif wire == 5:
            yield number, struct.unpack_from("<I", message, at)[0]
            at += 4
        else:
            raise WeightsCorrupt(f"wire type {wire} in the checkpoint's index")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _masked_crc(raw: bytes) -> int:
    import google_crc32c

    crc = int(google_crc32c.value(raw))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF

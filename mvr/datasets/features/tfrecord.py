"""TFRecord files of tf.train.Example and SequenceExample, read without TensorFlow.

A record is framed as: length (uint64), masked CRC-32C of the length (uint32), data, masked CRC-32C of the data
(https://www.tensorflow.org/tutorials/load_data/tfrecord). The messages are Protocol Buffers; of their wire format only
what tf.train.Example uses is read here: varints and length-delimited fields.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError

Value = list[bytes] | npt.NDArray[np.float32] | list[int]
LARGEST_RECORD_BYTES = 256 * 1024 * 1024


def read_records(path: Path) -> Iterator[bytes]:
    """The records of one TFRecord file, each checked by both of its checksums.

    Raises:
        DataError: a truncated file or a wrong checksum; says at which byte.
    """
    import google_crc32c

    def masked(data: bytes) -> int:
        crc: int = google_crc32c.value(data)
        return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF

    with path.open("rb") as file:
        while header := file.read(12):
            at = file.tell() - len(header)
            if len(header) < 12:
                raise DataError(f"{path.name} ends inside a record header at byte {at}")
            (length,) = struct.unpack("<Q", header[:8])
            (length_crc,) = struct.unpack("<I", header[8:])
            if masked(header[:8]) != length_crc or length > LARGEST_RECORD_BYTES:
                raise DataError(f"{path.name} is not a TFRecord file or is damaged at byte {at}")
            data, footer = file.read(length), file.read(4)
            if len(data) < length or len(footer) < 4:
                raise DataError(f"{path.name} ends inside the record at byte {at}; download it again")
            if masked(data) != struct.unpack("<I", footer)[0]:
                raise DataError(
                    f"{path.name} has a wrong checksum in the record at byte {at}; download it again"
                )
            yield data


def parse_example(record: bytes) -> dict[str, Value]:
    """The features of a tf.train.Example by name: bytes, float32 values or integers."""
    return _features(_one(_fields(record), 1))


def parse_sequence_example(record: bytes) -> tuple[dict[str, Value], dict[str, list[Value]]]:
    """Context features and feature lists of a tf.train.SequenceExample."""
    fields = _fields(record)
    lists: dict[str, list[Value]] = {}
    for entry in _all(_fields(_one(fields, 2)), 1):
        pair = _fields(entry)
        lists[_one(pair, 1).decode()] = [_feature(item) for item in _all(_fields(_one(pair, 2)), 1)]
    return _features(_one(fields, 1)), lists


def _features(message: bytes) -> dict[str, Value]:
    pairs = (_fields(entry) for entry in _all(_fields(message), 1))
    return {_one(pair, 1).decode(): _feature(_one(pair, 2)) for pair in pairs}


def _feature(message: bytes) -> Value:
    for number, content in _fields(message):
        assert isinstance(content, bytes)
        values = _fields(content)
        if number == 1:
            return _all(values, 1)
        if number == 2:
            packed = b"".join(_all(values, 1))
            return np.frombuffer(packed, "<f4").astype(np.float32)
        if number == 3:
            return _integers(values)
    return []


def _integers(values: list[tuple[int, int | bytes]]) -> list[int]:
    """Packed or single varints of field 1, as signed 64-bit integers."""
    found: list[int] = []
    for _, value in values:
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(number)
    return [number - (1 << 64) if number >> 63 else number for number in found]


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """(field number, varint or bytes) in order of appearance."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            found.append((number, value))
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise DataError(f"a record has the unknown wire type {wire}; it holds no tf.train.Example")
        if at + length > len(message):
            raise DataError("a record ends inside a field; it holds no tf.train.Example")
        found.append((number, message[at : at + length]))
        at += length
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise DataError("a record ends inside a number; it holds no tf.train.Example")


def _all(fields: list[tuple[int, int | bytes]], number: int) -> list[bytes]:
    return [value for key, value in fields if key == number and isinstance(value, bytes)]


def _one(fields: list[tuple[int, int | bytes]], number: int) -> bytes:
    """The last occurrence wins, an absent message is the empty one: Protocol Buffers' rule."""
    return next(iter(reversed(_all(fields, number))), b"")

"""A network as an ONNX graph made from named weights, run by onnxruntime: no torch, no file in between.

ONNX is protocol buffers (onnx.proto3 of the ONNX project); the few messages that a feed-forward network needs are
written here by field number, so that neither the package `onnx` nor a second file of weights is needed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.errors import UsageError

_IR_VERSION, _OPSET = 8, 13
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_TYPES = {np.dtype(np.float32): _FLOAT, np.dtype(np.int64): _INT64}
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = (
    1,
    2,
    3,
    7,
)  # AttributeProto.AttributeType
Attribute = float | int | str | Sequence[int]


class Graph:
    """Nodes and weights in the order of adding; every method returns the name of what it added.

    graph = Graph()
    hidden = graph.node("Relu", graph.node("MatMul", "rows", graph.weight(matrix)))
    network = graph.network({"rows": (None, 80)}, hidden)
    """

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []

    def weight(self, values: npt.NDArray[Any]) -> str:
        """A constant: float32, or int64 for shapes and axes."""
        kind = np.int64 if np.issubdtype(values.dtype, np.integer) else np.float32
        array, name = np.ascontiguousarray(values, kind), f"weight{len(self._weights)}"
        self._weights.append(
            b"".join(_number(1, size) for size in array.shape)
            + _number(2, _TYPES[array.dtype])
            + _text(8, name)
            + _bytes(9, array.tobytes())
        )
        return name

    def node(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """An operator of opset 13 over named inputs ("" for one that is left out)."""
        name = f"value{len(self._nodes)}"
        body = b"".join(_text(1, each) for each in inputs) + _text(2, name) + _text(4, operator)
        body += b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        self._nodes.append(body)
        return name

    def serialise(self, inputs: dict[str, tuple[int | None, ...]], output: str) -> bytes:
        """The ModelProto; None stands for a size that is known only when it runs."""
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _text(2, "mvr")
        graph += b"".join(_bytes(5, weight) for weight in self._weights)
        graph += b"".join(_bytes(11, _float_input(name, shape)) for name, shape in inputs.items())
        graph += _bytes(12, _text(1, output))
        opset = _text(1, "") + _number(2, _OPSET)
        return _number(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, opset)

    def network(self, inputs: dict[str, tuple[int | None, ...]], output: str) -> Network:
        """The graph, ready to run."""
        return Network(self.serialise(inputs, output), next(iter(inputs)))


class Network:
    """An onnxruntime session over one float32 input and one output; safe to share between threads.

    Raises:
        UsageError: onnxruntime is not installed.
    """

    def __init__(self, model: bytes, name: str) -> None:
        # onnxruntime 1.32 keeps a device id in the user's folders and reports to its maker; read when it is imported
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            import onnxruntime
        except ImportError as error:
            raise UsageError("this network needs onnxruntime; run `pip install onnxruntime`") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting costs no CPU
        # an arena and its pattern of a small network hold twice what it needs at once, and save no time
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._name = name

    def run(self, rows: FloatArray) -> FloatArray:
        """The output for a batch; finite inputs only, since a maximum swallows NaN in onnxruntime."""
        assert np.isfinite(rows).all()
        found: FloatArray = self._session.run(None, {self._name: np.ascontiguousarray(rows, np.float32)})[0]
        return found


def threads() -> int:
    """Threads of a network: `OMP_NUM_THREADS` where it is set, else the cores, at most four."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else min(4, os.cpu_count() or 1)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the low ones first; a negative number as 64-bit two's complement.

    >>> _varint(300).hex()
    'ac02'
    """
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _ATTRIBUTE_STRING)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    if isinstance(value, float):
        packed = _varint(2 << 3 | 5) + struct.pack("<f", value)
        return _text(1, name) + packed + _number(20, _ATTRIBUTE_FLOAT)
    return _text(1, name) + b"".join(_number(8, each) for each in value) + _number(20, _ATTRIBUTE_INTS)


def _float_input(name: str, shape: tuple[int | None, ...]) -> bytes:
    dims = b""
    for place, size in enumerate(shape):
        dims += _bytes(1, _text(2, f"size{place}") if size is None else _number(1, size))
    tensor = _number(1, _FLOAT) + _bytes(2, dims)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))

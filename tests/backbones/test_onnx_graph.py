"""Graphs written by hand against numpy, and refusals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mvr.backbones.onnx_graph import Graph, Network, threads
from mvr.errors import UsageError


def test_a_dense_layer_is_numpys():
    rng = np.random.default_rng(0)
    rows, weight, bias = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    graph = Graph()
    product = graph.node("Gemm", "rows", graph.weight(weight), graph.weight(bias), alpha=0.5)
    network = graph.network({"rows": (None, 4)}, graph.node("Relu", product))
    wanted = np.maximum(0.5 * rows @ weight + bias, 0)
    np.testing.assert_allclose(network.run(rows.astype(np.float32)), wanted, atol=1e-6)


def test_negative_pads_and_axes_arrive_as_written():
    graph = Graph()
    network = graph.network({"rows": (2, 3)}, graph.node("ReduceMean", "rows", axes=[-1], keepdims=0))
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(network.run(rows), [1, 4])


def test_a_transposed_weight_is_not_mixed_up():
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    graph = Graph()
    network = graph.network({"rows": (1, 4)}, graph.node("MatMul", "rows", graph.weight(matrix.T)))
    np.testing.assert_array_equal(network.run(np.eye(4, dtype=np.float32)[:1]), matrix.T[:1])


def test_the_environment_sets_the_threads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert 1 <= threads() <= 4


def test_without_onnxruntime_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match="pip install onnxruntime"):
        Network(b"", "rows")


def test_nothing_about_the_machine_is_kept_for_the_maker_of_onnxruntime(tmp_path: Path):
    """Its telemetry keeps a device id, and what it will send, in the user's cache folder as soon as it is imported."""
    program = (
        "from mvr.backbones.onnx_graph import Graph; graph = Graph();"
        "print(graph.network({'rows': (1, 2)}, graph.node('Relu', 'rows')).run([[-1.0, 2.0]]).tolist())"
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "[[0.0, 2.0]]"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_network_holds_no_arena_of_memory():
    graph = Graph()
    network = graph.network({"rows": (None, 4)}, graph.node("Relu", "rows"))
    options = network._session.get_session_options()
    assert not options.enable_cpu_mem_arena and not options.enable_mem_pattern

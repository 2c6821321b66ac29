#!/bin/sh
# onnxruntime 1.32.0 (CPU): max-pooling and ReduceMax swallow NaN, so that a network whose activations have gone wrong gives
# clean embeddings. Whether ReduceMax does depends on where in the row the NaN stands.
#
# Guess of a good engineer: NaN comes through, as in numpy's max, torch's amax and max_pool1d (from which such graphs are
# exported), and a check for NaN on what comes out finds a broken input or overflow.
# Behaviour: ReduceMax of [nan, 1, 2] is nan, of [1, nan, 2] and [1, 2, nan] it is 2; MaxPool and GlobalMaxPool of all three
# are 2; Relu keeps NaN, ArgMax points at another number. A clip of which all frames but the first are NaN has an embedding
# like any other. No error, no warning. ONNX's text of these operators does not name NaN; issue 10514 of onnxruntime
# (ReduceMax alone) is open.
# What to do: check the input and the unpooled output, or pool by TopK with k = 1, which puts NaN first.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cat > try.py <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

NAN = float("nan")


def run(op, row, **attributes):
    values = np.array([[row]], np.float32)
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    kind = TensorProto.INT64 if op == "ArgMax" else TensorProto.FLOAT
    one, two = helper.make_tensor_value_info("x", TensorProto.FLOAT, values.shape), helper.make_tensor_value_info("y", kind, None)
    model = helper.make_model(helper.make_graph([node], "g", [one], [two]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": values})[0]


seen = {}
for row in ([NAN, 1.0, 2.0], [1.0, NAN, 2.0], [1.0, 2.0, NAN]):
    told = {
        "ReduceMax": run("ReduceMax", row, axes=[2], keepdims=0),
        "MaxPool": run("MaxPool", row, kernel_shape=[3]),
        "GlobalMaxPool": run("GlobalMaxPool", row),
        "ArgMax": run("ArgMax", row, axis=2),
        "Relu": run("Relu", row),
    }
    told = {op: np.ravel(value).tolist() for op, value in told.items()}
    seen[str(row)] = told
    print(f"{row!s:<16} numpy.max {np.max(row)}  " + "  ".join(f"{op} {value}" for op, value in told.items()))
frames = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
broken = frames.copy()
broken[1:] = NAN
embedding = [float(run("ReduceMax", broken[:, n], axes=[2], keepdims=0).squeeze()) for n in range(4)]
print(f"frames 2 to 8 of 8 are NaN, ReduceMax over frames gives the first frame: {np.array_equal(embedding, frames[0])}")
first, *later = seen.values()
pooled = all(told[op] == [2.0] for told in seen.values() for op in ("MaxPool", "GlobalMaxPool"))
kept = all(any(value != value for value in told["Relu"]) for told in seen.values())
swallowed = first["ReduceMax"][0] != first["ReduceMax"][0] and all(told["ReduceMax"] == [2.0] for told in later)
sys.exit(0 if pooled and kept and swallowed and np.array_equal(embedding, frames[0]) else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# [nan, 1.0, 2.0]  numpy.max nan  ReduceMax [nan]  MaxPool [2.0]  GlobalMaxPool [2.0]  ArgMax [0]  Relu [nan, 1.0, 2.0]
# [1.0, nan, 2.0]  numpy.max nan  ReduceMax [2.0]  MaxPool [2.0]  GlobalMaxPool [2.0]  ArgMax [2]  Relu [1.0, nan, 2.0]
# [1.0, 2.0, nan]  numpy.max nan  ReduceMax [2.0]  MaxPool [2.0]  GlobalMaxPool [2.0]  ArgMax [1]  Relu [1.0, 2.0, nan]
# frames 2 to 8 of 8 are NaN, ReduceMax over frames gives the first frame: True

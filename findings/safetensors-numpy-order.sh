#!/bin/sh
# safetensors 0.8.0: safetensors.numpy.save_file writes an array that is not C-contiguous as it lies in memory, under the
# shape of the array: what is read back has the right shape, dtype and numbers, in the wrong places. No error, no warning.
#
# Guess of a good engineer: a transposed, Fortran-ordered or sliced array is either copied into C order (as np.save and
# ndarray.tobytes do) or refused (as safetensors.torch.save_file refuses non-contiguous tensors).
# Behaviour: silent mix-up. Convolution kernels transposed from TensorFlow's order to torch's are the usual victims; a
# network with such weights runs and answers the same for every input.
# What to do: np.ascontiguousarray before save_file.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet safetensors==0.8.0 numpy==2.4.6
cat > try.py <<'PY'
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

plain = np.arange(6, dtype=np.float32).reshape(2, 3)
arrays = {"plain": plain, "transposed": plain.T, "fortran": np.asfortranarray(plain), "sliced": plain[:, ::2]}
save_file(arrays, "x.safetensors")
read = load_file("x.safetensors")
same = {name: bool(np.array_equal(read[name], array)) for name, array in arrays.items()}
for name, array in arrays.items():
    print(f"{name:<11} written {array.tolist()}  read {read[name].tolist()}  {'same' if same[name] else 'DIFFERENT'}")
sys.exit(0 if same == {"plain": True, "transposed": False, "fortran": False, "sliced": False} else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-29 (Python 3.11.7, Linux):
# plain       written [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]  read [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]  same
# transposed  written [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]  read [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]  DIFFERENT
# fortran     written [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]  read [[0.0, 3.0, 1.0], [4.0, 2.0, 5.0]]  DIFFERENT
# sliced      written [[0.0, 2.0], [3.0, 5.0]]  read [[0.0, 1.0], [2.0, 3.0]]  DIFFERENT

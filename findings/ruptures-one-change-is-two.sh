#!/bin/sh
# ruptures 1.1.10: one clear step that is not at a multiple of five samples is reported by Pelt(model="l2") as two changes, five
# samples apart and both beside the truth; BottomUp, Binseg, Dynp and Window place it at a multiple of five.
#
# Guess of a good engineer: Pelt and Dynp are exact searches ("finds the optimal segmentation"), so one step of fifty times the
# noise is one change at its sample; the default min_size=2 speaks of samples, too.
# Behaviour: every class but KernelCPD looks at each fifth sample alone by default (jump=5). A step between two of these leaves five
# samples of both levels, which a penalty that suits the step makes a section of its own. In the half-second frames of a
# section curve that is 2.5 s beside the place. KernelCPD(kernel="linear"), the same cost, takes no notice of jump and is right.
# What to do: jump=1 (Pelt stays linear), or KernelCPD.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet ruptures==1.1.10 numpy==2.4.6 scipy==1.17.1
cat > try.py <<'PY'
import sys

import numpy as np
import ruptures as rpt

TRUE = [43, 101, 142]  # two steps, and the end
rng = np.random.default_rng(0)
curve = np.concatenate([rng.normal(level, 0.1, length) for level, length in ((0, 43), (5, 58), (0, 41))])


def changes(search, jump: dict[str, int]) -> list[int]:
    found = search(**jump)
    asked = {"pen": 5} if isinstance(found, rpt.Pelt) else {"n_bkps": 2}
    return [int(each) for each in found.fit_predict(curve, **asked)]


searches = {
    "Pelt": lambda **jump: rpt.Pelt(model="l2", **jump),
    "Dynp": lambda **jump: rpt.Dynp(model="l2", **jump),
    "Binseg": lambda **jump: rpt.Binseg(model="l2", **jump),
    "BottomUp": lambda **jump: rpt.BottomUp(model="l2", **jump),
    "Window": lambda **jump: rpt.Window(width=20, model="l2", **jump),
    "KernelCPD": lambda **jump: rpt.KernelCPD(kernel="linear", **jump),
}
default = {name: changes(search, {}) for name, search in searches.items()}
each = {name: changes(search, {"jump": 1}) for name, search in searches.items()}
print(f"true {TRUE}")
for name in searches:
    print(f"{name:<9} default {default[name]}, jump=1 {each[name]}")
coarse = all(place % 5 == 0 for name in searches if name != "KernelCPD" for place in default[name][:-1])
twice = len(default["Pelt"]) == 4 and {40, 45} <= set(default["Pelt"])
right = default["KernelCPD"] == TRUE and each["Pelt"] == each["Dynp"] == TRUE
sys.exit(0 if coarse and twice and right else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# true [43, 101, 142]
# Pelt      default [40, 45, 100, 142], jump=1 [43, 101, 142]
# Dynp      default [45, 100, 142], jump=1 [43, 101, 142]
# Binseg    default [40, 100, 142], jump=1 [43, 101, 142]
# BottomUp  default [45, 100, 142], jump=1 [44, 101, 142]
# Window    default [45, 100, 142], jump=1 [43, 101, 142]
# KernelCPD default [43, 101, 142], jump=1 [43, 101, 142]

#!/bin/sh
# ir-measures 0.4.3 (pytrec-eval-terrier 0.5.11, trec_eval): scores of a run are rounded to float32 before they are sorted,
# and what is equal after that is ordered by the documents' names, last name first. A perfect ranking by large or close
# numbers is marked down, or a wrong one marked up, by how its items are called.
#
# Guess of a good engineer: scores are Python's floats and are compared as such; a run written as 10_000_000 + something
# (points, timestamps, file offsets, fused ranks) or with two nearly identical tracks is ranked as sorted() ranks it.
# Behaviour: 0.900000002 and 0.9 tie; so do 16777217 and 16777216; the ranking becomes that of the names. No error, no
# warning. ir-measures' documentation of its providers says nothing of it; issue 34 of usnistgov/trec_eval (closed) names the
# type.
# What to do: give ranks as scores (n - rank), with ties broken by oneself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet ir-measures==0.4.3 pytrec-eval-terrier==0.5.11
cat > try.py <<'PY'
import sys

import ir_measures
from ir_measures import RR, nDCG

RUNS = {
    "ranks": (3.0, 2.0, 1.0),
    "close cosines": (0.900000004, 0.900000002, 0.9),
    "points over 2**24": (16_777_217.0, 16_777_216.0, 16_777_215.0),
    "seconds since 1970": (1_796_000_002.0, 1_796_000_001.0, 1_796_000_000.0),
}
seen = {}
for name, scores in RUNS.items():
    for own in ("a", "z"):  # the name of the one relevant item, which has the highest score in every run
        run = {"film": dict(zip((own, "m", "n"), scores))}
        assert max(run["film"], key=run["film"].get) == own
        told = ir_measures.calc_aggregate([RR, nDCG @ 10], {"film": {own: 1, "m": 0, "n": 0}}, run)
        seen[name, own] = (round(told[RR], 3), round(told[nDCG @ 10], 3))
    print(f"{name:<18} best item relevant: RR, nDCG@10 {seen[name, 'a']} if it is called 'a', {seen[name, 'z']} if it is called 'z'")
right = all(seen[name, "z"] == (1.0, 1.0) for name in RUNS) and seen["ranks", "a"] == (1.0, 1.0)
sys.exit(0 if right and all(seen[name, "a"][0] < 1 for name in list(RUNS)[1:]) else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# ranks              best item relevant: RR, nDCG@10 (1.0, 1.0) if it is called 'a', (1.0, 1.0) if it is called 'z'
# close cosines      best item relevant: RR, nDCG@10 (0.333, 0.5) if it is called 'a', (1.0, 1.0) if it is called 'z'
# points over 2**24  best item relevant: RR, nDCG@10 (0.5, 0.631) if it is called 'a', (1.0, 1.0) if it is called 'z'
# seconds since 1970 best item relevant: RR, nDCG@10 (0.333, 0.5) if it is called 'a', (1.0, 1.0) if it is called 'z'

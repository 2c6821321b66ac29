#!/bin/sh
# evalica 0.4.2: one item that has won all its comparisons makes bradley_terry (and newman) give every item the same score,
# 1e-06.
#
# Guess of a good engineer: an error (choix raises), or an undefeated item far on top with the others ordered by their own
# votes, as a regularised fit gives them.
# Behaviour: no maximum exists, the scores run away, and what comes back is one number for all: a board in which the item with
# 30 wins of 30, one with 24 of 60 and one with 6 of 30 share rank 1, reached in 2 of at most 100 iterations. No error, no
# warning. New systems, and all systems of a young arena, are undefeated or beaten throughout. The functions' documentation
# says nothing of it.
# What to do: ask first whether wins connect all items in both directions (scipy.sparse.csgraph.connected_components, strong),
# or add a fraction of a win to either side of each pair.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet evalica==0.4.2 choix==0.4.1 numpy==2.4.6
cat > try.py <<'PY'
import sys

import choix
import evalica
from evalica import Winner

NAMES = ("a", "b", "c")
VOTES = {("a", "b"): 30, ("b", "c"): 24, ("c", "b"): 6}  # (winner, loser): how often


def score(method, votes):
    pairs = [pair for pair, count in votes.items() for _ in range(count)]
    result = method([winner for winner, _ in pairs], [loser for _, loser in pairs], [Winner.X] * len(pairs))
    return {name: float(f"{result.scores[name]:.4g}") for name in NAMES}, result.iterations


seen = {}
for method in (evalica.bradley_terry, evalica.newman):
    for told, votes in (("a undefeated", VOTES), ("a lost once", VOTES | {("b", "a"): 1})):
        seen[method.__name__, told], steps = score(method, votes)
        print(f"{method.__name__:<13} {told:<12} {seen[method.__name__, told]} after {steps} iterations")
try:
    choix.ilsr_pairwise(3, [(NAMES.index(w), NAMES.index(l)) for (w, l), count in VOTES.items() for _ in range(count)])
    raised = False
except ValueError as error:
    raised = True
    print(f"choix.ilsr_pairwise raises: {error}")
same = all(len(set(scores.values())) == 1 for (_, told), scores in seen.items() if told == "a undefeated")
apart = all(scores["a"] > scores["b"] > scores["c"] for (_, told), scores in seen.items() if told == "a lost once")
sys.exit(0 if same and apart and raised else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# bradley_terry a undefeated {'a': 1e-06, 'b': 1e-06, 'c': 1e-06} after 2 iterations
# bradley_terry a lost once  {'a': 15.33, 'b': 0.5109, 'c': 0.1277} after 3 iterations
# newman        a undefeated {'a': 1e-06, 'b': 1e-06, 'c': 1e-06} after 100 iterations
# newman        a lost once  {'a': 20.83, 'b': 1.0, 'c': 0.1736} after 100 iterations
# choix.ilsr_pairwise raises: stationary distribution could not be computed. Perhaps the Markov chain has more than one absorbing class?

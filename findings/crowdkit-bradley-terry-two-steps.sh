#!/bin/sh
# crowd-kit 1.4.2: BradleyTerry(n_iter=N).fit stops after two iterations whatever N and tol are, far from the maximum
# likelihood.
#
# Guess of a good engineer: n_iter=10_000 and tol=1e-12 give the maximum likelihood to many digits, as choix does on the same
# votes; more votes bring the strengths nearer to the true ones.
# Behaviour: the loop compares its array with itself (one name for the old and the new), so the change is 0 in the second
# round and the fit ends there; loss_history_ stays empty. n_iter 2, 100 and 10_000 give the same numbers; a true ratio of 16
# between best and worst is told as about half of that, with any number of votes. No error, no warning. The documentation says
# "a number of optimization iterations" and that the likelihood is maximised.
# What to do: choix, evalica, or a logistic regression.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet attrs==26.1.0 nltk==3.10.4 tqdm==4.70.1 scikit-learn==1.9.1 choix==0.4.1 numpy==2.4.6 pandas==3.1.1
venv/bin/pip install --quiet --no-deps crowd-kit==1.4.2  # without transformers, which this model does not use
cat > try.py <<'PY'
import sys

import choix
import numpy as np
import pandas as pd
from crowdkit.aggregation import BradleyTerry

STRENGTHS = np.array([16.0, 8.0, 4.0, 2.0, 1.0])
rng = np.random.default_rng(0)


def votes(count):
    left, right = np.array([rng.choice(5, 2, replace=False) for _ in range(count)]).T
    won = rng.random(count) < STRENGTHS[left] / (STRENGTHS[left] + STRENGTHS[right])
    return pd.DataFrame({"worker": 0, "left": left, "right": right, "label": np.where(won, left, right)})


def ratio(strengths):
    return round(float(strengths[0] / strengths[4]), 2)


seen = {}
for count in (2_000, 50_000):
    table = votes(count)
    pairs = [(w, a if w == b else b) for a, b, w in table[["left", "right", "label"]].itertuples(index=False)]
    wins = np.zeros((5, 5))
    for winner, loser in pairs:
        wins[winner, loser] += 1
    fits = {n: BradleyTerry(n_iter=n, tol=1e-12).fit(table) for n in (1, 2, 100, 10_000)}
    best = ratio(np.exp(choix.ilsr_pairwise_dense(wins)))
    seen[count] = ({n: ratio(fit.scores_) for n, fit in fits.items()}, best)
    print(f"{count:>6} votes, best to worst (true 16): crowd-kit by n_iter {seen[count][0]}, maximum likelihood {best}")
stuck = all(told[2] == told[100] == told[10_000] < 0.75 * best for told, best in seen.values())
sys.exit(0 if stuck and abs(seen[50_000][1] - 16) < 1.5 else 1)
PY
venv/bin/python try.py 2> errors || { cat errors >&2; exit 1; }
# Seen on 2026-11-30 (Python 3.11, Linux):
#   2000 votes, best to worst (true 16): crowd-kit by n_iter {1: 4.72, 2: 8.01, 100: 8.01, 10000: 8.01}, maximum likelihood 16.32
#  50000 votes, best to worst (true 16): crowd-kit by n_iter {1: 4.68, 2: 8.06, 100: 8.06, 10000: 8.06}, maximum likelihood 16.04

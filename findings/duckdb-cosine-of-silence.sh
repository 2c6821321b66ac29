#!/bin/sh
# duckdb 2.0.1: ORDER BY array_cosine_similarity(...) DESC puts a vector of zeros (an item without sound, a failed embedding)
# first, before the query's own vector; ORDER BY array_cosine_distance(...) puts it last. max() and max_by() find it, too.
#
# Guess of a good engineer: NULL or 0 for a vector without direction, or an error, so that similarity DESC and distance ASC
# are one list and such an item never leads it.
# Behaviour: the similarity is NaN, which DuckDB orders above every number and above infinity. One silent track tops the list
# of every query, and avg() over a column of similarities is NaN. No error, no warning; NULLS LAST does not help. The
# documentation of the array functions says nothing of zeros (that of numbers says that NaN is the greatest).
# What to do: order by the distance, keep out such rows (array_inner_product(v, v) > 0), or store unit vectors and order by
# the inner product.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet duckdb==2.0.1
cat > try.py <<'PY'
import sys

import duckdb

ITEMS = "('same', [1, 0]), ('near', [0.8, 0.6]), ('far', [0, 1]), ('opposite', [-1, 0]), ('silence', [0, 0])"
base = duckdb.connect()
base.execute("CREATE TABLE item (name VARCHAR, v FLOAT[2])")
base.execute(f"INSERT INTO item VALUES {ITEMS}")


def listed(order):
    return [name for (name,) in base.execute(f"SELECT name FROM item ORDER BY {order}").fetchall()]


query = "[1, 0]::FLOAT[2]"
lists = {
    "similarity DESC": listed(f"array_cosine_similarity(v, {query}) DESC NULLS LAST"),
    "list similarity DESC": listed("list_cosine_similarity(v::FLOAT[], [1, 0]::FLOAT[]) DESC NULLS LAST"),
    "distance": listed(f"array_cosine_distance(v, {query})"),
    "inner product DESC": listed(f"array_inner_product(v, {query}) DESC, name"),
}
for order, names in lists.items():
    print(f"{order:<21} {names}")
best, mean = base.execute(
    f"SELECT max_by(name, array_cosine_similarity(v, {query})), avg(array_cosine_similarity(v, {query})) FROM item"
).fetchone()
print(f"max_by {best}, avg {mean}")
first = [lists[order][0] for order in ("similarity DESC", "list similarity DESC", "distance", "inner product DESC")]
sys.exit(0 if first == ["silence", "silence", "same", "same"] and best == "silence" and mean != mean else 1)
PY
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux):
# similarity DESC       ['silence', 'same', 'near', 'far', 'opposite']
# list similarity DESC  ['silence', 'same', 'near', 'far', 'opposite']
# distance              ['same', 'near', 'far', 'opposite', 'silence']
# inner product DESC    ['same', 'near', 'far', 'silence', 'opposite']
# max_by silence, avg nan

"""When votes leave a strength without a finite estimate: somebody never lost, or two groups never met.

Edge i -> j if i won or tied against j. Finite maximum-likelihood strengths exist if and only if every
system can reach every other (Ford, American Mathematical Monthly 64 (1957)).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mvr.metrics.preference.votes import LEFT, RIGHT, IntArray, PairVotes


def strong_components(votes: PairVotes) -> tuple[int, IntArray]:
    """How many strongly connected groups of systems there are, and the (K,) group of each.

    >>> count, groups = strong_components(PairVotes.from_names(["a", "a"], ["b", "b"], [0, 0]))
    >>> count
    2
    """
    size = len(votes.systems)
    not_lost_left = votes.outcome != RIGHT
    not_lost_right = votes.outcome != LEFT
    better = np.concatenate([votes.left[not_lost_left], votes.right[not_lost_right]])
    worse = np.concatenate([votes.right[not_lost_left], votes.left[not_lost_right]])
    graph = coo_array((np.ones(len(better)), (better, worse)), shape=(size, size))
    count, groups = connected_components(graph.tocsr(), directed=True, connection="strong")
    return int(count), groups.astype(np.int64)

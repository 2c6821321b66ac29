"""When votes leave a strength without a finite estimate: somebody never lost, or two groups never met.

Edge i -> j if i won or tied against j. Finite maximum-likelihood strengths exist if and only if every
system can reach every other (Ford, American Mathematical Monthly 64 (1957)).
"""

from __future__ import annotations

import numpy as np

from mvr.metrics.preference.votes import LEFT, RIGHT, IntArray, PairVotes


def met_groups(votes: PairVotes) -> list[tuple[str, ...]]:
    """Groups of systems that no chain of votes connects, largest first; one group where all can be compared.

    >>> met_groups(PairVotes.from_names(["a", "c", "b"], ["b", "d", "e"], [0, 2, 1]))
    [('a', 'b', 'e'), ('c', 'd')]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(votes.systems)
    graph = coo_array((np.ones(len(votes)), (votes.left, votes.right)), shape=(size, size))
    count, numbers = connected_components(graph.tocsr(), directed=False)
    groups = [
        tuple(votes.systems[i] for i in np.flatnonzero(numbers == number).tolist()) for number in range(count)
    ]
    return sorted(groups, key=lambda names: (-len(names), names))


def strong_components(votes: PairVotes) -> tuple[int, IntArray]:
    """How many strongly connected groups of systems there are, and the (K,) group of each.

    >>> count, groups = strong_components(PairVotes.from_names(["a", "a"], ["b", "b"], [0, 0]))
    >>> count
    2
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(votes.systems)
    not_lost_left = votes.outcome != RIGHT
    not_lost_right = votes.outcome != LEFT
    better = np.concatenate([votes.left[not_lost_left], votes.right[not_lost_right]])
    worse = np.concatenate([votes.right[not_lost_left], votes.left[not_lost_right]])
    graph = coo_array((np.ones(len(better)), (better, worse)), shape=(size, size))
    count, groups = connected_components(graph.tocsr(), directed=True, connection="strong")
    return int(count), groups.astype(np.int64)

"""Every vote carries the hash of its voter's previous row, so that a removed or changed row shows."""

from __future__ import annotations

from collections import Counter, defaultdict

from mvr.votes.records import Vote
from mvr.votes.store import VoteStore, row_hash


def broken_links(store: VoteStore) -> list[str]:
    """Ids of votes whose predecessor is missing, was changed, or has two successors.

    Changing or removing a voter's newest row cannot be seen this way; a copy elsewhere (`mvr.votes.hub`) shows that.
    Published exports carry no chain, so voters whose rows all begin one are passed over.
    """
    by_voter: dict[str, list[Vote]] = defaultdict(list)
    for vote in store.rows(Vote):
        by_voter[vote.voter_id].append(vote)
    broken = []
    for votes in by_voter.values():
        if not any(vote.prev_hash for vote in votes):
            continue
        hashes = {row_hash(vote.to_row()) for vote in votes}
        successors = Counter(vote.prev_hash for vote in votes)
        broken += [
            vote.vote_id
            for vote in votes
            if successors[vote.prev_hash] > 1 or (vote.prev_hash and vote.prev_hash not in hashes)
        ]
    return sorted(broken)

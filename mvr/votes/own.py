"""What one visitor may see and take back: their own rows, found by their signed id."""

from __future__ import annotations

from mvr.datatypes import JsonDict
from mvr.votes.records import Battle, Consent, Judgment, Vote
from mvr.votes.store import VoteStore


def own_rows(store: VoteStore, voter_id: str) -> JsonDict:
    """Everything that the store holds of one voter, as plain JSON for download.

    Battles without a standing vote are left out: their systems are still secret.
    """
    votes = store.rows(Vote, voter_id=voter_id)
    undone = {vote.undoes for vote in votes}
    standing = {vote.battle_id for vote in votes if vote.kind == "vote" and vote.vote_id not in undone}
    battles = [battle for battle in store.rows(Battle, voter_id=voter_id) if battle.battle_id in standing]
    return {
        "voter_id": voter_id,
        "consents": [row.to_row() for row in store.rows(Consent, voter_id=voter_id)],
        "battles": [row.to_row() for row in battles],
        "votes": [row.to_row() for row in votes],
        "judgments": [row.to_row() for row in store.rows(Judgment, voter_id=voter_id)],
    }

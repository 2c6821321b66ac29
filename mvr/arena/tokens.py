"""Tokens of battles: they name a battle and an attempt, only this server can make them, and each votes once."""

from __future__ import annotations

import secrets

from mvr.arena.refusal import Reason, Refused
from mvr.votes.voter import VoterSigner


class Tokens:
    """Makes and reads tokens.

    >>> tokens = Tokens(VoterSigner(b"0123456789abcdef"))
    >>> tokens.read(tokens.make("battle", 2))
    ('battle', 2)
    """

    def __init__(self, signer: VoterSigner) -> None:
        self._signer = signer

    def make(self, battle_id: str, attempt: int) -> str:
        """The token of one attempt: each undo begins another."""
        return f"{battle_id}.{attempt}.{self._signer.mac('battle', battle_id, str(attempt))}"

    def read(self, token: str) -> tuple[str, int]:
        """Battle and attempt. Raises Refused on anything that this server did not make."""
        battle_id, _, rest = token.partition(".")
        attempt = rest.partition(".")[0]
        if not attempt.isdecimal() or not secrets.compare_digest(
            self.make(battle_id, int(attempt)).encode(), token.encode()
        ):
            raise Refused(Reason.UNKNOWN)
        return battle_id, int(attempt)

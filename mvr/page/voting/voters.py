"""Who may vote on this server, and which votes came together.

`MVR_VOTERS` is `anyone` (default), `account` (signed in only) or `study` (participants of the study in `MVR_STUDY`
only). Of a network address nothing is kept but a random label, drawn in memory and forgotten at midnight UTC.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import threading
from collections.abc import Callable
from enum import StrEnum

from mvr.arena.rates import DAY_MS
from mvr.errors import UsageError
from mvr.page.voting.sign_in import is_offered
from mvr.votes.ids import now_ms

VARIABLE = "MVR_VOTERS"


class Voters(StrEnum):
    """Who may vote on this server: anyone, accounts, or a study's participants."""

    ANYONE = "anyone"
    ACCOUNT = "account"
    STUDY = "study"

    def allows(self, account: str) -> bool:
        """Whether a vote of this kind of account ("anonymous", "login", "study") may be cast."""
        wanted = {Voters.ACCOUNT: ("login",), Voters.STUDY: ("study",)}
        return account in wanted.get(self, (account,))


def voters_of_this_server() -> Voters:
    """What `MVR_VOTERS` says.

    Raises:
        UsageError: another word, accounts without sign-in, or participants without a study: nobody could vote.
    """
    word = os.environ.get(VARIABLE, "") or Voters.ANYONE
    if word not in tuple(Voters):
        raise UsageError(f"{VARIABLE} is {word!r}; choose from {', '.join(Voters)}")
    if word == Voters.ACCOUNT and not is_offered():
        raise UsageError(
            f"{VARIABLE}=account needs sign-in, which is there only on a Space whose manifest says hf_oauth: "
            f"leave it out, or choose from {Voters.ANYONE}, {Voters.STUDY}"
        )
    if word == Voters.STUDY and not os.environ.get("MVR_STUDY"):
        raise UsageError(f"{VARIABLE}=study needs the study's file in MVR_STUDY")
    return Voters(word)


class GroupLabels:
    """An opaque random label per network address (an IPv6 network of 64 bits) and day. Safe between threads.

    >>> labels = GroupLabels(lambda: 0)
    >>> labels.of("192.0.2.1") == labels.of("192.0.2.1") != labels.of("192.0.2.2")
    True
    """

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self._day = -1
        self._labels: dict[str, str] = {}
        self._lock = threading.Lock()

    def of(self, address: str) -> str | None:
        """Today's label of an address; None where there is none."""
        if not address:
            return None
        day = self._clock() // DAY_MS
        with self._lock:
            if day != self._day:
                self._day, self._labels = day, {}
            return self._labels.setdefault(_network(address), secrets.token_hex(8))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address

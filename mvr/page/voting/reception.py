"""Who comes to vote: a visitor with a signed id, an account, or a participant of a study; and what they agreed to."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mvr.arena.arena import Arena
from mvr.arena.ballot import REASONS
from mvr.arena.judging import GUIDELINES
from mvr.arena.own_count import OwnCount, own_count
from mvr.arena.refusal import Reason, Refused
from mvr.arena.reranking.personal import LEAST_VOTES
from mvr.arena.studies import StudyArena
from mvr.datatypes import Direction, JsonDict
from mvr.errors import VoteRefused
from mvr.page import texts
from mvr.page.voting.voters import voters_of_this_server
from mvr.votes.own import own_rows
from mvr.votes.store import VoteStore
from mvr.votes.voter import VoterSigner

CONSENT_VERSION = "5"


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What stands behind the reception; each is made when it is first wanted.

    Attributes:
        store: the votes.
        arena: the rules.
        study: the study that runs here, or None.
    """

    store: Callable[[], VoteStore]
    arena: Callable[[], Arena]
    study: Callable[[], StudyArena | None]


class Reception:
    """Tells visitors who they are here: returning voters, participants of a study, accounts.

    Args:
        signer: signs the id that a browser keeps.
        behind: store, arena and study.
    """

    def __init__(self, signer: VoterSigner, behind: Behind) -> None:
        self.voters = voters_of_this_server()
        self._signer, self._behind = signer, behind

    def hello(self, cookie: str, participant: str | None = None, account: str | None = None) -> JsonDict:
        """Who the visitor is here: the signed id to keep, whether they agreed, how much they voted.

        A participant of a study and an account that is signed in are voters of their own, which the browser does not
        keep: the address and the session say who they are.
        """
        study = self._behind.study() if participant else None
        try:
            voter = self._signer.voter(cookie)
        except VoteRefused:
            cookie = self._signer.new_cookie()
            voter = self._signer.voter(cookie)
        browser = cookie
        if study is not None and participant:
            voter = study.admit(participant, voter)
            cookie = self._signer.cookie(voter)
        signed_in = account is not None and study is None
        if account is not None and signed_in:
            voter = self._voter_of(account, voter)
            cookie = self._signer.cookie(voter)
        kind = "study" if study is not None else "login" if signed_in else "anonymous"
        return {
            "signed_in": signed_in,
            "study": study is not None,
            "study_direction": str(study.direction) if study is not None else "",
            "note": texts.NO_STUDY if participant and study is None else "",
            "closed": "" if self.voters.allows(kind) else texts.VOTERS_WANTED[self.voters],
            "voter": cookie,
            "browser": browser,
            "session": secrets.token_hex(8),
            "consent": self._behind.arena().has_consent(voter, CONSENT_VERSION),
            "consent_text": list(texts.CONSENT),
            **self.count_of(voter),
            "grades": {str(grade): words for grade, words in GUIDELINES.items()},
            "reasons": list(REASONS),
        }

    def admit(self, kind: str) -> None:
        """Raises Refused where this server takes no votes of such people ("anonymous", "login", "study")."""
        if not self.voters.allows(kind):
            raise Refused(Reason.FOREIGN, texts.VOTERS_WANTED[self.voters])

    def kind_of(self, voter: str, account: str | None, participant: str | None = None) -> str:
        """ "study" for the voter of this participant, "login" for the one of this account, else "anonymous"."""
        study = self._behind.study() if participant else None
        if participant and study is not None and study.voter(participant) == voter:
            return "study"
        own = account is not None and self._behind.store().account_of(voter) == self._signer.mac(
            "account", account
        )
        return "login" if own else "anonymous"

    def _voter_of(self, account: str, visitor: str) -> str:
        """The voter of an account: the first time it is the visitor who signs in, votes and all."""
        store = self._behind.store()
        taken = store.account_of(visitor) is not None
        fresh = self._signer.voter(self._signer.new_cookie()) if taken else visitor
        return store.voter_of_account(self._signer.mac("account", account), fresh)

    def consent(self, voter: str, session: str, given: bool) -> JsonDict:
        """Write down what the visitor decided on the text."""
        text = "\n".join(texts.CONSENT)
        self._behind.arena().consent(voter, session, version=CONSENT_VERSION, text=text, given=given)
        return {"consent": given}

    def export(self, voter: str) -> JsonDict:
        """Everything that the store holds of this visitor."""
        return own_rows(self._behind.store(), voter)

    def forget(self, voter: str, session: str) -> JsonDict:
        """Withdraw the visitor: none of their rows counts or is exported any more."""
        withdrawn = self._behind.store().forget(voter, session)
        return {"withdrawn": withdrawn, "voter": self._signer.new_cookie()}

    def count_of(self, voter: str) -> JsonDict:
        """How many votes of this visitor stand, and what became of those that are closed, in words."""
        count = own_count(self._behind.store(), voter)
        return {"mine": count.cast, "became": " ".join(_became(count))}


def _became(count: OwnCount) -> Iterator[str]:
    """Sentences on one's own votes; nothing before the first is closed."""
    if count.closed == 0:
        return
    left_out = {
        texts.OWN_CHECKS: count.checks,
        texts.OWN_SKIPPED: count.skipped,
        texts.OWN_SET_ASIDE: count.set_aside,
    }
    parts = [words.format(count=number) for words, number in left_out.items() if number]
    yield texts.OWN_COUNTED.format(counted=count.counted, closed=count.closed) + (
        f" ({', '.join(parts)})." if parts else "."
    )
    for direction, words in texts.OWN_TASTE.items():
        have = count.teaching[Direction(direction)]
        if 0 < have < LEAST_VOTES:
            yield words.format(have=have, wanted=LEAST_VOTES)
        elif have >= LEAST_VOTES:
            yield texts.OWN_TASTE_READY[direction]

"""How many votes are saved, and the copy to a dataset: when it last went well, what waits, what failed."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime

from mvr.arena.own_count import saved_votes
from mvr.config.paths import home_dir
from mvr.page import texts
from mvr.votes.hub import HubCopy
from mvr.votes.store import VoteStore

logger = logging.getLogger(__name__)
VARIABLE = "MVR_VOTES_DATASET"


class VoteCopy:
    """The copy of a store to the private dataset that `MVR_VOTES_DATASET` names; without one nothing is sent."""

    def __init__(self, store: VoteStore) -> None:
        self._store = store
        self._failed = False
        self._hub: HubCopy | None = None
        name = os.environ.get(VARIABLE, "")
        if not name:
            return
        try:
            self._hub = HubCopy(store, home_dir() / "votes-copy", name)
        except (
            Exception
        ):  # no network, no right to write: voting goes on, and the page says that nothing is copied
            logger.exception("the copy to the dataset %s could not begin", name)
            self._failed = True
        else:
            self._hub.start()

    def words(self) -> str:
        """For the visitor: one to three short sentences."""
        words = [texts.SAVED.format(count=saved_votes(self._store))]
        if self._failed:
            words.append(texts.COPY_NEVER)
        if self._hub is not None:
            status = self._hub.status
            if status.last_sync_ms:
                words.append(texts.COPIED.format(at=utc_clock(status.last_sync_ms)))
            if status.last_error:
                words.append(texts.COPY_FAILED.format(rows=status.waiting_rows))
        return " ".join(words)

    def close(self) -> None:
        """No further copies."""
        if self._hub is not None:
            self._hub.close()


def utc_clock(milliseconds: int) -> str:
    """The time of day.

    >>> utc_clock(1_700_000_000_000)
    '22:13 UTC'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%H:%M UTC")

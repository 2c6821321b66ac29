"""What every tab shares: made once per server by `create_context`."""

from __future__ import annotations

import functools
import ipaddress
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mvr.config.cards import load_card
from mvr.config.manifest import Manifest, load_manifest
from mvr.config.paths import DEFAULT_SYSTEM, home_dir
from mvr.errors import UsageError
from mvr.page.library import DEMO, OWN, Additions, Catalogue
from mvr.page.library.shared import SharedIndex
from mvr.page.serving import (
    Hosts,
    Jobs,
    Shelf,
    Visit,
    Visits,
    check_folders,
    sweep_leftovers,
    trusted_proxies,
)

if TYPE_CHECKING:
    from mvr.page.search import Learned, Measuring
    from mvr.page.voting import BallotBox


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """What every tab is given: limits, systems and libraries, visits, votes, threads.

    Attributes:
        manifest: limits and defaults of `space.yaml`.
        catalogue: systems, libraries and retrievers.
        shelf: serves media under opaque addresses.
        visits: each visitor's private files and answers, by session.
        votes_url: SQLAlchemy URL of the vote store.
        pool: threads for converting, beside the ones that answer.
        jobs: what embeds, so many at a time.
        additions: adds what visitors bring to their libraries.
        local: the page serves this machine only, so its user may name folders of it.
        hosts: names that the server answers to.
    """

    manifest: Manifest
    catalogue: Catalogue
    shelf: Shelf
    visits: Visits
    votes_url: str
    pool: ThreadPoolExecutor
    jobs: Jobs
    additions: Additions
    local: bool
    hosts: Hosts = field(default_factory=Hosts)

    def first_alpha(self) -> float:
        """Where the slider stands before anybody moves it: as the host says, else as the default system's card does."""
        chosen = self.manifest.app.alpha_default
        return load_card(DEFAULT_SYSTEM).alpha_default if chosen is None else chosen

    @functools.cached_property
    def ballots(self) -> BallotBox:
        """Battles and votes, opened with the first visitor who asks for them."""
        from mvr.page.voting import BallotBox, Needs

        return BallotBox(
            Needs(
                catalogue=self.catalogue,
                shelf=self.shelf,
                pool=self.pool,
                votes_url=self.votes_url,
                listen_ms=self.manifest.app.listen_ms,
            )
        )

    @functools.cached_property
    def measuring(self) -> Measuring:
        """Measures clips and libraries in the background."""
        from mvr.page.search import Measuring

        return Measuring()

    @functools.cached_property
    def learned(self) -> Learned:
        """What votes taught, for the lists."""
        from mvr.page.search import Learned

        return Learned(self.catalogue)

    def visit(self, session: str | None) -> Visit:
        """The visit of a Gradio session (`request.session_hash`)."""
        return self.visits.of(session or "")

    def library_key(self, choice: str, visit: Visit) -> str:
        """Key in the catalogue of what a visitor calls the demo library or their own: on a shared server one's own
        library lives and ends with the visit.
        """
        if choice == DEMO:
            return DEMO
        if choice != OWN:
            raise UsageError(f"unknown library {choice!r}; choose from {DEMO}, {OWN}")
        return str(home_dir() / "library" if self.local else visit.folder / "library")

    def close(self) -> None:
        """The end of the server: visitors' files are deleted, votes written and copied, threads let go."""
        self.additions.close()
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.visits.end_all()
        if "ballots" in self.__dict__:
            self.ballots.close()


def create_context(
    *, server_name: str = "127.0.0.1", manifest: Manifest | None = None, index: str | None = None
) -> PageContext:
    """Create what the tabs share.

    Args:
        server_name: the address the server will be bound to.
        manifest: the deployment manifest; `space.yaml` by default.
        index: address of an index that is searched in the place of the demo library; `MVR_INDEX` by default.

    Raises:
        UsageError: the manifest does not validate, or a folder or a variable keeps the server from working.
    """
    manifest = manifest or load_manifest()
    check_folders(home_dir())
    proxies = trusted_proxies()  # told to uvicorn, whose own default trusts whatever calls from this machine
    if "SPACE_ID" not in os.environ or "FORWARDED_ALLOW_IPS" not in os.environ:
        os.environ["FORWARDED_ALLOW_IPS"] = proxies
    sweep_leftovers(home_dir())
    index = index or os.environ.get("MVR_INDEX")
    shelf, catalogue = Shelf(), Catalogue(SharedIndex(index) if index else None)
    additions = Additions(catalogue, manifest.app.embed_jobs)

    def forget(visit: Visit) -> None:
        additions.forget(visit.folder)
        catalogue.forget(visit.folder)

    return PageContext(
        manifest=manifest,
        catalogue=catalogue,
        shelf=shelf,
        visits=Visits(
            home_dir() / "visits",
            shelf,
            retention_s=manifest.app.retention_minutes * 60,
            on_end=forget,
        ),
        votes_url=os.environ.get("MVR_VOTES_URL") or f"sqlite:///{home_dir() / 'votes.sqlite'}",
        jobs=Jobs(manifest.app.embed_jobs),
        additions=additions,
        pool=ThreadPoolExecutor(max_workers=2 + 2 * manifest.app.embed_jobs, thread_name_prefix="mvr-page"),
        local=is_loopback(server_name) and "SPACE_ID" not in os.environ,
        hosts=Hosts.of_this_server(server_name),
    )


def is_loopback(server_name: str) -> bool:
    """True when only this machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if server_name == "localhost":
        return True
    try:
        return ipaddress.ip_address(server_name).is_loopback
    except ValueError:
        return False

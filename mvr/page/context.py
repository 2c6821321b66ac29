"""What every tab shares: made once per server by `create_context`."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass

from mvr.config.manifest import Manifest, load_manifest
from mvr.config.paths import home_dir
from mvr.page.catalogue import Catalogue
from mvr.page.shelf import Shelf
from mvr.page.visits import Visit, Visits


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """What a tab gets.

    Attributes:
        manifest: limits and defaults of `space.yaml`.
        catalogue: systems, libraries and retrievers.
        shelf: serves media under opaque addresses.
        visits: each visitor's private files and answers, by session.
        votes_url: SQLAlchemy URL of the vote store.
        local: the page serves this machine only, so its user may name folders of it.
    """

    manifest: Manifest
    catalogue: Catalogue
    shelf: Shelf
    visits: Visits
    votes_url: str
    local: bool

    def visit(self, session: str | None) -> Visit:
        """The visit of a Gradio session (`request.session_hash`)."""
        return self.visits.of(session or "")


def create_context(*, server_name: str = "127.0.0.1", manifest: Manifest | None = None) -> PageContext:
    """Create what the tabs share.

    Args:
        server_name: the address the server will be bound to.
        manifest: the deployment manifest; `space.yaml` by default.

    Raises:
        UsageError: the manifest does not validate.
    """
    manifest = manifest or load_manifest()
    home_dir().mkdir(parents=True, exist_ok=True)
    shelf = Shelf()
    return PageContext(
        manifest=manifest,
        catalogue=Catalogue(),
        shelf=shelf,
        visits=Visits(home_dir() / "visits", shelf, retention_s=manifest.app.retention_minutes * 60),
        votes_url=os.environ.get("MVR_VOTES_URL", f"sqlite:///{home_dir() / 'votes.db'}"),
        local=is_loopback(server_name) and "SPACE_ID" not in os.environ,
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

"""Which systems and libraries the page offers, loaded once and shared by all visitors."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvr.config.cards import DEFAULT_SYSTEM, LicenceCard, SystemCard, load_card, system_names
from mvr.config.paths import home_dir
from mvr.errors import MvrError, UsageError

if TYPE_CHECKING:
    from mvr.library import Library
    from mvr.retrieval import Retriever

logger = logging.getLogger(__name__)

DEMO, OWN = "demo", "own"


@dataclass(frozen=True, kw_only=True)
class SystemChoice:
    """A system as the page shows it.

    Attributes:
        card: the recipe.
        lacks: what is missing, in one sentence; empty when it is ready.
    """

    card: SystemCard
    lacks: str

    @property
    def name(self) -> str:
        """As on the command line."""
        return self.card.name

    @property
    def title(self) -> str:
        """For people."""
        return self.card.title

    @property
    def summary(self) -> str:
        """One or two sentences."""
        return self.card.summary

    @property
    def trained_on(self) -> str:
        """What its head learned from."""
        return self.card.trained_on

    @property
    def licences(self) -> tuple[LicenceCard, ...]:
        """One per set of weights."""
        return self.card.licences

    @property
    def ready(self) -> bool:
        """True when it can rank on this machine."""
        return not self.lacks


class Catalogue:
    """Systems, libraries and the retrievers that join them; safe to use from several threads."""

    def __init__(self, own_library: Path | None = None) -> None:
        self._own = own_library or home_dir() / "library"
        self._lock = threading.RLock()
        self._systems: dict[str, Any] = {}
        self._libraries: dict[str, Library] = {}
        self._retrievers: dict[tuple[str, str], Retriever] = {}

    def systems(self) -> list[SystemChoice]:
        """All systems, the default first, each ready or with what it lacks."""
        names = system_names()
        if not names:
            return []
        from mvr.embeddings.system import system_status

        choices = []
        for name in names:
            status = system_status(name)
            choices.append(SystemChoice(card=load_card(name), lacks="" if status.ready else status.lacks))
        return choices

    def ready(self) -> list[SystemChoice]:
        """The systems that can rank on this machine."""
        return [choice for choice in self.systems() if choice.ready]

    def system(self, name: str) -> Any:
        """A loaded system.

        Raises:
            UsageError: no such system. WeightsError: it lacks something.
        """
        from mvr.embeddings.system import load_system

        with self._lock:
            if name not in self._systems:
                self._systems[name] = load_system(name)
            return self._systems[name]

    def library(self, name: str) -> Library:
        """The demo library, or the one of this machine's user.

        Raises:
            UsageError: another name.
        """
        from mvr.library import Library, open_demo_library

        with self._lock:
            if name not in self._libraries:
                if name == DEMO:
                    self._libraries[name] = open_demo_library()
                elif name == OWN:
                    self._libraries[name] = Library.open(self._own)
                else:
                    raise UsageError(f"unknown library {name!r}; choose from {DEMO}, {OWN}")
            return self._libraries[name]

    def retriever(self, library: str, system: str) -> Retriever:
        """The retriever of one library with one system; its index is kept."""
        from mvr.retrieval import Retriever

        with self._lock:
            key = (library, system)
            if key not in self._retrievers:
                self._retrievers[key] = Retriever(self.library(library), self.system(system))
            return self._retrievers[key]

    def changed(self, library: str) -> None:
        """Forget the retrievers of a library whose items changed."""
        with self._lock:
            self._retrievers = {key: value for key, value in self._retrievers.items() if key[0] != library}

    def warm(self) -> threading.Thread:
        """Load the default system and the demo library in the background, so that the first visitor need not wait."""

        def warming() -> None:
            begun = time.monotonic()
            try:
                self.retriever(DEMO, DEFAULT_SYSTEM)
            except MvrError as error:
                logger.warning("the default system is not ready: %s", error)
            else:
                logger.info("warm after %.1f s", time.monotonic() - begun)

        thread = threading.Thread(target=warming, name="mvr-warm", daemon=True)
        thread.start()
        return thread

"""Which systems and libraries the page offers, loaded once and shared by all visitors."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.cards import LicenceCard, SystemCard, load_card, system_names
from mvr.config.paths import DEFAULT_SYSTEM, home_dir
from mvr.datatypes import Modality
from mvr.errors import MvrError
from mvr.page.serving import PerKey

if TYPE_CHECKING:
    from mvr.embeddings.system import System
    from mvr.library import Item, Library
    from mvr.library.listing import Choices, Page
    from mvr.page.library.shared import SharedIndex
    from mvr.retrieval import Retriever

logger = logging.getLogger(__name__)

# what a visitor may choose; a library's key is DEMO or the folder of a user's library
DEMO, OWN = ("demo", "own")
_KEPT_SYSTEMS = 16
_KEPT_LIBRARIES = 200  # of visitors of a shared server; an older one is opened again from its folder


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

    def __init__(self, shared: SharedIndex | None = None) -> None:
        self.shared = shared  # searched in the place of the demo library
        self._systems: PerKey[str, System] = PerKey(_KEPT_SYSTEMS)
        self._libraries: PerKey[str, Library] = PerKey(_KEPT_LIBRARIES)
        self._retrievers: PerKey[tuple[str, str], Retriever] = PerKey(_KEPT_LIBRARIES)

    def systems(self) -> list[SystemChoice]:
        """All systems, the default first, each ready or with what it lacks."""
        names = system_names()
        if not names:
            return []
        from mvr.embeddings.status import system_status

        choices = []
        for name in names:
            status = system_status(name)
            lacks = status.lacks.replace(str(home_dir()), "MVR_HOME")  # a visitor need not know our folders
            choices.append(SystemChoice(card=load_card(name), lacks="" if status.ready else lacks))
        return choices

    def ready(self) -> list[SystemChoice]:
        """The systems that can rank on this machine."""
        return [choice for choice in self.systems() if choice.ready]

    def system(self, name: str) -> System:
        """A loaded system.

        Raises:
            UsageError: no such system. WeightsError: it lacks something.
        """
        from mvr.embeddings.system import load_system

        return self._systems.get(name, lambda: load_system(name))

    def library(self, key: str) -> Library:
        """The demo library, or a user's.

        Args:
            key: DEMO, or a folder that the server chose; never a word of a client.
        """
        from mvr.library import Library, open_demo_library

        return self._libraries.get(key, lambda: open_demo_library() if key == DEMO else Library.open(key))

    def retriever(self, library: str, system: str) -> Retriever:
        """The retriever of one library with one system."""
        from mvr.retrieval import Retriever

        return self._retrievers.get(
            (library, system), lambda: Retriever(self.library(library), self.system(system))
        )

    def load(self, library: str, system: str) -> None:
        """Load all that a search needs; who asks for another system does not wait for it."""
        self.retriever(library, system).system.load()

    def forget(self, folder: Path) -> None:
        """Let go of the libraries that lie in a folder."""

        def lies_there(key: str) -> bool:
            return key != DEMO and Path(key).is_relative_to(folder)

        self._retrievers.forget(lambda key: lies_there(key[0]))
        self._libraries.forget(lies_there)

    def examples(self, modality: Modality, count: int = 8) -> list[Item]:
        """The demo library's first items of a modality; none where it is not installed."""
        return self.page(DEMO, modality, count=count).items

    def items(self, library: str, modality: Modality | None = None) -> list[Item]:
        """Items of a library; none of a demo library that is not installed."""
        return self.library(library).items(modality) if _installed(library) else []

    def page(
        self, library: str, modality: Modality | None, words: str = "", *, first: int = 0, count: int
    ) -> Page:
        """Some of a library's items, see `Listing.page`; none of a demo library that is not installed."""
        from mvr.library.listing import Page

        if not _installed(library):
            return Page(items=[], first=0, total=0)
        return self.library(library).listing.page(modality, words, first=first, count=count)

    def has_items(self, key: str, modality: Modality | None = None) -> bool:
        """Whether a library is there and holds something of a modality; none is made."""
        return _installed(key) and self.library(key).listing.holds(modality)

    def choices(self, library: str, modality: Modality) -> Choices:
        """What occurs in a library."""
        from mvr.library.listing import Choices

        if not _installed(library):
            return Choices(genres=[], licences=[], moods=[])
        return self.library(library).listing.choices(modality)

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


def _installed(library: str) -> bool:
    """Whether a library is there."""
    from mvr.library.demo import demo_dir
    from mvr.library.library import CATALOGUE

    return (demo_dir() / "manifest.json" if library == DEMO else Path(library) / CATALOGUE).is_file()

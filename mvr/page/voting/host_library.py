"""The host's own clips and music in the arena: which library it runs on, and which of its clips bring their own music.

`MVR_ARENA_LIBRARY` names the folder of a library (`mvr library add ... --library DIR`); without it battles are between
items of the demo library. A host who names a library lets the sound of its clips compete as `original` where it is
music: the demo's rendered clips never do, and a visitor's clip by its owner's word only (`mvr.page.voting.vote_tab`).
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mvr.backbones.soundscape import LEAST_DBFS, MOST_FLATNESS, MOST_SPEECH, VERSION
from mvr.config.outputs import written_whole
from mvr.config.paths import home_dir
from mvr.datatypes import Modality
from mvr.errors import MvrError, UsageError
from mvr.library import Item
from mvr.page.library import DEMO, Catalogue
from mvr.page.voting.own_music import LOOK_S, OwnMusic

logger = logging.getLogger(__name__)
VARIABLE = "MVR_ARENA_LIBRARY"
_MEASURED = [VERSION, LOOK_S, MOST_SPEECH, MOST_FLATNESS, LEAST_DBFS]  # estimates by others are made anew


def library_of_this_server(catalogue: Catalogue, environment: Mapping[str, str] = os.environ) -> str:
    """Key of the library that `MVR_ARENA_LIBRARY` names, or of the demo library.

    Raises:
        UsageError: no library is there, it has no music, or it lies where visitors' private files do.
    """
    named = environment.get(VARIABLE, "").strip()
    if not named:
        return DEMO
    folder = Path(named).expanduser().resolve()
    if folder.is_relative_to((home_dir() / "visits").resolve()):
        raise UsageError(
            f"{VARIABLE} ({named}) is inside the folder of visitors' private files; name a library of your own"
        )
    if not catalogue.has_items(str(folder), Modality.AUDIO):
        raise UsageError(
            f"{VARIABLE} ({named}) is not a library with music; make one: mvr library add FOLDER --library {named}"
        )
    return str(folder)


class Soundtracks:
    """Which clips' own sound is music: found in a thread of its own, one clip after the other, and kept in a file.

    A clip that was not listened to yet brings no music. Safe between threads.

    Args:
        file: JSON, written with every verdict.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _read(file)
        self._asked: set[str] = set()
        self._waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    def competes(self, clip: Item) -> bool:
        """Whether a clip's own sound is known to be music; if nothing is known, it will be listened to."""
        known = self._known.get(clip.content)
        if known is None and clip.loudness_lufs is not None:  # else it is silent, or has no sound
            self._ask(clip)
        return known is not None and known.competes

    def _ask(self, clip: Item) -> None:
        with self._lock:
            if clip.content in self._asked:
                return
            self._asked.add(clip.content)
            self._waiting.put(clip)
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="mvr-soundtracks", daemon=True)
                self._listener.start()

    def _listen(self) -> None:
        while True:
            clip = self._waiting.get()
            try:
                found = OwnMusic.of(clip.path, clip.duration_s)
                with self._lock:
                    self._known = {**self._known, clip.content: found}
                _write(self._file, self._known)
            except (MvrError, OSError) as error:  # asked for again after a restart
                logger.warning("%s: whether its sound is music is not known: %s", clip.name, error)
            else:
                logger.info("%s: %s", clip.name, found.words())


def _read(file: Path) -> dict[str, OwnMusic]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        clips = document["clips"] if document["measured"] == _MEASURED else {}
        return {content: OwnMusic(**found) for content, found in clips.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("%s cannot be read, clips are listened to again: %s", file.name, error)
        return {}


def _write(file: Path, known: Mapping[str, OwnMusic]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"measured": _MEASURED, "clips": {content: asdict(one) for content, one in known.items()}}
    with written_whole(file) as part:
        part.write_text(json.dumps(document, indent=1), encoding="utf-8")

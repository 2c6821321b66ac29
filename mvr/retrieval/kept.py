"""Products of queries with libraries, kept so that moving the slider costs nothing: one room for all retrievers."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict

from mvr.library import LibraryIndex
from mvr.retrieval.query import Query
from mvr.retrieval.ranking import Compared

KEPT_BYTES = 256 << 20  # of all retrievers together: a page has one for every library and system
_Key = tuple[int, int, str, float]


class _Room:
    """What was used last, up to so many bytes; safe to share between threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[_Key, tuple[Query, Compared]] = OrderedDict()
        self._left: set[int] = set()
        self._lock = threading.RLock()
        self._numbers = itertools.count()

    def enter(self) -> int:
        """A number for one more who keeps something here."""
        return next(self._numbers)

    def get(self, key: _Key) -> Compared | None:
        """What was put under a key, if it is there still."""
        with self._lock:
            return self._held[key][1] if key in self._held else None

    def put(self, key: _Key, query: Query, compared: Compared) -> None:
        """Keep one more, which is the last to go; the query is kept alive, so that its id stays its own."""
        with self._lock:
            self._held[key] = (query, compared)
            self._held.move_to_end(key)
            self.let_go(*(key for key in self._held if key[0] in self._left))
            self._left.clear()
            room = KEPT_BYTES - sum(each.bytes for _, each in self._held.values())
            while len(self._held) > 1 and room < 0:
                room += self._held.popitem(last=False)[1][1].bytes

    def of(self, owner: int) -> dict[_Key, tuple[Query, Compared]]:
        """All that is kept for one."""
        with self._lock:
            return {key: held for key, held in self._held.items() if key[0] == owner}

    def let_go(self, *keys: _Key) -> None:
        """Keep these no longer."""
        with self._lock:
            for key in keys:
                self._held.pop(key, None)

    def leave(self, owner: int) -> None:
        """What is kept for one goes when the next is put in: this is called in the middle of anything."""
        self._left.add(owner)


_ROOM = _Room()


class KeptProducts:
    """What one retriever keeps; it goes with it."""

    def __init__(self) -> None:
        self._owner = _ROOM.enter()
        weakref.finalize(self, _ROOM.leave, self._owner).atexit = False

    def __len__(self) -> int:
        return len(_ROOM.of(self._owner))

    def get(self, query: Query, text: str, weight: float, index: LibraryIndex) -> Compared | None:
        """Products of a query, moved by words, with rows of an index. Those of its direction with rows that the library
        no longer has are let go: they would keep a whole index that nobody asks again."""
        _ROOM.let_go(
            *(
                key
                for key, (asked, compared) in _ROOM.of(self._owner).items()
                if asked.direction is query.direction and compared.index.index is not index.index
            )
        )
        return _ROOM.get((self._owner, id(query), text, weight))

    def put(self, query: Query, text: str, weight: float, compared: Compared) -> None:
        """Keep them, as long as there is room."""
        _ROOM.put((self._owner, id(query), text, weight), query, compared)

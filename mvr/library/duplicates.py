"""Which earlier track holds the same music: another codec, level or excerpt of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mvr.errors import MediaError
from mvr.library.catalogue import Catalogue
from mvr.library.sketches import Sketches

if TYPE_CHECKING:
    from mvr.media.fingerprint import Fingerprint

_CANDIDATES = 3  # nearest signatures whose files are compared in full
_NEAR = 0.9  # signatures of the same music are nearer than this
_ROUNDING = 1e-5  # of bounds
_FIRST_ROWS, _MOST_ROWS = 64, 4096  # signatures read together


class Signatures:
    """Signatures of all tracks of a catalogue, for a run of adding; they follow what it adds and removes.

    What is found is what comparing with every signature would say; few are read (see `mvr.library.sketches`).
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._sketches: Sketches | None = None

    def nearest(
        self, signature: bytes, count: int, *, least: float = _NEAR, but: str | None = None
    ) -> list[tuple[str, float]]:
        """(id, cosine) of the `count` nearest whose cosine is `least` or more, the earlier of equals first.

        Args:
            signature: (W,) float32 of unit length.
            count: at most so many.
            least: smaller cosines are left out.
            but: this item is none of them.
        """
        self._sketches = held = self._catalogue.sketches(self._sketches)
        bounds = held.bounds(signature) + _ROUNDING
        near = np.flatnonzero(bounds >= least)
        order = near[np.argsort(-bounds[near])]
        query = np.frombuffer(signature, np.float32).astype(np.float64)
        found: dict[str, tuple[float, int]] = {}
        at, step = 0, _FIRST_ROWS
        while at < len(order) and bounds[order[at]] >= _last_of(found, count):
            read = self._catalogue.signatures_at(held.positions[order[at : at + step]])
            for position, item_id, other in read:
                nearness = float(np.float32(np.frombuffer(other, np.float32) @ query))
                if item_id != but and nearness >= least:
                    found[item_id] = (-nearness, position)
            at, step = at + step, min(2 * step, _MOST_ROWS)
        return [(item_id, -found[item_id][0]) for item_id in sorted(found, key=lambda each: found[each])][
            :count
        ]


def _last_of(found: dict[str, tuple[float, int]], count: int) -> float:
    """The `count`th best cosine, -1 for fewer."""
    return -sorted(found.values())[count - 1][0] if len(found) >= count else -1.0


def find_same_music(
    own: Fingerprint, signature: bytes, catalogue: Catalogue, known: Signatures, *, but: str | None = None
) -> str | None:
    """Id of the earliest item that holds the same music, or None; `but` is no candidate.

    Signatures name the candidates; their fingerprints are then taken from the files and laid over the track's own.
    """
    from mvr.media.fingerprint import fingerprint, same_music

    for item_id, _ in known.nearest(signature, _CANDIDATES, but=but):
        item = catalogue.item(item_id)
        try:
            if same_music(fingerprint(item.path), own):
                return item.same_as or item.id
        except (MediaError, OSError):  # the earlier file is gone or was replaced: it cannot be compared
            continue
    return None

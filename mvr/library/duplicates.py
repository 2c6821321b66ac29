"""Which earlier track holds the same music: another codec, level or excerpt of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mvr.errors import MediaError
from mvr.library.catalogue import Catalogue

_CANDIDATES = 3  # nearest signatures whose files are compared in full
_NEAR = 0.9  # signatures of the same music are nearer than this


def find_same_music(
    path: Path, signature: bytes, catalogue: Catalogue, *, but: str | None = None
) -> str | None:
    """Id of the earliest item that holds the same music, or None; `but` is no candidate.

    Signatures name the candidates; their fingerprints are then taken from the files and laid over each other.
    """
    from mvr.media.fingerprint import fingerprint, same_music

    known = [entry for entry in catalogue.signatures() if entry[0] != but]
    if not known:
        return None
    wanted = np.frombuffer(signature, np.float32)
    nearness = np.stack([np.frombuffer(other, np.float32) for _, other in known]) @ wanted
    own = None
    for row in np.argsort(-nearness, kind="stable")[:_CANDIDATES]:
        item = catalogue.item(known[row][0])
        if nearness[row] < _NEAR:
            break
        own = own or fingerprint(path)
        try:
            if same_music(fingerprint(item.path), own):
                return item.same_as or item.id
        except (MediaError, OSError):  # the earlier file is gone or was replaced: it cannot be compared
            continue
    return None

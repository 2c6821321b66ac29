"""A battle's own bytes: what plays is the kept excerpt, what is sent differs from every other battle's.

Sound gets fresh dither of one step of 16 bit (about -96 dB, far below hearing), so that no two battles share a hash,
and every sound of one length has one size. The one picture that does not compete gets a box of random bytes behind its
content, which players skip; for those that compete see `mvr.page.voting.twins`. The bytes follow from the server's
secret and the battle alone: a second request, or one after a restart, gets the same, so that ranges fit together. Who
compares what is heard can still tell what it is: the board's answer to that is how votes are counted
(`mvr.arena.board.campaigns`).
"""

from __future__ import annotations

import hashlib
import struct
import threading
import wave
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

SIZE_STEP = 256 << 10  # a picture is padded to the next multiple of this
_BOX_HEAD = 8  # bytes of size and type before a box's content


def _generator(seed: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big"))


def dithered(sound: Path, seed: str) -> bytes:
    """A 16 bit WAV file with triangular dither of one step; the same seed gives the same bytes.

    Raises:
        wave.Error: the file is no WAV.
    """
    with wave.open(str(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        settings = file.getparams()
    noise = np.frombuffer(_generator(seed).bytes(len(samples)), np.uint8)
    steps = (noise & 1).astype(np.int32) - ((noise >> 1) & 1)
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams(settings)
        file.writeframes((samples + steps).clip(-32768, 32767).astype("<i2").tobytes())
    return out.getvalue()


def padded(picture: Path, seed: str) -> bytes:
    """An MP4 file with a `free` box of random bytes behind it, up to the next step in all."""
    content = picture.read_bytes()
    box = -(-(len(content) + _BOX_HEAD + 16) // SIZE_STEP) * SIZE_STEP - len(content)
    return content + struct.pack(">I4s", box, b"free") + _generator(seed).bytes(box - _BOX_HEAD)


class Kept:
    """The newest few made contents: players ask for one file in several ranges. Safe between threads."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The content of a key, made if it is not there (any more)."""
        with self._lock:
            known = self._contents.get(key)
        if known is None:
            known = make()
        with self._lock:
            self._contents[key] = known
            self._contents.move_to_end(key)
            while len(self._contents) > self._most:
                self._contents.popitem(last=False)
        return known

"""Embedding a phone clip with the default system: pictures, sound, and both, as a multiple of real time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs


def contests(inputs: Inputs) -> Iterator[Contest]:
    """A 15 s 1080p clip from file to embeddings, decoding included."""
    seconds = 3.0 if inputs.short else 15.0
    size = (320, 180) if inputs.short else (1920, 1080)
    clip = inputs.video("phone", seconds=seconds, size=size)
    yield Contest(
        name="embed",
        title="Embedding a clip with the default system",
        work=f"a {seconds:g} s {size[0]}x{size[1]} H.264 clip with AAC sound, from file to embeddings of both sides",
        ours="pictures and sound",
        candidates={
            "pictures and sound": lambda: _embed(clip, ("video", "audio")),
            "pictures": lambda: _embed(clip, ("video",)),
            "sound": lambda: _embed(clip, ("audio",)),
        },
        media_s=seconds,
        aims=(Aim(text="at least 6 times real time, sound included", realtime_at_least=6.0),),
    )


def _embed(clip: Path, sides: tuple[str, ...]) -> Work:
    from mvr.config.paths import DEFAULT_SYSTEM
    from mvr.datatypes import Modality
    from mvr.embeddings.system import load_system

    system = load_system(DEFAULT_SYSTEM)

    def work() -> dict[str, Any]:
        found = [system.embed_file(clip, Modality(side)) for side in sides]
        return {"segments": sum(len(one.segments) for one in found)}

    return work

"""A bridge centred on other works than the one it is asked about.

The means and spreads that ship with `bridge-mini` come from the developers' clips and sounds. Where those very files
are the test, they flatter it: here, for each work, every reference item that is like one of its clips (correlation of
concept scores, or of logits, above `LIKE`) is taken out, and both sides are centred anew on what is left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eval.real.clips import Clip, Shelf
from eval.real.matching import Matching, match, source_interval
from mvr.config.paths import assets_dir
from mvr.datatypes import FloatArray, Modality
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import System
from mvr.training.bridge import Reference, link_tables

LIKE = 0.9
LABEL = "{} (centred on other works)"


def shipped_reference() -> Reference:
    """The reference items of `bridge-mini`. Raises DataError."""
    return Reference.read(assets_dir() / "heads" / "bridge-mini.reference.safetensors")


def has_bridge(system: System) -> bool:
    """Whether a system is centred on reference items, or mixes one that is."""
    return any(part.explains and not part.by_words for part in system.parts)


def match_apart(
    system: System, shelf: Shelf, clips: list[Clip], music: list[Clip], reference: Reference
) -> Matching:
    """`match` of a system without alpha, each work's clips asked with statistics that do not hold that work."""
    values: list[float] = []
    sources: list[str] = []
    files: list[str] = []
    for work in sorted({clip.source for clip in clips}):
        own = [clip for clip in clips if clip.source == work]
        (found,) = match(
            centred_on(system, _without(reference, system, shelf, own)), shelf, clips, music, (0.0,)
        )
        kept = [at for at, source in enumerate(found.sources) if source == work]
        values += [float(found.values[at]) for at in kept]
        sources += [work] * len(kept)
        files += [found.clips[at] for at in kept]
    column = np.array(values)
    return Matching(
        system=LABEL.format(system.name),
        alpha=0.0,
        values=column,
        sources=sources,
        clips=files,
        interval=source_interval(column, sources),
    )


def centred_on(system: System, reference: Reference) -> System:
    """The system with the statistics of other reference items; systems without any as they are."""
    if isinstance(system, MixedSystem):
        members = [replace(member, system=centred_on(member.system, reference)) for member in system.members]
        return MixedSystem(system.card, members)
    tables = system.tables
    if tables is None or system.by_words:
        return system
    head = system.head
    made = type(head)(link_tables(tables, reference, list(tables.concepts), list(tables.tags)))  # type: ignore[call-arg]
    return system.under(made, "centred on other items")


def _without(reference: Reference, system: System, shelf: Shelf, own: list[Clip]) -> Reference:
    """The reference items that are like none of a work's clips."""
    part = next(part for part in system.parts if part.explains)
    seen, heard = (
        np.concatenate([shelf.features(part, clip, modality) for clip in own])
        for modality in (Modality.VIDEO, Modality.AUDIO)
    )
    return replace(
        reference,
        concepts=reference.concepts[~_alike(reference.concepts, seen)],
        logits=reference.logits[~_alike(reference.logits, heard)],
    )


def _alike(rows: FloatArray, others: FloatArray) -> npt.NDArray[np.bool_]:
    """(N,) whether a row correlates with any of the others, or with their mean, above `LIKE`; columns centred first."""
    mean = rows.mean(axis=0)
    one, two = (
        _unit(part - mean) for part in (rows, np.vstack([others, others.mean(axis=0, keepdims=True)]))
    )
    found: npt.NDArray[np.bool_] = (one @ two.T).max(axis=1) > LIKE
    return found


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))
    return unit

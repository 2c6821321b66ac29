"""The systems of a report: heads from files, systems by name, and the baselines that are always in the table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.config.cards import load_card, system_names
from mvr.config.digest import content_hash
from mvr.config.paths import assets_dir
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.errors import DataError, UsageError, WrongShape
from mvr.heads import Head, create_head, load_head
from mvr.metrics.retrieval.measure import Embedded

BASELINES = ("cca", "random")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A head under test.

    Attributes:
        name: its name in the table.
        head: the head.
        source: what it is: file hash and facts, or how it was made here.
    """

    name: str
    head: Head
    source: JsonDict


def load_candidates(store: FeatureStore, heads: Sequence[str], systems: Sequence[str]) -> list[Candidate]:
    """`load_files`, refused where a head is for features of another width.

    Raises:
        WrongShape: a head for features of another width; else as `load_files`.
    """
    found = load_files(heads, systems)
    for candidate in found:
        check_width(candidate, store)
    return found


def load_files(heads: Sequence[str], systems: Sequence[str]) -> list[Candidate]:
    """Heads and systems in the order given, each under a name of its own.

    Args:
        heads: `PATH` or `NAME=PATH` of head files.
        systems: names of system cards that have a head with weights.

    Raises:
        UsageError: a name given twice, a system without a trained head.
        WeightsError: a file that is no head.
    """
    files = [_named(head) for head in heads]
    loaded = [(name, path, load_head(path)) for name, path in files]
    kinds = [head.kind for name, _, head in loaded if name is None]
    found = []
    for name, path, head in loaded:
        unique = kinds.count(head.kind) == 1 and head.kind not in BASELINES and head.kind not in systems
        found.append(_candidate(name or (head.kind if unique else path.stem), path, head))
    found += [_system(name) for name in systems]
    names = [candidate.name for candidate in found]
    twice = sorted({name for name in names if names.count(name) > 1 or name in BASELINES})
    if twice:
        raise UsageError(f"two systems would be called {twice[0]!r}; give one a name: --head NAME={twice[0]}")
    return found


def baselines(store: FeatureStore, seed: int) -> tuple[list[Candidate], list[str]]:
    """CCA fitted on split train, random embeddings, and the raw features where both modalities share a space.

    Returns:
        The baselines, and a sentence for each one that this store cannot have.
    """
    widths = {"video_dim": store.video.shape[1], "audio_dim": store.audio.shape[1]}
    found, notes = [], []
    if "train" in store.splits:
        found.append(_fitted_cca(store, seed))
    else:
        notes.append("cca is not in the table: the store has no rows in split train to fit it on")
    found.append(_made("random", create_head("random", **widths, seed=seed), {"seed": seed}))
    if widths["video_dim"] == widths["audio_dim"]:
        found.append(_made("identity", create_head("identity", **widths), {}))
    return found, notes


def embed(candidate: Candidate, store: FeatureStore, rows: np.ndarray) -> Embedded:
    """Embeddings of some rows of the store."""
    return Embedded(
        system=candidate.name,
        video=candidate.head.encode_video(np.asarray(store.video[rows], np.float32)),
        audio=candidate.head.encode_audio(np.asarray(store.audio[rows], np.float32)),
    )


def check_width(candidate: Candidate, store: FeatureStore) -> None:
    """Refuse a head for features of another width.

    Raises:
        WrongShape: says which widths.
    """
    wanted = (candidate.head.video_dim, candidate.head.audio_dim)
    found = (store.video.shape[1], store.audio.shape[1])
    if any(want and want != have for want, have in zip(wanted, found, strict=True)):
        raise WrongShape(
            f"{candidate.name!r} takes features {wanted[0]} and {wanted[1]} wide (video, music), "
            f"{store.path} holds {found[0]} and {found[1]}"
        )


def foreign_notes(candidates: Sequence[Candidate], store: FeatureStore) -> list[str]:
    """A sentence for each head whose training store was made with other settings than this one."""
    here = store.meta.get("settings_hash")
    return [
        f"{one.name} was trained on features made with other settings (hash {made}, here {here})"
        for one in candidates
        if (made := one.source.get("features_settings_hash")) and made != here
    ]


def _named(head: str) -> tuple[str | None, Path]:
    name, separator, path = head.partition("=")
    if separator and not Path(head).exists():
        if not name:
            raise UsageError(f"--head {head!r} has an empty name; write NAME=PATH or PATH")
        return name, Path(path)
    return None, Path(head)


def _candidate(name: str, path: Path, head: Head) -> Candidate:
    from mvr.heads.file import read_head_facts

    facts = read_head_facts(path)
    data = facts.get("metadata", {}).get("data", {})
    source = {
        "kind": head.kind,
        "sha256": content_hash(path),
        "settings": facts.get("settings", {}),
        "features_settings_hash": data.get("settings_hash", ""),
    }
    return Candidate(name=name, head=head, source=source)


def _system(name: str) -> Candidate:
    card = load_card(name)
    if card.head is None or card.head.weights is None:
        with_heads = [n for n in system_names() if (c := load_card(n)).head and c.head and c.head.weights]
        raise UsageError(
            f"system {name!r} has no trained head; choose from {', '.join(with_heads) or 'none'}, or give --head"
        )
    path = assets_dir() / card.head.weights
    return _candidate(name, path, load_head(path))


def _made(name: str, head: Head, settings: JsonDict) -> Candidate:
    return Candidate(name=name, head=head, source={"kind": head.kind, "baseline": True, "settings": settings})


def _fitted_cca(store: FeatureStore, seed: int) -> Candidate:
    from mvr.training.run import train_head

    with tempfile.TemporaryDirectory() as folder:
        report = train_head(store, "cca", Path(folder) / "cca.safetensors", seed=seed)
    if report.head.kind != "cca":
        raise DataError(f"the preset 'cca' makes a head of kind {report.head.kind!r}")
    return _made("cca", report.head, {**report.head.settings, "seed": seed})

"""Run a protocol: get the store, train its heads where they are not there yet, evaluate, write the report."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.protocols.protocol import HeadSpec, Protocol
from eval.provenance import ROOT
from eval.retrieval.evaluation import Evaluation, Request, default_tasks, evaluate
from eval.stores.builders import BUILDERS
from mvr.config.settings import settings_hash
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a run finds and keeps things.

    Attributes:
        work: folder for built stores and trained heads; what is there already is not made again.
        features: a store to use in place of the protocol's.
        data: folder of downloaded public data, for `eval.stores`.
    """

    work: Path
    features: Path | None = None
    data: Path | None = None


def run_protocol(protocol: Protocol, places: Places) -> Evaluation:
    """Everything up to the numbers.

    Raises:
        UsageError: the protocol needs a store that was not given; the message says how to get it.
        MvrError: from training or evaluation.
    """
    features = find_store(protocol, places)
    store = FeatureStore.open(features)
    heads = trained_heads(protocol, store, places.work)
    plan = protocol.plan(default_tasks(store, store.rows(protocol.split)))
    request = Request(
        features=str(features),
        heads=heads,
        systems=protocol.systems,
        split=protocol.split,
        plan=plan,
        title=protocol.title,
    )
    return evaluate(request)


def find_store(protocol: Protocol, places: Places) -> Path:
    """The store that was given, the one that ships, or the one built from public data."""
    if places.features is not None:
        return places.features
    spec = protocol.store
    if spec.path is not None:
        return ROOT / spec.path
    if spec.build is None:
        steps = "; ".join(spec.commands) or "make a feature store"
        raise UsageError(f"protocol {protocol.name!r} needs --features STORE: {steps}")
    if places.data is None:
        raise UsageError(f"protocol {protocol.name!r} builds its store from public data: give --data DIR")
    built = places.work / spec.build
    if not (built / "manifest.parquet").is_file():
        folder, build = BUILDERS[spec.build]
        build(places.data / folder, built)
    return built


def trained_heads(protocol: Protocol, store: FeatureStore, work: Path) -> tuple[str, ...]:
    """`NAME=PATH` of every head of the protocol, trained on this store unless it was before."""
    return tuple(
        f"{spec.name}={trained_head(spec, store, work, seed_of(spec, protocol))}" for spec in protocol.heads
    )


def seed_of(spec: HeadSpec, protocol: Protocol) -> int:
    """The head's own seed, or the protocol's."""
    return protocol.seed if spec.seed is None else spec.seed


def trained_head(spec: HeadSpec, store: FeatureStore, work: Path, seed: int) -> Path:
    """The head's file; trained now unless the same preset, settings, seed and training rows made it before."""
    from mvr.training.run import train_head
    from mvr.training.settings import load_recipe

    recipe = load_recipe(spec.preset, spec.settings)
    made_from = {
        "recipe": json.loads(json.dumps(recipe.to_json())),
        "labels": list(spec.labels),
        "seed": seed,
        "rows": training_rows_hash(store),
    }
    path = work / "heads" / f"{spec.name}-{settings_hash(made_from)}.safetensors"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        train_head(store, recipe, path, spec.labels, seed=seed)
    return path


def training_rows_hash(store: FeatureStore) -> str:
    """SHA-256 over everything that training sees: stores that differ in split test alone train the same head."""
    rows = np.flatnonzero(np.array(store.splits) != "test")
    digest = hashlib.sha256(json.dumps(store.manifest.take(rows).to_pylist(), sort_keys=True).encode())
    for start in range(0, len(rows), 65_536):
        block = rows[start : start + 65_536]
        digest.update(np.ascontiguousarray(store.video[block]).tobytes())
        digest.update(np.ascontiguousarray(store.audio[block]).tobytes())
    return digest.hexdigest()

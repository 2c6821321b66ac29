"""Training of the heads `bridge` and `profiles`: closed form, about a second, from concepts and tags of many videos.

The store's video side holds concept scores, its audio side tags (standardised), both by detectors, and its label
column `concept` what YouTube-8M says is in the picture. The bridge is a CCA of rows that are standardised and
centred; a profile is the mean of the tags of a concept's videos, shrunk by n / (n + 30). The reference holds what the
project's own backbones say of some clips and sounds: its means and spreads centre both sides where the head is used.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.backbones.tag_table import TAG_OUTPUTS
from mvr.config.outputs import written_whole
from mvr.datatypes import FloatArray, JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.errors import DataError, WrongShape
from mvr.heads.bridge import BridgeHead, BridgeTables
from mvr.heads.file import save_head
from mvr.training.provenance import made_by

Matrix = npt.NDArray[np.float64]
LABEL = "concept"
_REFERENCE_FORMAT = "mvr-bridge-reference-1"


@dataclass(frozen=True, kw_only=True)
class BridgeRecipe:
    """Directions, ridges (added to the correlations of each side), shrinkage of rare concepts, whitening."""

    directions: int = 40
    video_ridge: float = 1.3
    audio_ridge: float = 0.3
    shrink_rows: float = 30.0
    whiten_ridge: float = 0.3


PUBLISHED = BridgeRecipe()


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the backbones say of reference items: `concepts` (V, C) of clips, `logits` (A, L) of sounds.

    The names of concepts and outputs are in column order.
    """

    concepts: FloatArray
    logits: FloatArray
    concept_names: tuple[str, ...]
    outputs: tuple[str, ...]

    def save(self, path: Path | str) -> None:
        """Write a file that `read` reads: arrays and names, no media."""
        from safetensors.numpy import save_file

        names = {"concept_names": list(self.concept_names), "outputs": list(self.outputs)}
        arrays = {
            name: np.ascontiguousarray(getattr(self, name), np.float32) for name in ("concepts", "logits")
        }
        with written_whole(path) as part:
            save_file(arrays, part, metadata={"mvr": json.dumps({"format": _REFERENCE_FORMAT, **names})})

    @classmethod
    def read(cls, path: Path | str) -> Reference:
        """Read a file that `save` wrote, or a feature store that the two backbones made.

        Raises:
            DataError: neither.
        """
        if Path(path).is_dir():
            return cls._of_store(FeatureStore.open(path))
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                facts = json.loads((file.metadata() or {})["mvr"])
                arrays = {name: file.get_tensor(name).astype(np.float32) for name in ("concepts", "logits")}
            names = {name: tuple(facts[name]) for name in ("concept_names", "outputs")}
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise DataError(f"{path} is not a reference of concepts and logits: {error}") from error
        return cls(
            concepts=arrays["concepts"],
            logits=arrays["logits"],
            concept_names=names["concept_names"],
            outputs=names["outputs"],
        )

    @classmethod
    def _of_store(cls, store: FeatureStore) -> Reference:
        from mvr.backbones.audio_tags import output_names
        from mvr.backbones.network_file import read_network

        found = (store.meta["video"]["backbone"], store.meta["audio"]["backbone"])
        if found != ("concepts", "audio-tags"):
            raise DataError(
                f"{store.path} holds features of {found[0]} and {found[1]}; a reference is made by the backbones "
                "concepts and audio-tags (`mvr features extract DATASET --system bridge-mini`)"
            )
        return cls(
            concepts=np.asarray(store.video, np.float32),
            logits=np.asarray(store.audio, np.float32),
            concept_names=tuple(read_network("concepts").facts["concepts"]),
            outputs=output_names(),
        )


@dataclass(frozen=True, kw_only=True)
class Link:
    """What is learned from the videos alone; fields as in `BridgeTables`, statistics of the training rows."""

    video: Matrix
    audio: Matrix
    mixture: Matrix
    whiten: Matrix
    correlations: npt.NDArray[np.float64]
    rows: int


def fit_link(
    concepts: Matrix, tags: Matrix, labels: npt.NDArray[np.bool_], recipe: BridgeRecipe = PUBLISHED
) -> Link:
    """Learn both heads from N videos.

    Args:
        concepts: (N, C) scores.
        tags: (N, T) of the same videos.
        labels: (N, C) which concepts the video is labelled with.
        recipe: see there.

    Raises:
        WrongShape: matrices that do not fit. DataError: fewer rows than directions.
    """
    if not len(concepts) == len(tags) == len(labels) or labels.shape[1] != concepts.shape[1]:
        raise WrongShape(f"concepts {concepts.shape}, tags {tags.shape}, labels {labels.shape} do not fit")
    if len(concepts) <= recipe.directions:
        raise DataError(f"{len(concepts)} rows are too few for {recipe.directions} directions")
    x, y = centred(standardised(concepts)), centred(standardised(tags))
    count = len(x)
    x_mean, y_mean = x - x.mean(axis=0), y - y.mean(axis=0)
    left = _inverse_root(x_mean.T @ x_mean / count, recipe.video_ridge)
    right = _inverse_root(y_mean.T @ y_mean / count, recipe.audio_ridge)
    u, correlations, v = np.linalg.svd(left @ (x_mean.T @ y_mean / count) @ right)
    kept = slice(0, min(recipe.directions, len(correlations)))
    seen = labels.sum(axis=0)
    sums = labels.T.astype(float) @ y
    shares = seen / np.maximum(seen + recipe.shrink_rows, 1)
    return Link(
        video=centred((left @ u[:, kept]).T).T,  # blind to the row mean, whether or not the rows are centred
        audio=centred((right @ v[kept].T).T).T,
        mixture=sums / np.maximum(seen, 1)[:, None] * shares[:, None],
        whiten=_inverse_root(y_mean.T @ y_mean / count, recipe.whiten_ridge),
        correlations=correlations[kept],
        rows=count,
    )


def standardised(rows: Matrix) -> Matrix:
    """Columns of mean 0 and variance 1."""
    found: Matrix = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    return found


def centred(rows: Matrix) -> Matrix:
    """Rows of mean 0: what all concepts, or all tags, have in common says nothing."""
    found: Matrix = rows - rows.mean(axis=1, keepdims=True)
    return found


def _inverse_root(covariance: Matrix, ridge: float) -> Matrix:
    values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
    root: Matrix = (vectors / np.sqrt(values)) @ vectors.T
    return root


def members_of(reference: Reference, tags: list[str]) -> FloatArray:
    """(L, T): a tag is the mean of its outputs, each divided by its spread over the reference sounds.

    Raises:
        DataError: a tag without outputs.
    """
    spread, place = reference.logits.std(axis=0), {name: at for at, name in enumerate(reference.outputs)}
    members = np.zeros((len(reference.outputs), len(tags)), np.float32)
    for column, tag in enumerate(tags):
        names = TAG_OUTPUTS.get(tag)
        if not names:
            raise DataError(f"the tag {tag!r} has no output of the audio backbone")
        for name in names:
            row = place[name.removeprefix("-")]
            members[row, column] = (-1 if name.startswith("-") else 1) / (spread[row] * len(names))
    return members


def link_tables(
    link: Link | BridgeTables, reference: Reference, concepts: list[str], tags: list[str]
) -> BridgeTables:
    """The learned link, or that of a finished head, centred on the reference items."""
    members = members_of(reference, tags)
    grouped = reference.logits @ members
    statistics = {
        "concept_mean": reference.concepts.mean(axis=0),
        "concept_std": reference.concepts.std(axis=0),
        "tag_mean": grouped.mean(axis=0),
        "tag_std": grouped.std(axis=0),
    }
    learned = {name: getattr(link, name) for name in ("video", "audio", "mixture", "whiten")}
    tensors: dict[str, Any] = {
        name: np.asarray(values, np.float32) for name, values in {**statistics, **learned}.items()
    }
    names: dict[str, Any] = {"concepts": tuple(concepts), "tags": tuple(tags)}
    plain = BridgeTables(**names, **tensors, members=members, mixture_base=np.zeros(len(tags), np.float32))
    base = plain.wanted(reference.concepts).mean(axis=0)  # what an average clip asks for is nothing special
    return BridgeTables(**names, **tensors, members=members, mixture_base=base)


def train_bridge(
    store: FeatureStore,
    reference: Reference,
    out: Path | str,
    recipe: BridgeRecipe = PUBLISHED,
    facts: JsonDict | None = None,
) -> JsonDict:
    """Train on split train of a store and write the file of both heads; what `mvr train bridge --json` prints.

    Raises:
        DataError: a store without concepts, tags and labels by name.
    """
    began = time.process_time()
    concepts, tags = column_names(store, "video"), column_names(store, "audio")
    if list(reference.concept_names) != concepts:
        raise DataError(f"the reference's concepts are not those of {store.path}, in the same order")
    kept = [at for at, tag in enumerate(tags) if tag in TAG_OUTPUTS]
    rows = store.rows("train")
    link = fit_link(
        np.asarray(store.video[rows], np.float64),
        np.asarray(store.audio[rows][:, kept], np.float64),
        label_matrix(store, concepts)[rows],
        recipe,
    )
    tables = link_tables(link, reference, concepts, [tags[at] for at in kept])
    found = {
        "recipe": vars(recipe),
        "rows": link.rows,
        "correlations": [round(float(value), 4) for value in link.correlations],
        "reference": {"clips": len(reference.concepts), "sounds": len(reference.logits)},
        "source": store.meta.get("source", ""),
        "made_by": made_by("bridge", vars(recipe)),
        **(facts or {}),
    }
    save_head(BridgeHead(tables), out, found)
    return {"head": str(out), "kind": "bridge", "cpu_s": round(time.process_time() - began, 3), **found}


def column_names(store: FeatureStore, side: str) -> list[str]:
    """Names of a side's columns, as the store's meta gives them. Raises DataError."""
    names = store.meta[side]["settings"].get("columns")
    if not names or len(names) != store.meta[side]["dim"]:
        raise DataError(
            f"{store.path} does not name the columns of its {side} features; a bridge is trained on a store of "
            "concepts and tags, such as `python -m eval.stores yt8m-concepts` writes"
        )
    return [str(name) for name in names]


def label_matrix(store: FeatureStore, concepts: list[str]) -> npt.NDArray[np.bool_]:
    """(N, C): which concepts each row is labelled with. Raises DataError."""
    if LABEL not in store.labels:
        raise DataError(f"{store.path} has no label column {LABEL!r}")
    place = {name: at for at, name in enumerate(concepts)}
    matrix = np.zeros((len(store), len(concepts)), bool)
    for row, names in enumerate(store.labels[LABEL]):
        matrix[row, [place[name] for name in names if name in place]] = True
    return matrix

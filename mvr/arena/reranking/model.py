"""Reranker: changes the order of the first places of a list by what votes taught, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.arena.reranking.pairs import VotePairs
from mvr.arena.reranking.residual import CrossValidation, Residual, cross_validate
from mvr.config.settings import canonical_json, compare_settings
from mvr.datatypes import JsonDict
from mvr.errors import DataError

SCHEMA = 2
DEPTH = 10


@dataclass(frozen=True, kw_only=True)
class Reranker:
    """A fitted residual for one system.

    Attributes:
        system, version: whose similarities and item features it was fitted on; another version refuses it.
        direction, alpha: of the lists that it was fitted on; its features are embeddings mixed at this alpha.
        slider: whether the system has an alpha at all.
        depth: how many of the first places it may reorder.
        training_groups: sources of the queries whose votes it learned from; they never rate the re-ranked system.
        cv: what cross-validation said, as plain JSON.
        votes: how many it learned from.
        gates: name, value, wanted and passed of each gate it was promoted through; empty before.
    """

    system: str
    version: str
    residual: Residual
    direction: str = "v2m"
    alpha: float = 0.5
    slider: bool = False
    depth: int = DEPTH
    training_groups: tuple[str, ...] = ()
    cv: JsonDict = field(default_factory=dict)
    votes: int = 0
    gates: tuple[JsonDict, ...] = ()

    @property
    def competitor(self) -> str:
        """Its name in the arena and on the leaderboard."""
        return f"{self.system}+votes-{self.direction}"

    @property
    def played_alpha(self) -> float | None:
        """The alpha that its battles carry."""
        return self.alpha if self.slider else None

    @property
    def identity(self) -> str:
        """Hash of system and weights: another training is another competitor."""
        weights = [round(weight, 12) for weight in self.residual.weights.tolist()]
        parts = [self.version, self.direction, self.alpha, self.depth, sorted(self.training_groups), weights]
        return hashlib.sha256(canonical_json({"parts": parts}).encode()).hexdigest()[:32]

    def rerank(
        self,
        ids: Sequence[str],
        scores: Sequence[float],
        features: Mapping[str, npt.NDArray[np.floating[Any]]],
    ) -> list[tuple[str, float]]:
        """The list with its first `depth` places in the order of score + residual; the rest as it came.

        Args:
            ids: item ids, best first.
            scores: similarities of the system that this was fitted for.
            features: (D,) features of each of the first items.

        Returns:
            (id, score) in the new order; scores are the system's own, so that they keep their meaning.

        Raises:
            DataError: features of another width, or an item without features.
        """
        head = list(zip(ids, scores, strict=True))[: self.depth]
        tail = list(zip(ids, scores, strict=True))[self.depth :]
        gains = [self.gain(item, features) for item, _ in head]
        order = sorted(range(len(head)), key=lambda place: (-(head[place][1] + gains[place]), place))
        return [head[place] for place in order] + tail

    def gain(self, item: str, features: Mapping[str, npt.NDArray[np.floating[Any]]]) -> float:
        """What the re-ranking adds to the similarity of one item."""
        if item not in features or features[item].shape != self.residual.weights.shape:
            raise DataError(f"item {item} has no features of width {len(self.residual.weights)}")
        return float(np.asarray(features[item], np.float64) @ self.residual.weights)

    def save(self, path: Path) -> None:
        """Write the model to a JSON file that `load` reads."""
        values = asdict(self) | {"schema": SCHEMA}
        values["residual"]["weights"] = self.residual.weights.tolist()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canonical_json(values) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path, *, version: str | None = None) -> Reranker:
        """Read what `save` wrote.

        Raises:
            DataError: no such file, or another form.
            SettingsMismatch: fitted for another version of the system than `version`.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("schema") != SCHEMA:
                raise DataError(
                    f"{path} was written by another version of mvr; learn it again with `mvr votes learn`"
                )
            residual = values.pop("residual")
            residual["weights"] = np.array(residual["weights"], np.float64)
            values["training_groups"] = tuple(values["training_groups"])
            values["gates"] = tuple(values["gates"])
            model = cls(residual=Residual(**residual), **values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is not a re-ranking model: {error!r}") from error
        if version is not None:
            compare_settings({"version": model.version}, {"version": version}, f"the re-ranking {path}")
        return model


def fit_reranker(
    pairs: VotePairs, *, system: str, version: str, depth: int = DEPTH, seed: int = 0
) -> tuple[Reranker, CrossValidation]:
    """Fit to votes with the ridge chosen by cross-validation over voters and videos.

    Raises:
        DataError: too few votes to hold voters and videos out.
    """
    residual, report = cross_validate(pairs, seed=seed)
    model = Reranker(
        system=system,
        version=version,
        residual=residual,
        depth=depth,
        training_groups=tuple(sorted({str(group) for group in pairs.group})),
        cv=asdict(report),
        votes=len(pairs),
    )
    return model, report

"""Trained networks of MVBind and Control-MVR as numpy runs them: what a search needs of a head, without torch.

`mvr.heads.trainable` is the same forward pass in torch, and the tests' oracle: equal within 1e-5. A head whose parts
are pooled by a small transformer is left to torch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality
from mvr.heads.activations import ACTIVATIONS
from mvr.heads.head import BothSides
from mvr.heads.rows import Standardise, check_rows, in_blocks, unit_length
from mvr.heads.settings import HeadSettings

_NORM_EPS = 1e-5  # torch's default, in layer and in batch normalisation


class _Counted(dict[str, FloatArray]):
    """Weights that remember which of them were asked for."""

    def __init__(self, tensors: Mapping[str, FloatArray]) -> None:
        super().__init__(tensors)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> FloatArray:
        self.asked.add(name)
        return super().__getitem__(name)


class FrozenHead(BothSides):
    """A trained head of kind "mvbind" or "control-mvr"; see `mvr.heads.head.Head`.

    Args:
        kind: of the head.
        settings: all of them, `taxonomies` of control-mvr among them.
        tensors: weights by their name in the file, float32.
    """

    def __init__(self, kind: str, settings: JsonDict, tensors: Mapping[str, FloatArray]) -> None:
        self.kind = kind
        self.settings = dict(settings)
        self.branches = ("ssl", *settings.get("taxonomies", ()))
        self._sizes = HeadSettings(**{k: v for k, v in settings.items() if k != "taxonomies"})
        self._tensors = _Counted(tensors)
        self.video_dim, self.audio_dim = self._sizes.video_dim, self._sizes.audio_dim
        self.dim = self._sizes.dim * self._sizes.members
        self._standardise = {m: self._standard(m) for m in Modality}

    def unused(self) -> set[str]:
        """Names of weights that nothing has asked for yet."""
        return {n for n in set(self._tensors) - self._tensors.asked if not n.endswith("num_batches_tracked")}

    def _standard(self, modality: Modality) -> Standardise:
        mean = self._tensors[f"standardise.{modality}.mean"]
        standard = Standardise(len(mean), unit_rows=self._sizes.unit_rows)
        standard.mean, standard.scale = mean, self._tensors[f"standardise.{modality}.scale"]
        return standard

    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        check_rows(features, self.video_dim if modality is Modality.VIDEO else self.audio_dim, modality)
        empty = np.zeros((0, len(self.branches), self.dim), np.float32)
        vectors = in_blocks(features, lambda block: self._block(modality, block), empty)
        return BranchedEmbeddings(vectors=vectors, branches=self.branches)

    def _block(self, modality: Modality, block: FloatArray) -> FloatArray:
        """(n, width) -> (n, B, M * D): members laid end to end, unit length."""
        rows = self._pooled(modality, self._standardise[modality](block))
        branches = []
        for branch in self.branches:
            members = unit_length(self._project(branch, modality, rows))  # (M, n, D)
            branches.append(members.transpose(1, 0, 2).reshape(len(rows), -1))
        return unit_length(np.stack(branches, axis=1))

    def _pooled(self, modality: Modality, rows: FloatArray) -> FloatArray:
        if f"pool.{modality}.logits" not in self._tensors:
            return rows
        logits = self._tensors[f"pool.{modality}.logits"]
        weights = np.exp(logits - logits.max())
        parts = rows.reshape(len(rows), len(logits), -1)
        pooled: FloatArray = np.einsum("npd,p->nd", parts, weights / weights.sum())
        return pooled

    def _project(self, branch: str, modality: Modality, rows: FloatArray) -> FloatArray:
        """(n, inputs) -> (M, n, D) before normalisation."""
        place = f"networks.{modality}"
        if any(name.startswith(f"{place}.") for name in self._tensors):  # one network; else q, then p
            hidden = self._sizes.layers - 1
            return self._linear(f"{place}.{hidden}", self._hidden(place, rows, hidden))
        hidden = max(1, self._sizes.layers - 1)  # q has at least one hidden layer
        return self._linear(f"p.{branch}/{modality}", self._hidden(f"q.{branch}/{modality}", rows, hidden))

    def _hidden(self, place: str, rows: FloatArray, layers: int) -> FloatArray:
        for layer in range(layers):
            rows = self._linear(f"{place}.{layer}.0", rows)
            if self._sizes.norm != "none":
                rows = self._norm(f"{place}.{layer}.1", rows)
            rows = ACTIVATIONS[self._sizes.activation](rows)
        return rows

    def _linear(self, place: str, rows: FloatArray) -> FloatArray:
        """(n, inputs), or (M, n, inputs) -> (M, n, outputs)."""
        mapped: FloatArray = rows @ self._tensors[f"{place}.weight"] + self._tensors[f"{place}.bias"]
        return mapped

    def _norm(self, place: str, rows: FloatArray) -> FloatArray:
        """(M, n, D) -> the same, layer by row or batch by the statistics of training."""
        if self._sizes.norm == "layer":
            centred = rows - rows.mean(axis=-1, keepdims=True)
            spread = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + np.float32(_NORM_EPS))
            layered: FloatArray = (
                centred / spread * self._tensors[f"{place}.gain"] + self._tensors[f"{place}.bias"]
            )
            return layered
        members, _, dim = rows.shape
        mean, variance, gain, bias = (
            self._tensors[f"{place}.batch.{name}"].reshape(members, 1, dim)
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        batched: FloatArray = (rows - mean) / np.sqrt(variance + np.float32(_NORM_EPS)) * gain + bias
        return batched

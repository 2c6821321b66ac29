"""What all heads that torch trains share: standardisation, the path from numpy to embeddings."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality
from mvr.heads.head import BothSides
from mvr.heads.networks import PartPool, Standardise
from mvr.heads.rows import check_rows, in_blocks
from mvr.heads.settings import HeadSettings


class TrainableHead(BothSides, nn.Module):
    """Base of MVBind and Control-MVR. Subclasses set `kind`, `branches` and give `project`."""

    kind: str
    branches: tuple[str, ...]

    def __init__(self, settings: HeadSettings) -> None:
        super().__init__()
        self.head_settings = settings
        self.video_dim, self.audio_dim = settings.video_dim, settings.audio_dim
        self.dim = settings.dim * settings.members
        widths = {Modality.VIDEO: settings.video_dim, Modality.AUDIO: settings.audio_dim}
        self.standardise = nn.ModuleDict(
            {str(m): Standardise(width, unit_rows=settings.unit_rows) for m, width in widths.items()}
        )
        parts = {Modality.VIDEO: settings.video_parts, Modality.AUDIO: settings.audio_parts}
        self.pool = nn.ModuleDict(
            {str(m): PartPool(p, settings.inputs(m), settings.pool) for m, p in parts.items() if p > 1}
        )
        self.input_dropout = nn.Dropout(settings.input_dropout)

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again without its weights."""
        return dataclasses.asdict(self.head_settings)

    def prepare(self, modality: Modality, features: Tensor) -> Tensor:
        """(N, width) raw features -> (N, width) standardised; nothing in here is trained."""
        rows: Tensor = self.standardise[str(modality)](features)
        return rows

    def project(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, inputs) pooled rows -> (B, M, N, D) before normalisation."""
        raise AssertionError("a subclass gives `project`")

    def forward(self, modality: Modality, features: Tensor) -> Tensor:
        """(N, width) raw features -> (B, M, N, D) unit-length embeddings of every branch and member."""
        return self.embed(modality, self.prepare(modality, features))

    def embed(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, width) prepared rows -> (B, M, N, D) unit-length embeddings."""
        if str(modality) in self.pool:
            rows = self.pool[str(modality)](rows)
        return functional.normalize(self.project(modality, self.input_dropout(rows)).float(), dim=-1)

    @torch.no_grad()
    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        check_rows(features, self.video_dim if modality is Modality.VIDEO else self.audio_dim, modality)
        device = next(self.parameters()).device
        training = self.training
        self.eval()
        try:
            vectors = in_blocks(features, lambda block: self._block(modality, block, device), self._empty())
        finally:
            self.train(training)
        return BranchedEmbeddings(vectors=vectors, branches=self.branches)

    def _block(self, modality: Modality, block: FloatArray, device: torch.device) -> FloatArray:
        """(n, width) -> (n, B, M * D): members laid end to end, still unit length."""
        members = self(modality, torch.from_numpy(block).to(device))
        branches, count, rows, dim = members.shape
        joined = members.permute(2, 0, 1, 3).reshape(rows, branches, count * dim)
        vectors: FloatArray = functional.normalize(joined, dim=-1).cpu().numpy()
        return vectors

    def _empty(self) -> FloatArray:
        return np.zeros((0, len(self.branches), self.dim), np.float32)

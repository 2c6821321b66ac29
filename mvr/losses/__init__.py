"""Contrastive and ranking losses on unit-length embeddings; each is tested against a slow loop."""

from __future__ import annotations

from mvr.losses.contrastive import info_nce
from mvr.losses.ranking import vm_net_loss
from mvr.losses.supervised import emo_clim_loss, shared_labels, supervised_contrastive

__all__ = ["emo_clim_loss", "info_nce", "shared_labels", "supervised_contrastive", "vm_net_loss"]

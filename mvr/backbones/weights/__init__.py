"""Published weights: where they come from, under which licence, whether they are here, and fetching them."""

from mvr.backbones.weights.cards import missing_weights, weights_of_backbone, weights_of_card
from mvr.backbones.weights.digest import check_digest, file_sha256
from mvr.backbones.weights.download import Download, DownloadProgress, ProgressCallback, download
from mvr.backbones.weights.files import (
    WeightsStatus,
    fetch_weights,
    find_files,
    is_offline,
    local_weights,
    status,
)
from mvr.backbones.weights.licence import accept_licence, licence_accepted, require_licence
from mvr.backbones.weights.source import (
    TOKENIZER_FILES,
    WeightsFile,
    WeightsSource,
    clip_source,
    weights_source,
)

__all__ = [
    "TOKENIZER_FILES",
    "Download",
    "DownloadProgress",
    "ProgressCallback",
    "WeightsFile",
    "WeightsSource",
    "WeightsStatus",
    "accept_licence",
    "check_digest",
    "clip_source",
    "download",
    "fetch_weights",
    "file_sha256",
    "find_files",
    "is_offline",
    "licence_accepted",
    "local_weights",
    "missing_weights",
    "require_licence",
    "status",
    "weights_of_backbone",
    "weights_of_card",
    "weights_source",
]

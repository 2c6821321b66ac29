"""System cards: a named recipe (backbones + head + settings) is a JSON file in `assets/systems/`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mvr.config.paths import DEFAULT_SYSTEM, assets_dir
from mvr.errors import UsageError


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackboneCard(_Card):
    """Which frozen encoder, with which options (see `mvr.backbones.create_backbone`)."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class HeadCard(_Card):
    """Which head and where its weights lie (relative to `assets/`, or a file the user trains).

    `untrained` says what ranks until there is one: "words" joins the text towers of both backbones (see
    `mvr.embeddings.prompts`), "identity" compares features of one space as they are; without it the system waits.
    """

    kind: str
    weights: str | None = None
    untrained: Literal["words", "identity"] | None = None


class Commercial(StrEnum):
    """Whether one may earn money with what comes out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class LicenceCard(_Card):
    """Licence of one set of weights.

    `commercial` is what the licence says of earning money, `source` where that is read, with what one should know
    (such as terms of the training data); `noncommercial` weights are loaded only after their licence was accepted.
    """

    what: str
    licence: str
    url: str = ""
    noncommercial: bool = False
    commercial: Commercial = Commercial.UNKNOWN
    source: str = ""

    @model_validator(mode="after")
    def _agree(self) -> LicenceCard:
        if self.noncommercial and self.commercial is Commercial.YES:
            raise ValueError(f"{self.what}: non-commercial weights cannot say commercial: yes")
        return self


class SegmentCard(_Card):
    """How items are cut before embedding: the best segment scores and gives the start offset."""

    audio_s: float = 10.0
    audio_hop_s: float = 5.0
    video_s: float | None = None  # None: the whole clip is one segment
    video_hop_s: float | None = None


class MemberCard(_Card):
    """One system of a mixture: its weight in the sum of standardised scores, and its own fixed alpha."""

    system: str
    weight: float = Field(default=1.0, gt=0)
    alpha: float = Field(default=0.5, ge=0, le=1)


class SystemCard(_Card):
    """A named recipe that ranks.

    `alpha` says whether the slider changes anything, `alpha_default` where it stands before anybody moves it; `mix`
    names the systems that a mixture adds up, instead of backbones and a head of its own.
    """

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
    alpha_default: float = Field(default=0.5, ge=0, le=1)
    text: bool = False
    segments: SegmentCard = SegmentCard()
    mix: tuple[MemberCard, ...] = ()

    @model_validator(mode="after")
    def _one_or_many(self) -> SystemCard:
        if self.mix and (self.video or self.audio or self.head or self.alpha):
            raise ValueError("a mixture has no backbones, head or alpha of its own; its members have")
        return self

    @property
    def commercial(self) -> Commercial:
        """The least that any of its weights allows; yes where there are none."""
        found = {licence.commercial for licence in self.licences}
        if Commercial.NO in found:
            return Commercial.NO
        return Commercial.UNKNOWN if Commercial.UNKNOWN in found else Commercial.YES

    def require_commercial(self) -> None:
        """Refuse to earn money with weights that do not allow it, or of which nobody knows.

        Raises:
            UsageError: names them, their licence, and the systems that may be used.
        """
        if self.commercial is Commercial.YES:
            return
        barred = [one for one in self.licences if one.commercial is not Commercial.YES]
        said = "; ".join(f"{one.what}: {one.licence}, commercial use: {one.commercial}" for one in barred)
        free = [name for name in system_names() if load_card(name).commercial is Commercial.YES]
        raise UsageError(
            f"system {self.name} is not for commercial use ({said}); choose from {', '.join(free)}"
        )


def system_names() -> list[str]:
    """Names of all cards, the default system first."""
    names = sorted(path.stem for path in (assets_dir() / "systems").glob("*.json"))
    return sorted(names, key=lambda name: name != DEFAULT_SYSTEM)


def load_card(name: str) -> SystemCard:
    """Read `assets/systems/NAME.json` (or a part of a mixture, in `parts/`), or the file that `name` is a path of.

    Raises:
        UsageError: no such system, or a card that does not validate.
    """
    folder = assets_dir() / "systems"
    path = next(
        (path for path in (folder / f"{name}.json", folder / "parts" / f"{name}.json") if path.is_file()),
        None,
    )
    if name.endswith(".json"):
        path = Path(name)
    elif path is None or "/" in name:
        raise UsageError(f"unknown system {name!r}; choose from {', '.join(system_names())}")
    try:
        return SystemCard.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise UsageError(f"the system card {path} cannot be read: {error}") from error

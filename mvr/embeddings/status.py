"""Whether a system can work on this machine, and where its head lies; nothing is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.backbones.backbone import missing_packages
from mvr.config.extras import INSTALL
from mvr.config.paths import assets_dir, home_dir
from mvr.errors import WeightsError
from mvr.heads.table import head_kind

if TYPE_CHECKING:
    from mvr.config.cards import HeadCard, SystemCard


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """Whether a system can work on this machine; `lacks` is one sentence, empty when it is ready.

    `note` says what a system that is ready does without until its head is trained.
    """

    name: str
    ready: bool
    lacks: str
    note: str = ""


def system_status(name: str) -> SystemStatus:
    """Whether a system is ready here, or one sentence of what it lacks; loads no weights.

    Raises:
        UsageError: no such system.
    """
    from mvr.backbones.weights import missing_weights
    from mvr.config.cards import load_card

    card, note = load_card(name), ""
    try:
        sentences = [*lacks_packages(card), *missing_weights(card)]
        sentences += [lacks for one in card.mix if (lacks := system_status(one.system).lacks)]
        path = head_file(card)
        if path is not None and not path.is_file():
            if is_untrained(card, path):
                note = f"ranks {_zero_shot(card)} until you train a head: {_train_line(card, path)}"
            else:
                sentences.append(lacks_head(card, path))
    except WeightsError as error:
        sentences = [str(error)]
    return SystemStatus(name=name, ready=not sentences, lacks="; ".join(sentences), note=note)


def _zero_shot(card: SystemCard) -> str:
    by_words = card.head is not None and card.head.untrained == "words"
    return "zero-shot by words" if by_words else "zero-shot"


def is_untrained(card: SystemCard, path: Path) -> bool:
    """Whether the system works without the head that is not there."""
    return card.head is not None and card.head.untrained is not None and not path.is_file()


def head_file(card: SystemCard) -> Path | None:
    """Where the head's weights lie: in `assets/`, or where `mvr train` puts them; None for a head without."""
    head = card.head
    if head is None or (head.weights is None and not head_kind(head.kind).weights):
        return None
    return _existing(head, card.name)


def _existing(head: HeadCard, name: str) -> Path:
    own = home_dir() / "heads" / f"{name}.safetensors"
    if head.weights is None:
        return own
    shipped = Path(head.weights)
    shipped = shipped if shipped.is_absolute() else assets_dir() / shipped
    return shipped if shipped.is_file() or not own.is_file() else own


def lacks_packages(card: SystemCard) -> list[str]:
    """What to type where packages are missing that its backbones need; nothing where they are here."""
    sides = [side.name for side in (card.video, card.audio) if side is not None]
    missing = sorted({package for name in sides for package in missing_packages(name)})
    line = INSTALL.format(extra="models")
    return [f"system {card.name} needs {', '.join(missing)}; type: {line}"] if missing else []


def lacks_head(card: SystemCard, path: Path) -> str:
    """What is missing where there is no head at `path`, and the line to type."""
    return f"system {card.name} needs a trained head at {path}; run {_train_line(card, path)}"


def _train_line(card: SystemCard, path: Path) -> str:
    kind = card.head.kind if card.head is not None else "identity"
    return f"`mvr train {kind} --features STORE --out {path}`"

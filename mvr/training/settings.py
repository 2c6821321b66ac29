"""Recipes: everything that decides how a head is trained, as data files in `assets/presets/`.

A recipe names the kind of head and holds the settings of the head, the loss and the training. `mvr train KIND`
takes the preset of that name; `--config FILE` lays a JSON file of the same form over it, key by key.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mvr.config.paths import assets_dir
from mvr.config.settings import settings_from
from mvr.datatypes import JsonDict
from mvr.errors import UsageError
from mvr.heads.table import head_kind

OBJECTIVES = ("info-nce", "vm-net", "emo-clim")
METRICS = ("median_rank", "recall_at_10", "mrr")
PARTS = ("kind", "about", "head", "loss", "training")


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """Settings of the loss.

    Attributes:
        objective: of the first branch: "info-nce" (self-supervised), "vm-net" or "emo-clim" (needs labels).
        temperature: of the first branch; `sup_temperature` of the label-supervised branches.
        learn_temperature: let the optimiser change the temperatures, from these as start; never below 0.01.
        label_smoothing: of InfoNCE.
        ssl_weight, sup_weight: weights of the branches' losses; they share no weights, so this only scales steps.
        margin, order_weight, structure_weight, hardest: of "vm-net": margin of the hinge, weight of video -> audio
            against audio -> video, weight of the intra-modal terms, negatives per row that count (0: all).
        intra_weight: weight of each intra-modal term of the supervised loss; the cross-modal ones share the rest.
    """

    objective: str = "info-nce"
    temperature: float = 0.1
    sup_temperature: float = 0.1
    learn_temperature: bool = False
    label_smoothing: float = 0.0
    ssl_weight: float = 1.0
    sup_weight: float = 1.0
    margin: float = 0.3
    order_weight: float = 1.0
    structure_weight: float = 0.2
    hardest: int = 0
    intra_weight: float = 0.25

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise UsageError(f"unknown objective {self.objective!r}; choose from {', '.join(OBJECTIVES)}")
        if self.temperature <= 0 or self.sup_temperature <= 0:
            raise UsageError("loss settings temperature and sup_temperature must be positive")
        if not 0 <= self.label_smoothing < 1 or not 0 <= self.intra_weight <= 0.5:
            raise UsageError("label_smoothing must be in [0, 1), intra_weight in [0, 0.5]")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Settings of the training loop: batches, optimiser, schedule, early stopping.

    Attributes:
        epochs, batch_rows: at most so many passes; rows per step over all processes (at most the rows there are).
        min_steps: at least so many steps in the first phase: a store of a few hundred rows gets more epochs, and as
            many times more patience.
        chunk_rows: rows per forward pass; 0 is the whole batch. Smaller chunks give the same gradient of the whole
            batch in less memory (gradient caching).
        learning_rate, weight_decay, warmup_share: AdamW, linear warm-up over this share of all steps, then cosine.
        ema_decay: per-step decay of averaged weights, which are the ones validated and saved; 0 is off.
        clip_norm: largest norm of the gradient; 0 is off.
        focus: "auto", "none" or "COLUMN=LABEL": training rows of the target's own kind, on which a second phase
            of at most `focus_epochs` epochs trains with its own learning rate and batch; see `mvr.training.focus`.
        noise: standard deviation of Gaussian noise on the standardised features.
        mixup: Beta(a, a) mixing of pairs with other pairs of the batch; 0 is off.
        patience: epochs without a better validation score before a branch stops; 0 never stops early.
        metric: what "better" means for a self-supervised branch; ties are broken by MRR.
        val_share: share of training groups held out for validation where the store has no split val.
        seed: of weights, shuffling, dropout and noise.
        device: "auto", "cpu", "cuda" or "cuda:N".
        mixed_precision: bfloat16 on a GPU.
        checkpoint_s: seconds between checkpoints; 0 writes one after every epoch.
    """

    epochs: int = 60
    batch_rows: int = 1024
    min_steps: int = 0
    chunk_rows: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup_share: float = 0.05
    ema_decay: float = 0.0
    clip_norm: float = 0.0
    focus: str = "auto"
    focus_epochs: int = 0
    focus_learning_rate: float = 3e-4
    focus_batch_rows: int = 512
    noise: float = 0.0
    mixup: float = 0.0
    patience: int = 15
    metric: str = "median_rank"
    val_share: float = 0.1
    seed: int = 0
    device: str = "auto"
    mixed_precision: bool = True
    checkpoint_s: float = 30.0

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise UsageError(f"unknown metric {self.metric!r}; choose from {', '.join(METRICS)}")
        if self.epochs < 1 or self.batch_rows < 2 or min(self.chunk_rows, self.patience, self.min_steps) < 0:
            raise UsageError(
                "epochs must be at least 1, batch_rows at least 2, chunk_rows, patience, min_steps 0"
            )
        if self.focus_epochs < 0 or self.focus_batch_rows < 2 or self.focus_learning_rate <= 0:
            raise UsageError(
                "focus_epochs must be at least 0, focus_batch_rows 2, focus_learning_rate positive"
            )
        if self.learning_rate <= 0 or self.weight_decay < 0 or self.noise < 0 or self.mixup < 0:
            raise UsageError("learning_rate must be positive; weight_decay, noise and mixup at least 0")
        if not 0 < self.val_share < 1 or not 0 <= self.ema_decay < 1 or not 0 <= self.warmup_share < 1:
            raise UsageError("val_share must be in (0, 1), ema_decay and warmup_share in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Kind of head and all settings; `head` holds keyword arguments of `create_head` (without widths)."""

    kind: str
    about: str = ""
    head: JsonDict = field(default_factory=dict)
    loss: LossSettings = field(default_factory=LossSettings)
    training: TrainSettings = field(default_factory=TrainSettings)

    def to_json(self) -> JsonDict:
        """All settings as one JSON-able mapping."""
        return dataclasses.asdict(self)


def preset_names() -> list[str]:
    """Names of the recipes in `assets/presets/`."""
    return sorted(path.stem for path in (assets_dir() / "presets").glob("*.json"))


def load_recipe(name: str, overrides: Mapping[str, object] | None = None) -> Recipe:
    """The preset `name` with `overrides` laid over it.

    Args:
        name: a preset, see `preset_names`.
        overrides: the same form as a preset; "head", "loss" and "training" are merged key by key.

    Raises:
        UsageError: an unknown preset, part, key or value.
    """
    if name not in preset_names():
        raise UsageError(f"unknown kind of head or preset {name!r}; choose from {', '.join(preset_names())}")
    merged = read_recipe_file(assets_dir() / "presets" / f"{name}.json")
    for part, value in (overrides or {}).items():
        merged[part] = {**merged.get(part, {}), **value} if isinstance(value, Mapping) else value
    return recipe_from(merged)


def recipe_from(values: Mapping[str, object]) -> Recipe:
    """Build a recipe from a mapping, refusing unknown parts and settings.

    Raises:
        UsageError: an unknown part, kind, key or value.
    """
    unknown = sorted(set(values) - set(PARTS))
    if unknown:
        raise UsageError(f"unknown part {unknown[0]!r} of a training config; choose from {', '.join(PARTS)}")
    head_kind(str(values.get("kind")))
    parts: dict[str, JsonDict] = {}
    for name in ("head", "loss", "training"):
        part = values.get(name, {})
        if not isinstance(part, Mapping):
            raise UsageError(f"{name!r} of a training config must be an object of settings, not {part!r}")
        parts[name] = dict(part)
    try:
        return Recipe(
            kind=str(values["kind"]),
            about=str(values.get("about", "")),
            head=parts["head"],
            loss=settings_from(LossSettings, parts["loss"]),
            training=settings_from(TrainSettings, parts["training"]),
        )
    except TypeError as error:  # a string where a number is compared
        raise UsageError(f"a setting has a value of the wrong type: {error}") from error


def read_recipe_file(path: Path) -> JsonDict:
    """The JSON object in a config file.

    Raises:
        UsageError: no file, no JSON, or no object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the training config {path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise UsageError(f"the training config {path} must be a JSON object, not {type(values).__name__}")
    return values

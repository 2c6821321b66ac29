"""What a protocol file may say; an unknown key is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from eval.retrieval.systems import BASELINES
from mvr.errors import UsageError
from mvr.metrics.retrieval.plan import Plan
from mvr.metrics.significance import Resampling

FOLDER = Path(__file__).parent


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadSpec(_Part):
    """A head to train before the evaluation: a preset, its label columns, settings laid over the preset, and a seed
    where it is not the protocol's."""

    name: str
    preset: str
    labels: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None


class FoldsSpec(_Part):
    """A cross-validation: how many folds, which heads of the protocol, in pools of which size.

    Attributes:
        about: what a reader must know of the numbers.
        count: folds; every pair is a query in one of them.
        pool: size that all pools are converted to, at most that of the smallest fold.
        heads: names of the protocol's heads, trained anew in every fold with their presets unchanged.
        trainings: of every head in every fold, from as many seeds.
        alphas: of heads with two branches; with several of them their rows are called NAME@ALPHA.
        label: a taxonomy whose Precision@10 is measured and tested, too.
        comparisons: pairs of rows; with both directions and all metrics they are the family of Holm's adjustment.
    """

    about: str
    count: int = Field(5, ge=2)
    pool: int = Field(ge=2)
    heads: tuple[str, ...]
    trainings: int = Field(1, ge=1)
    alphas: tuple[float, ...] = (0.0,)
    label: str | None = None
    comparisons: tuple[tuple[str, str], ...]


class StoreSpec(_Part):
    """Where the features come from: a builder of `eval.stores`, a folder of this project, or commands for the user."""

    build: str | None = None
    path: str | None = None
    commands: tuple[str, ...] = ()


class Protocol(_Part):
    """A named evaluation."""

    name: str
    title: str
    about: str
    store: StoreSpec
    split: str = "test"
    tasks: tuple[str, ...] = ()
    alphas: tuple[float, ...] = Plan().alphas
    ks: tuple[int, ...] = (1, 5, 10)
    pools: tuple[int, ...] = ()
    heads: tuple[HeadSpec, ...] = ()
    systems: tuple[str, ...] = ()
    comparisons: tuple[tuple[str, str], ...] = ()
    folds: FoldsSpec | None = None
    seed: int = 0
    draws: int = 10_000

    @model_validator(mode="after")
    def _names_are_known(self) -> Protocol:
        """A misspelt system would drop out of a family of tests without a word."""
        folds = self.folds.heads if self.folds else ()
        heads = {spec.name for spec in self.heads}
        if wrong := sorted(set(folds) - heads):
            raise ValueError(f"folds name {wrong[0]!r}, which is no head of the protocol")
        seeded = any(spec.seed is not None for spec in self.heads if spec.name in folds)
        if seeded and self.folds and self.folds.trainings > 1:
            raise ValueError("folds train from several seeds; their heads must not have a seed of their own")
        pairs = self.comparisons + (self.folds.comparisons if self.folds else ())
        known = {*heads, *self.systems, *BASELINES, "identity"}
        if self.folds:
            known |= {f"{head}@{alpha:g}" for head in folds for alpha in self.folds.alphas}
        if wrong := sorted({name for pair in pairs for name in pair} - known):
            raise ValueError(f"comparisons name {wrong[0]!r}, which is no system of the protocol")
        return self

    def plan(self, tasks: tuple[str, ...]) -> Plan:
        """The plan for tasks that the store can serve."""
        return Plan(
            tasks=self.tasks or tasks,
            alphas=self.alphas,
            ks=self.ks,
            pools=self.pools,
            resampling=Resampling(draws=self.draws, seed=self.seed),
            comparisons=self.comparisons,
        )


def protocol_names() -> list[str]:
    """Names of the protocol files that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_protocol(name: str) -> Protocol:
    """Read `eval/protocols/NAME.yaml`, or the file that `name` is a path of.

    Raises:
        UsageError: no such protocol, or a file that does not validate.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise UsageError(
            f"unknown protocol {name!r}; choose from {', '.join(protocol_names())}, or give a .yaml file"
        )
    try:
        return Protocol.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"the protocol {path} cannot be used: {error}") from error


def with_heads(protocol: Protocol, names: Sequence[str]) -> Protocol:
    """The protocol with some of its heads; with all where no name is given.

    Raises:
        UsageError: a name that is none of its heads.
    """
    known = [spec.name for spec in protocol.heads]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"protocol {protocol.name!r} has no head {unknown[0]!r}; choose from {', '.join(known) or 'none'}"
        )
    kept = tuple(spec for spec in protocol.heads if not names or spec.name in names)
    return protocol.model_copy(update={"heads": kept})

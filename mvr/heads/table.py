"""Heads by name: what each kind is, needs and how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mvr.config.extras import need
from mvr.errors import UsageError
from mvr.heads.head import Head


@dataclass(frozen=True, kw_only=True)
class HeadKind:
    """One kind of head.

    Attributes:
        made_by: "module:Class"; its `create(**config)` gives a head with fresh weights.
        weights: whether it has any; those without need no file.
        networks: its weights are torch networks: making and training them takes the extra `train`, running them does
            not (`mvr.heads.frozen`).
    """

    made_by: str
    weights: bool = True
    networks: bool = False


KINDS: dict[str, HeadKind] = {
    "mvbind": HeadKind(made_by="mvr.heads.mvbind:MVBindHead", networks=True),
    "control-mvr": HeadKind(made_by="mvr.heads.control_mvr:ControlMVRHead", networks=True),
    "cca": HeadKind(made_by="mvr.heads.linear:CcaHead"),
    "bridge": HeadKind(made_by="mvr.heads.bridge:BridgeHead"),
    "profiles": HeadKind(made_by="mvr.heads.bridge:ProfilesHead"),
    "random": HeadKind(made_by="mvr.heads.fixed:RandomHead", weights=False),
    "identity": HeadKind(made_by="mvr.heads.fixed:IdentityHead", weights=False),
}
HEAD_KINDS = tuple(KINDS)


def head_kind(kind: str) -> HeadKind:
    """The entry of a kind. Raises UsageError: an unknown one."""
    if kind not in KINDS:
        raise UsageError(f"unknown head {kind!r}; choose from {', '.join(sorted(KINDS))}")
    return KINDS[kind]


def create_head(kind: str, **config: Any) -> Head:
    """Create a head by kind with fresh weights.

    Args:
        kind: one of `HEAD_KINDS`.
        config: its settings (`HeadSettings`, `CcaSettings`, ...); control-mvr also takes `taxonomies`.

    Raises:
        UsageError: an unknown kind or setting, or a value out of range. ExtraMissing: torch is not installed.
    """
    entry = head_kind(kind)
    missing = [name for name in ("video_dim", "audio_dim") if name not in config and kind != "random"]
    if missing:
        raise UsageError(f"head {kind!r} needs the setting {missing[0]}")
    if entry.networks:
        need("torch", f"a head of kind {kind!r}", "train")
    module, name = entry.made_by.split(":")
    head: Head = getattr(import_module(module), name).create(**config)
    return head

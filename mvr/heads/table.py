"""Heads by name: what each kind is, needs and how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mvr.config.extras import need
from mvr.config.named import named
from mvr.errors import UsageError
from mvr.heads.head import Head


@dataclass(frozen=True, kw_only=True)
class HeadKind:
    """One kind of head: where its class is, what it needs and can do, what trains it.

    Attributes:
        made_by: "module:Class"; its `create(**config)` gives a head with fresh weights.
        weights: whether it has any; those without need no file.
        networks: its weights are torch networks: making and training them takes the extra `train`, running them does
            not (`mvr.heads.frozen`).
        by_labels: it has a branch for each label column, and takes their names as `taxonomies`.
        any_width: it takes features of any width.
        by_words: it ranks by words for what is seen and heard, so words alone may ask.
        file_of: kinds that name the same one here read each other's files.
        trained_by: "module:function" (recipe, rows, run) -> report, for `mvr train`; empty for a kind that is not made
            from a feature store alone.
    """

    made_by: str
    weights: bool = True
    networks: bool = False
    by_labels: bool = False
    by_words: bool = False
    any_width: bool = False
    file_of: str = ""
    trained_by: str = ""


KINDS: dict[str, HeadKind] = {
    "mvbind": HeadKind(
        made_by="mvr.heads.mvbind:MVBindHead",
        networks=True,
        trained_by="mvr.training.networks:train_networks",
    ),
    "control-mvr": HeadKind(
        made_by="mvr.heads.control_mvr:ControlMVRHead",
        networks=True,
        by_labels=True,
        trained_by="mvr.training.networks:train_networks",
    ),
    "cca": HeadKind(made_by="mvr.heads.linear:CcaHead", trained_by="mvr.training.closed_form:train_cca"),
    "bridge": HeadKind(made_by="mvr.heads.bridge:BridgeHead", file_of="bridge", by_words=True),
    "profiles": HeadKind(made_by="mvr.heads.bridge:ProfilesHead", file_of="bridge", by_words=True),
    "random": HeadKind(
        made_by="mvr.heads.fixed:RandomHead",
        weights=False,
        any_width=True,
        trained_by="mvr.training.fixed:save_fixed",
    ),
    "identity": HeadKind(
        made_by="mvr.heads.fixed:IdentityHead", weights=False, trained_by="mvr.training.fixed:save_fixed"
    ),
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
    missing = [name for name in ("video_dim", "audio_dim") if name not in config and not entry.any_width]
    if missing:
        raise UsageError(f"head {kind!r} needs the setting {missing[0]}")
    if entry.networks:
        need("torch", f"a head of kind {kind!r}", "train")
    made_by: Any = named(entry.made_by)
    head: Head = made_by.create(**config)
    return head

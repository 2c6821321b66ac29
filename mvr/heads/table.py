"""Heads by name."""

from __future__ import annotations

from typing import Any

from mvr.config.settings import settings_from
from mvr.errors import UsageError
from mvr.heads.control_mvr import ControlMVRHead
from mvr.heads.fixed import IdentityHead, IdentitySettings, RandomHead, RandomSettings
from mvr.heads.head import HEAD_KINDS, Head
from mvr.heads.linear import CcaHead, CcaSettings
from mvr.heads.mvbind import MVBindHead
from mvr.heads.trainable import HeadSettings


def create_head(kind: str, **config: Any) -> Head:
    """Create a head by kind with fresh weights.

    Args:
        kind: one of `HEAD_KINDS`.
        config: its settings (`HeadSettings`, `CcaSettings`, ...); control-mvr also takes `taxonomies`.

    Raises:
        UsageError: an unknown kind or setting, or a value out of range.
    """
    if kind not in HEAD_KINDS:
        raise UsageError(f"unknown head {kind!r}; choose from {', '.join(sorted(HEAD_KINDS))}")
    missing = [name for name in ("video_dim", "audio_dim") if name not in config and kind != "random"]
    if missing:
        raise UsageError(f"head {kind!r} needs the setting {missing[0]}")
    if kind == "control-mvr":
        taxonomies = config.pop("taxonomies", ())
        return ControlMVRHead(settings_from(HeadSettings, config), taxonomies)
    if kind == "mvbind":
        return MVBindHead(settings_from(HeadSettings, config))
    if kind == "cca":
        return CcaHead(settings_from(CcaSettings, config))
    if kind == "random":
        return RandomHead(settings_from(RandomSettings, config))
    return IdentityHead(settings_from(IdentitySettings, config))

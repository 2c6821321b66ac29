"""What a build found: every source clip with its decision, and what became of them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from mvr.datasets.svm10k.filters import Decision
from mvr.datasets.svm10k.inspection import Inspection
from mvr.datasets.svm10k.settings import BuildSettings
from mvr.datasets.svm10k.sources import Clip
from mvr.datatypes import JsonDict


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A source clip with what was measured and decided."""

    clip: Clip
    inspection: Inspection
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did: every source clip, rows per split, groups, and names listed but missing."""

    judged: tuple[Judged, ...]
    splits: Mapping[str, int]
    music_groups: int
    video_groups: int
    missing: tuple[str, ...]
    settings: BuildSettings = field(repr=False)

    @property
    def dropped(self) -> dict[str, int]:
        """Number of dropped clips by reason, the most frequent first."""
        counts = Counter(item.decision.reason for item in self.judged if item.decision.reason)
        return dict(counts.most_common())

    def to_json(self) -> JsonDict:
        """The report as plain values."""
        return {
            "clips": len(self.judged),
            "kept": sum(item.decision.reason is None for item in self.judged),
            "dropped": self.dropped,
            "borderline": sum(item.decision.borderline for item in self.judged),
            "splits": dict(self.splits),
            "music_groups": self.music_groups,
            "video_groups": self.video_groups,
            "missing": list(self.missing),
            "settings": asdict(self.settings),
        }

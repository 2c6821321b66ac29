"""Precision and recall of every filter, of the borders, and of the groups of a build, against the planted truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import pyarrow.parquet as pq

from eval.dataset.planted import Planted
from mvr.datasets.svm10k.judged import BuildReport, Judged
from mvr.datatypes import JsonDict

BORDER_TOLERANCE_PX = 4  # of 160 x 288


@dataclass(frozen=True, kw_only=True)
class Score:
    """A finder's counts: `planted` are there, `found` it named, `right` are both."""

    name: str
    planted: int
    found: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of what it named that is there; None where it named nothing."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of what is there that it named; None where nothing was planted."""
        return self.right / self.planted if self.planted else None


def score_build(
    planted: Sequence[Planted], report: BuildReport, place: Path
) -> tuple[list[Score], list[JsonDict]]:
    """Scores of all finders, and how each form of what was planted fared."""
    judged = {item.clip.path.name: item for item in report.judged}
    pairs = [(item, judged[item.name]) for item in planted]
    reasons = list(dict.fromkeys(item.fault for item in planted if item.fault))
    scores = [_filter(reason, pairs) for reason in reasons]
    scores.append(_borders(pairs))
    rows = read_rows(place)
    links = {
        "same music": _links(planted, judged, rows, "music_group"),
        "same pictures": _links(planted, judged, rows, "video_group"),
    }
    scores += [link for link, _ in links.values()]
    joined = {name: found for name, (_, found) in links.items()}
    return scores, _forms(pairs, joined)


def _filter(reason: str, pairs: Sequence[tuple[Planted, Judged]]) -> Score:
    """Originals and copies are one content: dropping either of the two is right."""
    copied = {item.copy_of for item, _ in pairs if item.copy_of}
    there = [item.fault == reason for item, _ in pairs]
    named = [judged.decision.reason == reason for _, judged in pairs]
    right = sum(
        told and (fault or (reason == "copy" and item.name in copied))
        for fault, told, (item, _) in zip(there, named, pairs, strict=True)
    )
    return Score(name=reason, planted=sum(there), found=sum(named), right=right)


def _borders(pairs: Sequence[tuple[Planted, Judged]]) -> Score:
    """Among clips that are kept: a box smaller than the picture was named; it is right when each side fits."""
    kept = [(item, judged) for item, judged in pairs if judged.decision.reason is None]
    there = [item.kind == "borders" for item, _ in kept]
    named = [_has_borders(judged) for _, judged in kept]
    right = [t and n and _box_fits(*pair) for t, n, pair in zip(there, named, kept, strict=True)]
    return Score(name="borders", planted=sum(there), found=sum(named), right=sum(right))


def _has_borders(judged: Judged) -> bool:
    measures = judged.inspection.measures
    return measures is not None and measures.borders != (0, 0, measures.width_px, measures.height_px)


def _box_fits(item: Planted, judged: Judged) -> bool:
    measures = judged.inspection.measures
    if measures is None:
        return False
    sides = zip(measures.borders, item.picture.box, strict=True)
    return max(abs(found - true) for found, true in sides) <= BORDER_TOLERANCE_PX


def _links(
    planted: Sequence[Planted], judged: dict[str, Judged], rows: dict[str, JsonDict], column: str
) -> tuple[Score, set[str]]:
    """Pairs of kept clips that share a group, against pairs that share their truth; and the clips so joined."""
    truth = {p.name: (p.sound.tune if column == "music_group" else p.picture.film) for p in planted}
    kept = [p.name for p in planted if judged[p.name].decision.reason is None]
    group = {name: rows[judged[name].inspection.id][column] for name in kept}
    same = [(truth[a] == truth[b], group[a] == group[b], a, b) for a, b in combinations(kept, 2)]
    right = [(a, b) for there, found, a, b in same if there and found]
    name = "same music" if column == "music_group" else "same pictures"
    score = Score(name=name, planted=sum(s[0] for s in same), found=sum(s[1] for s in same), right=len(right))
    return score, {clip for pair in right for clip in pair}


def _forms(pairs: Sequence[tuple[Planted, Judged]], joined: dict[str, set[str]]) -> list[JsonDict]:
    """How many clips of each form were treated as they should; relations and borders among clips that were kept."""
    forms: dict[tuple[str, str], list[bool]] = {}
    for item, judged in pairs:
        reason = judged.decision.reason
        if item.kind in joined or item.kind == "borders":
            if reason is not None:
                continue
            right = item.name in joined[item.kind] if item.kind in joined else _box_fits(item, judged)
        else:
            right = reason == item.fault
        forms.setdefault((item.kind, item.how), []).append(right)
    return [
        {"kind": kind, "how": how, "clips": len(right), "right": sum(right)}
        for (kind, how), right in sorted(forms.items())
    ]


def read_rows(place: Path) -> dict[str, JsonDict]:
    """Split and groups of a built set's rows by id."""
    columns = ["id", "music_group", "video_group"]
    found: dict[str, JsonDict] = {}
    for path in sorted((place / "data").glob("*.parquet")):
        rows = pq.read_table(path, columns=columns).to_pylist()
        found |= {row["id"]: row | {"split": path.name.split("-")[0]} for row in rows}
    return found


def fate(judged: Judged, rows: Mapping[str, JsonDict]) -> JsonDict:
    """What became of one clip: its file, the reason and its detail or the split, and what was measured."""
    measures, reason = judged.inspection.measures, judged.decision.reason
    row = None if reason else rows[judged.inspection.id]
    return {
        "id": judged.inspection.id,
        "file": judged.clip.path.name,
        "reason": reason,
        "detail": judged.decision.detail,
        "split": row and row["split"],
        "music_group": row and row["music_group"],
        "video_group": row and row["video_group"],
        "borderline": judged.decision.borderline,
        "measures": None if measures is None else asdict(measures),
    }

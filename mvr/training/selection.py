"""Which weights are kept: the best validated ones, separately for branches that share no weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from mvr.heads.trainable import TrainableHead
from mvr.training.validation import BranchScore

State = dict[str, Tensor]


@dataclass(kw_only=True)
class Best:
    """The best weights of one unit so far."""

    better: tuple[float, ...] | None = None
    epoch: int = -1
    values: dict[str, float] = field(default_factory=dict)
    state: State = field(default_factory=dict)


class Selection:
    """Best weights per unit: a unit is a branch, or the whole head where branches share trained weights."""

    def __init__(self, head: TrainableHead) -> None:
        names = list(head.state_dict())
        self.units: dict[str, list[str]] = {"ssl": names}
        if len(head.branches) > 1 and not len(head.pool):
            self.units = {
                branch: [n for n in names if n.startswith((f"q.{branch}/", f"p.{branch}/"))]
                for branch in head.branches
            }
        self.best = {unit: Best() for unit in self.units}

    def update(self, epoch: int, scores: dict[str, BranchScore], state: State) -> list[str]:
        """Take over `state` for the units whose score is better now; returns their names."""
        improved = []
        for unit, best in self.best.items():
            score = scores[unit]
            if (
                not score.better
            ):  # too few labelled rows to choose by: the newest weights, no claim to be better
                best.values = score.values
                best.state = {name: state[name].detach().clone() for name in self.units[unit]}
            elif best.better is None or score.better < best.better:
                best.better, best.epoch, best.values = score.better, epoch, score.values
                best.state = {name: state[name].detach().clone() for name in self.units[unit]}
                improved.append(unit)
        return improved

    @property
    def newest(self) -> int:
        """The last epoch in which any unit became better; -1 before the first."""
        return max(best.epoch for best in self.best.values())

    @property
    def scored(self) -> bool:
        """Whether any unit has a score to be better than; without one, nothing tells when to stop."""
        return any(best.better is not None for best in self.best.values())

    def merged(self, state: State) -> State:
        """`state` with the best weights of every unit put in."""
        merged = dict(state)
        for best in self.best.values():
            merged.update(best.state)
        return merged

    def to_state(self) -> dict[str, object]:
        """For a checkpoint."""
        return {
            unit: {"better": b.better, "epoch": b.epoch, "values": b.values, "state": b.state}
            for unit, b in self.best.items()
        }

    def load_state(self, saved: dict[str, dict[str, object]]) -> None:
        """From a checkpoint."""
        for unit, values in saved.items():
            self.best[unit] = Best(**values)  # type: ignore[arg-type]

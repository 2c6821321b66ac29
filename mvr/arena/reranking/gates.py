"""When a re-ranked system may take the place of the plain one: three gates, all of them.

Held-out vote accuracy is up with its interval above 0; Recall@10 falls by at most one point; and people who did not
know which is which preferred it, with an e-value of at least 20. Source: evaluation specification, line 39.
"""

from __future__ import annotations

from dataclasses import dataclass

from mvr.arena.reranking.residual import CrossValidation
from mvr.metrics.preference.stopping import SEPARATED_AT, directed_e_value

MOST_RECALL_LOSS = 0.01


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One condition, its measured value, and whether it holds."""

    name: str
    value: float
    wanted: str
    passed: bool


def promotion_gates(
    report: CrossValidation, *, recall_before: float, recall_after: float, wins: int, losses: int
) -> tuple[Gate, ...]:
    """The three conditions of a promotion, measured.

    Args:
        report: cross-validation of the re-ranking.
        recall_before, recall_after: Recall@10 on the frozen test split without and with it.
        wins, losses: decisive votes of blind battles between the re-ranked and the plain system.
    """
    loss = recall_before - recall_after
    evidence = directed_e_value(wins, losses)
    return (
        Gate(
            name="vote accuracy gain, lower bound",
            value=report.gain.low,
            wanted="above 0",
            passed=report.gain.low > 0,
        ),
        Gate(
            name="Recall@10 loss",
            value=loss,
            wanted=f"at most {MOST_RECALL_LOSS}",
            passed=loss <= MOST_RECALL_LOSS + 1e-12,
        ),
        Gate(
            name="e-value of blind battles, new against old",
            value=evidence,
            wanted=f"at least {SEPARATED_AT:g}",
            passed=evidence >= SEPARATED_AT,
        ),
    )


def may_be_promoted(gates: tuple[Gate, ...]) -> bool:
    """Whether every gate holds."""
    return all(gate.passed for gate in gates)

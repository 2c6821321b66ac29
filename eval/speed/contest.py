"""What a benchmark is: one piece of work, candidates that do it, and what we aim at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Work = Callable[[], Any]
"""Does the work once; may return a dict of facts for the report."""

Derive = Callable[[Mapping[str, dict[str, Any]]], Mapping[str, dict[str, Any]]]
"""From the report's rows by candidate to further facts by candidate: rates, and ratios between candidates."""

Prepare = Callable[[], Work]
"""Imports and sets up in the candidate's own process, then returns the work to be timed."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Something to reach; judged only where the machine was quiet enough.

    Attributes:
        text: the aim in words.
        of: whose aim it is; None: ours.
        against, cpu_ratio_at_most, wall_ratio_at_most: its processor or wall time over this candidate's (minimum over
            minimum).
        fact, fact_ratio_at_most: one of its facts over the same one of `against`.
        realtime_at_least: media seconds over our smallest wall time.
        wall_s_at_most, cpu_s_at_most: our smallest wall or processor time.
        peak_mb_at_most, child_peak_mb_at_most: its own or its children's largest peak of memory. Like facts, they are
            judged on a busy machine, too.
    """

    text: str
    of: str | None = None
    against: str | None = None
    fact: str | None = None
    cpu_ratio_at_most: float | None = None
    wall_ratio_at_most: float | None = None
    fact_ratio_at_most: float | None = None
    realtime_at_least: float | None = None
    wall_s_at_most: float | None = None
    cpu_s_at_most: float | None = None
    peak_mb_at_most: float | None = None
    child_peak_mb_at_most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One table of the report.

    Attributes:
        name: unique, for the command line and JSON.
        title: heading.
        work: the work and its sizes in a sentence.
        ours: the candidate that the others are compared with.
        candidates: name -> how to prepare it; they must all do the same work.
        media_s: seconds of media in the work, to give multiples of real time.
        aims: what we want to reach.
        derive: further facts, computed from the timings.
        table: heading of a table that shows this contest's facts together with others'.
    """

    name: str
    title: str
    work: str
    ours: str
    candidates: Mapping[str, Prepare]
    media_s: float | None = None
    aims: tuple[Aim, ...] = ()
    derive: Derive | None = None
    table: str | None = None

    def __post_init__(self) -> None:
        assert self.ours in self.candidates, (self.ours, list(self.candidates))
        named = {name for aim in self.aims for name in (aim.of, aim.against) if name is not None}
        assert named <= self.candidates.keys(), (named, list(self.candidates))


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One run of one candidate: seconds of wall and processor time, peak memory in MB, facts it returned."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    child_peak_mb: float
    facts: dict[str, Any]

"""Fitting a track to a length: the path through its bars that is cut most smoothly.

With the track's own ending the last bar is fixed and the start of the music takes up what is left of a bar;
with a fade-out the start is fixed. Between them a shortest path over (bars still to play, present bar) pays
for every join by how little alike its sides are. A hit splits the problem: one path leads to the struck
moment, another one from it to the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mvr.errors import UsageError
from mvr.timing.fitting.joins import Bars
from mvr.timing.fitting.loops import CROSSFADE_S, FADE_S, LONGEST_FADE, LOOSE_CROSSFADE_S, cut_plainly
from mvr.timing.fitting.plan import Ending, FitPlan, Method, Piece
from mvr.timing.music import MusicTiming, falling_s

ALIKE = 0.95  # share of all jumps that must be less smooth
_PASSABLE = 0.8
_UNLIKE = 30.0  # what a join of bars that are not `ALIKE` costs: more than ten hard strokes
_JOIN = 1.0  # what any join costs, beside its unlikeness
_SHORT_LOOP = 4.0  # what repeating a single bar costs; eight bars cost an eighth of it
_STRUCK, _USUAL_STROKE = (
    2.0,
    0.97,
)  # what a join costs on the hardest stroke of a track, none below this share
_UNSTEADY = 3.0  # what a join costs at which the beat stumbles
_ELSEWHERE = 0.05  # share of what an off start costs under a hit: of equal ones the nearest is struck
_LOUD = 2.0  # what a crossfade costs in the loudest moment of a track without a beat


_HELD = 4  # searches: a few MB each for twenty minutes of music
_Reach = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class FitWish:
    """Attributes:
    length_s: length of the clip.   start_s: where the music would start if nothing had to be cut.
    ending: the track's own, or a fade-out.   hit_s: second of the clip at which the music strikes, or None.
    """

    length_s: float
    start_s: float = 0.0
    ending: Ending = Ending.REAL
    hit_s: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.length_s < 86_400:
            raise UsageError(f"a length of {self.length_s:g} s cannot be fitted; it must be above 0")
        if self.hit_s is not None and not 0 <= self.hit_s < self.length_s:
            raise UsageError(
                f"the hit at {self.hit_s:g} s is outside the clip, which is {self.length_s:.2f} s long"
            )
        if self.start_s < 0:
            raise UsageError("the music cannot start before its beginning")


@dataclass(frozen=True)
class _Path:
    """Bars to play in order, and what their joins cost."""

    bars: list[int]
    cost: float


def plan_fit(music: MusicTiming, bars: Bars, wish: FitWish) -> FitPlan:
    """The smoothest cut of a track to a length.

    A track that cannot be cut well is cut plainly, and the plan's note says why.

    Raises:
        UsageError: the track ends before the wished start.
    """
    end_s = music.end_s or music.duration_s
    if wish.start_s >= end_s:
        raise UsageError(f"the music cannot start at {wish.start_s:g} s: the track ends at {end_s:.2f} s")
    if music.end_s == 0:
        return _plain(music, wish, "the track is silent")
    real = wish.ending is Ending.REAL and music.ending_s is not None
    note = ""
    if wish.ending is Ending.REAL and not real:
        note = "the track has no ending of its own (it fades out or breaks off), so the music is faded out"
    elif real and wish.length_s <= end_s - falling_s(music.loudness_db, end_s):
        real, note = False, "the track dies away for longer than the clip lasts, so the music is faded out"
    joined = len(bars) > 1 and (bars.on_beat or music.tempo_bpm is None)
    solver = _Solver(bars, end_s, wish, real, joined=joined)
    plan = solver.solved(music)
    struck_badly = wish.hit_s is not None and _worst_join(plan) < _PASSABLE
    late = plan is None or abs(plan.end_error_s) > solver.bar_s  # nobody would hear it
    if real and (late or struck_badly):  # of a hit and the ending, the hit was asked for by its second
        note = "no smooth path through its bars leads to the track's own ending in time, so the music is faded out"
        plan = solver.faded().solved(music)
    worst = _worst_join(plan)
    if worst < _PASSABLE and wish.hit_s is not None:
        return _without_hit(music, bars, wish)
    if plan is None:
        return _plain(music, wish, _why_no_path(music, joined))
    if worst < _PASSABLE:
        return _plain(
            music,
            wish,
            f"its bars are too unlike each other to be joined (one join would beat only {worst:.0%} of all)",
        )
    if plan.method is Method.CROSSFADE and plan.joins:
        loose = (
            f"the track has no steady beat, so its pieces are joined by crossfades of {LOOSE_CROSSFADE_S:g} s"
        )
        note = "; ".join(filter(None, (note, loose)))
    return replace(plan, note=note)


def _worst_join(plan: FitPlan | None) -> float:
    """Share of all jumps that its worst join is smoother than; 0 where there is no plan."""
    return 0.0 if plan is None else min((piece.percentile or 0.0 for piece in plan.joins), default=1.0)


def _why_no_path(music: MusicTiming, joined: bool) -> str:
    if joined:
        return "no path through its bars is as long as the clip"
    if music.tempo_bpm is None:
        return "the track is too short to be joined, so it starts over"
    return "the track has too few bars to join, so it starts over on a beat"


def _without_hit(music: MusicTiming, bars: Bars, wish: FitWish) -> FitPlan:
    """The best plan that strikes nowhere, and why it does not."""
    plan = plan_fit(music, bars, replace(wish, hit_s=None))
    why = f"no part and no hard stroke of the track can be brought to {wish.hit_s:.2f} s"
    return replace(plan, hit_s=wish.hit_s, note="; ".join(filter(None, (why, plan.note))))


def _plain(music: MusicTiming, wish: FitWish, why: str) -> FitPlan:
    plan = cut_plainly(music, wish.start_s, wish.length_s)
    return replace(plan, hit_s=wish.hit_s, note=f"cut plainly: {why}")


class _Solver:
    """Paths through the bars of one track for one wish; not `joined`: only as they follow on each other."""

    def __init__(self, bars: Bars, end_s: float, wish: FitWish, real: bool, *, joined: bool = True) -> None:
        self.bars = bars
        self.wish = wish
        self.real = real
        self.joined = joined
        self.end_s = end_s
        self._known: dict[int | None, _Reach] = {}  # a hundred moments that could hit ask for the same ways
        self.edges = np.append(bars.edges_s[:-1], bars.edges_s[-1])
        self.tail_s = end_s - float(bars.edges_s[-1])  # what sounds after the last bar
        self.bar_s = float(np.median(np.diff(bars.edges_s)))
        jump = _JOIN + 2 * (1 - bars.percentile) + (1 - bars.likeness)
        jump = np.where(bars.percentile < ALIKE, jump + _UNLIKE, jump)
        jump = np.where(bars.steady, jump, jump + _UNSTEADY)
        if bars.on_beat:
            jump = jump + _STRUCK * np.clip((bars.struck - _USUAL_STROKE) / (1 - _USUAL_STROKE), 0, 1)
        else:
            jump = jump + _LOUD * bars.struck
        back = np.arange(len(bars))[:, None] - np.arange(len(bars)) + 1
        jump = jump + np.where(back > 0, _SHORT_LOOP / np.maximum(back, 1), 0.0)
        self.cost = np.where(np.eye(len(bars), k=1, dtype=bool), 0.0, jump if joined else np.inf)

    def faded(self) -> _Solver:
        """The same with a fade-out instead of the track's own ending."""
        return _Solver(self.bars, self.end_s, self.wish, False, joined=self.joined)

    def solved(self, music: MusicTiming) -> FitPlan | None:
        """The smoothest plan; None where there is no path."""
        return self.with_hit(music) if self.wish.hit_s is not None else self.plain()

    def plain(self) -> FitPlan | None:
        """The smoothest plan when no hit is asked for; None where there is no path."""
        if self.real:
            return self._to_the_end(self.wish.length_s)
        return self._from_the_start(self.wish.start_s, self.wish.length_s)

    def with_hit(self, music: MusicTiming) -> FitPlan | None:
        """The plan whose struck moment (a part's start, or else a hit) and end lie nearest to where they should."""
        assert self.wish.hit_s is not None
        sections = [time for time in music.sections_s.tolist() if time > 0.5]
        best: tuple[float, FitPlan] | None = None
        for extra, moments in ((0.0, sections), (0.3, music.hits_s.tolist())):
            for moment in moments:
                plan = self._through(moment)
                if plan is not None:
                    cost = extra + abs(plan.end_error_s) / self.bar_s + 0.1 * len(plan.joins)
                    cost += 0.5 * sum(1 - (piece.percentile or 0) for piece in plan.joins) * 10
                    cost += _ELSEWHERE * self._off_start(plan.pieces[0].source_start_s)
                    if best is None or cost < best[0]:
                        best = cost, plan
        return None if best is None else best[1]

    def _through(self, moment_s: float) -> FitPlan | None:
        """Strikes `moment_s` of the track at the wished second."""
        assert self.wish.hit_s is not None
        before, after = (
            self._before(moment_s, self.wish.hit_s),
            self._after(moment_s, self.wish.length_s - self.wish.hit_s),
        )
        if before is None or after is None:
            return None
        pieces, error_s = after
        merged = _merged([*before, *pieces])
        plan = _assembled(merged, self, self.wish.length_s)
        late_s = min(FADE_S, max(0.0, error_s))  # an ending that comes too late is not broken off
        fade_s = min(
            max(plan.fade_s, late_s), self.wish.length_s - self.wish.hit_s
        )  # the hit itself is heard
        return replace(plan, hit_s=self.wish.hit_s, hit_error_s=0.0, end_error_s=error_s, fade_s=fade_s)

    def _before(self, moment_s: float, length_s: float) -> list[tuple[float, float]] | None:
        """Spans of the track, `length_s` in all, that lead to a moment of it."""
        if length_s <= moment_s:
            return [(moment_s - length_s, moment_s)]
        last = int(np.searchsorted(self.edges, moment_s + 1e-6, side="right")) - 1
        if last < 1:
            return None
        inside_s = moment_s - float(self.edges[last])
        return self._backwards(last - 1, length_s - inside_s, [(float(self.edges[last]), moment_s)])

    def _after(self, moment_s: float, length_s: float) -> tuple[list[tuple[float, float]], float] | None:
        """Spans from a moment on, and by how much they end too late (early is negative)."""
        first = int(np.searchsorted(self.edges, moment_s - 1e-6))
        if first >= len(self.bars):
            return None
        lead_s = float(self.edges[first]) - moment_s
        if not self.real:
            spans = self._forwards(first, length_s - lead_s)
            return None if spans is None else ([(moment_s, float(self.edges[first])), *spans], 0.0)
        count = max(1, round((length_s - lead_s - self.tail_s) / self.bar_s))
        path = self._path(first, len(self.bars) - 1, count)
        if path is None:
            return None
        spans = [
            (moment_s, float(self.edges[first])),
            *self._spans(path.bars),
            (float(self.edges[-1]), float(self.edges[-1]) + self.tail_s),
        ]
        error_s = sum(end - start for start, end in spans) - length_s
        return spans, error_s

    def _to_the_end(self, length_s: float) -> FitPlan | None:
        spans = self._backwards(
            len(self.bars) - 1,
            length_s - self.tail_s,
            [(float(self.edges[-1]), float(self.edges[-1]) + self.tail_s)],
        )
        return None if spans is None else _assembled(_merged(spans), self, length_s)

    def _backwards(
        self, last: int, length_s: float, tail: list[tuple[float, float]]
    ) -> list[tuple[float, float]] | None:
        """Spans of `length_s` that end with bar `last`, then `tail`; the first may begin inside a bar."""
        if length_s <= 0:
            end_s = tail[-1][1]
            return [(end_s - (length_s + sum(b - a for a, b in tail)), end_s)]
        count = int(length_s / self.bar_s + 0.02)
        found = self._lead_and(last, count, length_s)
        if found is None and count:  # a bar heard too long: with one less, more sounds before the first
            found = self._lead_and(last, count - 1, length_s)
        return None if found is None else [*found, *tail]

    def _lead_and(self, last: int, count: int, length_s: float) -> list[tuple[float, float]] | None:
        """`count` bars that end with bar `last`, and what sounds before the first of them."""
        best: tuple[float, list[tuple[float, float]]] | None = None
        reach = self._reach(last, count)
        for first in range(len(self.bars)):
            if not np.isfinite(reach[0][count, first]) and count:
                continue
            path = self._walk(reach, first, count) if count else _Path([], 0.0)
            spans = self._spans(path.bars)
            left_s = length_s - sum(end - start for start, end in spans)
            begin_s = float(self.edges[first if count else last + 1])
            if left_s < -0.02 or begin_s - left_s < 0:
                continue
            start_s = begin_s - left_s
            cost = path.cost + self._off_start(start_s)
            if best is None or cost < best[0]:
                best = cost, [(start_s, begin_s), *spans]
        return None if best is None else best[1]

    def _off_start(self, start_s: float) -> float:
        """What it costs to begin elsewhere than wished: as much as two or three joins where it is far off."""
        return min(4.0, 4.0 * abs(start_s - self.wish.start_s) / max(self.wish.length_s, 30.0))

    def _from_the_start(self, start_s: float, length_s: float) -> FitPlan | None:
        end_s = float(self.edges[-1]) + self.tail_s
        if start_s + length_s <= end_s:
            return _assembled([(start_s, start_s + length_s)], self, length_s)
        first = int(np.searchsorted(self.edges, start_s - 1e-6))
        if first >= len(self.bars):
            first, start_s = 0, float(self.edges[0])
        lead = (start_s, float(self.edges[first]))
        spans = self._forwards(first, length_s - (lead[1] - lead[0]))
        return None if spans is None else _assembled(_merged([lead, *spans]), self, length_s)

    def _forwards(self, first: int, length_s: float) -> list[tuple[float, float]] | None:
        """Spans of `length_s` from bar `first` on; the last one ends where the length is full."""
        count = int(np.ceil(length_s / self.bar_s)) + 1
        path = self._path(first, None, count)
        if path is None:
            return None
        spans, left_s = [], length_s
        for start, end in self._spans(path.bars):
            spans.append((start, min(end, start + left_s)))
            left_s -= end - start
            if left_s <= 1e-9:
                return spans
        return None

    def _path(self, first: int, last: int | None, count: int) -> _Path | None:
        reach = self._reach(last, count)
        return self._walk(reach, first, count) if np.isfinite(reach[0][count, first]) else None

    def _reach(self, last: int | None, count: int) -> _Reach:
        """Least cost (count + 1 or more, N): k bars from bar i to `last` (None: any), and the bar after i that way."""
        if last not in self._known or len(self._known[last][0]) <= count:
            if len(self._known) == _HELD:
                self._known.clear()
            self._known[last] = self._searched(last, count)
        return self._known[last]

    def _searched(self, last: int | None, count: int) -> _Reach:
        size = len(self.bars)
        cost = np.full((count + 1, size), np.inf)
        way = np.full((count + 1, size), -1, np.int64)
        if count:
            cost[1, slice(None) if last is None else last] = 0.0
        for played in range(2, count + 1):
            total = self.cost + cost[played - 1][None, :]
            way[played] = total.argmin(axis=1)
            cost[played] = total.min(axis=1)
        return cost, way

    def _walk(self, reach: _Reach, first: int, count: int) -> _Path:
        bars, bar = [first], first
        for played in range(count, 1, -1):
            bar = int(reach[1][played, bar])
            bars.append(bar)
        return _Path(bars, float(reach[0][count, first]))

    def _spans(self, bars: list[int]) -> list[tuple[float, float]]:
        return [(float(self.edges[bar]), float(self.edges[bar + 1])) for bar in bars]


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans without empty ones, those that follow on joined into one."""
    out: list[tuple[float, float]] = []
    for start, end in spans:
        if end - start <= 1e-9:
            continue
        if out and abs(out[-1][1] - start) < 1e-6:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def _assembled(spans: list[tuple[float, float]], solver: _Solver, length_s: float) -> FitPlan:
    """The plan of spans, with the likeness of each join."""
    bars, at_s = solver.bars, 0.0
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(spans):
        like: tuple[float | None, float | None] = (None, None)
        if number:
            left = int(np.searchsorted(solver.edges, spans[number - 1][1] - 1e-3)) - 1
            right = int(np.searchsorted(solver.edges, start + 1e-3, side="right")) - 1
            left, right = min(max(left, 0), len(bars) - 1), min(max(right, 0), len(bars) - 1)
            like = float(bars.likeness[left, right]), float(bars.percentile[left, right])
        fade = 0.0 if not number else CROSSFADE_S if bars.on_beat else LOOSE_CROSSFADE_S
        pieces.append(
            Piece(
                source_start_s=start,
                source_end_s=end,
                start_s=at_s,
                likeness=like[0],
                percentile=like[1],
                crossfade_s=fade,
            )
        )
        at_s += end - start
    return FitPlan(
        pieces=tuple(pieces), length_s=length_s, method=Method.BARS if bars.on_beat else Method.CROSSFADE,
        ending=Ending.REAL if solver.real else Ending.FADE,
        fade_s=0.0 if solver.real else min(FADE_S, LONGEST_FADE * length_s),
        end_error_s=round(at_s - length_s, 9) + 0.0,  # no -0
    )  # fmt: skip

"""Cuts: where a picture changes into another one from one frame to the next, decided from `Changes` after the pass.

A cut is a distance between two frames that stands out from what moves on its calmer side by far and from what moves on
the other and from its very neighbours clearly, in levels as well, that the picture does not come back from, and that
changes the picture everywhere: words, windows and things that jump on a beat change a part of it, or fall back. A flash
comes back, fast motion and a camera that swings do not stand out, a fade or a dissolve takes many steps of like levels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.picture import LAGS, LEAST, Changes

_STAYS = 0.5  # share of the distance that must still be there up to LAGS frames later
_AWAY = 1.3  # or a distance of this at least
_AROUND_S = 0.3
_CALM = 2.6  # times the distances on the calmer side
_APART = 1.3  # times the distances and the changes of the grid on the other side and right beside
_GRID_BOTH, _GRID_NOISE = 2.7, 0.3  # times the changes of the grid where both sides are as busy as a cut
_WHOLE, _WHOLE_NOISE = (
    2.0,
    1.0,
)  # times the changes of light and colours on the whole, and least levels of those
_OTHER = 0.4  # share of contrast that moves at least between two pictures that have nothing in common
_STILL = 0.01  # a distance under it is a frame shown again
_TOGETHER_S = 0.1  # of steps that are nearer to each other one may be a cut
_SHOWN_S = 0.7  # within which frames that are not shown again count as around a step
_SAME = 0.6  # share of a step that ends the stretch it is judged by
_STRETCH_S, _SETTLE_S = 0.45, 0.12  # what is compared on either side, and what is left out right after a step
_NOISE = 0.5  # of a cell, in levels
_CELL = 0.9  # times its own movement by which half of the cells must change
_FEW_CELLS = 0.5  # and three quarters of them
_CLEAR_CELL = 3.5  # enough by itself, and needed where
_EVEN = 0.25  # the cell at a quarter changes by less than this share of the mean one
_LAYOUT = 0.24  # share of contrast that a step moves at least
_BLACK, _PLAIN = 24.0, 1.0  # luma and edges of a cell that holds nothing, or contrast of a picture
_STRAIGHT = (
    0.95  # share of the way of a grid through a blended frame that leads from the one picture to the other
)
_BAR = 3.0  # levels that a bar changes by at most, all film long
Rows = npt.NDArray[np.int64]
Neighbours = list[tuple[Rows, Rows]]


def find_cuts(changes: Changes) -> Times:
    """Times of the first frames after cuts, ascending."""
    if len(changes.times_s) < 2:
        return np.zeros(0)
    step, times_s = changes.distances[:, 0], changes.times_s
    rows = np.flatnonzero((step > LEAST) & (_stays(changes.distances) > np.minimum(_STAYS * step, _AWAY)))
    rows = rows[rows > 0]  # a part of a film may begin with a cut: nothing of it is before
    rows = _strongest(rows, step, times_s)
    spacing_s, moved = max(float(np.median(np.diff(times_s))), 1e-3), _moved(changes)
    rows = rows[_stands_out(changes, rows, moved[rows], spacing_s)]
    inside = _inside_bars(changes)
    return times_s[[row for row in rows if _is_other(changes, int(row), moved[row], spacing_s, inside)]]


def _stays(distances: FloatArray) -> FloatArray:
    """Least distance of any frame before a step to any from it on, at most `LAGS` frames apart: (N,)."""
    count = len(distances)
    least = distances[:, 0].copy()
    for lag in range(2, min(LAGS + 1, count)):
        pairs = distances[lag:, lag - 1]  # of frame `row` with frame `row + lag`
        for behind in range(lag):  # the step lies `behind` frames before the later one
            rows = slice(lag - behind, count - behind)
            least[rows] = np.minimum(least[rows], pairs)
    return least


def _moved(changes: Changes) -> FloatArray:
    """Share of contrast that moved from the frame before, light aside: (N,), about .7 between unlike pictures."""
    light = np.abs(np.diff(changes.luma, prepend=changes.luma[:1]))
    both = changes.contrast + np.concatenate([changes.contrast[:1], changes.contrast[:-1]])
    moved: FloatArray = (changes.energy - light) / (1.0 + both)
    return moved


def _stands_out(changes: Changes, rows: Rows, moved: FloatArray, spacing_s: float) -> npt.NDArray[np.bool_]:
    """Whether steps stand out from both of their sides; `moved` is of the same rows.

    A cut into what moves fast is no farther than that moves from frame to frame, but has other light and colours on the
    whole, which a camera that begins to swing has not.
    """
    step, where = changes.distances[:, 0], (changes, rows, spacing_s, _neighbours(changes, rows, spacing_s))
    grid = np.abs(np.diff(changes.features, axis=0, prepend=changes.features[:1])).mean(axis=1)
    whole = _whole(changes)
    calm, busy = _around(step, *where)
    grid_over = grid[rows] / np.maximum(_around(grid, *where)[1], _GRID_NOISE)
    whole_over = whole[rows] / np.maximum(_around(whole, *where)[1], _WHOLE_NOISE)
    other_place = (whole_over > _WHOLE) & (moved > _OTHER)
    apart = (grid_over > _APART) & ((step[rows] > _APART * busy) | other_place)
    stands: npt.NDArray[np.bool_] = apart & (
        (step[rows] > _CALM * calm) | ((grid_over > _GRID_BOTH) & (moved > _OTHER))
    )
    return stands


def _whole(changes: Changes) -> FloatArray:
    """How much light and colours of the whole picture changed from the frame before, in levels: (N,)."""
    means = changes.features.reshape(-1, 9, 4)[..., :3].mean(axis=1)
    change: FloatArray = np.abs(np.diff(means, axis=0, prepend=means[:1])).sum(axis=1)
    return change


def _around(
    values: FloatArray, changes: Changes, rows: Rows, spacing_s: float, neighbours: Neighbours
) -> tuple[FloatArray, FloatArray]:
    """What is usual on the calmer side of each row, and the most of what is usual on the other and right beside.

    Usual is the median within 0.3 s, or what `_shown` says if it is more. Where the film ends too soon to tell, the
    other side stands for both.
    """
    reach = int(np.clip(round(_AROUND_S / spacing_s), 3, 24))
    windows, middle = np.lib.stride_tricks.sliding_window_view(np.pad(values, reach), reach), reach // 2
    around = [np.partition(windows[at], middle, axis=1)[:, middle] for at in (rows, rows + reach + 1)]
    shown = [_shown(values, changes, rows, way) for way in (-1, 1)]
    shown = [np.nan_to_num(np.where(np.isnan(one), other, one)) for one, other in (shown, shown[::-1])]
    before, after = (np.maximum(*both) for both in zip(around, shown, strict=True))
    early, late = rows < 4, rows > len(values) - 4
    before, after = np.where(early, after, before), np.where(late, before, after)
    return np.minimum(before, after), np.maximum(np.maximum(before, after), _beside(values, neighbours))


def _neighbours(changes: Changes, rows: Rows, spacing_s: float) -> Neighbours:
    """For each way the frame right beside each row, the second one where a frame is shown twice; and the one of which
    the value counts if it is smaller.

    A cut may lead through one frame of black or white, or of both pictures blended: the step on that one's other side
    counts as no more than the one beyond it.
    """
    again = np.append(changes.distances[:, 0], 0) <= (_STILL if 2 * spacing_s < _TOGETHER_S else -1)
    plain = changes.contrast <= _PLAIN
    sides = []
    for way, between in ((-1, rows - 1), (1, rows)):
        off = way * (1 + again[rows + way])
        through = plain[between] | _between(changes, rows, off)
        sides.append((rows + off, rows + np.where(through, 2 * off, off)))
    return sides


def _beside(values: FloatArray, neighbours: Neighbours) -> FloatArray:
    """The larger value right before or after, 0 beyond the film."""
    padded = np.pad(values, 4)
    larger: FloatArray = np.maximum(
        *(np.minimum(padded[4 + one], padded[4 + beyond]) for one, beyond in neighbours)
    )
    return larger


def _between(changes: Changes, rows: Rows, way: Rows) -> npt.NDArray[np.bool_]:
    """Whether the frame between a step and the one `way` from it is a blend of those around: every cell of the grid
    goes from the one to the other without a detour.
    """
    cells = changes.features.reshape(-1, 9, 4)[..., :3].reshape(-1, 27)
    last = len(cells) - 1
    first = np.clip(np.minimum(rows, rows + way) - 1, 0, last)
    middle = np.clip(np.maximum(rows, rows + way) - 1, 0, last)
    end = np.clip(np.maximum(rows, rows + way), 0, last)
    length = np.abs(cells[end] - cells[first]).sum(axis=1)
    walked = np.abs(cells[end] - cells[middle]).sum(axis=1) + np.abs(cells[middle] - cells[first]).sum(axis=1)
    straight: npt.NDArray[np.bool_] = length > _STRAIGHT * walked
    return straight


def _shown(values: FloatArray, changes: Changes, rows: Rows, way: int) -> FloatArray:
    """Median value of the next four frames that way that are no repetition; 0 where fewer than two are near, and NaN
    where that is because the film ends.

    A screen that is recorded four times a second and written thirty times has nothing between its steps.
    """
    shown, times_s = np.flatnonzero(changes.distances[:, 0] > _STILL), changes.times_s
    near = np.searchsorted(shown, rows)[:, None] + way * np.arange(1, 5)
    there = (near >= 0) & (near < len(shown))
    others = shown[np.clip(near, 0, len(shown) - 1)] if len(shown) else np.zeros_like(near)
    there &= np.abs(times_s[others] - times_s[rows][:, None]) < _SHOWN_S
    found = np.sort(np.where(there, values[others], np.inf), axis=1)
    count, place = there.sum(axis=1), np.arange(len(rows))
    middle = (found[place, np.maximum(count - 1, 0) // 2] + found[place, np.minimum(count // 2, 3)]) / 2
    ends = np.abs(times_s[0 if way < 0 else -1] - times_s[rows]) < _SHOWN_S
    return np.where(count >= 2, middle, np.where(ends, np.nan, 0))


def _strongest(rows: Rows, step: FloatArray, times_s: Times) -> Rows:
    """Of steps that are too near to each other the strongest one."""
    kept: list[int] = []
    for row in rows:
        if kept and times_s[row] - times_s[kept[-1]] < _TOGETHER_S:
            if step[row] > step[kept[-1]]:
                kept[-1] = int(row)
        else:
            kept.append(int(row))
    return np.array(kept, np.int64)


def _inside_bars(changes: Changes) -> npt.NDArray[np.bool_]:
    """Which cells (9,) of the 3 x 3 grid lie between bars: columns on either side, or rows over and under the picture,
    that are the same all film long.
    """
    changed = np.ptp(changes.features, axis=0).reshape(3, 3, 4)[
        ..., :3
    ]  # edges are also those to other cells
    still, inside = (changed < _BAR).all(axis=-1), np.ones((3, 3), np.bool_)
    inside[:, [0, 2]] &= not still[:, [0, 2]].all()
    inside[[0, 2]] &= not still[[0, 2]].all()
    return inside.ravel()


def _is_other(
    changes: Changes, row: int, moved: float, spacing_s: float, inside: npt.NDArray[np.bool_]
) -> bool:
    """Whether what is shown after a step differs everywhere from what was shown before, by more than it moves itself.

    Cells of a 3 x 3 grid are compared, bars and those that are black on both sides left out.
    """
    before, after = _stretches(changes, row, spacing_s)
    middles = _middle(before), _middle(after)
    change = np.abs(middles[1] - middles[0]).mean(axis=1)
    own = [np.abs(part - middle).mean(axis=0) for part, middle in zip((before, after), middles, strict=True)]
    empty = np.all([(middle[:, 0] < _BLACK) & (middle[:, 3] < _PLAIN) for middle in middles], axis=0)
    live = inside & ~empty if (inside & ~empty).any() else inside
    change, over = change[live], (change / (_NOISE + np.maximum(*own).mean(axis=1)))[live]
    quarter, half = len(over) // 4, len(over) // 2
    over.sort()
    if over[quarter] < _FEW_CELLS:
        return False
    even = np.sort(change)[quarter] > _EVEN * change.mean()
    return bool(over[half] > _CLEAR_CELL or (even and over[half] > _CELL and moved > _LAYOUT))


def _middle(cells: FloatArray) -> FloatArray:
    """Medians over frames; `np.median` takes five times as long for a few of them."""
    ordered, count = np.sort(cells, axis=0), len(cells)
    middle: FloatArray = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    return middle


def _stretches(changes: Changes, row: int, spacing_s: float) -> tuple[FloatArray, FloatArray]:
    """Cells (n, 9, 4) of what is shown up to 0.45 s before a step and after it, as far as no like step lies between.

    What falls back after a beat does so within what is left out right after the step.
    """
    count = len(changes.times_s)
    reach = int(np.clip(round(_STRETCH_S / spacing_s), 4, 36))
    settle = max(1, round(_SETTLE_S / spacing_s))
    first, last = max(0, row - reach), min(count, row + reach)
    step = changes.distances[:, 0]
    starts, ends = (
        np.flatnonzero(part >= _SAME * step[row]) for part in (step[first:row], step[row + 1 : last])
    )
    first = first + int(starts[-1]) if len(starts) else first
    last = row + 1 + int(ends[0]) if len(ends) else last
    begin = row + settle if last - row > settle + 2 else row
    cells = changes.features[first:last].reshape(-1, 9, 4)
    return cells[: row - first], cells[begin - first :]

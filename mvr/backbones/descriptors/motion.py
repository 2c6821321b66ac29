"""Motion and cuts of a clip: change between frames, optical flow per cell, its rhythm, cuts, trends.

Conventions: lightness is (windows, F, H, W) in 0..100 sampled at `rate_hz`; windows may overlap.
Flow: Lucas & Kanade (1981), a translation per cell of an 8 x 8 grid, in frame widths per second.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.backbones.descriptors.cells import cell_means
from mvr.backbones.descriptors.dimension import Dimension, numbered
from mvr.datatypes import FloatArray

Cuts = npt.NDArray[np.bool_]  # (windows, F - 1): does a cut lie between these two frames
LAGS = 12  # motion's autocorrelation at 1..12 frames: 0.125 .. 1.5 s at 8 Hz
# histogram distance (half L1) over which two frames belong to different shots; shots of like colours are one,
# their change shows in motion.change_p95 alone
CUT = 0.30

DIMENSIONS = (
    Dimension("motion.change_mean", "log10 of lightness share per frame", -5, 0),
    Dimension("motion.change_p50", "log10 of lightness share per frame", -5, 0),
    Dimension("motion.change_p95", "log10 of lightness share per frame", -5, 0),
    Dimension("motion.change_spread", "deviation over mean", 0, 5),
    Dimension("motion.moving_share", "share of pixels that change", 0, 1),
    Dimension("motion.flicker", "log10 of mean-lightness change per frame", -5, 0),
    Dimension("motion.flow_mean", "log10 of widths/s", -4, 1),
    Dimension("motion.flow_p90", "log10 of widths/s", -4, 1),
    Dimension("motion.flow_horizontal", "share", 0, 1),
    Dimension("motion.flow_coherence", "share of flow that all cells have in common", 0, 1),
    Dimension("motion.flow_zoom", "1/s, outwards positive", -3, 3),
    Dimension("motion.flow_drift_x", "widths/s", -3, 3),
    Dimension("motion.flow_drift_y", "heights/s", -3, 3),
    Dimension("motion.jerk", "log10 of change of flow, widths/s", -4, 1),
    *numbered("motion.rhythm", LAGS, "autocorrelation at n + 1 frames", (-1, 1)),
    *numbered("motion.flicker_rhythm", LAGS, "autocorrelation at n + 1 frames", (-1, 1)),
    Dimension("cuts.rate", "1/s", 0, 8),
    Dimension("cuts.distance_p99", "half L1 of histograms", 0, 1),
    Dimension("cuts.distance_mean", "half L1 of histograms", 0, 1),
    Dimension("cuts.regularity", "autocorrelation maximum of distances", -1, 1),
    Dimension("cuts.far_change", "half L1 of histograms between windows", 0, 1),
    Dimension("trend.lightness", "Lab units per clip", -100, 100),
    Dimension("trend.change", "log10 ratio of last to first third", -3, 3),
)


def describe(lightness: FloatArray, histograms: FloatArray, rate_hz: float) -> FloatArray:
    """Descriptors in the order of `DIMENSIONS`.

    Args:
        lightness: (windows, F, H, W) Lab L of every frame.
        histograms: (windows, F, bins) colour histograms that sum to 1.
        rate_hz: frames per second within a window.
    """
    distance = 0.5 * np.abs(np.diff(histograms, axis=1)).sum(axis=2)
    steps = np.diff(lightness, axis=1)
    np.abs(steps, out=steps)
    steps /= 100
    change = steps.mean(axis=(2, 3))
    cut = (distance > CUT) & (distance > 3 * np.median(distance)) & (change > 0.03)
    mean_step = np.abs(np.diff(lightness.mean(axis=(2, 3)), axis=1)) / 100
    # a cut is no motion: change across it would drown all else
    kept = np.where(cut, np.nan, change)
    within = kept[np.isfinite(kept)] if np.isfinite(kept).any() else np.zeros(1)
    scalars = [
        _log(within.mean()),
        _log(float(np.percentile(within, 50))),
        _log(float(np.percentile(within, 95))),
        within.std() / max(float(within.mean()), 1e-5),
        np.mean(steps[~cut] > 0.03) if (~cut).any() else 0.0,
        _log(mean_step.mean()),
    ]
    rhythms = [_rhythm(np.where(cut, np.median(change), change)), _rhythm(mean_step)]
    parts = (scalars, _flow(lightness, cut, rate_hz), *rhythms)
    tail = (_cuts(distance, cut, histograms, rate_hz), _trends(lightness, change))
    return np.concatenate([np.asarray(part, np.float32) for part in (*parts, *tail)])


def _log(value: float) -> float:
    return float(np.log10(max(float(value), 1e-5)))


def _flow(lightness: FloatArray, cut: Cuts, rate_hz: float) -> list[float]:
    """Statistics of the flow of every pair of frames that no cut parts."""
    windows, count, height, width = lightness.shape
    halved = cell_means(lightness.reshape(-1, height, width), 2, 2).reshape(windows, count, height // 2, -1)
    vectors, weights = cell_flow(halved[:, :-1][~cut], halved[:, 1:][~cut])
    if not len(vectors) or weights.sum() < 1e-6:
        return [-4.0, -4.0, 0.5, 0.0, 0.0, 0.0, 0.0, -4.0]
    vectors = vectors * rate_hz
    speed = np.hypot(vectors[..., 0], vectors[..., 1])
    total = max(float(weights.sum()), 1e-6)
    common = (vectors * weights[..., None]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-6)[:, None]
    mean_speed = float((speed * weights).sum() / total)
    grid = (np.arange(8) - 3.5) / 8
    outward = vectors[..., 0] * np.tile(grid, 8) + vectors[..., 1] * np.repeat(grid, 8)
    radius = float(np.mean(grid**2) * 2)
    across = float(
        (np.abs(vectors[..., 0]) * weights).sum() / max((np.abs(vectors).sum(-1) * weights).sum(), 1e-6)
    )
    jerk = np.abs(np.diff(common, axis=0)).sum(axis=1).mean() if len(common) > 1 else 0.0
    return [
        float(np.log10(max(mean_speed, 1e-4))),
        float(np.log10(max(float(np.percentile(speed, 90)), 1e-4))),
        across,
        min(1.0, float(np.hypot(*common.T).mean()) / max(mean_speed, 1e-4)),
        float((outward * weights).sum() / total / radius),
        float(common[:, 0].mean()),
        float(common[:, 1].mean()),
        float(np.log10(max(float(jerk), 1e-4))),
    ]


def cell_flow(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lucas-Kanade translation of each of 64 cells between frames (P, H, W) of half the width and height.

    Returns:
        (P, 64, 2) shares of width and height per frame, x first, at most 0.12 long; and (P, 64) weights,
        each cell's smaller structure eigenvalue: how well its translation is known.
    """
    n, height, width = first.shape
    mean = 0.5 * (first + second)
    dx = np.zeros_like(mean)
    dy = np.zeros_like(mean)
    dx[:, :, 1:-1] = 0.5 * (mean[:, :, 2:] - mean[:, :, :-2])
    dy[:, 1:-1] = 0.5 * (mean[:, 2:] - mean[:, :-2])
    dt = second - first
    xx, yy, xy, xt, yt = (
        cell_means(a * b, height // 8, width // 8).reshape(n, 64)
        for a, b in ((dx, dx), (dy, dy), (dx, dy), (dx, dt), (dy, dt))
    )
    damping = 1.0  # (Lab units per pixel)^2: still noise of a codec moves nothing
    determinant = (xx + damping) * (yy + damping) - xy**2
    u = -((yy + damping) * xt - xy * yt) / determinant / width
    v = -((xx + damping) * yt - xy * xt) / determinant / height
    smaller = 0.5 * (xx + yy) - np.sqrt(0.25 * (xx - yy) ** 2 + xy**2)
    vectors = np.stack([u, v], axis=-1)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    vectors = vectors * np.minimum(1, 0.12 / np.maximum(length, 1e-9))
    return vectors.astype(np.float32), np.maximum(0, smaller).astype(np.float32)


def _rhythm(signal: FloatArray) -> FloatArray:
    """Autocorrelation of (windows, F) at lags 1..LAGS, pooled over windows; 0 where nothing changes."""
    centred = signal - signal.mean(axis=1, keepdims=True)
    energy = float((centred**2).mean())
    if energy < 1e-9:
        return np.zeros(LAGS, np.float32)
    lags = [float((centred[:, :-lag] * centred[:, lag:]).mean()) / energy for lag in range(1, LAGS + 1)]
    return np.array(lags, np.float32)


def _cuts(distance: FloatArray, cut: Cuts, histograms: FloatArray, rate_hz: float) -> list[float]:
    per_window = histograms.mean(axis=1)
    far = 0.5 * np.abs(np.diff(per_window, axis=0)).sum(axis=1)
    rate = float(cut.mean()) * rate_hz
    regularity = float(_rhythm(distance)[1:].max())
    return [rate, float(np.percentile(distance, 99)), float(distance.mean()), regularity, float(far.mean())]


def _trends(lightness: FloatArray, change: FloatArray) -> list[float]:
    level = lightness.mean(axis=(2, 3)).ravel()
    third = max(1, len(level) // 3)
    flat = change.ravel()
    ratio = np.log10((flat[-third:].mean() + 1e-4) / (flat[:third].mean() + 1e-4))
    return [float(level[-third:].mean() - level[:third].mean()), float(ratio)]

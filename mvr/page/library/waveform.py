"""A track's loudness over time as a small SVG, used as a mask: the page colours it."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from mvr.config.outputs import written_whole
from mvr.datatypes import FloatArray

BARS = 120
SAMPLE_RATE_HZ = 8000
# a new list asks for all its drawings at once: one after the other, so that the track somebody clicks meanwhile is not
# made ready behind ten of them
_TURN = threading.Lock()


def loudness_bars(samples: FloatArray, bars: int = BARS) -> FloatArray:
    """Root mean square of equal parts of a signal, relative to the loudest part.

    Args:
        samples: (n,) mono.
        bars: how many parts.

    Returns:
        (bars,) float32 in 0..1; silence is all 0.

    >>> loudness_bars(np.r_[np.zeros(100), np.ones(100)].astype("float32"), 2)
    array([0., 1.], dtype=float32)
    """
    if len(samples) < bars:
        samples = np.pad(samples, (0, bars - len(samples)))
    edges = np.linspace(0, len(samples), bars + 1).astype(int)
    energy = np.add.reduceat(np.square(samples, dtype=np.float64), edges[:-1]) / np.diff(edges)
    level = np.sqrt(energy)
    loudest = level.max()
    return np.asarray(level / loudest if loudest > 0 else level, np.float32)


def waveform_svg(bars: FloatArray) -> str:
    """The bars as an SVG that stretches to any box; 1 to 0 becomes full height to a thin line."""
    height = np.maximum(4, np.round(96 * bars.astype(float) ** 0.7))
    marks = "".join(f"M{x}.5 {50 - h / 2:g}v{h:g}" for x, h in enumerate(height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(bars)} 100" preserveAspectRatio="none">'
        f'<path d="{marks}" stroke="#000" stroke-width=".62" fill="none"/></svg>'
    )


def draw_waveform(source: Path, out: Path) -> None:
    """Write the SVG of a media file's sound; one is drawn at a time.

    Raises:
        MediaError: the file cannot be read or has no sound.
    """
    from mvr.media.sound import read_sound

    with _TURN:
        bars = loudness_bars(read_sound(source, SAMPLE_RATE_HZ))
    with written_whole(out) as part:
        part.write_text(waveform_svg(bars), encoding="utf-8")

"""How long music fades at a clip's end and where it starts over: the same in films, timelines and on time lines."""

from __future__ import annotations

CROSSFADE_S = FADE_S = 2.0
_FAINT_END = 0.05  # of a fade-out: what is below -26 dB


def fade_out_s(length_s: float, fade_s: float = FADE_S) -> float:
    """Seconds of fade-out at the end of a clip: a quarter of it at most."""
    return min(fade_s, length_s / 4)


def faint_end_s(length_s: float, fade_s: float = FADE_S) -> float:
    """Seconds at the end of a clip that need not be filled, for nobody hears the end of the fade-out."""
    return _FAINT_END * fade_out_s(length_s, fade_s)

"""What is really heard in the browser: every sound that goes to the speakers passes an AnalyserNode first."""

from __future__ import annotations

from typing import Any

from eval.speed.ear import EAR, RATE_HZ, TONES_HZ, write_tone, write_wave

__all__ = ["EAR", "RATE_HZ", "TONES_HZ", "heard_hz", "wait_hz", "wait_silence", "write_tone", "write_wave"]


def heard_hz(page: Any) -> float:
    """The loudest frequency that is heard now; 0 in silence."""
    now = page.evaluate("heard()")
    return float(now["hz"]) if now["rms"] > 0.003 else 0.0


def wait_hz(page: Any, hz: float) -> None:
    """Wait until a tone leads."""
    page.wait_for_function(
        "hz => { const now = heard(); return now.rms > 0.003 && Math.abs(now.hz - hz) < 0.06 * hz; }", arg=hz
    )


def wait_silence(page: Any) -> None:
    """Wait until nothing is heard."""
    page.wait_for_function("() => heard().rms < 0.0005")

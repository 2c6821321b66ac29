"""What is really heard in the browser: every sound that goes to the speakers passes an AnalyserNode first."""

from __future__ import annotations

from typing import Any

from eval.speed.ear import EAR, RATE_HZ, TONES_HZ, write_tone, write_wave

__all__ = ["EAR", "RATE_HZ", "TONES_HZ", "heard_for", "wait_hz", "wait_silence", "write_tone", "write_wave"]


def heard_for(page: Any, milliseconds: int) -> set[int]:
    """Which of the tones lead at any time from now on, silence aside."""
    told = page.evaluate(
        """async ([milliseconds, tones]) => {
            const found = new Set(), until = performance.now() + milliseconds;
            while (performance.now() < until) {
              const now = heard();
              if (now.rms > 0.003) found.add(tones.find((hz) => Math.abs(now.hz - hz) < 0.06 * hz) || now.hz);
              await new Promise((next) => setTimeout(next, 10));
            }
            return [...found];
        }""",
        [milliseconds, list(TONES_HZ)],
    )
    return set(told)


def wait_hz(page: Any, hz: float) -> None:
    """Wait until a tone leads."""
    page.wait_for_function(
        "hz => { const now = heard(); return now.rms > 0.003 && Math.abs(now.hz - hz) < 0.06 * hz; }", arg=hz
    )


def wait_silence(page: Any) -> None:
    """Wait until nothing is heard."""
    page.wait_for_function("() => heard().rms < 0.0005")

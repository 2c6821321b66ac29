"""Which clips stay and why, from measurements, metadata and a person's own decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mvr.datasets.svm10k.inspection import Inspection
from mvr.datasets.svm10k.settings import BuildSettings

REASONS = {
    "unreadable": "damaged, or no media file",
    "no sound": "has no sound",
    "no picture": "has no picture",
    "likes": "fewer likes than wanted",
    "duration": "too short or too long",
    "still": "pictures do not move",
    "silent": "silent",
    "voice": "prominent voices",
    "noise": "strong ambient noise",
    "copy": "the same file is there already",
    "by hand": "dropped by hand",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`reason` is a key of `REASONS` for a dropped clip, None for a kept one; `borderline` asks for a look."""

    reason: str | None
    detail: str = ""
    borderline: bool = False


def decide(
    inspection: Inspection,
    metadata: Mapping[str, object],
    settings: BuildSettings,
    by_hand: str | None = None,
) -> Decision:
    """Decide on one clip; `by_hand` ("keep" or "drop") overrules what a threshold says, but not a broken file."""
    if inspection.measures is None:
        detail = inspection.error or "" if inspection.fault == "unreadable" else ""
        return Decision(reason=inspection.fault or "unreadable", detail=detail)
    if by_hand == "drop":
        return Decision(reason="by hand")
    if by_hand == "keep":
        return Decision(reason=None, detail="kept by hand")
    found = _first_fault(inspection, metadata, settings)
    return Decision(reason=found[0], detail=found[1], borderline=_borderline(inspection, settings, found[0]))


def _first_fault(
    inspection: Inspection, metadata: Mapping[str, object], settings: BuildSettings
) -> tuple[str | None, str]:
    measures = inspection.measures
    assert measures is not None
    likes = metadata.get("likes")
    loudness = measures.loudness_lufs
    checks = (
        ("likes", isinstance(likes, int) and likes < settings.min_likes, f"{likes} likes"),
        (
            "duration",
            not settings.min_s <= measures.duration_s <= settings.max_s,
            f"{measures.duration_s:.1f} s",
        ),
        ("still", measures.motion < settings.min_motion, f"motion {measures.motion:.2f} of 255"),
        (
            "silent",
            loudness is None or loudness < settings.max_silence_lufs,
            "digital silence" if loudness is None else f"{loudness:.0f} LUFS",
        ),
        (
            "voice",
            measures.speech_share > settings.max_speech_share,
            f"a voice {measures.speech_share:.0%} of the time",
        ),
        ("noise", measures.noise > settings.max_noise, f"spectral flatness {measures.noise:.2f}"),
    )
    return next(((reason, detail) for reason, fault, detail in checks if fault), (None, ""))


def _borderline(inspection: Inspection, settings: BuildSettings, reason: str | None) -> bool:
    """Whether an estimate lies close to its threshold, and no certain fault decides anyway."""
    measures = inspection.measures
    assert measures is not None
    if reason not in (None, "voice", "noise", "still"):
        return False
    pairs = (
        (measures.speech_share, settings.max_speech_share),
        (measures.noise, settings.max_noise),
        (measures.motion, settings.min_motion),
    )
    return any(abs(value - threshold) <= settings.margin * threshold for value, threshold in pairs)

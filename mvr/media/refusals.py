"""What is said of a file that lacks what is needed, whichever reader finds it first."""

from __future__ import annotations

from pathlib import Path

from mvr.errors import NoPicture, NoSound, Truncated


def no_picture(path: Path) -> NoPicture:
    """A video is needed."""
    return NoPicture(f"{path.name}: the file has no picture; a video is needed")


def no_sound(path: Path) -> NoSound:
    """Sound is needed."""
    return NoSound(f"{path.name}: the file has no sound; sound is needed")


def undecodable(path: Path) -> Truncated:
    """Not one frame of its picture can be decoded."""
    return Truncated(f"{path.name}: no picture can be decoded; the file breaks off or is damaged")

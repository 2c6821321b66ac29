"""What arrives from a visitor: files under the names they have there, and what a file may be."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mvr.config.manifest import AppManifest
from mvr.media.limits import MediaLimits

# Of every box: what a file lacks for it is said in its tab's own words, not by Gradio, whose box then wants to be
# closed first. Endings beside the media type: some systems know no type for them.
MEDIA_TYPES = (
    *("video", ".mkv", ".avi", ".ts", ".flv", ".wmv", ".ogv", ".3gp", ".mov", ".m4v", ".webm"),
    *("audio", ".opus", ".flac", ".m4a", ".aiff", ".aif", ".wma", ".ogg", ".oga", ".mka"),
    *(
        "image",
        ".avif",
        ".heic",
        ".heif",
        ".webp",
        ".gif",
    ),  # to be told what they are, not that they are no .mp4
)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that arrived.

    Attributes:
        path: in Gradio's upload folder; Gradio checked that it lies there.
        name: as on the visitor's machine, in any script.
    """

    path: Path
    name: str


def received(payload: Any) -> list[Upload] | None:
    """Files as Gradio hands them over, with the visitor's names; the type is not judged by the ending here."""
    if payload is None:
        return None
    root = getattr(payload, "root", None)
    files = root if isinstance(root, list) else [payload]
    return [Upload(path=Path(file.path), name=file.orig_name or Path(file.path).name) for file in files]


def media_limits(app: AppManifest) -> MediaLimits:
    """What an uploaded file may be, by the manifest; one decoding thread leaves the other visitors theirs."""
    return MediaLimits(video_s=app.max_video_s, music_s=app.max_music_s, size_mb=app.max_upload_mb)


def take_over(upload: Path, path: Path) -> None:
    """A visitor's own copy of an upload, which stays where it is: Gradio keeps one file for all who send the same.

    A second name for the same bytes where the file system has that, else a copy.
    """
    try:
        os.link(upload, path)
    except OSError:
        shutil.copyfile(upload, path)


def safe_name(name: str, longest_bytes: int = 120) -> str:
    """A file name that any file system takes and that still reads as the visitor wrote it.

    >>> safe_name("../été + naïve #1.mp4")
    'été + naïve #1.mp4'
    >>> safe_name("  ..")
    'clip'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(char if char.isprintable() and char not in '<>:"|?*' else " " for char in last)
    path = PurePosixPath(" ".join(clean.split()).strip(". ") or "clip")
    suffix = path.suffix if len(path.suffix) <= 8 else ""
    stem = path.name.removesuffix(suffix).encode()[: longest_bytes - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix

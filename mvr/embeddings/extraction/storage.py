"""Datasets on other storage: a URL that fsspec knows (`s3://`, `gs://`, `hf://`, `file://`, ...) is copied to a folder.

The copy lies beside the store's cache, so with the store on storage that every machine of a cluster mounts, its actors
read it there. A protocol other than local files needs its fsspec package (`pip install s3fs`, ...).
"""

from __future__ import annotations

from pathlib import Path

from mvr.errors import DataError, UsageError


def is_url(place: str) -> bool:
    """Whether a dataset is named by a URL rather than by a path."""
    return "://" in place


def staged(place: str, folder: Path) -> Path:
    """The dataset's folder: itself, or a copy of what lies under its URL.

    Args:
        place: a path or a URL of a folder.
        folder: where the copy goes; made here.

    Raises:
        UsageError: a protocol that fsspec does not know or whose package is missing. DataError: nothing is there, or
            it cannot be read.
    """
    if not is_url(place):
        return Path(place)
    from fsspec.core import url_to_fs

    try:
        files, root = url_to_fs(place)
    except (ValueError, ImportError) as error:
        raise UsageError(f"{place} cannot be opened by fsspec: {error}") from error
    try:
        if not files.isdir(root):
            raise DataError(f"{place} is not a folder; give the URL of a built set or of a folder of videos")
        files.get(f"{root.rstrip('/')}/", f"{folder}/", recursive=True)
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error}") from error
    return folder

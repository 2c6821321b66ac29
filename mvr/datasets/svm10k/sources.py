"""Where clips come from: a plain folder, a folder with metadata.csv or metadata.jsonl, or a list of URLs (extra)."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mvr.config.extras import need
from mvr.config.table import cells, decoded
from mvr.datasets.svm10k.schema import METADATA, TAXONOMIES
from mvr.datatypes import JsonDict
from mvr.errors import DataError, UsageError
from mvr.lines import first_line

_SUFFIXES = ".mp4 .m4v .mov .mkv .webm .avi .flv .wmv .ts .mts .3gp .ogv .mpg .mpeg"
SUFFIXES = frozenset(_SUFFIXES.split())
METADATA_FILES = ("metadata.csv", "metadata.jsonl")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A source file and what its metadata says of it (keys of `schema.METADATA`)."""

    path: Path
    metadata: Mapping[str, object] = field(default_factory=dict)


def find_clips(folder: Path) -> tuple[list[Clip], list[str]]:
    """Clips of a folder and its subfolders, in name order, and the names that its metadata lists but nobody has.

    The metadata file has a column `file_name`, relative to the folder (the convention of Hugging Face's folders).

    Raises:
        DataError: no folder, no video in it, or a metadata file that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give a folder of short videos")
    rows = _read_metadata(folder)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    clips = [Clip(path=p, metadata=rows.pop(p.relative_to(folder).as_posix(), {})) for p in files]
    if not clips:
        raise DataError(f"{folder} holds no video file ({', '.join(sorted(SUFFIXES))})")
    return clips, sorted(rows)


def fetch_urls(listing: Path, folder: Path, progress: Callable[[str], None]) -> list[str]:
    """Download a list of URLs, one a line, into a folder, with yt-dlp; returns one sentence per failure.

    Off unless asked for: whether you may download and keep a video is for you to know.

    Raises:
        ExtraMissing: yt-dlp is not installed. UsageError: a line is no http(s) address.
    """
    need("yt_dlp", "a list of URLs", "download")
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import DownloadError

    urls = [line.strip() for line in listing.read_text(encoding="utf-8").splitlines() if line.strip()]
    wrong = [url for url in urls if not url.startswith(("http://", "https://"))]
    if wrong:
        raise UsageError(f"{listing.name} has a line that is not an http(s) address: {wrong[0]!r}")
    failures = []
    options = {
        "outtmpl": str(folder / "%(id)s.%(ext)s"),
        "quiet": True,
        "no_warnings": True,
        "noplaylist": True,
        "max_filesize": 500_000_000,
        "socket_timeout": 30,
        "retries": 3,
    }
    with YoutubeDL(options) as downloader:
        for url in urls:
            progress(url)
            try:
                downloader.extract_info(url, download=True)
            except DownloadError as error:
                failures.append(f"{url}: {first_line(error)}")
    return failures


def _read_metadata(folder: Path) -> dict[str, JsonDict]:
    found = [folder / name for name in METADATA_FILES if (folder / name).exists()]
    if not found:
        return {}
    path = found[0]
    try:
        text, guessed = decoded(path.read_bytes())
        if guessed:
            raise ValueError("it is not in UTF-8")
        if path.suffix == ".csv":
            lines, _ = cells(text, ("file_name",))
            rows = [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if any("file_name" not in row for row in rows):
        raise DataError(f"{path} needs 'file_name' in every row, relative to the folder")
    return {str(row["file_name"]): _known(row, path) for row in rows}


def _known(row: Mapping[str, object], path: Path) -> JsonDict:
    known: JsonDict = {name: row[name] for name in METADATA if row.get(name) not in (None, "")}
    for taxonomy in TAXONOMIES:
        if isinstance(known.get(taxonomy), str):
            known[taxonomy] = [label.strip() for label in known[taxonomy].split(";") if label.strip()]
    if "likes" in known:
        try:
            known["likes"] = int(known["likes"])
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{path.name}: likes of {row['file_name']} is {row['likes']!r}, not a number"
            ) from error
    return known

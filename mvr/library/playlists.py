"""Playlists in files as a list of music: M3U and M3U8.

M3U8 is UTF-8; an M3U that is no UTF-8 is taken as Windows-1252, which is what older players write. Names are relative
to the playlist's own folder. Addresses are not fetched.
"""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from urllib.parse import unquote, urlsplit

from mvr.errors import UsageError
from mvr.lines import one_line

ENDINGS = frozenset({".m3u", ".m3u8"})


def read_playlist(path: Path) -> tuple[list[Path], list[str]]:
    """Files that a playlist names, in its order and each once, and one sentence for each entry that is none here.

    Raises:
        UsageError: the file cannot be read, or it lists the parts of a stream (HLS) in place of music.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{one_line(str(path))} cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "#EXT-X-" in text:
        raise UsageError(
            f"{one_line(path.name)} lists the parts of a stream, not music; name a playlist of files"
        )
    files: dict[Path, None] = {}
    notes = []
    for line in text.splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        found = _file(path.parent, entry)
        if found is None:
            notes.append(f"{one_line(path.name)} names {one_line(entry)[:200]}, which is not a file here")
        else:
            files[found] = None
    return list(files), notes


def _file(folder: Path, entry: str) -> Path | None:
    if entry.lower().startswith("file://"):
        names = [unquote(urlsplit(entry).path)]
    elif "://" in entry:
        return None
    else:
        names = [entry, PureWindowsPath(entry).as_posix()]
    for name in names:
        try:
            if (folder / name).is_file():
                return folder / name
        except (OSError, ValueError):  # too long a name, a zero byte
            continue
    return None

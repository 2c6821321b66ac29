"""A server's songs in a library: each is fetched once, measured and embedded, and its file is let go unless wanted.

In place of a file that is not kept lies an empty one, so that the item has its place; its features and words are in
the library. `source` names server and song: that is how a list finds its way back as a playlist.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from mvr.config.outputs import written_whole
from mvr.datatypes import Modality
from mvr.errors import DataError, MediaError, ServerFault, UsageError
from mvr.library.report import AddReport, Progress, Skipped
from mvr.library.subsonic.client import Client, Song
from mvr.library.tags import split_labels, tags_inside

if TYPE_CHECKING:
    from mvr.embeddings.system import System
    from mvr.library.adding import Adding
    from mvr.library.item import Item
    from mvr.library.library import Library


def add_songs(
    library: Library,
    client: Client,
    songs: Iterable[Song],
    system: System,
    *,
    keep: bool = False,
    whole: bool = False,
    progress: Progress | None = None,
) -> AddReport:
    """Add songs; what is known and unchanged is not fetched again.

    Args:
        library: where to.
        client: where from.
        songs: which.
        system: embeds them.
        keep: their files stay in the library's folder.
        whole: `songs` is all that the server has: what it has no more is marked as gone.
        progress: see `mvr.library.report.Progress`.

    Raises:
        ServerFault: the server cannot be reached any more; what was added until then stays.
    """
    folder = library.root / "server" / client.address.folder_name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(songs)
    embedded, found = 0, set()
    with library.adding(system, Modality.AUDIO) as run:
        for done, song in enumerate(wanted):
            if progress is not None:
                progress(done, len(wanted), song.title)
            path = folder / _file_name(song)
            found.add(path)
            if not _is_known(library, run, path, song, system, keep=keep):
                embedded += _add(client, run, path, song, keep=keep)
        if whole:
            for path in set(folder.iterdir()) - found:
                path.unlink()
            run.look_for_gone(folder, found)
    return replace(run.report, embedded=embedded, notes=list(run.tables.notes))


def _file_name(song: Song) -> str:
    """A name that no server can choose: ids are words of its own."""
    return f"{hashlib.sha256(song.id.encode()).hexdigest()[:24]}.{song.suffix or 'mp3'}"


def _is_known(library: Library, run: Adding, path: Path, song: Song, system: System, *, keep: bool) -> bool:
    """Whether the song was fetched before as it is now; notes it in the report."""
    seen = run.catalogue.seen(path)
    if seen is None or seen.mtime_ns != song.stamp * 10**9 or not path.exists():
        return False
    if library.features(library.item(seen.item), system) is None or (keep and not path.stat().st_size):
        return False
    run.report.known.append(song.title)
    return True


def _add(client: Client, run: Adding, path: Path, song: Song, *, keep: bool) -> int:
    try:
        with written_whole(path) as part:
            client.download(song, part)
            os.utime(part, ns=(song.stamp * 10**9, song.stamp * 10**9))
    except ServerFault as fault:
        if isinstance(fault.__cause__, httpx.HTTPError):  # gone: the next song would fail as well
            raise
        run.report.skipped.append(Skipped(song.title, str(fault)))
        return 0
    except OSError as error:
        raise DataError(f"{path.parent} cannot be written to: {error.strerror}") from error
    computed = run.add(path)
    seen = run.catalogue.seen(path)
    if seen is not None:
        item = run.catalogue.item(seen.item)
        if item.path == path:
            run.catalogue.retag(item.id, _words(client, path, song))
    if not keep or seen is None:
        path.write_bytes(b"")
    return computed


def _words(client: Client, path: Path, song: Song) -> dict[str, Any]:
    """What the server knows and the file itself does not say, and where the song is."""
    try:
        inside = tags_inside(path)
    except MediaError:
        inside = None
    words: dict[str, Any] = {"source": source_of(client, song)}
    for name in ("title", "artist", "album"):
        told = getattr(song, name)
        if told and not getattr(inside, name, ""):
            words[name] = told
    if song.genre and not (inside and inside.genre):
        words["genre"] = list(split_labels(song.genre))
    return words


def source_of(client: Client, song: Song) -> str:
    """Server and song in one word."""
    return f"{client.address}#{song.id}"


def write_playlist(client: Client, name: str, items: Sequence[Item]) -> list[Item]:
    """Make a playlist of the items that are this server's, in their order; returns them.

    Raises:
        UsageError: none of them is. ServerFault: see `Client.create_playlist`.
    """
    prefix = f"{client.address}#"
    own = [item for item in items if item.source.startswith(prefix)]
    if not own:
        raise UsageError(
            f"none of these tracks is on {client.address}; `mvr library add {client.address}` adds them"
        )
    client.create_playlist(name, [item.source.removeprefix(prefix) for item in own])
    return own

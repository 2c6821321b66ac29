"""A music server on the command line: its songs into a library, a list back as a playlist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.output import note
from mvr.errors import UsageError

if TYPE_CHECKING:
    from mvr.embeddings.system import System
    from mvr.library import AddReport, Item, Library, Progress

PrivateOption = Annotated[
    bool, typer.Option("--private", help="The music server is on this machine or a private network.")
]
PlaylistOption = Annotated[
    str | None,
    typer.Option("--playlist", help="Write the list as a playlist to its music server.", show_default=False),
]


@dataclass(frozen=True, kw_only=True)
class ServerWish:
    """Which songs of which server, and whether their files are kept."""

    address: str
    playlist: str | None
    min_rating: int
    keep: bool
    private: bool


def add_from_server(library: Library, system: System, wish: ServerWish, progress: Progress) -> AddReport:
    """Add a server's songs, or those of one playlist."""
    from mvr.library.subsonic import Client, add_songs, parse_address, password_of

    address = parse_address(wish.address)
    with Client(address, password_of(address), private=wish.private) as client:
        listed = list(client.songs() if wish.playlist is None else client.playlist(wish.playlist))
        songs = [song for song in listed if song.rating >= wish.min_rating]
        whole = wish.playlist is None and not wish.min_rating
        return add_songs(library, client, songs, system, keep=wish.keep, whole=whole, progress=progress)


def playlist_of(name: str, items: list[Item], *, private: bool) -> None:
    """Write a list as a playlist to the server that its first track is on; says what was left out."""
    from mvr.library.subsonic import Client, parse_address, password_of, write_playlist

    source = next((item.source for item in items if item.source.startswith("subsonic://")), None)
    if source is None:
        raise UsageError(
            "none of these tracks is on a music server; add its songs with `mvr library add subsonic://USER@HOST`"
        )
    address = parse_address(source.partition("#")[0])
    with Client(address, password_of(address), private=private) as client:
        written = write_playlist(client, name, items)
    left = len(items) - len(written)
    note(
        f"the playlist {name!r} on {address} now has {len(written)} tracks"
        + (f"; {left} are not on that server" if left else "")
    )

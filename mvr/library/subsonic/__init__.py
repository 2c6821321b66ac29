"""A music server that speaks the Subsonic API (Navidrome, gonic, Funkwhale, ...) as a source of tracks."""

from mvr.library.subsonic.address import ServerAddress, parse_address, password_of
from mvr.library.subsonic.client import Client, Song
from mvr.library.subsonic.songs import add_songs, write_playlist

__all__ = ["Client", "ServerAddress", "Song", "add_songs", "parse_address", "password_of", "write_playlist"]

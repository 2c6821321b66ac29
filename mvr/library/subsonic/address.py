"""Where a music server is, and the password to it: `subsonic://USER@HOST[:PORT][/PATH]`.

A public address is asked over https. Addresses of this machine and of private networks are asked over http, and only by
the user's explicit word: an address from elsewhere must not make this program talk to a neighbour. A password never
stands in an address, where shells and logs keep it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from mvr.config.extras import INSTALL
from mvr.errors import ServerFault, UsageError

SCHEME = "subsonic"
PASSWORD_VARIABLE = "MVR_SUBSONIC_PASSWORD"  # noqa: S105 - a name, no password


@dataclass(frozen=True, kw_only=True)
class ServerAddress:
    """A server and its user; `path` is "" or begins with a slash; `port` None is the scheme's own."""

    user: str
    host: str
    port: int | None = None
    path: str = ""

    @property
    def place(self) -> str:
        """Host, port and path as they are written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}{'' if self.port is None else f':{self.port}'}{self.path}"

    def __str__(self) -> str:
        return f"{SCHEME}://{self.user}@{self.place}"

    @property
    def folder_name(self) -> str:
        """Name of a folder for what comes from it."""
        return re.sub(r"[^\w.-]", "_", f"{self.user}@{self.place}")


def parse_address(text: str) -> ServerAddress:
    """Read an address.

    >>> parse_address("subsonic://mei@music.example:4533/sub").place
    'music.example:4533/sub'

    Raises:
        UsageError: no such address, or one with a password in it.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{text} is not an address of a music server: {error}") from error
    if parts.password is not None:
        raise UsageError(
            f"leave the password out of the address and put it into {PASSWORD_VARIABLE} or the keyring"
        )
    if parts.scheme != SCHEME or not parts.username or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{text} is not an address of a music server; write {SCHEME}://USER@HOST")
    return ServerAddress(
        user=unquote(parts.username), host=parts.hostname, port=port, path=parts.path.rstrip("/")
    )


def base_url(address: ServerAddress, *, private: bool) -> str:
    """Where its API is asked.

    Args:
        address: the server.
        private: the user's word that an address of this machine or of a private network is meant.

    Raises:
        UsageError: such an address without that word. ServerFault: the name is not known.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServerFault(
            f"the music server {address.host} cannot be found; check the name ({error})"
        ) from error
    near = [
        entry[4][0]
        for entry in found
        if not ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global
    ]
    if near and not private:
        raise UsageError(
            f"{address.host} is on this machine or a private network ({near[0]}); add --private if that is intended"
        )
    return f"{'http' if near else 'https'}://{address.place}/rest"


def password_of(address: ServerAddress) -> str:
    """The password, from the environment or else from the system's keyring.

    Raises:
        UsageError: neither has one.
    """
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    found: str | None
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        found, why = None, f"; for the keyring type: {INSTALL.format(extra='subsonic')}"
    else:
        try:
            found, why = keyring.get_password("mvr", str(address)), ""
        except KeyringError as error:
            found, why = None, f"; the keyring says: {error}"
    if found is None:
        raise UsageError(
            f"no password for {address}: put it into {PASSWORD_VARIABLE}, or type keyring set mvr '{address}'{why}"
        )
    return found

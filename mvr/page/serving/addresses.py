"""Who calls and under which name: trusted proxies, allowed hosts.

`MVR_TRUSTED_PROXIES` names the proxies (addresses or networks, commas between) whose word about a visitor's address
is taken; without it nobody's is, not even one that comes from this machine. A page that is open in another tab may
have its own name point to this server (DNS rebinding) and would then read what its visitor may read: so only names
that are known are answered, which are those of this machine and `MVR_ALLOWED_HOSTS`.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Scope

from mvr.errors import UsageError

PROXIES, HOSTS = "MVR_TRUSTED_PROXIES", "MVR_ALLOWED_HOSTS"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_A_SPACE = "10.0.0.0/8"  # where the requests of a Hugging Face Space come from


def visitor_of(scope: Scope) -> str:
    """The visitor's network address; "" where the server does not know it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def trusted_proxies(environment: Mapping[str, str] | None = None) -> str:
    """The proxies as uvicorn takes them in `FORWARDED_ALLOW_IPS`: "" trusts nobody.

    Raises:
        UsageError: no address or network, or proxies without the names that visitors reach them by.
    """
    environment = os.environ if environment is None else environment
    space = "SPACE_ID" in environment
    proxies = [part.strip() for part in environment.get(PROXIES, _OF_A_SPACE if space else "").split(",")]
    proxies = [part for part in proxies if part]
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            raise UsageError(
                f"{PROXIES} has {proxy!r}; write addresses or networks, such as 10.0.0.5 or 10.0.0.0/8"
            ) from None
    if proxies and not space and not environment.get(HOSTS, "").strip():
        raise UsageError(f"{PROXIES} needs {HOSTS} too: the names by which visitors reach the proxy")
    return ",".join(proxies)


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """Names that this server answers to, in lower case and without port.

    Attributes:
        names: of this machine, and `MVR_ALLOWED_HOSTS`.
        numbers: whether any numeric address will do: no other page can have one as its own name.
    """

    names: frozenset[str] = LOOPBACK
    numbers: bool = False

    @classmethod
    def of_this_server(cls, server_name: str, environment: Mapping[str, str] | None = None) -> Hosts:
        """For a server that is bound to an address."""
        environment = os.environ if environment is None else environment
        told = f"{environment.get(HOSTS, '')},{environment.get('SPACE_HOST', '')}"
        names = {part.strip().lower() for part in told.split(",")} - {""}
        return cls(
            names=LOOPBACK | names | {server_name.lower()}, numbers=server_name.lower() not in LOOPBACK
        )

    def allows(self, header: str) -> bool:
        """Whether a `Host` header names this server.

        >>> Hosts().allows("localhost:7860"), Hosts().allows("[::1]:7860"), Hosts().allows("evil.example")
        (True, True, False)
        """
        name = header.strip().lower()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        return name in self.names or (self.numbers and _is_address(name))

    def allows_all(self, header: str) -> bool:
        """Whether all names of a list, with or without a scheme, are this server's.

        >>> Hosts().allows_all("localhost:7860, 127.0.0.1"), Hosts().allows_all("http://evil.example/a, localhost")
        (True, False)
        """
        names = [part.strip().rpartition("://")[2].partition("/")[0] for part in header.split(",")]
        return all(self.allows(name) for name in names)

    def refusal(self, header: str) -> str:
        """One sentence for the operator who reads it in a browser."""
        name = "".join(sign for sign in header[:100] if sign.isprintable() and sign not in "<>&\"'")
        return (
            f"this server does not answer to the name {name or '(none)'}; its operator may add it to {HOSTS}"
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

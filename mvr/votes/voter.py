"""Who votes: a random id that the server signs and the browser keeps; no name, address or device is stored.

The secret is read from `MVR_SECRET` or from a file made on first use. All signatures are HMAC-SHA-256 with
a key per purpose, derived from it; a changed secret makes every visitor a new one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadSignature, Signer

from mvr.config.outputs import drawn_once
from mvr.config.paths import home_dir
from mvr.errors import UsageError, VoteRefused

MIN_SECRET_BYTES = 16


def load_secret(path: Path | None = None) -> bytes:
    """The server's secret: `MVR_SECRET`, or the file (made with mode 600 if it is not there).

    Raises:
        UsageError: a secret of fewer than 16 bytes.
    """
    secret = os.environ.get("MVR_SECRET", "").encode() or _secret_file(path or home_dir() / "secret")
    if len(secret) < MIN_SECRET_BYTES:
        raise UsageError(
            f"the secret has {len(secret)} bytes; give at least {MIN_SECRET_BYTES} in MVR_SECRET"
        )
    return secret


def _secret_file(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    return drawn_once(path, secrets.token_hex(32).encode(), mode=0o600)


class VoterSigner:
    """Makes and checks what the browser holds: the voter's cookie and the tokens of battles.

    >>> signer = VoterSigner(b"0123456789abcdef")
    >>> cookie = signer.new_cookie()
    >>> signer.voter(cookie) == signer.voter(cookie)
    True
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cookies = Signer(secret, salt="mvr-voter", digest_method=hashlib.sha256, key_derivation="hmac")

    def new_cookie(self) -> str:
        """A new voter: 128 random bits and their signature."""
        return self.cookie(secrets.token_hex(16))

    def cookie(self, voter_id: str) -> str:
        """The signed form of a voter id, for the browser to keep."""
        return self._cookies.sign(voter_id).decode()

    def voter(self, cookie: str) -> str:
        """The voter id of a cookie.

        Raises:
            VoteRefused: not signed by this server.
        """
        try:
            return self._cookies.unsign(cookie).decode()
        except BadSignature as error:
            raise VoteRefused("this visitor is not known here; reload the page to start again") from error

    def mac(self, purpose: str, *parts: str) -> str:
        """A keyed hash of `parts` that only this server can make; 128 bits in base32 letters."""
        message = "\0".join((purpose, *parts)).encode()
        digest = hmac.new(self._secret, message, hashlib.sha256).digest()[:16]
        return base64.b32encode(digest).decode().rstrip("=").lower()

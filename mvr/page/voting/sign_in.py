"""Signing in with Hugging Face: optional, offered only on a Space, and only to find one's votes again elsewhere.

Outside a Space Gradio's button would log every visitor in as the machine's own account, so it is not there. On a Space
Gradio keeps the session in a signed cookie; the vote store learns a keyed hash of the account's number, no name.
Source: https://huggingface.co/docs/hub/spaces-oauth.
"""

from __future__ import annotations

import os
import time

from starlette.requests import HTTPConnection

from mvr.config.extras import has

NEEDED = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
"""What a Space whose manifest says `hf_oauth` sets."""


def is_offered() -> bool:
    """Whether this is a Space with sign-in, and the library for it (part of a Space's own Gradio) is there."""
    return all(os.environ.get(name) for name in NEEDED) and has("authlib")


def account_of(request: HTTPConnection) -> str | None:
    """The lasting number of the account that a request is signed in with; None when it is not, or no longer."""
    info = request.scope.get("session", {}).get("oauth_info") if is_offered() else None
    if not info or info.get("expires_at", 0) <= time.time():
        return None
    number = info.get("userinfo", {}).get("sub")
    return number if isinstance(number, str) and number else None

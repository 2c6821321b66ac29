"""HTML of the page: Jinja templates in `mvr/page/templates/`, everything escaped."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mvr.page import texts


def clock(seconds: float) -> str:
    """Minutes and seconds.

    >>> clock(75.4)
    '1:15'
    """
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def commands(sentence: str) -> Markup:
    """A sentence whose `quoted` commands are set as code; everything in it is escaped first.

    >>> commands("run `mvr doctor` & see")
    Markup('run <code>mvr doctor</code> &amp; see')
    """
    parts = re.split(r"`([^`]+)`", sentence)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if quoted % 2 else escape(part)
        for quoted, part in enumerate(parts)
    )


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,  # a misspelt name is an error, not an empty string
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = clock
    environment.filters["commands"] = commands
    environment.globals["texts"] = texts
    return environment


def render(template: str, **values: Any) -> str:
    """HTML of one template; titles, names and other strings come out escaped."""
    return _environment().get_template(template).render(**values)


def status_html(kind: str, text: str, percent: int | None = None, rest: str = "") -> str:
    """The status line: kind is idle, busy, done, quiet (for screen readers) or error; of a long work how much of it is
    done and how long the rest will take.
    """
    return render("status.html", kind=kind, text=text, percent=percent, rest=rest)

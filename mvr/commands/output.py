"""How commands speak: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def print_json(document: Any) -> None:
    """One JSON document on stdout; NaN is refused."""
    sys.stdout.write(
        json.dumps(document, indent=2, ensure_ascii=not _speaks_unicode(), allow_nan=False) + "\n"
    )


def say(line: str = "") -> None:
    """One line of the result on stdout."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")


def note(line: str) -> None:
    """One line for the person at the terminal, on stderr."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(line.encode(encoding, "replace").decode(encoding) + "\n")


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


@contextmanager
def steps(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on stderr; yields a function of (done, in all, what is next)."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{title} {escape(name[-40:])}")

        yield show


def minutes(seconds: float | None) -> str:
    """A time as m:ss.

    >>> minutes(83.4), minutes(None)
    ('1:23', '-')
    """
    if seconds is None:
        return "-"
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02}"

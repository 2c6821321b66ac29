"""How commands speak: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mvr.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID


def print_json(document: Any) -> None:
    """One JSON document on stdout; NaN is refused. What a terminal would obey is escaped, as JSON allows."""
    text = json.dumps(document, indent=2, ensure_ascii=not _speaks_unicode(), allow_nan=False)
    # json.dumps escapes below U+0020; a terminal also takes U+009B for the start of a colour code
    sys.stdout.write(re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def on_terminal() -> bool:
    """Whether a person reads results as they are written."""
    return sys.stdout.isatty()


def say(line: str = "") -> None:
    """One line of the result on stdout; words of files in it are made harmless."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(_plain(line).encode(encoding, "replace").decode(encoding) + "\n")


def say_all(text: str) -> None:
    """Several lines of the result on stdout."""
    for line in text.split("\n"):
        say(line)


def note(line: str) -> None:
    """One line for the person at the terminal, on stderr; words of files in it are made harmless."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(_plain(line).encode(encoding, "replace").decode(encoding) + "\n")


def _plain(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip(" "))]
    return indent + one_line(line[len(indent) :])


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


@contextmanager
def _bars() -> Iterator[Progress | None]:
    """Progress with the time left, on stderr where that is a terminal; None elsewhere."""
    if not sys.stderr.isatty():  # nobody watches: nothing is imported for it
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield bars


@contextmanager
def steps(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """One progress bar; yields a function of (done, in all, what is next)."""
    with _bars() as bars:
        if bars is None:
            yield lambda done, total, name: None
            return
        from rich.markup import escape

        task = bars.add_task(title, total=None)

        def show(done: int, total: int, name: str) -> None:
            words = f"{title} {escape(one_line(name)[-40:])}"
            bars.update(task, completed=done, total=total, description=words)

        yield show


@contextmanager
def many_steps() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for each step of a work; yields a function of (step, done, in all)."""
    with _bars() as bars:
        if bars is None:
            yield lambda step, done, total: None
            return
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done)

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

"""Systems as people know them: "control-mvr-mini@0.25" is "Control-MVR mini, 25 % genre"."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from mvr.config.cards import load_card
from mvr.errors import UsageError
from mvr.page import texts


@functools.cache
def shown_name(competitor: str) -> str:
    """The title of a system, and what its alpha follows.

    >>> shown_name("control-mvr-mini@0.25"), shown_name("random"), shown_name("no-such-system@1")
    ('Control-MVR mini, 25 % genre', 'Random', 'no-such-system, by genre')
    """
    system, _, alpha = competitor.partition("@")
    plain, plus, trial = system.partition("+")
    try:
        title = load_card(plain).title + plus + trial
    except UsageError:  # votes on a system that is not here any more
        title = texts.ORIGINAL_TITLE if system == texts.ORIGINAL_SYSTEM else system
    if not alpha:
        return title
    whole = {0.0: texts.BY_PAIRS, 1.0: texts.BY_GENRE}
    follows = whole.get(float(alpha), texts.PART_GENRE.format(percent=100 * float(alpha)))
    return f"{title}, {follows}"


def with_names(value: Any, competitors: Iterable[str]) -> Any:
    """The JSON of a board with the names of people: whole strings, and in sentences names that hold an alpha."""
    names = frozenset(competitors)
    tokens = sorted((name for name in names if "@" in name), key=len, reverse=True)
    pattern = (
        re.compile(rf"(?<![\w@.+-])(?:{'|'.join(map(re.escape, tokens))})(?![\w@+-]|\.\d)")
        if tokens
        else None
    )

    def shown(part: Any) -> Any:
        if isinstance(part, str):
            if part in names:
                return shown_name(part)
            return pattern.sub(lambda found: shown_name(found[0]), part) if pattern else part
        if isinstance(part, dict):
            return {key: shown(each) for key, each in part.items()}
        return [shown(each) for each in part] if isinstance(part, list | tuple) else part

    return shown(value)

"""Words of a file in a line of ours: a title may hold line feeds, colour codes or marks that turn a line round."""

from __future__ import annotations

import re

# C0 and C1 controls, separators of lines and paragraphs, overrides of the writing direction, byte order marks
_UNFIT = re.compile("(?: *[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff])+ *")
_SURROGATES = re.compile("[\ud800-\udfff]")  # bytes of a file name that are no Unicode


def one_line(text: str) -> str:
    """The text on one line, without anything that a terminal or a page would obey.

    >>> one_line("a\\x1b[31mb\\r\\nc\\u202ed\\n")
    'a [31mb c d'
    >>> one_line("Дом — 音楽 👩\\u200d🎤")
    'Дом — 音楽 👩\\u200d🎤'
    """
    plain = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
    return _UNFIT.sub(" ", plain).strip() if _UNFIT.search(plain) else plain


def first_line(error: BaseException) -> str:
    """The first line of what another library says, or the name of its error where it says nothing.

    >>> first_line(ValueError("a\\nb")), first_line(ValueError())
    ('a', 'ValueError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

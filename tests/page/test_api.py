"""What programs ask the page's endpoints for: refused in one sentence, before anything is decoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from mvr.datatypes import Direction
from mvr.errors import UsageError
from mvr.page import api

GOOD: dict[str, Any] = {"alpha": 0.3, "count": 10, "system": "mini"}


@pytest.mark.parametrize(
    "name, value",
    [
        *(("alpha", value) for value in ("0.3", True, -0.01, 1.01, float("nan"), [0.3])),
        *(("count", value) for value in (0, 51, 3.0, "3", None, True, -1)),
        *(("timing", value) for value in ("yes", 1, None)),
        *(("system", value) for value in ("other", "", None, 3)),
    ],
)
def test_a_wrong_value_is_named_with_what_was_wanted(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{name} is .*(give|choose)"):
        api.Wish(**GOOD | {name: value}).check(["mini"])


def test_the_ends_of_the_ranges_are_good() -> None:
    least = api.CheckedWish(alpha=0.0, count=1, system="mini")
    assert api.Wish(alpha=0, count=1, system="mini").check(["mini"]) == least
    assert api.Wish(alpha=None, count=2, system="mini").check(["mini"]).alpha is None, "the system card's"
    assert api.Wish(alpha=1.0, count=50, system="mini").check(["mini"]) == replace(least, alpha=1.0, count=50)


def test_nothing_is_taken_or_decoded_for_a_wrong_count(monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[str] = []
    for name in ("take_upload", "probe"):
        monkeypatch.setattr(api, name, lambda *_, name=name, **__: touched.append(name))
    context = SimpleNamespace(catalogue=SimpleNamespace(ready=lambda: [SimpleNamespace(name="mini")]))
    with pytest.raises(gr.Error, match="count is 51; give a whole number from 1 to 50"):
        api._answer(
            context,  # type: ignore[arg-type]
            Direction.VIDEO_TO_MUSIC,
            {"path": "x", "orig_name": "x"},
            api.Wish(**GOOD | {"count": 51}),
        )
    assert touched == []


@pytest.mark.parametrize(
    "upload", ["clip.mp4", None, 3, [], {}, {"path": 3}, {"path": "/etc/passwd"}, {"orig_name": "a.mp4"}]
)
def test_whatever_is_no_upload_is_refused_in_one_sentence(upload: object, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^upload the file first, for example with gradio_client\.handle_file$"
    ):
        api.take_upload(upload, tmp_path)
    assert list(tmp_path.iterdir()) == []

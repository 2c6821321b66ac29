"""What the page knows of libraries, before there is one."""

from __future__ import annotations

from pathlib import Path

from mvr.datatypes import Modality
from mvr.page.library import Catalogue


def test_a_library_that_nobody_made_yet_is_an_empty_page_without_choices_and_is_not_made(
    tmp_path: Path,
) -> None:
    catalogue, nowhere = Catalogue(), tmp_path / "library"
    page = catalogue.page(str(nowhere), None, count=50)
    assert (page.items, page.total) == ([], 0)
    choices = catalogue.choices(str(nowhere), Modality.AUDIO)
    assert choices.genres == choices.licences == choices.moods == []
    assert not catalogue.has_items(str(nowhere)) and not nowhere.exists()

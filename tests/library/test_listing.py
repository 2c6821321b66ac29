"""A library by pages and by words: against a slow look at every item, and by how many rows it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mvr.datatypes import Modality
from mvr.library import Item, Library, listing
from mvr.library.listing import Choices
from tests.large_library import GENRES, fill

COUNT = 10_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, list[Item]]:
    folder = tmp_path_factory.mktemp("large")
    items = fill(folder, folder / "take.wav", COUNT)
    return Library.open(folder), items


@contextmanager
def asked(library: Library) -> Iterator[list[str]]:
    """What the database is asked about items meanwhile, in this thread."""
    told: list[str] = []

    def tell(statement: str) -> None:
        if "FROM items" in statement:
            told.append(statement)

    with library.listing._database.reading() as connection:  # the one that is lent next, too
        connection.set_trace_callback(tell)
    yield told
    connection.set_trace_callback(None)


@contextmanager
def read() -> Iterator[list[Item]]:
    """Items that are read meanwhile."""
    seen: list[Item] = []
    plain = listing.item_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "item_of", lambda row: seen.append(plain(row)) or seen[-1])
        yield seen


def matching(items: list[Item], words: str) -> list[Item]:
    """The slow way."""
    found = []
    for item in items:
        text = " ".join(
            [item.title, item.artist, item.album, item.name, item.licence, *item.genre, *item.mood]
        )
        if all(word in text.casefold() for word in words.casefold().split()):
            found.append(item)
    return found


def test_a_page_of_ten_thousand_reads_what_it_shows(large: tuple[Library, list[Item]]) -> None:
    library, items = large
    for first, begins in ((0, 0), (4950, 4950), (99_950, 9950)):
        with read() as seen:
            page = library.listing.page(first=first, count=50)
        assert (page.total, page.first, page.items) == (COUNT, begins, items[begins : begins + 50])
        assert len(seen) == 50
    with read() as seen, asked(library) as told:
        assert library.listing.holds() and library.listing.holds(Modality.AUDIO)
        assert not library.listing.holds(Modality.VIDEO)
    assert not seen and all("LIMIT" in statement for statement in told)


@pytest.mark.parametrize("words", ["take 0777", "ÇELIK house", "  cc0  calm folk ", "nothing like it"])
def test_words_find_what_a_look_at_every_item_finds(large: tuple[Library, list[Item]], words: str) -> None:
    library, items = large
    wanted = matching(items, words)
    for first in range(0, max(1, len(wanted)), 700):
        page = library.listing.page(words=words, first=first, count=700)
        assert page.items == wanted[first : first + 700] and page.total == len(wanted)


def test_text_and_choices_are_read_once_until_something_changes(tmp_path: Path) -> None:
    items = fill(tmp_path, tmp_path / "take.wav", 300)
    library = Library.open(tmp_path)
    before = library.listing.choices(Modality.AUDIO)
    assert before == Choices(genres=sorted(GENRES), licences=["CC BY 4.0", "CC0 1.0"], moods=["calm"])
    assert library.listing.page(words="polka", count=50).total == 0
    with asked(library) as told:
        for _ in range(5):
            assert library.listing.choices(Modality.AUDIO) is before
            library.listing.page(words="polka", count=50)
    assert told == [statement for statement in told if "WHERE id IN" in statement], "only the rows shown"

    other = Library.open(tmp_path)  # as another process has it
    other.edit(items[7].id, genre="polka; folk", title="Přední")
    assert library.listing.choices(Modality.AUDIO).genres == sorted([*GENRES, "polka"])
    [found] = library.listing.page(words="PŘEDNÍ polka", count=50).items
    assert found.id == items[7].id and library.listing.page(words=items[7].title, count=50).total == 1
    other.remove([items[7].id])
    assert "polka" not in library.listing.choices(Modality.AUDIO).genres
    assert library.listing.page(count=50).total == 299
    other.restore()
    assert library.listing.page(first=999, count=50).first == 250


def test_an_empty_library_has_an_empty_page(tmp_path: Path) -> None:
    page = Library.open(tmp_path).listing.page(first=50, count=50)
    assert (page.items, page.first, page.total) == ([], 0, 0)

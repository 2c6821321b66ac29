"""What becomes of an item when its file or what is written about it changes: one path, one item, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.wave import WAVE

from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import System, load_system
from mvr.errors import DataError, NotInLibrary, UsageError
from mvr.library import Library
from mvr.retrieval import Retriever

Tone = Callable[..., Path]


@pytest.fixture
def system(tiny_assets: Path) -> System:
    return load_system("chance")


@pytest.fixture
def music(tmp_path: Path, make_tone: Tone) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for seed, name in enumerate(("a.wav", "b.wav", "c.wav")):
        make_tone(folder / name, seconds=1.0, seed=seed)
    return folder


@pytest.fixture
def library(tmp_path: Path, music: Path, system: System) -> Library:
    opened = Library.open(tmp_path / "library")
    assert len(opened.add([music], system).added) == 3
    return opened


def tag(path: Path, **words: str) -> None:
    """Write ID3 into a WAV file."""
    from mutagen.id3 import TIT2, TPE1

    file = WAVE(path)
    if file.tags is None:
        file.add_tags()
    frames = {"title": TIT2, "artist": TPE1}
    for name, text in words.items():
        file.tags.add(frames[name](encoding=3, text=text))
    file.save()


def named(library: Library, name: str):
    (item,) = [item for item in library.items() if item.name == name]
    return item


def test_a_file_that_was_tagged_again_is_one_item_with_the_new_tags(
    library: Library, system: System, music: Path
) -> None:
    library.edit(named(library, "b.wav").id, credit="Credit me")
    order = [item.name for item in library.items()]
    tag(music / "b.wav", title="New title", artist="Mei")
    report = library.add([music], system)
    assert (
        [item.title for item in report.updated] == ["New title"]
        and not report.added
        and not report.same_music
    )
    assert [item.name for item in library.items()] == order, "in its place"
    item = named(library, "b.wav")
    assert (item.title, item.artist, item.credit, item.same_as) == ("New title", "Mei", "Credit me", None)
    assert len(library.index(system, Modality.AUDIO)) == 3


def test_a_file_that_holds_other_music_now_is_one_item_with_its_own_credit(
    library: Library, system: System, music: Path, make_tone: Tone
) -> None:
    library.edit(named(library, "b.wav").id, credit="Credit the old one")
    make_tone(music / "b.wav", seconds=3.0, seed=50)
    report = library.add([music], system)
    assert [item.name for item in report.added] == ["b.wav"] and not report.updated
    assert sorted(item.name for item in library.items()) == ["a.wav", "b.wav", "c.wav"]
    item = named(library, "b.wav")
    assert item.duration_s == pytest.approx(3.0, abs=0.05) and "Credit the old one" not in item.credit_line
    assert len({item.path for item in library.items()}) == 3


def test_a_file_overwritten_by_a_copy_of_another_is_no_second_item_on_one_path(
    library: Library, system: System, music: Path
) -> None:
    shutil.copyfile(music / "a.wav", music / "b.wav")
    library.add([music], system)
    assert sorted(item.name for item in library.items()) == ["a.wav", "c.wav"]


def test_an_item_with_another_copy_moves_there_when_its_file_is_overwritten(
    library: Library, system: System, music: Path, make_tone: Tone
) -> None:
    before = named(library, "b.wav")
    (music / "sub").mkdir()
    shutil.copy(music / "b.wav", music / "sub" / "copy.wav")
    library.add([music], system)
    make_tone(music / "b.wav", seconds=3.0, seed=50)
    library.add([music], system)
    assert library.item(before.id).path == music / "sub" / "copy.wav"
    assert named(library, "b.wav").id != before.id and len(library) == 4


def test_a_file_that_is_gone_is_marked_not_ranked_and_comes_back(
    library: Library, system: System, music: Path, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    retriever = Retriever(library, system)
    query = retriever.embed_query(make_clip(tmp_path / "clip.mp4"), Direction.VIDEO_TO_MUSIC)
    gone = named(library, "b.wav")
    (music / "b.wav").rename(tmp_path / "elsewhere.wav")
    report = library.add([music], system)
    assert [item.id for item in report.gone] == [gone.id] and library.item(gone.id).missing
    assert library.add([music], system).gone == [], "said once"
    ranked = retriever.rank(query)
    assert gone.id not in [result.item.id for result in ranked.results] and ranked.missing == 0
    (tmp_path / "elsewhere.wav").rename(music / "b.wav")
    report = library.add([music], system)
    assert report.embedded == 0 and not library.item(gone.id).missing
    assert gone.id in [result.item.id for result in retriever.rank(query).results]


def test_a_file_that_goes_between_two_searches_is_not_in_the_second_and_costs_no_new_index(
    library: Library, system: System, music: Path, tmp_path: Path, make_clip: Callable[..., Path], monkeypatch
) -> None:
    retriever = Retriever(library, system)
    query = retriever.embed_query(make_clip(tmp_path / "clip.mp4"), Direction.VIDEO_TO_MUSIC)
    assert len(retriever.rank(query).results) == 3
    vectors = library.index(system, Modality.AUDIO).index
    (music / "c.wav").unlink()
    assert sorted(result.item.name for result in retriever.rank(query).results) == ["a.wav", "b.wav"]
    assert library.index(system, Modality.AUDIO).index is vectors, "its vectors are kept"
    with monkeypatch.context() as patched:
        patched.setattr(library, "features", lambda *_: pytest.fail("read again"))
        assert library.index(system, Modality.AUDIO).missing == 0
    reopened = Library.open(library.root)
    assert [item.name for item in reopened.items() if item.missing] == ["c.wav"], "written down"
    assert reopened.missing(load_system("tiny"), Modality.AUDIO) != []
    assert "c.wav" not in [item.name for item in reopened.missing(load_system("tiny"), Modality.AUDIO)]


def test_an_export_of_a_file_that_is_gone_or_changed_is_one_sentence(
    library: Library, music: Path, make_tone: Tone
) -> None:
    changed, gone, touched = (named(library, name) for name in ("a.wav", "b.wav", "c.wav"))
    make_tone(music / "a.wav", seconds=2.5, seed=77)
    (music / "b.wav").unlink()
    os.utime(music / "c.wav")
    with pytest.raises(DataError, match=r"a\.wav has changed since it was added"):
        library.file_of(changed)
    with pytest.raises(DataError, match="the file of b is gone"):
        library.file_of(gone)
    assert library.file_of(touched) == music / "c.wav"


def test_edits_are_kept_over_the_files_tags_and_can_be_taken_back(
    library: Library, system: System, music: Path
) -> None:
    item = named(library, "a.wav")
    before = (music / "a.wav").read_bytes()
    edited = library.edit(
        item.id,
        title="Own\x1b[31m\ntitle",
        artist="Me",
        genre="Jazz; Soul",
        licence="cc-by-4.0",
        credit="By me",
    )
    assert (edited.title, edited.artist, edited.genre) == ("Own [31m title", "Me", ("jazz", "soul"))
    assert (edited.licence, edited.licence_url) == (
        "CC BY 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
    )
    assert edited.credit_line == "By me" and (music / "a.wav").read_bytes() == before
    tag(music / "a.wav", title="From the file")
    library.add([music], system)
    (kept,) = [one for one in library.items() if one.path == music / "a.wav"]
    assert kept.title == "Own [31m title"
    back = library.edit(kept.id, title="", licence="")
    assert (back.title, back.licence, back.licence_url, back.artist) == ("From the file", "unknown", "", "Me")
    with pytest.raises(UsageError, match="'album' cannot be edited; choose from title, artist"):
        library.edit(kept.id, album="x")
    with pytest.raises(NotInLibrary):
        library.edit("nothing", title="x")


def test_an_edit_is_in_the_next_list_without_new_vectors(library: Library, system: System) -> None:
    index = library.index(system, Modality.AUDIO)
    library.edit(index.items[0].id, title="Other words")
    again = library.index(system, Modality.AUDIO)
    assert again.items[0].title == "Other words" and again.index is index.index


def test_a_removal_is_undone_until_the_next_add(library: Library, system: System, music: Path) -> None:
    first, second, third = library.items()
    library.edit(second.id, title="Mine")
    library.remove([first.id])
    library.remove([second.id, third.id])
    assert len(library) == 0 and library.items() == []
    assert [item.id for item in library.restore()] == [second.id, third.id], "what was removed last"
    assert library.item(second.id).title == "Mine"
    assert [item.id for item in Library.open(library.root).removed()] == [first.id]
    assert [item.id for item in library.restore([first.id])] == [first.id]
    with pytest.raises(NotInLibrary, match="nothing was removed"):
        library.restore()
    library.remove([first.id])
    (music / "more").mkdir()
    assert library.add([music / "more"], system).added == []
    with pytest.raises(NotInLibrary, match="cannot be brought back"):
        library.restore([first.id])
    assert library.add([music], system).embedded == 0 and len(library) == 3


def test_of_three_copies_of_one_music_two_stay_together_when_the_first_goes(
    library: Library, system: System, music: Path, monkeypatch, make_tone: Tone
) -> None:
    first = library.items()[0]
    monkeypatch.setattr("mvr.library.adding.find_same_music", lambda *_, **__: first.id)
    for seed in (20, 21):
        make_tone(music / f"copy{seed}.wav", seconds=2.0, seed=seed)
    library.add([music], system)
    library.remove([first.id])
    library.purge()
    groups = {item.name: item.same_as for item in library.items() if item.name.startswith("copy")}
    assert groups == {"copy20.wav": None, "copy21.wav": named(library, "copy20.wav").id}


def test_a_table_is_read_again_when_it_was_added_or_changed(
    library: Library, system: System, music: Path
) -> None:
    table = music / "metadata.csv"
    table.write_text("file,title,isrc\nb.wav,Sea,US-S1Z-99-00001\n")
    assert [item.title for item in library.add([music], system).updated] == ["Sea"]
    assert named(library, "b.wav").isrc == "USS1Z9900001"
    assert library.add([music], system).updated == []
    table.write_text("file,title\nb.wav,Shore\nc.wav,Tide\n")
    report = library.add([music], system)
    assert sorted(item.title for item in report.updated) == ["Shore", "Tide"] and report.embedded == 0
    assert named(library, "b.wav").isrc == ""
    table.unlink()
    library.add([music], system)
    assert sorted(item.title for item in library.items()) == ["a", "b", "c"]


def test_the_nearest_table_upwards_that_knows_a_file_wins(
    tmp_path: Path, system: System, make_tone: Tone
) -> None:
    root = tmp_path / "root"
    for folder in ("one", "two/deep"):
        (root / folder).mkdir(parents=True)
    for seed, name in enumerate(("one/x.wav", "one/y.wav", "two/deep/x.wav", "two/deep/z.wav", "top.wav")):
        make_tone(root / name, seconds=1.0, seed=seed)
    (root / "metadata.csv").write_text(
        "file,title\none/x.wav,root says one\ntwo\\deep\\x.wav,root says two\ny.wav,by name\ntop.wav,top\nz.wav,far\n"
    )
    (root / "one" / "metadata.csv").write_text("file,title\nx.wav,near\n")
    (root / "two" / "metadata.csv").write_text("name;price\nx;3\n")
    library = Library.open(tmp_path / "library")
    report = library.add([root], system)
    titles = {str(item.path.relative_to(root)): item.title for item in library.items()}
    assert titles == {
        "one/x.wav": "near",
        "one/y.wav": "by name",
        "two/deep/x.wav": "root says two",
        "two/deep/z.wav": "far",
        "top.wav": "top",
    }
    (note,) = report.notes
    assert "two/metadata.csv has no column 'file'" in note


@pytest.mark.parametrize(
    ("data", "title", "notes"),
    [
        ("file;title\nb.wav;Été\n".encode("latin-1"), "Été", ["was read as Western European"]),
        ("file\ttitle\nb.wav\tÉté\n".encode("utf-16"), "Été", []),
        ("\ufefffile;title;price\r\nb.wav;Été;1,50\r\n".encode(), "Été", []),
        (b"\x00\x01\x02" * 9, "b", ["has no column 'file'"]),
        (b"", "b", ["has no column 'file'"]),
        (b'file,title\nb.wav,"' + b"x" * 200_000 + b'"\n', "b", ["cannot be read as a table"]),
    ],
)
def test_tables_in_other_forms_are_read_or_noted_and_every_file_is_added(
    tmp_path: Path, music: Path, system: System, data: bytes, title: str, notes: list[str]
) -> None:
    (music / "metadata.csv").write_bytes(data)
    library = Library.open(tmp_path / "other")
    report = library.add([music], system)
    assert len(report.added) == 3 and named(library, "b.wav").title == title
    assert len(report.notes) == len(notes) and all(w in n for w, n in zip(notes, report.notes, strict=True))
    assert json.dumps(report.to_json()["notes"])

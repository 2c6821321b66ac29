"""A library that the first format of the catalogue wrote: it opens, becomes one of this format once, loses nothing."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from mvr.datatypes import Modality
from mvr.embeddings.system import System, load_system
from mvr.errors import DataError, UsageError
from mvr.library import Library, schema
from mvr.timing.music import MusicTiming, measure_music

# As `Catalogue` of commit 2576e23 made it.
FIRST = """
CREATE TABLE changes (revision INTEGER NOT NULL, PRIMARY KEY (revision));
CREATE TABLE items (
    id VARCHAR NOT NULL, content VARCHAR NOT NULL, modality VARCHAR NOT NULL, path BLOB NOT NULL, name VARCHAR NOT NULL,
    title VARCHAR NOT NULL, artist VARCHAR NOT NULL, album VARCHAR NOT NULL, genre JSON NOT NULL, mood JSON NOT NULL,
    licence VARCHAR NOT NULL, credit VARCHAR NOT NULL, source VARCHAR NOT NULL, duration_s FLOAT NOT NULL,
    tempo_bpm FLOAT, loudness_lufs FLOAT, true_peak_dbtp FLOAT, width_px INTEGER, height_px INTEGER,
    size_bytes INTEGER NOT NULL, same_as VARCHAR, added_at VARCHAR NOT NULL, signature BLOB, position INTEGER NOT NULL,
    PRIMARY KEY (id), UNIQUE (content));
CREATE TABLE files (
    path BLOB NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, item VARCHAR NOT NULL,
    PRIMARY KEY (path), FOREIGN KEY(item) REFERENCES items (id) ON DELETE CASCADE);
PRAGMA journal_mode = WAL;
PRAGMA user_version = 1;
"""
ITEM = [
    "id", "content", "modality", "path", "name", "title", "artist", "album", "genre", "mood", "licence", "credit",
    "source", "duration_s", "tempo_bpm", "loudness_lufs", "true_peak_dbtp", "width_px", "height_px", "size_bytes",
    "same_as", "added_at", "signature", "position",
]  # fmt: skip


@pytest.fixture
def system(tiny_assets: Path) -> System:
    return load_system("chance")


@pytest.fixture
def music(tmp_path: Path, make_tone: Callable[..., Path]) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for seed, name in enumerate(("a.wav", "b.wav", "caf\udce9.wav")):
        make_tone(folder / name, seconds=1.0, seed=seed)
    return folder


@pytest.fixture
def old(tmp_path: Path, music: Path, system: System) -> Path:
    """A library whose rows and features are those of today and whose catalogue is of the first format."""
    root = tmp_path / "library"
    with_rows = Library.open(root)
    with_rows.add([music], system)
    with closing(sqlite3.connect(root / "catalogue.sqlite")) as today:
        items = today.execute(f"SELECT {', '.join(ITEM)} FROM items ORDER BY position").fetchall()
        files = today.execute("SELECT path, size_bytes, mtime_ns, item FROM files").fetchall()
    del with_rows
    for path in root.glob("catalogue.sqlite*"):
        path.unlink()
    with closing(sqlite3.connect(root / "catalogue.sqlite")) as first:
        first.executescript(FIRST)
        first.execute("INSERT INTO changes VALUES (7)")
        first.executemany(f"INSERT INTO items VALUES ({', '.join('?' * len(ITEM))})", items)
        first.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)
        first.commit()
    return root


def test_ids_embeddings_and_words_are_kept_and_the_new_fields_come_with_the_next_add(
    old: Path, music: Path, system: System
) -> None:
    with closing(sqlite3.connect(old / "catalogue.sqlite")) as first:
        before = first.execute(
            "SELECT id, title, duration_s, added_at FROM items ORDER BY position"
        ).fetchall()
    library = Library.open(old)
    assert [(i.id, i.title, i.duration_s, i.added_at) for i in library.items()] == before
    assert [(i.isrc, i.year, i.missing, i.licence_url) for i in library.items()] == [
        ("", None, False, "")
    ] * 3
    assert library.missing(system, Modality.AUDIO) == [] and len(library.index(system, Modality.AUDIO)) == 3
    (music / "metadata.csv").write_text("file,isrc,year,licence\nb.wav,USS1Z9900001,1999,CC0\n")
    report = library.add([music], system)
    assert report.embedded == 0 and report.added == [] and len(report.known) == 3
    assert [item.id for item in library.items()] == [row[0] for row in before]
    item = library.items()[1]
    assert (item.isrc, item.year) == ("USS1Z9900001", 1999)
    assert item.licence_url == "https://creativecommons.org/publicdomain/zero/1.0/"


def test_two_items_on_one_path_are_one_after_the_next_add(old: Path, music: Path, system: System) -> None:
    with closing(
        sqlite3.connect(old / "catalogue.sqlite")
    ) as first:  # as overwriting and adding again left it
        (kept,) = first.execute("SELECT id FROM items WHERE name = 'a.wav'").fetchone()
        first.execute(
            f"INSERT INTO items SELECT 'feed', 'feed', {', '.join(ITEM[2:-1])}, 9 FROM items WHERE id = ?",
            (kept,),
        )
        first.commit()
    library = Library.open(old)
    assert len(library) == 4
    library.add([music], system)
    assert [item.id for item in library.items() if item.name == "a.wav"] == [kept]


OPEN = "import sys; from mvr.library import Library; print(len(Library.open(sys.argv[1])))"


def test_of_several_that_open_it_at_once_one_does_the_work(old: Path, system: System) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(old)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert [(run.communicate()[0].strip(), run.returncode) for run in runs] == [("3", 0)] * 3
    with closing(sqlite3.connect(old / "catalogue.sqlite")) as now:
        assert now.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert now.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_while_an_earlier_version_adds_to_it_it_is_left_as_it_is(old: Path, monkeypatch) -> None:
    monkeypatch.setattr(schema, "_LOCK_S", 0.1)
    with (
        FileLock(old / "writer.lock"),
        pytest.raises(UsageError, match="an earlier version of mvr is adding"),
    ):
        Library.open(old)
    with closing(sqlite3.connect(old / "catalogue.sqlite")) as first:
        assert first.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_migration_that_fails_leaves_the_first_format(old: Path, monkeypatch) -> None:
    monkeypatch.setattr(schema, "_INDEXES", ("CREATE NONSENSE",))
    with pytest.raises(DataError, match="cannot be read as a library's catalogue"):
        Library.open(old)
    with closing(sqlite3.connect(old / "catalogue.sqlite")) as first:
        assert first.execute("PRAGMA user_version").fetchone() == (1,)
        assert "isrc" not in {row[1] for row in first.execute("PRAGMA table_info(items)")}
    monkeypatch.undo()


def test_the_check_of_the_first_version_refuses_the_new_format(old: Path) -> None:
    """`Catalogue` of 2576e23 said "was written by a newer version" for every user_version above 1."""
    Library.open(old)
    with closing(sqlite3.connect(old / "catalogue.sqlite")) as now:
        assert now.execute("PRAGMA user_version").fetchone()[0] > 1


def test_a_new_catalogue_and_a_migrated_one_have_the_same_columns(old: Path, tmp_path: Path) -> None:
    Library.open(old)
    Library.open(tmp_path / "new")
    columns = []
    for root in (old, tmp_path / "new"):
        with closing(sqlite3.connect(root / "catalogue.sqlite")) as made:
            columns.append(
                {
                    (t, row[1], row[2], row[3])
                    for t in ("items", "files", "changes")
                    for row in made.execute(f"PRAGMA table_info({t})")
                }
            )
    assert columns[0] == columns[1]


def test_the_vectors_of_a_migrated_library_are_those_of_a_fresh_one(
    old: Path, music: Path, system: System, tmp_path: Path
) -> None:
    fresh = Library.open(tmp_path / "fresh")
    fresh.add([music], system)
    vectors = [library.index(system, Modality.AUDIO).index.vectors for library in (Library.open(old), fresh)]
    np.testing.assert_array_equal(*vectors)


def test_a_tempo_that_the_first_version_estimated_gives_way_to_the_measured_one_and_a_tagged_one_stays(
    old: Path, music: Path, system: System
) -> None:
    """Tones have none; the first version gave every sound one."""
    shutil.rmtree(old / "timing")
    with closing(sqlite3.connect(old / "catalogue.sqlite")) as first:
        first.execute("UPDATE items SET tempo_bpm = 132.5")
        first.commit()
    (music / "metadata.csv").write_text("file,bpm\nb.wav,132.5\n")
    gone = (music / "a.wav").rename(music.with_name("a.wav"))
    copy = shutil.copytree(old, old.with_name("beside a disk that is not there"))
    assert [item.tempo_bpm for item in Library.open(copy).items()] == [132.5, None, None], (
        "nobody could read it again"
    )
    gone.rename(music / "a.wav")
    library = Library.open(old)
    assert [item.tempo_bpm for item in library.items()] == [None, None, None], (
        "one that may be wrong is not told"
    )
    library.timings.measure_missing(library.items()[:2])  # as the page and every list do
    assert [item.tempo_bpm for item in library.items()] == [None, 132.5, None]
    library.add([music], system)
    assert [item.tempo_bpm for item in library.items()] == [None, 132.5, None]

    first, silence = library.items()[0].content, measure_music(np.zeros(22_050, np.float32))
    for tempo_bpm in (66.0312, 132.04):  # of this version, and of one that measures otherwise
        library._hear(first, MusicTiming(**vars(silence) | {"tempo_bpm": tempo_bpm}))
        assert [item.tempo_bpm for item in library.items()] == [round(tempo_bpm, 1), 132.5, None]

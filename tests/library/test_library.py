"""The user's library: what is added, what is reported, what a second run and a kill do."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from mvr.config.digest import content_hash
from mvr.datatypes import Modality
from mvr.embeddings.system import System, load_system
from mvr.errors import DataError, NotInLibrary, UsageError
from mvr.library import Library
from mvr.library.features import LibraryFeatures
from tests.large_library import fill

NAMES = ["été + naïve #1.wav", "音楽.wav", "it's.wav", "100%.wav"]


@pytest.fixture
def music(tmp_path: Path, make_tone: Callable[..., Path]) -> Path:
    folder = tmp_path / "my music"
    (folder / "sub folder").mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        make_tone(folder / name, seconds=3.0, seed=seed)
    make_tone(folder / "sub folder" / "deep.wav", seconds=6.0, seed=9)
    shutil.copy(folder / NAMES[0], folder / "sub folder" / "a copy.wav")
    (folder / "broken.mp3").write_bytes(b"this is text, not music" * 100)
    (folder / "empty.ogg").touch()
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / ".hidden.wav").write_bytes(b"no")
    return folder


@pytest.fixture
def system(tiny_assets: Path) -> System:
    return load_system("chance")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def test_a_folder_is_added_under_original_names_and_odd_files_are_reported(
    library: Library, system: System, music: Path
) -> None:
    report = library.add([music], system)
    assert sorted(item.name for item in library.items()) == sorted([*NAMES, "deep.wav"])
    assert {Path(path).name for path, _ in report.skipped} == {"broken.mp3", "empty.ogg"}
    assert all(Path(path).name in reason and "\n" not in reason for path, reason in report.skipped)
    assert [Path(path).name for path in report.known] == ["a copy.wav"]
    assert report.embedded == 5 and report.ignored == 1


def test_a_second_run_embeds_nothing(library: Library, system: System, music: Path, tmp_path: Path) -> None:
    library.add([music], system)
    again = Library.open(tmp_path / "library").add([music], system)
    assert again.embedded == 0 and not again.added and len(again.known) == 6 and len(again.skipped) == 2


def test_a_library_on_a_disk_without_hard_links_is_given_its_name_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")  # exFAT

    monkeypatch.setattr(os, "link", refuse)
    first, second = Library.open(tmp_path / "library"), Library.open(tmp_path / "library")
    assert first.origin == second.origin and first.origin.startswith("origin-")
    assert [path.name for path in (tmp_path / "library").glob("*origin*")] == ["origin"]


def test_only_what_is_new_is_embedded(
    library: Library, system: System, music: Path, make_tone: Callable[..., Path]
) -> None:
    library.add([music], system)
    make_tone(music / "new.wav", seed=77)
    report = library.add([music], system)
    assert [item.name for item in report.added] == ["new.wav"] and report.embedded == 1


def test_ids_are_of_the_content(library: Library, system: System, music: Path) -> None:
    library.add([music], system)
    item = next(i for i in library.items() if i.name == "音楽.wav")
    assert content_hash(music / "音楽.wav").startswith(item.id) and library.item(item.id) == item
    assert library.find(str(music / "音楽.wav")) == item == library.find(item.id)


def test_a_file_that_moved_keeps_its_item_and_gets_its_new_name(
    library: Library, system: System, music: Path
) -> None:
    library.add([music], system)
    (music / NAMES[1]).rename(music / "renamed.wav")
    report = library.add([music], system)
    assert report.embedded == 0 and not report.added
    assert "renamed.wav" in [item.name for item in library.items()]


def test_a_file_that_changed_is_a_new_item(
    library: Library, system: System, music: Path, make_tone: Callable[..., Path]
) -> None:
    library.add([music / NAMES[2]], system)
    make_tone(music / NAMES[2], seed=123)
    assert len(library.add([music / NAMES[2]], system).added) == 1


def test_tracks_and_videos_are_told_apart(
    library: Library, system: System, music: Path, make_clip: Callable[..., Path]
) -> None:
    make_clip(music / "clip.mp4")
    library.add([music], system)
    (video,) = library.items(Modality.VIDEO)
    assert (video.name, video.width_px, video.height_px) == ("clip.mp4", 160, 288)
    assert video.loudness_lufs is None and video.tempo_bpm is None
    assert len(library.items(Modality.AUDIO)) == 5


def test_measures_are_those_of_the_media_layer(library: Library, system: System, music: Path) -> None:
    from mvr.media.loudness import measure_loudness

    (item,) = library.add([music / NAMES[0]], system).added
    assert item.loudness_lufs == pytest.approx(measure_loudness(item.path).integrated_lufs)
    assert item.duration_s == pytest.approx(3.0, abs=0.05) and item.tempo_bpm is not None
    assert item.licence == "unknown" and item.title == "été + naïve #1"


def test_metadata_beside_the_files_names_title_artist_and_licence(
    library: Library, system: System, music: Path
) -> None:
    rows = "file,Title,artist,license,genre,bpm,mine\n音楽.wav,Sea,Mei,CC BY 4.0,Jazz; Soul,96,x\n"
    (music / "metadata.csv").write_text(rows, encoding="utf-8-sig")
    (item,) = library.add([music / "音楽.wav"], system).added
    assert (item.title, item.artist, item.licence) == ("Sea", "Mei", "CC BY 4.0")
    assert item.genre == ("jazz", "soul") and item.tempo_bpm == 96
    assert item.credit_line == "“Sea” by Mei, licence: CC BY 4.0"


def test_a_table_of_another_program_is_one_note(library: Library, system: System, music: Path) -> None:
    (music / "metadata.csv").write_text("title\nSea\n")
    report = library.add([music / "音楽.wav"], system)
    assert len(report.added) == 1
    (note,) = report.notes
    assert "has no column 'file'" in note


def test_the_same_music_at_another_level_is_kept_and_marked(
    library: Library, system: System, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    import wave

    loud = make_tone(tmp_path / "loud.wav", seconds=12, seed=4)
    with wave.open(str(loud)) as file:
        parameters, samples = file.getparams(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    with wave.open(str(tmp_path / "quiet.wav"), "wb") as file:
        file.setparams(parameters)
        file.writeframes((samples * 0.4).astype("<i2").tobytes())
    report = library.add([loud, tmp_path / "quiet.wav"], system)
    assert len(report.added) == 2
    assert report.same_music == [(str(tmp_path / "quiet.wav"), report.added[0].id)]


def test_removed_items_are_gone_and_come_back_without_embedding(
    library: Library, system: System, music: Path
) -> None:
    library.add([music], system)
    first = library.items()[0]
    library.remove([first.id])
    assert first.id not in [item.id for item in library.items()]
    with pytest.raises(NotInLibrary, match="no item"):
        library.item(first.id)
    with pytest.raises(NotInLibrary, match="no item 'nothing'"):
        library.remove([library.items()[0].id, "nothing"])
    assert len(library) == 4
    assert library.add([music], system).embedded == 0 and len(library) == 5


def test_another_system_embeds_what_it_misses_once(library: Library, system: System, music: Path) -> None:
    library.add([music], system)
    chance = load_system("tiny")
    assert len(library.missing(chance, Modality.AUDIO)) == 5
    assert library.index(chance, Modality.AUDIO).missing == 5
    assert library.embed_missing(chance, Modality.AUDIO) == []
    assert library.index(chance, Modality.AUDIO).missing == 0
    index = library.index(chance, Modality.AUDIO)
    assert len(index) == 5 and len(index.index) == 6, "six seconds are two segments of four"
    assert [index.items[owner].name for owner in index.owner].count("deep.wav") == 2


def test_the_index_follows_the_items_and_is_kept_between(
    library: Library, system: System, music: Path, make_tone: Callable[..., Path]
) -> None:
    library.add([music], system)
    index = library.index(system, Modality.AUDIO)
    assert library.index(system, Modality.AUDIO) is index
    assert [i.id for i in index.items] == [i.id for i in library.items()]
    assert index.starts.tolist() == [0, 1, 2, 3, 4] and len(index.index) == 6
    library.remove([index.items[0].id])
    assert len(library.index(system, Modality.AUDIO)) == 4


def test_no_collection_runs_while_items_are_read_into_an_index(
    library: Library, system: System, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add([music], system)
    read, collecting = LibraryFeatures.of_items, list[bool]()

    def watched(*given: Any) -> Any:
        collecting.append(gc.isenabled())
        return read(*given)

    monkeypatch.setattr(LibraryFeatures, "of_items", watched)
    assert len(library.index(system, Modality.AUDIO)) == 5
    assert collecting == [False] and gc.isenabled()


def test_one_process_adds_at_a_time(library: Library, system: System, music: Path) -> None:
    with FileLock(library.root / "writer.lock"), pytest.raises(UsageError, match="another process is adding"):
        library.add([music], system)


def test_a_path_that_does_not_exist_is_refused(library: Library, system: System, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        library.add([tmp_path / "nowhere"], system)


def test_a_name_that_is_no_unicode_is_shown_and_found_again(
    library: Library, system: System, music: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(music) + b"/caf\xe9.wav"))
    shutil.move(music / NAMES[3], odd)
    (item,) = library.add([odd], system).added
    assert item.name == "caf\N{REPLACEMENT CHARACTER}.wav" or item.name == "caf?.wav"
    assert library.item(item.id).path == odd and odd.exists()
    item.to_json()["path"].encode("utf-8")


def test_a_catalogue_of_a_newer_version_is_refused(library: Library, tmp_path: Path) -> None:
    import sqlite3

    with (
        contextlib.closing(sqlite3.connect(tmp_path / "library" / "catalogue.sqlite")) as connection,
        connection,
    ):
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="newer version"):
        Library.open(tmp_path / "library")


# dies inside the next file as soon as STOP files are done, after so many calls of functions: no clock decides where
ADD = """
import os, signal, sys
from mvr.embeddings.system import load_system
from mvr.library import Library
stop, calls = int(sys.argv[3]), int(sys.argv[4])
def count(frame, event, argument):
    global calls
    calls -= 1
    if calls == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def show(done, files, name):
    if done == stop:
        sys.setprofile(count)
Library.open(sys.argv[1]).add([sys.argv[2]], load_system("chance"), progress=show)
"""


def test_a_killed_run_is_resumed_with_nothing_lost_or_doubled(
    tiny_assets: Path, tmp_path: Path, make_tone: Callable[..., Path]
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(8):
        make_tone(folder / f"{seed:02}.wav", seconds=1.5, seed=seed)
    command = [sys.executable, "-c", ADD, str(tmp_path / "library"), str(folder)]
    for stop_after, calls in ((2, 20_000), (5, 3_000)):
        run = subprocess.run([*command, str(stop_after), str(calls)], check=False)
        assert run.returncode == -signal.SIGKILL
    chance = load_system("chance")
    library = Library.open(tmp_path / "library")
    already = len(library)
    assert already == 5
    report = library.add([folder], chance)
    assert len(report.added) == 8 - already and report.embedded <= 8 - already
    index = library.index(chance, Modality.AUDIO)
    assert sorted(item.name for item in index.items) == [f"{seed:02}.wav" for seed in range(8)]
    fresh = Library.open(tmp_path / "fresh")
    fresh.add([folder], chance)
    by_name = {
        i.name: fresh.index(chance, Modality.AUDIO).index.vectors[n] for n, i in enumerate(fresh.items())
    }
    for row, item in enumerate(index.items):
        np.testing.assert_array_equal(index.index.vectors[row], by_name[item.name])


def test_features_of_an_earlier_recipe_are_told_apart_and_made_again(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mvr.backbones.descriptors import music as descriptors

    system = load_system("control-mvr-mini")
    with monkeypatch.context() as before:
        before.setattr(descriptors, "VERSION", descriptors.VERSION - 1)
        assert library.add([music], load_system("control-mvr-mini")).embedded == 5
    track = library.items(Modality.AUDIO)[0]
    assert library.features(track, system) is None and len(library.missing(system, Modality.AUDIO)) == 5
    report = library.add([music], system)
    assert report.embedded == 5 and report.added == []
    assert library.features(track, system) is not None and library.missing(system, Modality.AUDIO) == []
    assert library.add([music], system).embedded == 0


def test_a_disk_of_more_files_than_sqlite_takes_parameters_is_unplugged_and_plugged_in(
    tmp_path: Path, make_tone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = make_tone(tmp_path / "a.wav", seconds=0.5)
    ids = [item.id for item in fill(tmp_path / "library", sound, 250)]
    connect = sqlite3.connect

    def narrow(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*given, **named)
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)  # 32,766 where nobody raised it
        return connection

    monkeypatch.setattr(sqlite3, "connect", narrow)
    library = Library.open(tmp_path / "library")
    sound.rename(tmp_path / "away.wav")
    assert sorted(library.check_files()) == sorted(ids)
    assert all(item.missing for item in library.items())
    (tmp_path / "away.wav").rename(sound)
    assert sorted(library.check_files(ids)) == sorted(ids)
    library.remove(ids)
    assert len(library) == 0 and [item.id for item in library.restore(ids)] == ids
    library.remove(ids)
    assert len(library.purge()) == 250

"""Guessed words in a library: made when a track is added, also to an old library; never in place of tags."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Modality
from mvr.embeddings.system import load_system
from mvr.errors import UsageError
from mvr.library import Library
from mvr.library.guesses import Guesser
from mvr.library.search import search_words


def write_sound(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A struck chord that decays, again and again, and noise."""
    folder = tmp_path / "media"
    folder.mkdir()
    time = np.arange(6 * 16_000) / 16_000
    chord = sum(np.sin(2 * np.pi * hz * time) / n for n, hz in enumerate((262, 330, 392, 523), start=1))
    write_sound(folder / "chord.wav", 0.2 * chord * np.exp(-3 * (time % 1)))
    write_sound(folder / "noise.wav", 0.1 * np.random.default_rng(0).normal(size=len(time)))
    (folder / "metadata.csv").write_text("file,genre\nchord.wav,tagged\n", encoding="utf-8")
    return folder


def test_a_track_that_is_music_gets_words_and_keeps_its_tags(
    tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch
):
    library = Library.open(tmp_path / "library")
    library.add([media], load_system("random"))
    chord, noise = sorted(library.items(Modality.AUDIO), key=lambda item: item.name)
    guessed = library.guesses(chord)
    assert guessed and {guess.kind for guess in guessed} <= {"genre", "mood", "instrument"}
    assert all(0.84 <= guess.confidence <= 1 for guess in guessed)
    assert chord.genre == ("tagged",)
    assert library.guesses(noise) == ()
    write_sound(media / "other.wav", 0.1 * np.random.default_rng(1).normal(size=3 * 16_000))
    library.add([media / "other.wav"], load_system("random"))
    monkeypatch.setattr(Guesser, "guess", lambda self, features_of: asked.append(1) or ())
    asked: list[int] = []
    words = dict(
        zip((item.name for item in library.items()), library.guesses_of(library.items()), strict=True)
    )
    assert words == {"chord.wav": guessed, "noise.wav": (), "other.wav": ()}
    assert asked == [1], "what is guessed already is not guessed again when a file is added"
    assert chord.tempo_bpm is not None and noise.tempo_bpm is None, "where nothing begins there is no tempo"


def test_a_library_of_an_earlier_version_gets_words_when_its_files_are_added_again(
    tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as earlier:
        earlier.setattr(Guesser, "ready", False)
        Library.open(tmp_path / "library").add([media], load_system("random"))
    library = Library.open(tmp_path / "library")
    chord = next(item for item in library.items(Modality.AUDIO) if item.name == "chord.wav")
    assert library.guesses(chord) == ()
    report = library.add([media], load_system("random"))
    assert report.embedded == 0 and len(report.known) == 2
    assert library.guesses(chord)


def test_words_find_tracks_without_a_clip(tmp_path: Path, media: Path):
    library = Library.open(tmp_path / "library")
    library.add([media], load_system("random"))
    found = search_words(library, "calm piano")
    assert [item.name for item, _ in found] == ["chord.wav"]
    assert search_words(library, "piano")[0][1] > search_words(library, "metal")[0][1]
    with pytest.raises(UsageError, match="none of the words 'xyzzy'"):
        search_words(library, "xyzzy")

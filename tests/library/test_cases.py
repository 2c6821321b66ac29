"""Files that people really have: `shared/cases`, whose README says what is right for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mvr.embeddings.system import System, load_system
from mvr.library import Library
from mvr.library.tags import read_tags

pytestmark = pytest.mark.real_data
BY = "https://creativecommons.org/licenses/by/4.0/"
FULL = {"licence": "CC BY 4.0", "licence_url": BY, "genre": ("jazz",)}
SPOKEN = {"title": "Right Title", "artist": "Right Artist"}
VORBIS = FULL | {"title": "Right_Title", "artist": "Right_Artist"}


@pytest.mark.parametrize(
    ("name", "right"),
    [
        *((f"vorbis_comment.{ending}", VORBIS) for ending in ("flac", "ogg", "opus")),
        ("id3.wav", {**FULL, **SPOKEN}),
        ("id3.aiff", {**FULL, **SPOKEN}),
        ("comment_licence.mp3", {"licence": "CC BY 4.0", "licence_url": BY}),
        ("freeform_licence.m4a", {"licence": "CC BY 4.0", "licence_url": BY}),
        ("control_characters.m4a", {"title": "[31mred [0m second line"}),
    ],
)  # fmt: skip
def test_what_a_file_says_is_shown(shared: Path, name: str, right: dict[str, object]) -> None:
    found = read_tags(shared / "cases" / name)
    assert {field: getattr(found, field) for field in right} == right


@pytest.fixture
def system(tiny_assets: Path) -> System:
    return load_system("chance")


def test_a_foreign_table_stops_nothing(shared: Path, system: System, tmp_path: Path) -> None:
    report = Library.open(tmp_path / "library").add([shared / "cases" / "foreign_metadata"], system)
    assert len(report.added) == 3 and report.skipped == []
    (note,) = report.notes
    assert "b/metadata.csv has no column 'file'" in note


def test_music_recorded_without_gain_is_played_at_the_usual_loudness(
    shared: Path, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    from mvr.media.loudness import measure_loudness
    from mvr.media.mux import mux_music

    quiet = shared / "cases" / "float_low_level.wav"
    level = measure_loudness(quiet)
    assert level.true_peak_dbtp is not None and level.true_peak_dbtp == pytest.approx(-67, abs=1)
    mux_music(make_clip(tmp_path / "clip.mp4", seconds=3.0), quiet, tmp_path / "out.mp4")
    assert measure_loudness(tmp_path / "out.mp4").integrated_lufs == pytest.approx(-16, abs=0.5)

"""Three lines of Python, as the documentation prints them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mvr
from eval.timelines.reading import read_timeline
from mvr import pick_music
from mvr.errors import DataError, OutputRefused, UsageError
from mvr.media.probe import probe


@pytest.fixture
def music(tiny_assets: Path, tmp_path: Path, make_tone: Callable[..., Path], make_clip) -> Path:
    folder = tmp_path / "my music"
    folder.mkdir()
    for seed in range(3):
        make_tone(folder / f"{seed}.wav", seconds=4.0, seed=seed)
    (folder / "broken.mp3").write_text("no music")
    (folder / "metadata.csv").write_text(
        "file,title,artist,licence\n1.wav,Sea,Mei,CC BY 4.0\n", encoding="utf-8"
    )
    make_clip(tmp_path / "clip.mp4", seconds=2.0, rate_hz=25)
    return folder


@pytest.mark.timelines
def test_the_best_of_a_folder_goes_on_the_clip_and_to_an_editor(music: Path, tmp_path: Path) -> None:
    best = pick_music(tmp_path / "clip.mp4", music, system="tiny")
    assert [result.rank for result in best.ranked.results] == [1, 2, 3]
    assert best.track == best.ranked.results[0].item and best.start_s == best.best.start_s
    assert [Path(path).name for path, _ in best.skipped] == ["broken.mp3"]
    info = probe(best.export(tmp_path / "out.mp4"), needs=("picture", "sound"))
    assert info.duration_s == pytest.approx(2.0, abs=0.1)
    placed = read_timeline(best.export(tmp_path / "out.xml")).placed
    assert sum(place.heard for place in placed) == 2 and len(placed) >= 4
    with pytest.raises(OutputRefused, match="is there already"):
        best.export(tmp_path / "out.mp4")
    with pytest.raises(OutputRefused, match="never written over"):
        best.export(tmp_path / "clip.mp4", force=True)
    with pytest.raises(OutputRefused, match=r"ends in .*\.mp4"):
        best.export(tmp_path / "out.gif")


def test_a_second_call_embeds_nothing_and_finds_the_same(music: Path, tmp_path: Path, monkeypatch) -> None:
    first = pick_music(tmp_path / "clip.mp4", str(music), system="tiny")
    from mvr.library import Library

    again = []
    add = Library.add
    monkeypatch.setattr(Library, "add", lambda *a, **k: again.append(add(*a, **k)) or again[-1])
    second = pick_music(tmp_path / "clip.mp4", str(music), system="tiny")
    assert again[0].embedded == 0 and [r.item.id for r in second.ranked.results] == [
        r.item.id for r in first.ranked.results
    ]
    earning = pick_music(tmp_path / "clip.mp4", music, system="tiny", commercial=True)
    assert [r.item.title for r in earning.ranked.results] == ["Sea"] and "Mei" in earning.credit


def test_nothing_to_pick_is_said_in_one_sentence(music: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        pick_music(tmp_path / "none.mp4", music, system="tiny")
    with pytest.raises(UsageError, match="there is no folder"):
        pick_music(tmp_path / "clip.mp4", tmp_path / "nowhere", system="tiny")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="none of 0 tracks"):
        pick_music(tmp_path / "clip.mp4", tmp_path / "empty", system="tiny")


def test_importing_the_package_loads_nothing_and_knows_its_names() -> None:
    script = (
        "import mvr, sys; print([m for m in ('numpy', 'sqlalchemy', 'av', 'pydantic') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"
    assert mvr.Pick.__name__ == "Pick"
    with pytest.raises(AttributeError, match="no attribute 'pick_video'"):
        mvr.pick_video

"""`mvr export --timeline` as a user runs it, and what is read back from the file it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eval.timelines.reading import read_timeline
from mvr.media.probe import probe
from tests.commands.conftest import invoke

Attempt = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, make_tone, make_clip, make_tiny_assets
) -> tuple[Path, Path]:
    """Assets, and a folder with a clip and three tracks in a library; not to be changed."""
    assets = make_tiny_assets(tmp_path_factory.mktemp("assets") / "assets")
    folder = tmp_path_factory.mktemp("my shelf #1")
    for seed, name in enumerate(("un.wav", "deux.wav", "三.wav")):
        make_tone(folder / name, seconds=5.0 + seed, seed=seed)
    (folder / "metadata.csv").write_text("file,title,artist,licence\n三.wav,Sea,Mei,CC BY 4.0\n", "utf-8")
    make_clip(folder / "clip.mp4", seconds=3.0, rate_hz=25)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MVR_ASSETS", str(assets))
        added = invoke("library", "add", folder, "--system", "tiny", "--library", folder / ".mvr")
    assert added.exit_code == 0, added.stderr
    return assets, folder


@pytest.fixture
def shelf(made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, its assets in use."""
    monkeypatch.setenv("MVR_ASSETS", str(made[0]))
    return made[1]


def exported(attempt: Attempt, shelf: Path, *words: object) -> dict:
    library = ("--library", shelf / ".mvr")
    code, out, err = attempt("export", shelf / "clip.mp4", *words, *library, "--system", "tiny", "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.mark.timelines
def test_music_that_cannot_be_written_leaves_no_timeline_without_it(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    (out := tmp_path / "out").mkdir()
    (out / "cut.otio").write_text("of yesterday")
    words = ["--timeline", out / "cut.otio", "--force", "--library", shelf / ".mvr", "--system", "tiny"]
    code, _, err = attempt("export", shelf / "clip.mp4", tmp_path / "silent.wav", *words)
    assert code == 1 and "the music is silent" in err
    assert [path.read_text() for path in out.iterdir()] == ["of yesterday"]


@pytest.mark.timelines
def test_the_best_track_lies_under_the_clip_and_the_others_are_muted(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    code, out, _ = attempt(
        "recommend", shelf / "clip.mp4", "--library", shelf / ".mvr", "--system", "tiny", "--json"
    )
    ranked = json.loads(out)["results"]
    document = exported(attempt, shelf, "--timeline", tmp_path / "cut.xml")
    assert code == 0 and document["rate"] == "25" and document["frames"] == 75
    sounds = [document["chosen"], *document["alternates"]]
    assert [sound["id"] for sound in sounds] == [result["id"] for result in ranked]
    starts_s = [round(sound["pieces"][0]["source_start_s"], 3) for sound in sounds]
    assert starts_s == [result["start_s"] for result in ranked]
    placed = read_timeline(tmp_path / "cut.xml").placed
    heard = [place for place in placed if place.track > 0 and place.heard]
    assert {place.name.rpartition(" (")[0] for place in heard} == {ranked[0]["title"]}
    assert sum(not place.heard for place in placed) >= 2
    cuts = [(cut["start"], cut["end"], cut["in"], cut["out"]) for cut in document["chosen"]["pieces"]]
    assert [(p.start, p.end, p.source_start, p.source_end) for p in heard] == cuts


@pytest.mark.timelines
def test_a_named_track_is_chosen_and_no_alternate_of_itself(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    document = exported(attempt, shelf, shelf / "三.wav", "--timeline", tmp_path / "cut.otioz", "--top", 2)
    assert document["chosen"]["title"] == "Sea" and document["chosen"]["licence"] == "CC BY 4.0"
    assert len(document["alternates"]) == 1 and document["alternates"][0]["id"] != document["chosen"]["id"]
    later = exported(
        attempt, shelf, document["chosen"]["id"], "--timeline", tmp_path / "b.xml", "--start", 1.25
    )
    assert later["chosen"]["pieces"][0]["source_start_s"] == 1.25


@pytest.mark.timelines
def test_music_and_own_sound_lie_beside_the_timeline_unless_refused(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    document = exported(attempt, shelf, "--timeline", tmp_path / "cut.otio", "--loudness", -20)
    assert document["sounds"] == {"music": str(tmp_path / "cut - music.wav")}, (
        "this clip has no sound of its own"
    )
    assert probe(tmp_path / "cut - music.wav").duration_s == pytest.approx(3.0, abs=1e-3)
    assert exported(attempt, shelf, "--timeline", tmp_path / "bare.otio", "--no-sounds")["sounds"] == {}
    assert exported(attempt, shelf, "--timeline", tmp_path / "marks.csv")["sounds"] == {}


@pytest.mark.timelines
def test_a_file_of_no_library_can_be_chosen(attempt: Attempt, shelf: Path, tmp_path: Path, make_tone) -> None:
    other = make_tone(tmp_path / "other.wav", seconds=8.0, seed=9)
    document = exported(attempt, shelf, other, "--timeline", tmp_path / "cut.xml", "--start", 2)
    assert document["chosen"]["title"] == "other" and document["chosen"]["id"] == ""
    assert len(document["alternates"]) == 3


@pytest.mark.timelines
def test_only_tracks_for_commercial_use_are_laid_out_where_asked(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    document = exported(attempt, shelf, "--timeline", tmp_path / "cut.xml", "--commercial")
    assert document["chosen"]["title"] == "Sea" and document["alternates"] == []


@pytest.mark.timelines
def test_a_file_that_is_gone_is_no_alternate_and_cannot_be_chosen(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    first = exported(attempt, shelf, "--timeline", tmp_path / "a.xml")
    chosen, alternate = Path(first["chosen"]["path"]), Path(first["alternates"][0]["path"])
    gone = alternate.rename(tmp_path / alternate.name)
    left = exported(attempt, shelf, "--timeline", tmp_path / "b.xml")
    assert [s["id"] for s in left["alternates"]] == [first["alternates"][1]["id"]]
    gone.rename(alternate)
    gone = chosen.rename(tmp_path / chosen.name)
    try:
        words = ("--timeline", tmp_path / "c.xml", "--library", shelf / ".mvr", "--system", "tiny")
        code, _, err = attempt("export", shelf / "clip.mp4", first["chosen"]["id"], *words)
        assert code == 1 and "is gone" in err and not (tmp_path / "c.xml").exists()
        next_best = exported(attempt, shelf, "--timeline", tmp_path / "d.xml")
        assert next_best["chosen"]["id"] == first["alternates"][0]["id"]
    finally:
        gone.rename(chosen)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name one file to write"),
        (("--out", "a.mp4", "--timeline", "a.xml"), "name one file to write"),
        (("--out", "a.mp4"), "--out needs a TRACK"),
        (("--timeline", "a.edl"), "ends in .otioz"),
        (("--timeline", "a.xml", "--link"), "--link belongs to .otioz"),
        pytest.param(("--timeline", "a.xml", "--drop-frame"), "not at 25", marks=pytest.mark.timelines),
    ],
)
def test_wrong_words_are_wrong_usage_and_nothing_is_written(
    attempt: Attempt, shelf: Path, monkeypatch, words, said
) -> None:
    monkeypatch.chdir(shelf)
    before = sorted(shelf.iterdir())
    code, out, err = attempt("export", "clip.mp4", *words, "--system", "tiny", "--library", ".mvr")
    assert (code, out) == (2, "") and said in err
    assert sorted(shelf.iterdir()) == before


@pytest.mark.timelines
def test_neither_the_timeline_nor_the_sounds_beside_it_replace_a_file(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    words = (
        "export",
        shelf / "clip.mp4",
        "--timeline",
        tmp_path / "cut.xml",
        "--library",
        shelf / ".mvr",
        "--system",
        "tiny",
    )
    (tmp_path / "cut - music.wav").write_text("mine")
    code, _, err = attempt(*words)
    assert code != 0 and "cut - music.wav is there already" in err and not (tmp_path / "cut.xml").exists()
    assert (tmp_path / "cut - music.wav").read_text() == "mine"
    assert attempt(*words, "--force")[0] == 0 and attempt(*words)[0] != 0


def test_the_papers_of_a_track_are_packed(attempt: Attempt, shelf: Path, tmp_path: Path) -> None:
    import zipfile

    document = exported(attempt, shelf, shelf / "三.wav", "--pack", tmp_path / "papers.zip")
    assert document["chosen"]["title"] == "Sea" and "claim evidence.json" in document["files"]
    with zipfile.ZipFile(tmp_path / "papers.zip") as pack:
        evidence = json.loads(pack.read("claim evidence.json"))
    assert evidence["music"]["title"] == "Sea" and evidence["licence"]["name"] == "CC BY 4.0"
    assert evidence["index"]["system"] == "tiny" and evidence["index"]["library"] == str(shelf / ".mvr")
    assert evidence["licence"]["read_at"] <= evidence["licence"]["checked_at"]
    assert evidence["placement"][-1]["out_s"] == 3.0


@pytest.mark.timelines
def test_a_track_is_cut_to_the_clip_by_its_bars_in_timeline_and_sound_alike(
    attempt: Attempt, shelf: Path, tmp_path: Path
) -> None:
    document = exported(
        attempt, shelf, shelf / "三.wav", "--timeline", tmp_path / "cut.xml", "--fit", "--ending", "fade"
    )
    plan, cuts = document["fit"], document["chosen"]["pieces"]
    assert plan["ending"] == "fade" and len(cuts) == len(plan["pieces"])
    for cut, piece in zip(cuts, plan["pieces"], strict=True):
        assert (
            abs(cut["start"] / 25 - piece["start_s"]) <= 0.02
            and abs(cut["in"] / 25 - piece["source_start_s"]) <= 0.02
        )
    assert cuts[-1]["end"] == 75
    assert probe(tmp_path / "cut - music.wav").duration_s == pytest.approx(3.0, abs=1e-3)
    simply = exported(attempt, shelf, "--timeline", tmp_path / "b.xml", "--start", 0.5)
    assert simply["fit"] is None and simply["chosen"]["pieces"][0]["source_start_s"] == 0.5

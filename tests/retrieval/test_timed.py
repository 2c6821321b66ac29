from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import mvr.library.timings
from mvr.__main__ import app
from mvr.config.manifest import load_manifest
from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import load_system
from mvr.errors import Truncated
from mvr.library import open_demo_library
from mvr.retrieval import Retriever
from mvr.retrieval.facts import facts_of, facts_of_item

WITHOUT_TIMING = (
    "start_s",
    "end_s",
    "placed",
    "timing",
    "query_start_s",
    "query_end_s",
    "facts",
    "why",
    "picture",
)


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever(open_demo_library(), load_system("control-mvr-mini"))


@pytest.mark.parametrize("direction", list(Direction))
def test_placing_moves_starts_and_nothing_else_of_a_list(retriever, direction):
    item = retriever.library.items(direction.query)[1]
    plain = retriever.rank(retriever.query_item(item.id), alpha=0.3, k=6)
    placed = retriever.place(plain, item.path)
    rest = [
        {key: value for key, value in row.items() if key not in WITHOUT_TIMING}
        for ranked in (plain, placed)
        for row in ranked.to_json()["results"]
    ]
    assert rest[:6] == rest[6:]
    assert all("placed" not in row for row in plain.to_json()["results"])
    for before, after in zip(plain.results, placed.results, strict=True):
        start, part = (
            (after.start_s, (before.start_s, before.end_s))
            if direction is Direction.VIDEO_TO_MUSIC
            else (after.query_start_s, (before.query_start_s, before.query_end_s))
        )
        assert min(part[0], start) >= 0 and start <= part[1] and after.placing is not None
        assert after.to_json()["timing"]["tempo_bpm"] > 40


@pytest.mark.parametrize("direction", list(Direction))
def test_a_placed_list_says_where_each_clip_is_cut_fades_and_flashes(retriever, direction):
    item = retriever.library.items(direction.query)[1]
    plain = retriever.rank(retriever.query_item(item.id), alpha=0.3, k=3)
    assert "picture" not in plain.to_json()["query"]
    document = retriever.place(plain, item.path).to_json()
    asks = direction is Direction.VIDEO_TO_MUSIC
    clips = [(item, document["query"])] if asks else [(each.item, row) for each, row in
                                                      zip(plain.results, document["results"], strict=True)]  # fmt: skip
    for clip, row in clips:
        film = retriever.library.timings.film(clip.content)
        assert row["picture"]["cuts_s"] == pytest.approx(film.cuts_s, abs=1e-3)
        assert {"fades_s", "flashes_s"} < set(row["picture"])
    assert ("picture" in document["query"]) == asks and ("picture" in document["results"][0]) != asks


@pytest.mark.parametrize("direction", list(Direction))
def test_what_is_said_of_a_clips_cuts_is_what_its_time_line_shows(retriever, direction):
    """ "Through the Rings" has eight cuts in twelve seconds; a second's sampled frames said another number."""
    item = next(item for item in retriever.library.items(Modality.VIDEO) if item.title == "Through the Rings")
    asked = item if direction is Direction.VIDEO_TO_MUSIC else retriever.library.items(Modality.AUDIO)[0]
    plain = retriever.rank(retriever.query_item(asked.id), k=8)
    placed = retriever.place(plain, asked.path).to_json()
    if direction is Direction.VIDEO_TO_MUSIC:
        facts, words = placed["query"]["facts"], placed["query"]["seen"]
        before = plain.to_json()["query"]["facts"]
    else:
        [row], [was] = (
            [row for row in each["results"] if row["id"] == item.id] for each in (placed, plain.to_json())
        )
        facts, words, before = row["facts"], row["why"], was["facts"]
    film = retriever.library.timings.film(item.content)
    assert len(film.cuts_s) == 8 and film.duration_s == pytest.approx(12, abs=0.1)
    assert facts["cuts_per_s"] == pytest.approx(8 / film.duration_s, abs=1e-4) != before["cuts_per_s"]
    assert "a cut every 1.5 s" in words
    assert facts | {"cuts_per_s": 0} == before | {"cuts_per_s": 0}, "nothing else is said otherwise"


def test_the_demo_library_is_measured_beforehand(retriever):
    for modality in Modality:
        assert retriever.library.timings.missing(retriever.library.items(modality)) == []


def test_a_pair_that_was_not_measured_keeps_its_start(retriever, monkeypatch):
    item = retriever.library.items(Modality.VIDEO)[0]
    plain = retriever.rank(retriever.query_item(item.id), k=3)
    monkeypatch.setattr(retriever.library.timings.store, "music", lambda _content: None)
    assert retriever.place(plain, item.path).results == plain.results


def test_switched_off_every_door_gives_the_list_and_the_starts_of_content_alone(retriever, monkeypatch):
    """Of the command line and of the endpoints; the page's own switch is tested with its list."""
    from mvr.page import api

    item = retriever.library.items(Modality.VIDEO)[1]
    query = retriever.query_item(item.id)
    plain = retriever.rank(query, alpha=0.3, k=6).to_json()["results"]
    assert any(
        row["start_s"] != other["start_s"] for row, other in zip(plain, command_line(item, "on"), strict=True)
    )
    assert command_line(item, "off") == plain
    monkeypatch.setattr(api, "take_upload", lambda *_: item.path)
    catalogue = SimpleNamespace(
        shared=None, ready=lambda: [SimpleNamespace(name="s")], retriever=lambda *_: retriever
    )
    jobs = SimpleNamespace(submit=lambda _load, find: SimpleNamespace(result=find))
    context = SimpleNamespace(catalogue=catalogue, manifest=load_manifest(), jobs=jobs)
    wish = api.Wish(alpha=0.3, count=6, system="s", timing=False)
    matches = api._answer(context, Direction.VIDEO_TO_MUSIC, {}, wish)
    assert [(each["id"], each["start_s"], each["placed"], each["peak"]) for each in matches] == [
        (row["id"], row["start_s"], "", None) for row in plain
    ]
    wish = api.Wish(alpha=0.3, count=6, system="s", timing=True)
    for each, row in zip(
        api._answer(context, Direction.VIDEO_TO_MUSIC, {}, wish), command_line(item, "on"), strict=True
    ):
        assert each["placed"] == row["placed"]["words"] and each["start_s"] == row["start_s"]
        for name in ("peak", "cuts_near_beats", "random_cuts_near_beats"):
            assert each[name] == row["placed"][name]
        assert all(len(str(row[name])) < 9 for name in ("loudness_lufs", "true_peak_dbtp", "duration_s"))


def command_line(item, timing: str) -> list[dict]:
    words = ["recommend", str(item.path), "--alpha", "0.3", "-k", "6", "--timing", timing, "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    return json.loads(done.stdout)["results"]


@pytest.fixture
def long_clip(make_clip, tmp_path, monkeypatch):
    """A clip that counts as too long to be looked at while it is embedded."""
    monkeypatch.setattr("mvr.library.timings.WATCHED_S", 1.0)
    return make_clip(tmp_path / "long.mp4", seconds=3.0, rate_hz=25)


def ask(clip, *words: str, code: int = 0):
    done = CliRunner().invoke(app, ["recommend", str(clip), "-k", "3", *words], catch_exceptions=False)
    assert done.exit_code == code
    return done


def test_on_a_terminal_the_list_stands_before_a_long_clip_is_looked_at(long_clip, monkeypatch):
    rows = json.loads(ask(long_clip, "--json").stdout)["results"]
    at_once = ask(long_clip).stdout
    assert "meets the picture" not in at_once and at_once.count("of cuts near a beat") <= 3

    monkeypatch.setattr("mvr.commands.recommend.on_terminal", lambda: True)
    looked, measured = [], mvr.library.timings.measure_film_file

    def look(path, progress):
        looked.append(path)
        print("now the clip is looked at")
        return measured(path, progress)

    monkeypatch.setattr("mvr.library.timings.measure_film_file", look)
    first, rest = ask(long_clip).stdout.split("now the clip is looked at\n")
    starts = rest.split("where the music meets the picture:\n")[1]
    assert looked == [long_clip]
    for row in rows:
        assert row["id"] in first and row["placed"]["words"] not in first
        minutes = f"from {int(row['start_s']) // 60}:{int(row['start_s']) % 60:02}"
        line = next(line for line in starts.splitlines() if line.startswith(f"{row['rank']:>3}  "))
        assert minutes in line and row["title"] in line and row["placed"]["words"] in starts


def test_a_clip_that_breaks_off_while_it_is_looked_at_keeps_its_list(long_clip, monkeypatch):
    def broken(_path, _progress):
        raise Truncated("long.mp4: the file ends after 2.0 s")

    monkeypatch.setattr("mvr.library.timings.measure_film_file", broken)
    done = ask(long_clip, "--json")
    assert [row["rank"] for row in json.loads(done.stdout)["results"]] == [1, 2, 3]
    assert "time could not be measured: long.mp4: the file ends after 2.0 s" in done.stderr


def test_a_track_without_a_pulse_is_not_told_the_tempo_that_its_feature_holds_for_want_of_one(retriever):
    item = replace(retriever.library.items(Modality.AUDIO)[0], tempo_bpm=None)
    backbone = load_system("control-mvr-mini").backbone(Modality.AUDIO)
    names = [dimension.name for dimension in backbone.dimensions()]
    features = np.zeros(len(names), np.float32)
    features[names.index("rhythm.onset_rate")] = 0.1  # hiss: chance begins something now and then
    assert facts_of(backbone, features)["tempo_bpm"] == 120.0
    assert "tempo_bpm" not in facts_of_item(item, backbone, features)
    assert facts_of_item(replace(item, tempo_bpm=66.0), backbone, features)["tempo_bpm"] == 66.0


def test_a_list_that_is_placed_tells_the_tempo_that_was_measured_meanwhile(retriever):
    item = retriever.library.items(Modality.VIDEO)[1]
    plain = retriever.rank(retriever.query_item(item.id), k=4)
    untold = [
        replace(result, facts={name: fact for name, fact in result.facts.items() if name != "tempo_bpm"})
        for result in plain.results
    ]
    for ranked in (plain, replace(plain, results=tuple(untold))):
        for result in retriever.place(ranked, item.path).results:
            assert result.facts["tempo_bpm"] == pytest.approx(result.music.tempo_bpm, abs=0.3)
            assert next(iter(result.facts)) == "tempo_bpm", "said first, as always"

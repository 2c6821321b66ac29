"""Fixed lists per participant: balanced places, balanced neighbours, balanced sides, and a code at the end."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from mvr.arena.candidates import Competitor
from mvr.arena.refusal import Reason, Refused
from mvr.arena.studies import Participants, Study, StudyArena, latin_row
from mvr.datatypes import Direction
from mvr.errors import DataError, UsageError
from mvr.votes.records import Battle, Participant, Vote
from mvr.votes.voter import VoterSigner

SYSTEMS = tuple(Competitor(system_id=name, version="1") for name in ("cca", "mvbind", "random"))
LIST = [{"query_id": f"video-{i}", "first": "cca", "second": ("mvbind", "random")[i % 2]} for i in range(4)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 9, 10])
def test_every_battle_stands_at_every_place_and_after_every_other_equally_often(size):
    rows = size if size % 2 == 0 else 2 * size
    square = [latin_row(size, number) for number in range(rows)]
    assert all(sorted(row) == list(range(size)) for row in square)
    assert set(Counter((place, b) for row in square for place, b in enumerate(row)).values()) == {
        rows // size
    }
    neighbours = Counter(pair for row in square for pair in pairwise(row))
    assert len(neighbours) == size * (size - 1) and len(set(neighbours.values())) <= 1


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"study_id": "pilot", "direction": "v2m", "battles": LIST}))
    return Study.read(path)


@pytest.fixture
def arena(make_arena, study, world, signer):
    arena = make_arena()
    return StudyArena(arena, study, world, SYSTEMS, signer), arena


def finish(study_arena, arena, make_visit, pid, direction=Direction.VIDEO_TO_MUSIC):
    visit = make_visit(arena, study_arena.voter(pid), direction=direction)
    shown = []
    for _ in LIST:
        shown.append(study_arena.next_battle(visit.voter, session_id="s"))
        assert study_arena.next_battle(visit.voter, session_id="s").token == shown[-1].token
        visit.vote(shown[-1])
    return [one.battle for one in shown]


def test_participants_get_all_battles_in_balanced_order_and_a_code(arena, make_visit, store, signer):
    study_arena, plain = arena
    voter = study_arena.voter("P1")
    with pytest.raises(Refused, match="4 battles of the study"):
        study_arena.completion_code(voter)
    shown = [finish(study_arena, plain, make_visit, f"P{number}") for number in range(8)]
    for place in range(4):
        assert set(Counter(battles[place].query_id for battles in shown).values()) == {2}
    sides = Counter((b.query_id, b.left.competitor) for battles in shown for b in battles)
    assert set(sides.values()) == {4}
    assert study_arena.progress(voter) == (4, 4)
    code = study_arena.completion_code(voter)
    people = Participants("pilot", signer)
    assert people.owns("P1", code.lower()) and not people.owns("P2", code)
    assert not Participants("other", signer).owns("P1", code)
    with pytest.raises(Refused, match="finished", check=lambda error: error.reason == Reason.EXHAUSTED):
        study_arena.next_battle(voter, session_id="s")
    assert [row.number for row in sorted(store.rows(Participant), key=lambda row: row.number)] == list(
        range(8)
    )


def test_the_participant_id_is_stored_nowhere(arena, make_visit, store):
    study_arena, plain = arena
    finish(study_arena, plain, make_visit, "PROLIFIC-123")
    text = repr([store.rows(kind) for kind in (Battle, Vote, Participant)])
    assert "PROLIFIC" not in text and {b.study_id for b in store.rows(Battle)} == {"pilot"}


@pytest.mark.parametrize(
    "change",
    [{"battles": []}, {"battles": [LIST[0], LIST[0]]}, {"direction": "x"}, {"battles": [{"query_id": "a"}]}],
)
def test_odd_studies_are_refused(tmp_path, change):
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"study_id": "pilot", "direction": "v2m", "battles": LIST} | change))
    with pytest.raises(DataError):
        Study.read(path)


def test_a_study_of_systems_that_are_not_here_is_refused(make_arena, study, world, signer):
    with pytest.raises(UsageError, match="'random'"):
        StudyArena(make_arena(), study, world, SYSTEMS[:2], signer)


def test_the_organiser_checks_a_code_by_command(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from mvr.__main__ import app

    monkeypatch.setenv("MVR_SECRET", "a secret of sixteen bytes")
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"study_id": "pilot", "direction": "v2m", "battles": LIST}))
    people = Participants("pilot", VoterSigner(b"a secret of sixteen bytes"))
    code = people.code(people.voter("P1"))
    good, wrong = (
        CliRunner().invoke(app, ["votes", "verify-code", str(path), pid, code]) for pid in ("P1", "P2")
    )
    assert good.exit_code == 0 and "all battles are voted on" in good.stdout
    assert wrong.exit_code != 0 and "is not the code of 'P2'" in f"{wrong.stderr}{wrong.exception}"


def kind_of_study(tmp_path, **changes) -> Study:
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"study_id": "pilot", "direction": "v2m", "battles": LIST} | changes))
    return Study.read(path)


def test_the_first_browser_owns_an_id_and_no_other_comes_in(arena):
    study_arena, _ = arena
    voter = study_arena.admit("P1", "browser-a")
    assert study_arena.admit("P1", "browser-a") == voter == study_arena.voter("P1")
    with pytest.raises(Refused, match="in use in another browser"):
        study_arena.admit("P1", "browser-b")
    assert study_arena.admit("P2", "browser-b") != voter


def test_who_withdrew_from_a_study_is_told_so(arena, store):
    study_arena, _ = arena
    voter = study_arena.admit("P1", "browser-a")
    store.forget(voter)
    with pytest.raises(Refused, match="you withdrew from this study"):
        study_arena.admit("P1", "browser-a")


def test_a_listed_study_takes_the_ids_of_its_list_only(make_arena, world, signer, tmp_path):
    study = kind_of_study(tmp_path, kind="listed", participants=["P1", "P2"])
    listed = StudyArena(make_arena(), study, world, SYSTEMS, signer)
    assert listed.admit("P1", "browser-a")
    with pytest.raises(Refused, match="does not belong to the study"):
        listed.admit("P3", "browser-a")


def test_a_signed_study_takes_signed_ids_only_and_the_code_is_the_participant_s(
    make_arena, world, signer, tmp_path
):
    study = kind_of_study(tmp_path, kind="signed")
    signed = StudyArena(make_arena(), study, world, SYSTEMS, signer)
    people = Participants("pilot", signer)
    assert signed.admit(people.invite("P1"), "browser-a") == people.voter("P1")
    other = Participants("another", signer).invite("P1")
    for forged in (
        "P1",
        "P1.",
        ".x",
        f"{people.invite('P1')}x",
        people.invite("P1").replace("P1", "P2"),
        other,
    ):
        with pytest.raises(Refused, match="does not belong to the study"):
            signed.admit(forged, "browser-a")
    with pytest.raises(UsageError, match="contain a dot"):
        people.invite("a.b")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "closed"},
        {"kind": "listed"},
        {"participants": ["P1"]},
        {"kind": "signed", "participants": ["P"]},
    ],
)
def test_studies_of_an_unknown_kind_or_with_a_list_that_does_not_fit_are_refused(tmp_path, change):
    with pytest.raises(DataError):
        kind_of_study(tmp_path, **change)


def test_an_earlier_study_file_is_open(study):
    assert study.kind == "open"


def test_the_organiser_signs_ids_by_command(tmp_path, monkeypatch, signer):
    from typer.testing import CliRunner

    from mvr.__main__ import app

    monkeypatch.setenv("MVR_SECRET", "a secret for tests only")
    kind_of_study(tmp_path, kind="signed")
    result = CliRunner().invoke(app, ["votes", "invite", str(tmp_path / "study.json"), "P1", "P2"])
    people = Participants("pilot", signer)
    assert result.stdout.split() == [f"?pid={people.invite(pid)}" for pid in ("P1", "P2")]

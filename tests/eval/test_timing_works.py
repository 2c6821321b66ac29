from __future__ import annotations

import csv
import hashlib
import subprocess
from dataclasses import replace

import pytest

from eval.timing import works
from eval.timing.offsets import find_clips
from eval.timing.works import Film, collect, read_table
from mvr.errors import DataError

CONTENT = b"a film " * 100


def git(folder, *arguments) -> str:
    me = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *me, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Repositories as OWNER/NAME in a folder, the film not in the newest commit."""
    base = tmp_path_factory.mktemp("base")
    folder = base / "someone" / "game"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "the trailer.mp4").write_bytes(CONTENT)
    git(folder, "init", "--quiet")
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "film")
    git(folder, "rm", "--quiet", "docs/the trailer.mp4")
    git(folder, "commit", "--quiet", "-m", "film taken away")
    return base


@pytest.fixture(scope="module")
def film(base):
    commit = git(base / "someone" / "game", "rev-parse", "HEAD~1")
    return Film(
        file="game.mp4", work="game", repository="someone/game", commit=commit,
        path="docs/the trailer.mp4", sha256=hashlib.sha256(CONTENT).hexdigest(), licence="MIT",
    )  # fmt: skip


def test_the_table_names_at_least_twenty_works_in_two_halves():
    films = read_table()
    assert len({film.work for film in films}) >= 20
    halves = {film.set: film.work for film in films}
    assert sorted(halves) == ["half a", "half b"]


def test_what_is_chosen_by_and_what_judges_share_no_work_repository_or_film():
    judges, chosen_by = read_table(), read_table(works.DEVELOPMENT)
    assert len({film.work for film in chosen_by}) >= 60
    for column in ("work", "repository", "sha256"):
        shared = {getattr(film, column) for film in judges} & {getattr(film, column) for film in chosen_by}
        assert not shared, column


def test_a_film_of_an_old_commit_is_fetched_once_with_its_work(base, film, tmp_path):
    assert collect([film], tmp_path, str(base)) == []
    assert (tmp_path / "game.mp4").read_bytes() == CONTENT
    assert find_clips(tmp_path) == {tmp_path / "game.mp4": "game"}
    assert collect([film], tmp_path, "/nowhere") == []  # what is there is whole


def test_rows_of_other_clips_stay_in_the_manifest(base, film, tmp_path):
    (tmp_path / "manifest.csv").write_text("file,work,note\nmine.mp4,mine,kept\n", encoding="utf-8")
    for _ in range(2):
        collect([film], tmp_path, str(base))
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["work"], row["note"]) for row in rows] == [
        ("mine.mp4", "mine", "kept"),
        ("game.mp4", "game", ""),
    ]


def test_a_film_that_is_not_the_pinned_one_is_not_written(base, film, tmp_path):
    other = replace(film, sha256="0" * 64)
    (sentence,) = collect([other], tmp_path, str(base))
    assert "not the pinned film" in sentence and [path.name for path in tmp_path.iterdir()] == [
        "manifest.csv"
    ]
    assert "game.mp4" not in (tmp_path / "manifest.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change", [{"repository": "someone/gone"}, {"commit": "0" * 40}, {"path": "docs/another.mp4"}]
)
def test_what_is_gone_is_one_sentence_a_film_and_the_others_come(base, film, tmp_path, change):
    gone = replace(film, file="gone.mp4", **change)
    (sentence,) = collect([gone, film], tmp_path, str(base))
    assert sentence.startswith("gone.mp4: ") and "cannot be fetched" in sentence and "\n" not in sentence
    assert (tmp_path / "game.mp4").exists() and not (tmp_path / "gone.mp4").exists()


def test_the_command_says_what_could_not_be_had(base, film, tmp_path, monkeypatch, capsys):
    films = {works.TABLE: [film, replace(film, file="b.mp4", path="b.mp4")], works.DEVELOPMENT: [film]}
    monkeypatch.setattr(works, "read_table", films.__getitem__)
    assert works.main(["--collect", str(tmp_path), "--from", str(base)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("1 of 2 films of 1 works") and "b.mp4: b.mp4 cannot be fetched" in said.err
    assert works.main(["--collect", str(tmp_path), "--from", str(base), "--development"]) == 0
    assert capsys.readouterr().out.startswith("1 of 1 films of 1 works")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("file", "../game.mp4"),
        ("file", ".hidden.mp4"),
        ("repository", "--upload-pack=x/y"),
        ("commit", "main"),
    ],
)
def test_a_table_that_could_write_elsewhere_or_is_not_pinned_is_refused(film, tmp_path, column, cell):
    row = {name: getattr(film, name) for name in film.__dataclass_fields__} | {column: cell}
    with (tmp_path / "works.csv").open("w", encoding="utf-8", newline="") as file:
        sheet = csv.DictWriter(file, list(row))
        sheet.writeheader()
        sheet.writerow(row)
    with pytest.raises(DataError, match=f"line 2: {column} cannot be"):
        read_table(tmp_path / "works.csv")

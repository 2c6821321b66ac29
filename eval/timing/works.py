"""`python -m eval.timing.works --collect DIR [--development]`: real films with their own music.

For `eval.timing --clips DIR`. `works.csv` pins each film to a commit of a public repository, a path and a
SHA-256; the films themselves are fetched on request and are not part of this project. How they were chosen,
before any score, stands in LOG.md. They judge; whatever is chosen by real films is chosen by those of
`development_works.csv`, other works of other repositories. Only the named files are taken out of git's store:
nothing is checked out, and no code of a repository runs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from mvr.errors import DataError, ExtraMissing, MvrError

TABLE = Path(__file__).parent / "works.csv"
DEVELOPMENT = Path(__file__).parent / "development_works.csv"
BASE = "https://github.com"
TIMEOUT_S = 600
COLUMNS = ("file", "work", "set", "source", "licence")  # of manifest.csv
_SHAPES = {
    "file": r"\w[\w.-]*\.(mp4|mov|webm|ogv)", "work": r"\w[\w.-]*", "repository": r"\w[\w.-]*/\w[\w.-]*",
    "commit": r"[0-9a-f]{40}", "sha256": r"[0-9a-f]{64}",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Film:
    """One row of the table; `file` is its name in the folder, `licence` what its repository states."""

    file: str
    work: str
    repository: str
    commit: str
    path: str
    sha256: str
    licence: str

    @property
    def set(self) -> str:
        """Which half of the works it is in, by nothing but its name: a choice made on "a" is judged on "b"."""
        return f"half {'ab'[hashlib.sha256(self.work.encode()).digest()[0] % 2]}"

    @property
    def source(self) -> str:
        """Where it is from, in one cell."""
        return f"{self.repository}:{self.path}@{self.commit[:12]}"


def read_table(path: Path = TABLE) -> list[Film]:
    """Rows by repository.

    Raises:
        DataError: a cell that is not of its column's form, or one file twice.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for line, row in enumerate(rows, 2):
        for column, shape in _SHAPES.items():
            if not re.fullmatch(shape, row.get(column) or ""):
                raise DataError(f"{path.name}, line {line}: {column} cannot be {row.get(column)!r}")
    films = [Film(**row) for row in rows]
    if len({film.file for film in films}) < len(films):
        raise DataError(f"{path.name} names one file twice; every film needs a name of its own")
    return sorted(films, key=lambda film: (film.repository, film.commit, film.file))


def collect(films: Sequence[Film], folder: Path, base: str = BASE) -> list[str]:
    """Write the films and their `manifest.csv` into a folder; what is there and whole is not fetched again.

    Returns:
        A sentence for each film that could not be had; the manifest names the others alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [film for film in films if not _is_whole(folder / film.file, film)]
    complaints = []
    for (repository, _), wanted in groupby(missing, key=lambda film: (film.repository, film.commit)):
        complaints += _fetch(list(wanted), folder, f"{base.rstrip('/')}/{repository}")
    _write_manifest(folder / "manifest.csv", films)
    return complaints


def _write_manifest(path: Path, films: Sequence[Film]) -> None:
    """A row for each film that is there; rows of other files stay, so that own clips can lie beside them."""
    columns, rows = list(COLUMNS), []
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            sheet = csv.DictReader(file)
            rows = [row for row in sheet if row.get("file") not in {film.file for film in films}]
            columns = list(dict.fromkeys([*(sheet.fieldnames or ()), *COLUMNS]))
    rows += [
        {column: getattr(film, column) for column in COLUMNS}
        for film in films
        if _is_whole(path.parent / film.file, film)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _is_whole(path: Path, film: Film) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == film.sha256


def _fetch(films: Sequence[Film], folder: Path, address: str) -> list[str]:
    """Films of one commit into the folder; sentences for those that could not be had."""
    complaints = []
    with tempfile.TemporaryDirectory(prefix="mvr-works-") as store:
        try:
            _git(store, "init", "--quiet", "--bare")
            _git(store, "remote", "add", "origin", address)
            wanted = ("--quiet", "--depth=1", "--no-tags", "--filter=blob:none")
            _git(store, "fetch", *wanted, "origin", films[0].commit)
        except DataError as error:
            return [f"{film.file}: {address} cannot be fetched: {error}" for film in films]
        for film in films:
            try:
                content = _git(store, "cat-file", "blob", f"{film.commit}:{film.path}")
            except DataError as error:
                complaints.append(f"{film.file}: {film.path} cannot be fetched from {address}: {error}")
                continue
            if hashlib.sha256(content).hexdigest() != film.sha256:
                complaints.append(
                    f"{film.file}: what {address} gave is not the pinned film; nothing was written"
                )
                continue
            part = folder / f".{film.file}.part"
            part.write_bytes(content)
            part.replace(folder / film.file)
    return complaints


def _git(store: str, *arguments: str) -> bytes:
    quiet = {
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }  # a repository that is gone must not ask for a password
    try:
        done = subprocess.run(
            ["git", "-C", store, *arguments], capture_output=True, check=False, timeout=TIMEOUT_S,
            env={**os.environ, **quiet}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ExtraMissing("git is not installed; the films are fetched with it") from error
    except subprocess.TimeoutExpired as error:
        raise DataError(f"no answer within {TIMEOUT_S} s") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DataError(said[-1] if said else f"git left with code {done.returncode}")
    return done.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Collect, and say what could not be had."""
    parser = argparse.ArgumentParser(prog="python -m eval.timing.works", description=__doc__)
    parser.add_argument("--collect", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument(
        "--from",
        dest="base",
        default=BASE,
        metavar="URL",
        help=f"where repositories lie as OWNER/NAME ({BASE})",
    )
    parser.add_argument(
        "--development", action="store_true", help="the works to choose by, not those that judge"
    )
    wish = parser.parse_args(argv)
    try:
        films = read_table(DEVELOPMENT if wish.development else TABLE)
        complaints = collect(films, wish.collect, wish.base)
    except MvrError as error:
        sys.stderr.write(f"eval.timing.works: {error}\n")
        return 1
    for complaint in complaints:
        sys.stderr.write(f"eval.timing.works: {complaint}\n")
    works = {film.work for film in films if (wish.collect / film.file).is_file()}
    print(f"{len(films) - len(complaints)} of {len(films)} films of {len(works)} works in {wish.collect}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

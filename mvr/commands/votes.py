"""`mvr votes`: take votes out, put them in, count them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.learning import learn, promote
from mvr.commands.options import DbOption, ForceOption, JsonOption, LibraryOption, library_files, open_library
from mvr.commands.output import note, print_json, say, say_all
from mvr.config.outputs import check_output_file, check_output_folder
from mvr.datatypes import Direction
from mvr.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mvr.votes.store import VoteStore

Writers = dict[Path, "Callable[[Path], object]"]  # file -> what writes it

app = typer.Typer(no_args_is_help=True)
app.command("learn")(learn)
app.command("promote")(promote)
StudyArgument = Annotated[Path, typer.Argument(help="The study's file, as the server has it in MVR_STUDY.")]
PoolOption = Annotated[str, typer.Option("--pool", help="Name of the judged pool (qrels and runs).")]
DirectionOption = Annotated[Direction, typer.Option("--direction", help="Direction of qrels and runs.")]


class Kind(StrEnum):
    """Formats that `mvr votes export` writes."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    CSV = "csv"
    TREC = "trec"
    MTEB = "mteb"


@app.command("export")
def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder for the files.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The same folder, as an option.", show_default=False)
    ] = None,
    db: DbOption = None,
    kind: Annotated[
        Kind,
        typer.Option(
            "--format",
            "--to",
            help="trec: qrels and one run per system. mteb: a retrieval task per judged pool.",
        ),
    ] = Kind.JSONL,
    publish: Annotated[
        bool, typer.Option("--publish", help="New voter names, hours instead of times, no sessions.")
    ] = False,
    library: LibraryOption = None,
    with_media: Annotated[
        bool,
        typer.Option("--with-media", help="mteb: include files under CC BY and CC BY-SA, with credits."),
    ] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write all tables (one file each), TREC qrels and runs, or mteb tasks; voters who withdrew are left out."""
    from mvr.votes.records import RECORDS

    if (folder is None) == (out is None):
        raise UsageError("name one folder for the files: `mvr votes export DIR` or `--out DIR`")
    place = folder if out is None else out
    assert place is not None
    if publish and kind in (Kind.TREC, Kind.MTEB):
        raise UsageError("--publish is for tables; judgments never name their voters")
    if kind != Kind.MTEB and (with_media or library):
        raise UsageError("--with-media and --library belong to `--to mteb`")
    check_output_folder(place, ("*.qrels", "*/qrels.parquet", *(f"{record.table}.*" for record in RECORDS)))
    with _reading(db) as store:
        if kind == Kind.MTEB:
            writers = _mteb_writers(store, place, library, with_media)
        elif kind == Kind.TREC:
            writers = _trec_writers(store, place)
        else:
            writers = _table_writers(store, place, kind, publish)
    for file in writers:  # all are asked for before the first is written
        file.parent.mkdir(parents=True, exist_ok=True)
        check_output_file(file, force=force)
    for file, write in writers.items():
        write(file)
    files = list(writers)
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        for file in files:
            say(str(file))


@app.command("backup")
def backup(
    out: Annotated[Path, typer.Option("--out", help="SQLite file to write.", show_default=False)],
    db: DbOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Copy all votes into one file, even while a server is writing; a file copied by hand may lack the newest."""
    from mvr.votes.copies import back_up, file_of

    source = file_of(db)
    beside = [source.with_name(source.name + ending) for ending in ("-wal", "-shm", ".lock")]
    check_output_file(out, inputs=[source, *beside], kept=library_files(), force=force)
    votes = back_up(db, out)
    print_json({"file": str(out), "votes": votes}) if as_json else say(f"{out}: {votes} votes")


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="Exported folder, qrels file, or folder of run files (.run).")
    ],
    db: DbOption = None,
    pool: PoolOption = "imported",
    direction: DirectionOption = Direction.VIDEO_TO_MUSIC,
    as_json: JsonOption = False,
) -> None:
    """Add exported tables, TREC qrels (a .qrels file) or runs; rows already in the store are skipped."""
    from mvr.votes.formats.tables import import_tables
    from mvr.votes.formats.trec import import_qrels, import_runs

    if not source.exists():
        raise UsageError(f"there is nothing at {source}")
    runs = sorted(source.glob("*.run")) if source.is_dir() else [source] if source.suffix == ".run" else []
    with _writing(db) as store:
        if runs:
            added = {"pool_item": [import_runs(store, runs, pool_version=pool, direction=str(direction)), 0]}
        elif source.is_file():
            added = {
                "judgment": [import_qrels(store, source, pool_version=pool, direction=str(direction)), 0]
            }
        else:
            added = {name: list(counts) for name, counts in import_tables(store, source).items()}
    if as_json:
        print_json({name: {"added": counts[0], "known": counts[1]} for name, counts in added.items()})
        return
    for name, counts in added.items():
        say(f"{name}: {counts[0]} added, {counts[1]} known")


@app.command("stats")
def stats(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Print the leaderboard (see `python -m eval.votes` for plots, tables and files)."""
    from mvr.arena.board.board import build_board
    from mvr.arena.board.tables import report

    with _reading(db) as store:
        board = build_board(store)
    if as_json:
        print_json(board.document)
    else:
        say_all(report(board))


@app.command("verify")
def verify(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Check the chain of hashes: was a vote removed or changed in the database?"""
    from mvr.errors import DataError
    from mvr.votes.chain import broken_links

    with _reading(db) as store:
        broken = broken_links(store)
    if as_json:
        print_json({"broken": broken})
    elif not broken:
        say("every vote is as it was cast")
    if broken:
        raise DataError(
            f"{len(broken)} votes do not follow their voter's previous vote; the first is {broken[0]}"
        )


@app.command("verify-code")
def verify_code(
    study: StudyArgument,
    participant: Annotated[str, typer.Argument(help="The participant's id, as in ?pid=...")],
    code: Annotated[str, typer.Argument(help="What the participant brought back.")],
) -> None:
    """Check that a completion code is this participant's own; run it on the server, whose secret made it."""
    from mvr.arena.studies import Participants, Study
    from mvr.errors import DataError
    from mvr.votes.voter import VoterSigner, load_secret

    study_id = Study.read(study).study_id
    if not Participants(study_id, VoterSigner(load_secret())).owns(participant, code):
        raise DataError(
            f"{code} is not the code of {participant!r} in the study {study_id!r}, or it was made with another "
            "server's secret"
        )
    say(f"{code} is the code of {participant!r}: all battles are voted on")


@app.command("purge")
def purge(
    db: DbOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, delete them for good.")] = False,
) -> None:
    """Delete the rows of voters who asked to be forgotten (they count nowhere and are never exported anyway)."""
    if not yes:
        raise UsageError("this deletes rows for good; repeat it with --yes")
    with _writing(db, must_exist=True) as store:
        note(f"{store.purge()} rows deleted")


def _writing(db: str | None, *, must_exist: bool = False) -> VoteStore:
    from mvr.votes.engine import parse_url
    from mvr.votes.store import VoteStore

    url = parse_url(db)
    if must_exist and url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise UsageError(f"there are no votes at {url.database}")
    return VoteStore.open(db)


@contextmanager
def _reading(db: str | None) -> Iterator[VoteStore]:
    from mvr.votes.copies import note_on_nothing, open_to_read

    with open_to_read(db) as store:
        if nothing := note_on_nothing(store):
            note(nothing)
        yield store


def _table_writers(store: VoteStore, out: Path, kind: Kind, publish: bool) -> Writers:
    from functools import partial

    from mvr.votes.formats.card import dataset_card
    from mvr.votes.formats.publish import publishable
    from mvr.votes.formats.tables import Format, read_tables, write_table
    from mvr.votes.records import RECORDS

    tables = publishable(read_tables(store)) if publish else read_tables(store)
    writers: Writers = {
        out / f"{record.table}.{kind}": partial(
            write_table, record=record, rows=tables[record.table], kind=Format(str(kind))
        )
        for record in RECORDS
    }
    if publish:
        card = dataset_card(tables, lambda name: f"{name}.{kind}", published=True)
        writers[out / "README.md"] = partial(Path.write_text, data=card, encoding="utf-8", newline="\n")
    return writers


def _trec_writers(store: VoteStore, out: Path) -> Writers:
    from functools import partial

    from mvr.arena.board.inputs import read_input
    from mvr.arena.board.relevance import qrels_of, runs_of
    from mvr.votes.formats.trec import write_qrels, write_run

    data = read_input(store)
    writers: Writers = {}
    for (pool, direction), qrels in qrels_of(data.judgments).items():
        writers[out / f"{pool}-{direction}.qrels"] = partial(write_qrels, qrels)
    for (pool, direction), systems in runs_of(data.pool).items():
        for system, run in systems.items():
            name = f"{system.replace('/', '_')}.run"
            writers[out / f"{pool}-{direction}" / name] = partial(write_run, run, system)
    return writers


@app.command("invite")
def invite(
    study: StudyArgument,
    participants: Annotated[list[str], typer.Argument(help="Ids of participants, without dots.")],
    as_json: JsonOption = False,
) -> None:
    """Sign ids for a study of kind "signed" and print what follows ?pid= in each address; run it on the server."""
    from mvr.arena.studies import Participants, Study
    from mvr.votes.voter import VoterSigner, load_secret

    people = Participants(Study.read(study).study_id, VoterSigner(load_secret()))
    signed = {participant: people.invite(participant) for participant in participants}
    if as_json:
        print_json(signed)
    else:
        for given in signed.values():
            say(f"?pid={given}")


def _mteb_writers(store: VoteStore, out: Path, library: Path | None, with_media: bool) -> Writers:
    from mvr.arena.benchmark import Shelf, benchmark_tasks
    from mvr.commands.options import library_dir
    from mvr.library import open_demo_library
    from mvr.library.library import CATALOGUE
    from mvr.votes.formats.mteb import task_writers

    known = library is not None or (library_dir(None) / CATALOGUE).is_file()
    shelf = Shelf(
        libraries=[open_library(library)] if known else [], demo=open_demo_library(), with_media=with_media
    )
    writers: Writers = {}
    for task in benchmark_tasks(store, shelf):
        writers |= task_writers(task, out)
        if left := sum(task.left_out.values()):
            note(f"{task.name}: {left} queries left out ({', '.join(task.left_out)})")
    return writers

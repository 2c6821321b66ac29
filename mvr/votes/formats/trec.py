"""TREC qrels ("query 0 item grade") and runs ("query Q0 item rank score tag"), for any retrieval tool.

Unjudged items are absent, never grade 0, and "both bad" is no judgment. Scores of exported runs are 10000 - rank:
trec_eval reads scores as 32-bit floats and breaks ties by name, and must not reorder what was ranked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mvr.errors import DataError
from mvr.votes.ids import new_id
from mvr.votes.records import Judgment, PoolItem
from mvr.votes.store import VoteStore

TOP_SCORE = 10_000
Qrels = Mapping[str, Mapping[str, int]]
Run = Mapping[str, Mapping[str, float]]


def write_qrels(qrels: Qrels, path: Path) -> None:
    """One line per judged item, sorted.

    Raises:
        DataError: a name with a blank in it.
    """
    lines = [
        f"{_word(query)} 0 {_word(item)} {grade}"
        for query, items in sorted(qrels.items())
        for item, grade in sorted(items.items())
    ]
    _write(lines, path)


def write_run(run: Run, tag: str, path: Path) -> None:
    """One line per ranked item, best first.

    Raises:
        DataError: a name with a blank in it.
    """
    lines = []
    for query, items in sorted(run.items()):
        ranked = sorted(items, key=lambda item: (-items[item], item))
        for rank, item in enumerate(ranked, 1):
            lines.append(f"{_word(query)} Q0 {_word(item)} {rank} {TOP_SCORE - rank} {_word(tag)}")
    _write(lines, path)


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Grades by query and item.

    Raises:
        DataError: a line that is not "query 0 item grade" with a whole grade, or an item judged twice.
    """
    qrels: dict[str, dict[str, int]] = {}
    for where, (query, _, item, grade) in _lines(path, 4):
        if item in qrels.setdefault(query, {}):
            raise DataError(f"{where} judges {item} for {query} a second time")
        try:
            qrels[query][item] = int(grade)
        except ValueError as error:
            raise DataError(f"{where} has the grade {grade!r}, not a whole number") from error
    return qrels


def read_run(path: Path) -> tuple[str, dict[str, dict[str, int]]]:
    """The run's tag, and the rank of each item by query.

    Raises:
        DataError: a line that is not "query Q0 item rank score tag", several tags, or an item ranked twice.
    """
    run: dict[str, dict[str, int]] = {}
    tags = set()
    for where, (query, _, item, rank, _, tag) in _lines(path, 6):
        tags.add(tag)
        if item in run.setdefault(query, {}):
            raise DataError(f"{where} ranks {item} for {query} a second time")
        try:
            run[query][item] = int(rank)
        except ValueError as error:
            raise DataError(f"{where} has the rank {rank!r}, not a whole number") from error
    if len(tags) != 1:
        raise DataError(f"{path.name} holds {len(tags)} runs; a run file has exactly one tag")
    return tags.pop(), run


def import_qrels(store: VoteStore, path: Path, *, pool_version: str, direction: str) -> int:
    """Add grades as judgments of one imported judge; returns how many. Grades above 3 are refused."""
    judge = f"import:{path.stem}"
    rows = [
        Judgment(
            judgment_id=new_id(),
            direction=direction,
            query_id=query,
            item_id=item,
            item_group_id=item,
            grade=grade,
            guideline_version="imported",
            pool_version=pool_version,
            voter_id=judge,
            session_id="import",
            consent_version="imported",
        )
        for query, items in sorted(read_qrels(path).items())
        for item, grade in sorted(items.items())
    ]
    store.add(*rows)
    return len(rows)


def import_runs(store: VoteStore, paths: Sequence[Path], *, pool_version: str, direction: str) -> int:
    """Add the union of several runs as one pool; returns how many items it has. A pool is frozen: import it whole."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for path in paths:
        tag, run = read_run(path)
        for query, items in run.items():
            for item, rank in items.items():
                found.setdefault((query, item), {})[tag] = rank
    rows = [
        PoolItem(
            pool_version=pool_version,
            direction=direction,
            query_id=query,
            item_id=item,
            item_group_id=item,
            found_by=json.dumps(ranks, sort_keys=True),
        )
        for (query, item), ranks in sorted(found.items())
    ]
    if store.rows(PoolItem, pool_version=pool_version):
        raise DataError(
            f"the pool {pool_version!r} is already in the store; pools are frozen, choose another name"
        )
    store.add(*rows)
    return len(rows)


def _word(text: str) -> str:
    if not text or text.split() != [text]:
        raise DataError(f"TREC files cannot hold the name {text!r}: spaces separate their columns")
    return text


def _write(lines: Iterable[str], path: Path) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _lines(path: Path, width: int) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        words = line.split()
        if len(words) != width:
            raise DataError(f"{path.name} line {number} has {len(words)} columns, not {width}")
        yield f"{path.name} line {number}", words

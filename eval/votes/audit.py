"""Which planted faults the leaderboard names: `python -m eval.votes audit --seed N --out DIR`.

arenakit's nine boards (eight with one planted fault, one without) go in as `mvr votes import` takes them, and the board
that `python -m eval.votes` computes is read: which of its checks are flagged, and what they say.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from eval.votes.planted import planted_boards, write_votes
from mvr.arena.board import build_board
from mvr.arena.board.audit import flagged
from mvr.arena.board.source import open_votes
from mvr.config.outputs import check_output_folder
from mvr.datatypes import JsonDict
from mvr.metrics.preference import PairVotes

WANTED = {  # board -> checks of ours that must be flagged; of an even board none may be
    "even-board": (),
    "too-few-votes": ("order",),
    "first-slot-favoured": ("slot", "sides"),
    "draw-prone-model": ("ties",),
    "rock-paper-scissors": ("cycles",),
    "two-separate-pools": ("connectivity",),
    "lopsided-budget": ("balance",),
    "a-few-power-voters": ("concentration", "exclusion"),
    "one-loud-annotator": ("concentration", "exclusion"),
}


def audit_board(votes: PairVotes) -> JsonDict:
    """Flagged checks of the board of these votes, and what each says."""
    with tempfile.TemporaryDirectory() as folder:
        write_votes(votes, Path(folder))
        with open_votes(folder) as store:
            section = build_board(store).section("all")
    said = {finding["check"]: finding["said"] for finding in section["audit"]["findings"]}
    names = list(flagged(section["audit"]))
    return {"votes": section["votes"], "flagged": names, "said": {name: said[name] for name in names}}


def measure(seed: int) -> JsonDict:
    """All nine boards."""
    boards = {key: audit_board(votes) for key, votes in planted_boards(seed).items()}
    return {"seed": seed, "wanted": {key: list(checks) for key, checks in WANTED.items()}, "boards": boards}


def missed(document: JsonDict) -> list[str]:
    """Boards whose planted fault is not flagged, and an even board with a flag."""
    return [
        key
        for key, wanted in document["wanted"].items()
        if not set(wanted) <= set(document["boards"][key]["flagged"])
        or (not wanted and document["boards"][key]["flagged"])
    ]


def as_markdown(document: JsonDict) -> str:
    """The table, from the JSON alone."""
    lines = [
        "# What the board says of planted faults",
        "",
        f"`python -m eval.votes audit --seed {document['seed']}`; boards of arenakit 0.1.1, 20 days of votes each.",
        "",
        "| board | wanted | flagged | said |",
        "|---|---|---|---|",
    ]
    for key, board in document["boards"].items():
        wanted, names = ", ".join(document["wanted"][key]) or "none", ", ".join(board["flagged"]) or "none"
        lines.append(f"| {key} | {wanted} | {names} | {' '.join(board['said'].values()) or '-'} |")
    failed = missed(document)
    lines += [
        "",
        f"Missed: {', '.join(failed)}."
        if failed
        else "Every planted fault is flagged, the even board is not.",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write audit.json and audit.md, print the latter; 1 if a planted fault was missed."""
    parser = argparse.ArgumentParser(prog="python -m eval.votes audit", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the planted boards (0: arenakit's own)")
    parser.add_argument("--out", type=Path, required=True, help="folder for audit.json and audit.md")
    options = parser.parse_args(arguments)
    check_output_folder(options.out, ("audit.json", "coverage.json", "attack.json"))
    document = measure(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "audit.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(document)
    (options.out / "audit.md").write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(text)
    return 1 if missed(document) else 0

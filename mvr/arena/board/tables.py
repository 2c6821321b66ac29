"""The numbers of a board as CSV and as a Markdown report, from the same document as the plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from mvr.arena.board.board import Board
from mvr.arena.board.forest import forest_plot
from mvr.arena.board.original import PUBLISHED
from mvr.config.cells import spreadsheet_cell
from mvr.datatypes import Direction, JsonDict

SECTION_TITLES = {"all": "All votes", **{str(direction): direction.heading for direction in Direction}}
PAIR_COLUMNS = ("first", "second", "votes", "points_share", "expected_share", "p_holm")
ORIGINAL_COLUMNS = (
    "system",
    "votes",
    "win_or_tie",
    "low",
    "high",
    "votes_unrecognised",
    "win_or_tie_unrecognised",
    "low_unrecognised",
    "high_unrecognised",
)
HUGE = 1e6  # beyond it only the power of ten says anything
RATING_COLUMNS = (
    "board",
    "rank_low",
    "rank_high",
    "system",
    "elo",
    "elo_low",
    "elo_high",
    "votes",
    "wins",
    "losses",
    "ties",
    "win_share",
    "both_bad_share",
    "both_bad_low",
    "both_bad_high",
    "effective_voters",
    "preliminary",
)
DIFFERENCE_COLUMNS = (
    "board",
    "better",
    "worse",
    "elo",
    "elo_low",
    "elo_high",
    "p_holm",
    "wins",
    "losses",
    "e_value",
    "separated_by_e_value",
    "votes_still_needed",
)


def ratings_csv(board: Board) -> str:
    """One line per system and rating table."""
    rows = [row | {"board": section["name"]} for section in board.sections for row in section["rows"]]
    return _csv(RATING_COLUMNS, rows)


def differences_csv(board: Board) -> str:
    """One line per pair of systems and rating table, with the votes still needed to separate them."""
    rows = [row | {"board": section["name"]} for section in board.sections for row in section["differences"]]
    return _csv(DIFFERENCE_COLUMNS, rows)


def forest_plots(board: Board) -> dict[str, str]:
    """File name -> SVG for every rating table."""
    return {
        f"forest-{_slug(section['name'])}.svg": forest_plot(section, _title(section))
        for section in board.sections
    }


def report(board: Board) -> str:
    """The whole board in Markdown."""
    document = board.document
    lines = ["# Leaderboard by blind votes", "", _window(document), ""]
    for section in board.sections:
        lines += [
            f"## {_title(section)}",
            "",
            f"![{_title(section)}](forest-{_slug(section['name'])}.svg)",
            "",
        ]
        lines += [*_rating_lines(section), *_group_lines(section["groups"]), *_audit_lines(section["audit"])]
    lines += ["## Votes still needed", "", *_needed_lines(board.section("all")), ""]
    lines += [
        "## How often people preferred each alpha",
        "",
        *_table(("system", "alpha", "votes", "preferred", "low", "high"), document["alphas"]),
        "",
    ]
    if document["original"]:
        lines += ["## Against the clip's own music", "", f"{PUBLISHED}.", ""]
        lines += [*_table(ORIGINAL_COLUMNS, document["original"]), ""]
    lines += ["## Other choices, same votes", "", f"Published model: {document['published_model']}.", ""]
    lines += _table(("name", "largest_change_nats", "same_order", "separated"), document["sensitivity"])
    lines += ["", "## Agreement", "", *_quality_lines(document["quality"]), ""]
    lines += ["## Relevance judged by people", "", *_relevance_lines(document["relevance"]), ""]
    lines += ["## Order by people against order by Recall@10 and median rank", ""]
    lines += _table(("direction", "systems", "tau_recall_at_10", "tau_median_rank"), document["offline"])
    lines += ["", "## What was left out", "", *_left_out(document), ""]
    lines += ["## How it is computed", "", METHOD, ""]
    return "\n".join(lines)


METHOD = """Davidson's model with ties and a term for the left side, fitted to votes whose weight is capped per voter.
Intervals are 95 % and allow for votes of one voter, on one video and of one day being alike: a sandwich estimate over
all three, never narrower than for independent votes, with Student's quantile for the effective number of voters, videos
or days. Where days are too few it is the widest of the estimates over voters, videos and both. There is no interval
below five effective voters or videos, and none wider than what is known before the first vote (681 Elo to each side).
All differences are tested together (Holm); ranks are intervals. A system marked * is preliminary: fewer than 50
decisive votes or 15 effective voters. "Both bad" is counted apart. Looking at the e-value of a pair (20 or more: the
first is better) is allowed at any time, as long as votes are independent; looking at the intervals after every vote is
not."""


def _csv(columns: Sequence[str], rows: Sequence[JsonDict]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: spreadsheet_cell(row[name]) for name in columns if name in row} for row in rows)
    return out.getvalue()


def _slug(name: str) -> str:
    """
    >>> _slug("genre: R&B / Soul")
    'genre-r-b-soul'
    """
    letters = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    return "-".join(filter(None, letters.split("-")))


def _title(section: JsonDict) -> str:
    name = str(section["name"])
    return SECTION_TITLES.get(name, name.capitalize())


def _window(document: JsonDict) -> str:
    inputs = document["inputs"]
    days = f"from {inputs['first_vote']} to {inputs['last_vote']}" if inputs["first_vote"] else "none yet"
    return (
        f"{document['votes']['votes on the board']} votes of {inputs['voters']} voters, {days}. "
        f"Data {inputs['sha256'][:16]}, code {document['code']}."
    )


def _rating_lines(section: JsonDict) -> list[str]:
    note = [f"*{section['note']}*", ""] if section["note"] else []
    if not section["rows"]:
        return note
    few = [f"**{section['needs']}**", ""] if section["needs"] else []
    worth = (
        f"{section['votes']} votes of {section['voters']} voters, worth {section['effective_voters']:.1f} equally busy "
        f"voters and {section['effective_videos']:.1f} videos; left side {section['slot_elo']:+.1f} Elo. "
        + section["days"]
    )
    rows = [
        {
            "rank": "-" if row["rank_low"] is None else f"{row['rank_low']}-{row['rank_high']}",
            "system": row["system"] + (" *" if row["preliminary"] else ""),
            "Elo": f"{row['elo']:.0f}",
            "95 % interval": "-"
            if row["elo_low"] is None
            else f"{row['elo_low']:.0f} to {row['elo_high']:.0f}",
            "votes": row["votes"],
            "wins": row["wins"],
            "losses": row["losses"],
            "ties": row["ties"],
            "both bad": f"{100 * row['both_bad_share']:.0f} %",
            "effective voters": f"{row['effective_voters']:.1f}",
        }
        for row in section["rows"]
    ]
    return [*note, *few, worth, "", *_table(tuple(rows[0]), rows), ""]


def _group_lines(groups: Sequence[JsonDict]) -> list[str]:
    if not groups:
        return []
    lines = ["Groups that never met, each with its own order:", ""]
    for group in groups:
        ranks = zip(
            group["systems"],
            group["rank_low"] or [None] * len(group["systems"]),
            group["rank_high"] or [None] * len(group["systems"]),
            strict=True,
        )
        names = [name if low is None else f"{name} ({low}-{high})" for name, low, high in ranks]
        lines.append(f"- group {group['group']}, {group['votes']} votes: {', '.join(names)}")
    return [*lines, ""]


def _audit_lines(audit: JsonDict) -> list[str]:
    """Findings, flagged ones first; pairs seen against expected; orders without one thing."""
    if not audit["findings"]:
        return []
    findings = sorted(audit["findings"], key=lambda finding: not finding["flagged"])
    lines = ["### What speaks against it", ""]
    lines += [
        f"- **{one['check']}**: {one['said']}" if one["flagged"] else f"- {one['check']}: {one['said']}"
        for one in findings
    ]
    lines += ["", "Points of each pair (a win 1, a tie 1/2) against those that the strengths expect:", ""]
    lines += _table(PAIR_COLUMNS, audit["pairs"])
    lines += ["", "The order without one thing:", ""]
    return [*lines, *_table(("without", "share", "same_order", "order"), audit["orders"]), ""]


def _needed_lines(section: JsonDict) -> list[str]:
    columns = ("better", "worse", "elo", "p_holm", "e_value", "votes_still_needed")
    return _table(columns, section["differences"])


def _quality_lines(quality: JsonDict) -> list[str]:
    rows = [
        {"question": "planted mismatches recognised"} | quality["gold"],
        {"question": "same answer with the sides swapped"} | quality["self_agreement"],
    ]
    judges = quality["judges"]
    alpha = "not yet known" if judges["alpha"] is None else f"{judges['alpha']:.3f}"
    bounds = "" if judges["low"] is None else f" ({judges['low']:.3f} to {judges['high']:.3f})"
    text = f"Judges: Krippendorff's ordinal alpha {alpha}{bounds}, {judges['items_judged_twice']} items judged twice."
    return [*_table(("question", "count", "share", "low", "high"), rows), "", text]


def _relevance_lines(pools: Sequence[JsonDict]) -> list[str]:
    lines: list[str] = []
    for pool in pools:
        lines += [
            f"Pool {pool['pool_version']}, {pool['direction']}: {pool['judged_items']} items judged.",
            "",
        ]
        if pool["refused"]:
            lines += [f"Not comparable: {pool['refused']}.", ""]
        if pool["systems"]:
            lines += [*_table(tuple(pool["systems"][0]), pool["systems"]), ""]
    return lines or ["No judgments yet."]


def _left_out(document: JsonDict) -> list[str]:
    rows = [{"what": name, "count": count} for name, count in document["votes"].items()]
    rows += [
        {"what": f"voters set aside: {rule}", "count": count}
        for rule, count in document["excluded_voters"].items()
    ]
    return [*_table(("what", "count"), rows), *[f"\n{line}" for line in campaign_lines(document)]]


def campaign_lines(document: JsonDict) -> list[str]:
    """One sentence per campaign that was set aside as a whole."""
    return [
        f"Set aside as a campaign: {row['votes']} votes of {row['voters']} new voters who chose "
        f"{_target(row['target'])} together (seen in: {row['found_in']})."
        for row in document["campaigns"]
    ]


def _target(target: str) -> str:
    """
    >>> _target("against the order"), _target("against random"), _target("random")
    ('the lower-ranked system', 'whatever played against random', 'random')
    """
    known = {
        "left side": "the left side",
        "right side": "the right side",
        "the order": "the higher-ranked system",
        "against the order": "the lower-ranked system",
    }
    shunned = target.removeprefix("against ")
    return known.get(target, target if shunned == target else f"whatever played against {shunned}")


def _table(columns: Sequence[str], rows: Sequence[JsonDict]) -> list[str]:
    if not rows:
        return ["None yet."]
    head = ["| " + " | ".join(name.replace("_", " ") for name in columns) + " |", "|---" * len(columns) + "|"]
    return head + ["| " + " | ".join(_cell(row[name]) for name in columns) + " |" for row in rows]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.1e}" if abs(value) >= HUGE else f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).replace("|", "\\|").replace("\n", " ")

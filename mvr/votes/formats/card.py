"""The card of a votes dataset: what is in it, its licence, what does not count, how to recompute the board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import mvr
from mvr.votes.formats.tables import Tables
from mvr.votes.records import SCHEMA_VERSION

LICENCE = "cc-by-4.0"
ABOUT = {
    "battle": "what was shown: query, both systems with their versions, sides, and the probability of each choice",
    "vote": "what was said, how long each side was heard; taking a vote back is a row of its own",
    "judgment": "grades 0 to 3; null was seen but not judged",
    "flag": "why a row does not count; flags are added, never rows removed",
    "consent": "which text was agreed to, by its hash",
    "pool_item": "the frozen lists that were graded, with who found what",
    "participant": "numbers of study participants",
}


def dataset_card(tables: Tables, pattern: Callable[[str], str], *, published: bool) -> str:
    """Markdown with the front matter that dataset hosts read.

    Args:
        tables: rows by table.
        pattern: table name -> its files in the dataset.
        published: voters and rows have new names (`mvr votes export --publish`), not the store's own.
    """
    filled = [name for name in ABOUT if tables.get(name)]
    configs = "".join(f"\n- config_name: {name}\n  data_files: {pattern(name)!r}" for name in filled).replace(
        "'", '"'
    )
    excluded = Counter(row["rule_id"] for row in tables.get("flag", []) if row["verdict"] == "exclude")
    rules = "".join(f"\n- {rule}: {count}" for rule, count in sorted(excluded.items())) or "\n- none"
    contents = "".join(f"\n| `{name}` | {len(tables[name])} | {ABOUT[name]} |" for name in filled)
    names = (
        "Voters and rows have new names under a key that was thrown away, times are rounded to the hour."
        if published
        else "Voters are random numbers as in the store: keep this dataset private, and publish what "
        "`mvr votes export --publish` writes."
    )
    return (
        f"---\nlicense: {LICENCE}\npretty_name: Blind votes on music for video\ntags: [music, video, preference]\n"
        f"configs:{configs or ' []'}\n---\n\n# Blind votes on music for video\n\n"
        f"Schema version {SCHEMA_VERSION}, written by mvr {mvr.__version__}. {names} No address, e-mail, account, text "
        "or uploaded file is in it; music and video are named by id and hash, never included.\n\n"
        f"| table | rows | what |\n|---|---:|---|{contents}\n\nRows that flags exclude, by rule:\n{rules}\n\n"
        "Recompute the leaderboard from a copy: `python -m eval.votes --db FOLDER --out report`.\n"
    )

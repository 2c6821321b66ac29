"""How far attackers move the leaderboard: an honest crowd, seven attacks on it, the rules that set voters aside.

    python -m eval.votes attack --seed 0 [--seeds 20] [--out DIR]

Each seed draws 60 honest voters of 15 votes and one attack by 40 voters, as votes that the arena would have stored, and
rates the systems from the honest votes alone and from all votes, both through the board's own exclusion. Printed is the
move of each system in Elo, and as a share of its full 95 % interval on the honest votes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mvr.arena.board.exclusion import excluded_voters
from mvr.arena.board.inputs import BoardInput, Check
from mvr.arena.board.sections import pair_votes
from mvr.datatypes import JsonDict
from mvr.metrics.preference import RatingSettings, rate
from mvr.metrics.preference.ratings import ELO_PER_NAT

STRENGTHS = {"good": 0.6, "fair": 0.2, "plain": -0.1, "random": -0.7}
HONEST, HONEST_VOTES, ATTACKERS = 60, 15, 40
ATTACK_VOTES = 6  # 220 votes of 40 voters were taken in the attack that this repeats
TASTE_SD, VIDEO_SD, TIES, VIDEOS, DAYS = 0.5, 0.4, 0.5, 40, 6
BLOCK, PLANTED = (
    10,
    0.7,
)  # the arena puts one check into each block of battles, and so often it is a planted mismatch
CHECK_PASSED = 0.95  # how often an attentive voter recognises one


@dataclass
class Crowd:
    """Votes as the board reads them, and the checks that were answered."""

    rng: random.Random
    rows: list[dict[str, Any]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def data(self) -> BoardInput:
        """What a board is computed from."""
        return BoardInput(
            counted=self.rows, checks=self.checks, repeats=[], judgments=[], pool=[], tallies={}, sha256=""
        )


Choice = Callable[["Voter", str, str, int], str | None]


@dataclass
class Voter:
    """One voter: taste by system, where and when they vote, how they choose; None is "skip"."""

    name: str
    label: str
    day: int
    taste: dict[str, float]
    choose: Choice
    attentive: float = CHECK_PASSED


def honest_choice(videos: dict[tuple[int, str], float], rng: random.Random) -> Choice:
    """Davidson's model: common strength, the voter's taste, what fits this video."""

    def choose(voter: Voter, left: str, right: str, video: int) -> str:
        strength = [STRENGTHS[name] + voter.taste[name] + videos[video, name] for name in (left, right)]
        gap = strength[0] - strength[1]
        return rng.choices(["left", "right", "tie"], [math.exp(gap / 2), math.exp(-gap / 2), TIES])[0]

    return choose


def cast(crowd: Crowd, voter: Voter, votes: int) -> None:
    """Let a voter see battles of fair pairs until so many are voted on (a skipped one costs nothing but time)."""
    rng, done, seen, check_at = crowd.rng, 0, 0, crowd.rng.randrange(BLOCK)
    while done < votes:
        seen += 1
        if seen % BLOCK == 0:
            check_at = rng.randrange(BLOCK)
        if seen % BLOCK == check_at and rng.random() < PLANTED:
            crowd.checks.append(Check(voter_id=voter.name, passed=rng.random() < voter.attentive))
        left, right = rng.sample(sorted(STRENGTHS), 2)
        video = rng.randrange(VIDEOS)
        outcome = voter.choose(voter, left, right, video)
        if outcome is None:
            continue
        done += 1
        crowd.rows.append(
            {
                "voter_id": voter.name, "left": left, "right": right, "outcome": outcome, "day": voter.day,
                "group_label": f"{voter.label}/{voter.day}", "query_group_id": f"video-{video}", "pair_prob": 1 / 6,
            }
        )  # fmt: skip


def for_one(favourite: str, otherwise: Choice | None) -> Choice:
    """Always the favourite where it plays; elsewhere another way of choosing, or skip."""

    def choose(voter: Voter, left: str, right: str, video: int) -> str | None:
        if favourite in (left, right):
            return "left" if left == favourite else "right"
        return otherwise(voter, left, right, video) if otherwise else None

    return choose


def _by_order(voter: Voter, left: str, right: str, video: int) -> str:
    return "left" if STRENGTHS[left] > STRENGTHS[right] else "right"


def _left(voter: Voter, left: str, right: str, video: int) -> str:
    return "left"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Forty voters: whether from one address, over how many days, how they choose, how they answer checks."""

    name: str
    choose: Choice
    one_address: bool = True
    days: int = 1
    votes: int = ATTACK_VOTES
    attentive: float = 0.5

    def voters(self, rng: random.Random) -> Iterator[Voter]:
        """The attackers, with the taste of nobody in particular."""
        for number in range(ATTACKERS):
            taste = {name: rng.gauss(0, TASTE_SD) for name in STRENGTHS}
            label = "attack" if self.one_address else f"attack-{number}"
            day = 2 if self.days == 1 else number % self.days
            yield Voter(f"bad-{number}", label, day, taste, self.choose, self.attentive)


def attacks(honest: Choice) -> list[Attack]:
    """The seven, all for the system that guesses but the left-clickers and the copycats."""
    bad = "random"
    return [
        Attack(name="identities known by fingerprint", choose=for_one(bad, None)),
        Attack(name="slow drip", choose=for_one(bad, None), days=20),
        Attack(name="one address", choose=for_one(bad, honest)),
        Attack(name="many addresses", choose=for_one(bad, None), one_address=False),
        Attack(name="left-clickers", choose=_left, one_address=False),
        Attack(
            name="shills who listen", choose=for_one(bad, honest), one_address=False, days=DAYS,
            votes=HONEST_VOTES, attentive=CHECK_PASSED,
        ),
        Attack(name="copycats of the order", choose=_by_order, one_address=False, days=DAYS, attentive=CHECK_PASSED),
    ]  # fmt: skip


def honest_crowd(seed: int) -> tuple[Crowd, Choice]:
    """Sixty people over some days, most at an address of their own, twelve in threes at a common one."""
    rng = random.Random(seed)
    videos = {(video, name): rng.gauss(0, VIDEO_SD) for video in range(VIDEOS) for name in sorted(STRENGTHS)}
    choose = honest_choice(videos, rng)
    crowd = Crowd(rng)
    for number in range(HONEST):
        taste = {name: rng.gauss(0, TASTE_SD) for name in STRENGTHS}
        label = f"home-{number // 3 if number < 12 else number}"
        cast(crowd, Voter(f"good-{number}", label, number % DAYS, taste, choose), HONEST_VOTES)
    return crowd, choose


def elo_of(data: BoardInput, *, singly: bool = False) -> tuple[dict[str, float], dict[str, float], set[str]]:
    """Elo and full 95 % width of each system, and who was set aside; `singly`: by the tests of one voter alone."""
    by_rule = excluded_voters(data)
    barred = set().union(*(who for rule, who in by_rule.items() if not (singly and rule == "campaign")))
    ratings = rate(
        pair_votes([row for row in data.counted if row["voter_id"] not in barred]), RatingSettings()
    )
    elo = {row.system: row.elo for row in ratings.rows}
    width = {
        row.system: ELO_PER_NAT * (row.high - row.low)
        for row in ratings.rows
        if row.high is not None and row.low is not None
    }
    return elo, width, barred


def run_seed(seed: int) -> list[JsonDict]:
    """One honest crowd under each attack: move of each system in Elo and as a share of its full interval."""
    crowd, honest = honest_crowd(seed)
    before, width, _ = elo_of(crowd.data())
    found = []
    for number, attack in enumerate(attacks(honest)):
        attacked = Crowd(random.Random(1000 * seed + number), list(crowd.rows), list(crowd.checks))
        for voter in attack.voters(attacked.rng):
            cast(attacked, voter, attack.votes)
        after, _, barred = elo_of(attacked.data())
        moves = {name: after[name] - before[name] for name in sorted(before)}
        alone, _, _ = elo_of(attacked.data(), singly=True)
        found.append(
            {
                "seed": seed, "attack": attack.name, "moves_elo": moves,
                "share_of_width": {name: abs(move) / width[name] for name, move in moves.items()},
                "share_without_campaigns": {name: abs(alone[name] - before[name]) / width[name] for name in moves},
                "caught": sum(name.startswith("bad") for name in barred) / ATTACKERS,
                "lost": sum(name.startswith("good") for name in barred) / HONEST,
            }
        )  # fmt: skip
    return found


def table(rows: list[JsonDict]) -> str:
    """Per attack over all seeds: largest and mean move of every system against its interval, who was set aside."""
    lines = [
        "| attack | system | mean move (Elo) | largest move (Elo) | largest share of the full 95 % width | "
        "without the test for campaigns | attackers set aside | honest voters set aside |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in dict.fromkeys(row["attack"] for row in rows):
        mine = [row for row in rows if row["attack"] == name]
        caught, lost = (np.mean([row[key] for row in mine]) for key in ("caught", "lost"))
        for system in STRENGTHS:
            moves = [row["moves_elo"][system] for row in mine]
            share = max(row["share_of_width"][system] for row in mine)
            alone = max(row["share_without_campaigns"][system] for row in mine)
            lines.append(
                f"| {name} | {system} | {np.mean(moves):+.1f} | {max(map(abs, moves)):.1f} | {share:.2f} | "
                f"{alone:.2f} | {caught:.0%} | {lost:.1%} |"
            )
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Print the table; 1 when a system moved by more than half of its full interval."""
    parser = argparse.ArgumentParser(prog="python -m eval.votes attack", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument("--out", type=Path, help="folder for attack.md and attack.json")
    options = parser.parse_args(arguments)
    rows = [row for seed in range(options.seed, options.seed + options.seeds) for row in run_seed(seed)]
    worst = max(share for row in rows for share in row["share_of_width"].values())
    text = (
        f"{HONEST} honest voters of {HONEST_VOTES} votes, {ATTACKERS} attackers; seeds {options.seed} to "
        f"{options.seed + options.seeds - 1}.\n\n{table(rows)}\nLargest move: {worst:.2f} of the full 95 % width.\n"
    )
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "attack.md").write_text(text, encoding="utf-8", newline="\n")
        (options.out / "attack.json").write_text(
            json.dumps(rows, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
    print(text)
    return int(worst > 0.5)

"""One battle at random: pair, query, items and sides, each with the probability that is stored with it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mvr.arena.candidates import ORIGINAL, Candidate, Candidates, Competitor, QueryItem
from mvr.arena.checks import DOUBTED_SHARE, check_probability, is_doubted
from mvr.arena.policy import Pair, PairPolicy
from mvr.arena.refusal import Reason, Refused
from mvr.arena.voter import Voter, seen_keys
from mvr.datatypes import Direction
from mvr.votes.records import Battle, BattleKind, Side

EXHAUSTED = "you have judged every pair that there is for now; thank you"
ATTEMPTS = 200


@dataclass(frozen=True, kw_only=True)
class DrawSettings:
    """Shares of the kinds of battle (repeats: of checks) and how deep exploration reaches."""

    check_share: float = 0.1
    repeat_share: float = 0.3
    explore_share: float = 0.1
    depth: int = 20
    needed_ms: int = 5000
    ui_version: str = "1"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A battle that is not stored yet, and the ones drawn before it whose two sides were the same music."""

    battle: Battle
    identical: tuple[Battle, ...] = field(default=())


class Drawer:
    """Draws battles among competitors; the same seed and state give the same battle."""

    def __init__(
        self, candidates: Candidates, competitors: Sequence[Competitor], settings: DrawSettings
    ) -> None:
        self._candidates = candidates
        self._by_name = {competitor.name: competitor for competitor in competitors}
        self._settings = settings

    def draw(
        self,
        voter: Voter,
        direction: Direction,
        policy: PairPolicy,
        *,
        seed: int,
        query: QueryItem | None = None,
    ) -> Drawn:
        """A check or a regular battle (see `mvr.arena.checks`).

        Raises:
            Refused: this voter has met every pair under every query.
        """
        rng = random.Random(seed)
        if query is None and self._settings.check_share > 0 and is_doubted(voter):
            if rng.random() < DOUBTED_SHARE:
                return Drawn(battle=self._gold(voter, direction, rng, seed))
        elif query is None and rng.random() < check_probability(voter, direction, self._settings.check_share):
            return self._check(voter, direction, rng, seed)
        identical: list[Battle] = []
        for _ in range(ATTEMPTS):
            battle = self._regular(voter, direction, policy, rng, seed, query)
            keys = seen_keys(battle)
            if battle.left.item_group_id == battle.right.item_group_id:
                if (
                    not any(keys[0] == seen_keys(other)[0] for other in identical)
                    and keys[0] not in voter.seen
                ):
                    identical.append(replace(battle, kind=BattleKind.IDENTICAL))
            elif not voter.seen.intersection(keys):
                return Drawn(battle=battle, identical=tuple(identical))
        raise Refused(Reason.EXHAUSTED, EXHAUSTED)

    def fixed(
        self,
        voter: Voter,
        direction: Direction,
        query: QueryItem,
        sides: tuple[Competitor, Competitor],
        study: str,
    ) -> Battle:
        """The battle of a study: both sides given, each system's top item."""
        left, right = (self._pick(query, competitor, None) for competitor in sides)
        base = self._base(voter, direction, query, seed=0)
        return Battle(
            **base, left=left, right=right, policy_id="study-v1", pair_prob=1.0, slot_prob=1.0, study_id=study
        )

    def _regular(
        self,
        voter: Voter,
        direction: Direction,
        policy: PairPolicy,
        rng: random.Random,
        seed: int,
        query: QueryItem | None,
    ) -> Battle:
        asked = [query] if query is not None else list(self._candidates.queries(direction))
        pairs = self._pairs(policy)
        weights = [
            probability * any(self._may_meet(pair, one, direction) for one in asked)
            for pair, probability in pairs
        ]
        if not sum(weights):
            raise Refused(Reason.EXHAUSTED, EXHAUSTED)
        number = rng.choices(range(len(pairs)), weights=weights)[0]
        pair = list(pairs[number][0])
        chosen = rng.choice([one for one in asked if self._may_meet(pairs[number][0], one, direction)])
        rng.shuffle(pair)  # the fair coin for the side
        explored = rng.randrange(2) if rng.random() < self._settings.explore_share else None
        sides = [
            self._pick(chosen, self._by_name[name], rng, explore=explored == slot)
            for slot, name in enumerate(pair)
        ]
        return Battle(
            **self._base(voter, direction, chosen, seed),
            left=sides[0],
            right=sides[1],
            policy_id=policy.policy_id,
            pair_prob=weights[number] / sum(weights),
        )

    def _pairs(self, policy: PairPolicy) -> list[tuple[Pair, float]]:
        """The policy's pairs with their weights, and each system against `original`, as often as an even pair."""
        pairs = [
            (pair, float(weight)) for pair, weight in zip(policy.pairs, policy.probabilities, strict=True)
        ]
        if ORIGINAL in self._by_name and pairs:
            names = sorted({name for pair in policy.pairs for name in pair})
            pairs += [((ORIGINAL, name), 1 / len(policy.pairs)) for name in names]
        return pairs

    def _may_meet(self, pair: tuple[str, str], query: QueryItem, direction: Direction) -> bool:
        return all(self._by_name[name].meets(query, direction) for name in pair)

    def _pick(
        self, query: QueryItem, competitor: Competitor, rng: random.Random | None, *, explore: bool = False
    ) -> Side:
        """The top item, or with exploration one of ranks 2 to `depth`; the probability counts both ways."""
        if competitor.system_id == ORIGINAL:
            return query.original.side(competitor)
        ranked = self._candidates.top(query, competitor, self._settings.depth)
        share = self._settings.explore_share / 2 if rng is not None and len(ranked) > 1 else 0.0
        if rng is None or not explore or len(ranked) < 2:
            return ranked[0].side(competitor, 1 - share)
        return rng.choice(ranked[1:]).side(competitor, share / (len(ranked) - 1))

    def _check(self, voter: Voter, direction: Direction, rng: random.Random, seed: int) -> Drawn:
        """An earlier battle with its sides swapped, or a planted mismatch."""
        earlier = [
            battle
            for battle in voter.battles
            if battle.battle_id in voter.answers
            and battle.kind == BattleKind.REGULAR
            and battle.direction == direction
            and battle.source != "upload"
        ]
        repeated = {battle.repeat_of for battle in voter.battles}
        there = {query.query_id for query in self._candidates.queries(direction)}
        earlier = [
            battle
            for battle in earlier[:-3]  # the last three are still in the ear
            if battle.battle_id not in repeated and battle.query_id in there
        ]
        if earlier and rng.random() < self._settings.repeat_share:
            return Drawn(battle=self._repeat(voter, rng.choice(earlier), seed))
        return Drawn(battle=self._gold(voter, direction, rng, seed))

    def _repeat(self, voter: Voter, battle: Battle, seed: int) -> Battle:
        query = next(
            item
            for item in self._candidates.queries(Direction(battle.direction))
            if item.query_id == battle.query_id
        )
        return Battle(
            **self._base(voter, Direction(battle.direction), query, seed),
            kind=BattleKind.REPEAT,
            left=battle.right,
            right=battle.left,
            policy_id="repeat-v1",
            pair_prob=1.0,
            slot_prob=1.0,
            repeat_of=battle.battle_id,
        )

    def _gold(self, voter: Voter, direction: Direction, rng: random.Random, seed: int) -> Battle:
        """The top item that the systems agree on most, against one that none ranks among its best: the first should
        win.
        """
        unused = self._unseen_queries(voter, direction)
        query = rng.choice(unused or list(self._candidates.queries(direction)))
        competitor, good = self._agreed(query, direction, rng)
        sides = (good.side(competitor), self._mismatch(query, direction, rng).side(None))
        swapped = rng.random() < 0.5
        return Battle(
            **self._base(voter, direction, query, seed),
            left=sides[int(swapped)],
            right=sides[1 - int(swapped)],
            kind=BattleKind.GOLD,
            gold_answer="right" if swapped else "left",
            policy_id="gold-v1",
            pair_prob=1.0,
        )

    def _agreed(
        self, query: QueryItem, direction: Direction, rng: random.Random
    ) -> tuple[Competitor, Candidate]:
        """Of all systems' top items the one with the best mean place: one system alone may guess."""
        depth = self._settings.depth
        names = self._names_for(query, direction)
        lists = {name: self._candidates.top(query, self._by_name[name], depth) for name in names}
        places = [{item.group_id: item.rank for item in ranked} for ranked in lists.values()]

        def mean_place(name: str) -> float:
            group = lists[name][0].group_id
            return sum(found.get(group, depth + 1) for found in places) / len(places)

        best = min(mean_place(name) for name in names)
        chosen = rng.choice([name for name in names if mean_place(name) == best])
        return self._by_name[chosen], lists[chosen][0]

    def _names_for(self, query: QueryItem, direction: Direction) -> list[str]:
        return sorted(
            name for name, one in self._by_name.items() if name != ORIGINAL and one.meets(query, direction)
        )

    def _unseen_queries(self, voter: Voter, direction: Direction) -> list[QueryItem]:
        used = {battle.query_id for battle in voter.battles if battle.kind == BattleKind.GOLD}
        return [query for query in self._candidates.queries(direction) if query.query_id not in used]

    def _mismatch(self, query: QueryItem, direction: Direction, rng: random.Random) -> Candidate:
        ranked = {
            item.group_id
            for competitor in self._ranking()
            for item in self._candidates.top(query, competitor, self._settings.depth)
        }
        items = self._candidates.items(direction)
        others = [item for item in items if item.group_id not in ranked]
        if others:
            return rng.choice(others)
        # A small library: every item is among somebody's best, so take the one that all rank lowest.
        places: dict[str, int] = {}
        for competitor in self._ranking():
            for item in self._candidates.top(query, competitor, len(items)):
                places[item.item_id] = places.get(item.item_id, 0) + item.rank
        return max(items, key=lambda item: (places.get(item.item_id, 10**9), item.item_id))

    def _ranking(self) -> list[Competitor]:
        """Competitors that have a list: all but `original`."""
        return [one for one in self._by_name.values() if one.system_id != ORIGINAL]

    def _base(self, voter: Voter, direction: Direction, query: QueryItem, seed: int) -> dict[str, Any]:
        return {
            "voter_id": voter.voter_id,
            "session_id": voter.session_id,
            "direction": str(direction),
            "source": query.source,
            "query_id": query.query_id,
            "query_group_id": query.group_id,
            "query_sha256": query.sha256,
            "query_genre": query.genre,
            "pool_version": self._candidates.pool_version,
            "pool_size": len(self._candidates.items(direction)),
            "seed": seed,
            "needed_ms": min(self._settings.needed_ms, int(query.duration_s * 1000)),
            "ui_version": self._settings.ui_version,
        }

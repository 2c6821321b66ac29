"""The media of a battle or of a graded pair: what plays on either side, and under which addresses.

Both sides are alike in everything but the music (or the picture). Excerpts are shared between battles, what is sent is
not: every battle has its own addresses, which say nothing, and its own bytes (`mvr.page.voting.disguise`), and the
answers carry neither a date nor a tag of the file, so that nobody can tell who else was shown the same, or when it was
made. What went out is noted: it is what a voter can have heard.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mvr.datatypes import Direction, JsonDict
from mvr.page.serving import Shelf, ShelfItem
from mvr.page.serving.ranged import Sent
from mvr.page.voting.contest import Contest
from mvr.page.voting.disguise import Kept, dithered, padded
from mvr.page.voting.excerpts import Excerpts, Source
from mvr.page.voting.hearing import Hearing
from mvr.page.voting.twins import Twins
from mvr.votes.records import Battle, PoolItem
from mvr.votes.voter import VoterSigner

EXCERPT_S = 20.0
_KEPT_BOARDS = 3  # somebody may still look at the one before
_KEPT_ADDRESSES = 2000  # battles whose files can still be fetched


@dataclass(frozen=True, kw_only=True)
class BattleMedia:
    """Files of one battle; one of the two lists has one entry (the query), the other two (left, right).

    Attributes:
        videos, sounds: as they are kept.
        duration_s: of each.
        again: makes files of this battle alone once more, after they had to give way to others.
    """

    videos: tuple[Path, ...]
    sounds: tuple[Path, ...]
    duration_s: float
    again: Callable[[], object] | None = None

    @property
    def sides(self) -> tuple[Path, ...]:
        """What competes: both musics, or both clips; of a pair its music."""
        return self.videos if len(self.videos) > 1 else self.sounds


class ArenaMedia:
    """Makes and addresses the media of battles; safe to use from several threads.

    Args:
        contest: where the files of items are.
        shelf: serves them.
        folder: for excerpts, which are kept, and for files of this server's run, deleted by `close`.
        signer: whose secret makes each battle's bytes its own.
        hearing: notes what is sent.
    """

    def __init__(
        self, contest: Contest, shelf: Shelf, folder: Path, signer: VoterSigner, hearing: Hearing
    ) -> None:
        self._contest, self._shelf, self._signer, self._hearing = contest, shelf, signer, hearing
        self._kept = Kept()
        self._folder = folder / secrets.token_hex(8)
        self._excerpts = Excerpts(folder / "excerpts")
        self._twins = Twins(self._folder / "twins")
        self._addressed: OrderedDict[str, None] = OrderedDict()
        self._boards: OrderedDict[str, Path] = OrderedDict()
        self._lock = threading.Lock()

    def of_battle(self, battle: Battle) -> BattleMedia:
        """The files of a battle.

        Raises:
            MediaError: a file cannot be used. NotInLibrary: an item is gone.
        """
        sides = (battle.left, battle.right)
        items = [side.item_id for side in sides]
        if battle.direction == Direction.VIDEO_TO_MUSIC:
            length_s = min(EXCERPT_S, self._contest.duration_s(battle.query_id))
            sounds = [self._sound(side.item_id, side.excerpt_start_s, length_s) for side in sides]
            return BattleMedia(
                videos=(self._picture(battle.query_id, length_s),),
                sounds=tuple(sounds),
                duration_s=length_s,
            )
        length_s = min(EXCERPT_S, *(self._contest.duration_s(item) for item in items))
        clips = partial(self._clips, battle.battle_id, items, length_s)
        return BattleMedia(
            videos=clips(),
            sounds=(self._sound(battle.query_id, 0.0, length_s),),
            duration_s=length_s,
            again=clips,
        )

    def of_pair(self, item: PoolItem, start_s: float) -> BattleMedia:
        """One clip and one music from its chosen start, for a grade: every judge of the pair hears and sees the same.

        Raises:
            MediaError: a file cannot be used. NotInLibrary: an item is gone.
        """
        length_s = min(EXCERPT_S, self._contest.duration_s(item.query_id))
        return BattleMedia(
            videos=(self._picture(item.query_id, length_s),),
            sounds=(self._sound(item.item_id, start_s, length_s),),
            duration_s=length_s,
        )

    def addresses(self, key: str, media: BattleMedia, needed_ms: int) -> JsonDict:
        """What the browser gets: addresses that belong to `key` (a battle, a judge's token) alone.

        Args:
            key: whose.
            media: its files.
            needed_ms: of listening before it counts: so much of each side has to be sent.
        """
        owner = f"arena/{key}"
        with self._lock:
            self._addressed[owner] = None
            self._addressed.move_to_end(owner)
            gone = [
                self._addressed.popitem(last=False)[0] for _ in range(len(self._addressed) - _KEPT_ADDRESSES)
            ]
        for old in gone:
            self._shelf.drop(old)
        share = needed_ms / 1000 / media.duration_s if media.duration_s else 1.0
        lists = {"videos": media.videos, "sounds": media.sounds}
        addresses = {
            name: [
                self._address(key, media, files, n, share if files is media.sides else None)
                for n in range(len(files))
            ]
            for name, files in lists.items()
        }
        return addresses | {"duration_s": media.duration_s}

    def board_folder(self, owner: str) -> Path:
        """The folder for a leaderboard's downloads; those of boards before the last few go, addresses and all."""
        with self._lock:
            self._boards.setdefault(owner, self._folder / secrets.token_hex(8))
            self._boards.move_to_end(owner)
            gone = [self._boards.popitem(last=False) for _ in range(len(self._boards) - _KEPT_BOARDS)]
        for old, folder in gone:
            self._shelf.drop(old)
            shutil.rmtree(folder, ignore_errors=True)
        return self._boards[owner]

    def close(self) -> None:
        """Delete all files."""
        self._twins.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def warm(self) -> None:
        """Make what most battles of the first direction will play: every clip, every system's first choice for it."""
        competitors = self._contest.competitors()
        for query in self._contest.queries(Direction.VIDEO_TO_MUSIC):
            length_s = min(EXCERPT_S, query.duration_s)
            self._picture(query.query_id, length_s)
            for competitor in competitors:
                for best in self._contest.top(query, competitor, 1):
                    self._sound(best.item_id, best.start_s, length_s)

    def _picture(self, item_id: str, length_s: float) -> Path:
        return self._excerpts.picture(self._source(item_id), length_s)

    def _clips(self, battle_id: str, items: Sequence[str], length_s: float) -> tuple[Path, ...]:
        """This battle's own two files of the clips that compete."""
        left, right = self._excerpts.rivals([self._source(item) for item in items], length_s)
        return self._twins.of((left, right), (self._seed(battle_id, 0), self._seed(battle_id, 1)))

    def _seed(self, key: str, number: int, suffix: str = ".mp4") -> str:
        return self._signer.mac("disguise", key, str(number), suffix)

    def _sound(self, item_id: str, start_s: float, length_s: float) -> Path:
        return self._excerpts.sound(self._source(item_id), start_s, length_s)

    def _source(self, item_id: str) -> Source:
        own = self._contest.own(item_id)
        if own is not None:  # excerpts of a visitor's own clip go with the visit
            return Source(path=own.path, content=item_id, folder=own.path.parent / "excerpts")
        item = self._contest.item(item_id)
        return Source(path=item.path, content=item.content)

    def _address(
        self, key: str, media: BattleMedia, files: tuple[Path, ...], number: int, share: float | None
    ) -> str:
        path = files[number]
        # the same file may stand on both sides' lists of other battles: name and owner make the address this one's own
        return self._shelf.put(
            ShelfItem(
                path=path,
                name=f"{number}{path.suffix}",
                owner=f"arena/{key}",
                undated=True,
                make=_remake(media.again) if media.again is not None and files is media.videos else None,
                answer=partial(self._answer, key, files, number, share),
            )
        )

    def _answer(
        self, key: str, files: tuple[Path, ...], number: int, share: float | None, path: Path
    ) -> tuple[bytes, Sent]:
        """This battle's own bytes of a file, and what notes how much of it went out (begun before they are made)."""
        if share is None:
            sent: Sent = _unnoted
        elif len(files) == 1:
            sent = self._hearing.of_pair(key, share)
        else:
            sent = self._hearing.of_battle(key, ("left", "right")[number], share)
        seed = self._seed(key, number, path.suffix)
        if path.suffix == ".wav":
            return self._kept.get(seed, lambda: dithered(path, seed)), sent
        if len(files) > 1:  # this battle's own already
            return path.read_bytes(), sent
        return self._kept.get(seed, lambda: padded(path, seed)), sent


def _remake(again: Callable[[], object]) -> Callable[[Path], None]:
    def make(_: Path) -> None:
        again()

    return make


def _unnoted(first: int, end: int, size: int) -> None:
    """What does not compete need not be noted."""

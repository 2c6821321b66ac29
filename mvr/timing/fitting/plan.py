"""How a track is cut to fit a clip: its pieces in order, and how well they join.

Conventions: times in seconds; source times count from the start of the track, destination times from the
start of the clip. Piece n + 1 begins where piece n ends; around that join both sound together for
`crossfade_s`, half of it before.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from mvr.datatypes import JsonDict

_MANY = 4  # repetitions of a piece that are told as one
_EXACT_S, _FADED_S = 0.0005, 0.05  # less is nothing to be told


class Ending(StrEnum):
    """How the fitted music ends: as the track itself does, or faded out."""

    REAL = "real"
    FADE = "fade"


class Method(StrEnum):
    """How pieces were chosen: whole bars, quiet and similar places of music without a beat, or one plain cut."""

    BARS = "bars"
    CROSSFADE = "crossfade"
    PLAIN = "plain"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of the track, taken as it is.

    Attributes:
        source_start_s, source_end_s: where it lies in the track.
        start_s: where it begins under the clip.
        likeness: how alike the bars on both sides of the join before it sound, 0 to 1; None for the first piece.
        percentile: share of all pairs of bars of the track that are less alike, 0 to 1; None for the first piece.
        crossfade_s: how long both sides sound together at the join before it; 0 for the first piece.
    """

    source_start_s: float
    source_end_s: float
    start_s: float
    likeness: float | None = None
    percentile: float | None = None
    crossfade_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.source_end_s - self.source_start_s

    @property
    def beaten(self) -> float:
        """`percentile` as it is told: no jump is better than all of them, itself among them.

        >>> Piece(source_start_s=0, source_end_s=1, start_s=0, percentile=0.998).beaten
        0.99
        """
        return min(0.99, self.percentile or 0.0)

    @property
    def join_told(self) -> str:
        """How well it is joined to what is before it; empty for the first piece.

        >>> Piece(source_start_s=0, source_end_s=1, start_s=0, likeness=0.93, percentile=0.981).join_told
        'joined with likeness 0.93, better than 98 % of all jumps'
        """
        if self.likeness is None or self.percentile is None:
            return ""
        return f"joined with likeness {self.likeness:.2f}, better than {100 * self.beaten:.0f} % of all jumps"

    @property
    def end_s(self) -> float:
        """Where it ends under the clip."""
        return self.start_s + self.duration_s


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """A track fitted to a length.

    Attributes:
        pieces: in order; they cover `length_s` without a gap.
        length_s: length of the clip.
        method, ending: see their classes; `ending` is what came out, not what was wished.
        fade_s: length of the fade-out at the end, 0 with the track's own ending in time.
        speed: how much faster the track is played, 1 = as it is (at most 2 % off unless asked for).
        hit_s: the second of the clip that should be hit, if one was asked for.
        hit_error_s: how far the struck moment of the music lies from it, later is positive.
        end_error_s: how far the end of the music lies from the clip's end, later is positive.
        note: one sentence where something could not be done as wished, else "".
    """

    pieces: tuple[Piece, ...]
    length_s: float
    method: Method
    ending: Ending
    fade_s: float = 0.0
    speed: float = 1.0
    hit_s: float | None = None
    hit_error_s: float | None = None
    end_error_s: float = 0.0
    note: str = ""

    @property
    def joins(self) -> tuple[Piece, ...]:
        """The pieces that begin with a join."""
        return self.pieces[1:]

    def rounds(self) -> list[tuple[Piece, ...]]:
        """The pieces one by one, and one that is repeated many times together with its repetitions."""
        out: list[tuple[Piece, ...]] = []
        for piece in self.pieces:
            if (
                out
                and abs(out[-1][-1].source_start_s - piece.source_start_s)
                + abs(out[-1][-1].source_end_s - piece.source_end_s)
                < 1e-6
            ):
                out[-1] = (*out[-1], piece)
            else:
                out.append((piece,))
        return [
            part for pieces in out for part in ([pieces] if len(pieces) >= _MANY else [(p,) for p in pieces])
        ]

    @property
    def ends_told(self) -> str:
        """How and where the music ends.

        >>> piece = Piece(source_start_s=0.0, source_end_s=8.0, start_s=0.0)
        >>> FitPlan(pieces=(piece,), length_s=8.0, method=Method.BARS, ending=Ending.REAL, end_error_s=-0.25).ends_told
        "ends with the track's own ending, 0.25 s before the clip's end"
        """
        own, fade = (
            "the track's own ending",
            f"a fade-out of {self.fade_s:.{1 if self.fade_s >= _FADED_S else 3}f} s",
        )
        return f"ends with {own if self.ending is Ending.REAL else fade}, {self._end_told}"

    @property
    def hit_told(self) -> str:
        """What strikes where it was asked for; empty where nothing was.

        >>> piece = Piece(source_start_s=1.0, source_end_s=9.0, start_s=0.0)
        >>> asked = {"pieces": (piece,), "length_s": 8.0, "method": Method.BARS, "ending": Ending.REAL, "hit_s": 2.0}
        >>> FitPlan(**asked, hit_error_s=0.012).hit_told, FitPlan(**asked).hit_told
        ('hits at 2.00 s with second 3.00 of the track, +12 ms off', 'no hit at 2.00 s')
        """
        if self.hit_s is None:
            return ""
        if self.hit_error_s is None:
            return f"no hit at {self.hit_s:.2f} s"
        struck_s, off_ms = self.source_at(self.hit_s), 1000 * self.hit_error_s
        return f"hits at {self.hit_s:.2f} s with second {struck_s:.2f} of the track, {off_ms:+.0f} ms off"

    @property
    def told(self) -> list[str]:
        """How it ends, what it hits, and what there is to say of it."""
        return [line for line in (self.ends_told, self.hit_told, self.note) if line]

    @property
    def _end_told(self) -> str:
        if abs(self.end_error_s) < _EXACT_S:
            return "exactly at the clip's end"
        if self.end_error_s < 0:
            return f"{-self.end_error_s:.2f} s before the clip's end"
        faded = f", so its last {self.fade_s:.1f} s in the clip are faded" if self.fade_s >= _FADED_S else ""
        return f"{self.end_error_s:.2f} s after the clip's end{faded}"

    def source_at(self, at_s: float) -> float:
        """The second of the track that is heard at a second of the clip; at a join, of what begins there."""
        piece = max(
            (each for each in self.pieces if each.start_s <= at_s + 1e-6), key=lambda each: each.start_s
        )
        return piece.source_start_s + at_s - piece.start_s

    def to_json(self) -> JsonDict:
        """JSON-able form, times rounded to microseconds."""
        document = asdict(self) | {"method": str(self.method), "ending": str(self.ending)}
        pieces = [{name: _rounded(value) for name, value in asdict(piece).items()} for piece in self.pieces]
        return {name: _rounded(value) for name, value in document.items()} | {"pieces": pieces}


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value

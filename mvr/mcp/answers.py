"""What the tools answer: typed, finite numbers only, with one sentence for clients that read text alone.

Each answer repeats what was asked, since a misspelt argument is dropped by the protocol's library without a word.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, FiniteFloat


class Answer(BaseModel):
    """One answer; numbers are finite, and nothing is in it that is not named here."""

    model_config = ConfigDict(extra="forbid")

    sentence: str


class Match(BaseModel):
    """A ranked item. Times in seconds; `start_s` is the moment of it that fits what was asked.

    `music_start_s` is where the music starts, whichever of the two it is, and `placed` how sure that is, in words.
    """

    rank: int
    id: str
    title: str
    artist: str
    licence: str
    may_use: str
    credit: str
    score: FiniteFloat
    start_s: FiniteFloat
    end_s: FiniteFloat
    music_start_s: FiniteFloat
    placed: str
    duration_s: FiniteFloat
    why: list[str]


class Ranking(Answer):
    """A ranked list, best first."""

    asked: str
    system: str
    alpha: FiniteFloat
    commercial: bool
    count: int
    results: list[Match]


class Stretch(BaseModel):
    """A stretch of a track under a clip, in seconds."""

    start_s: FiniteFloat
    end_s: FiniteFloat
    source_start_s: FiniteFloat
    source_end_s: FiniteFloat


class Fitted(Answer):
    """A track fitted to a clip; `file` is what was written, "" on a dry run."""

    track: str
    title: str
    clip_s: FiniteFloat
    gain_db: FiniteFloat
    pieces: list[Stretch]
    ending: str
    end_error_s: FiniteFloat
    hit_error_s: FiniteFloat | None
    note: str
    dry_run: bool
    file: str
    would_write: str


class Cut(BaseModel):
    """A clip on a track of a timeline, in frames; `out_frame` and `end` are the first frames after it."""

    title: str
    credit: str
    muted: bool
    start: int
    end: int
    in_frame: int
    out_frame: int


class Timeline(Answer):
    """A timeline; `files` is what was written, empty on a dry run."""

    rate: str
    frames: int
    drop_frame: bool
    variable_frame_rate: bool
    cuts: list[Cut]
    markers: int
    dry_run: bool
    files: list[str]
    would_write: str


class Explanation(Answer):
    """Why a track fits a clip, in measured words and numbers; `branches` says what the score rests on."""

    track: str
    title: str
    system: str
    alpha: FiniteFloat
    score: FiniteFloat
    start_s: FiniteFloat
    clip_from_s: FiniteFloat
    clip_to_s: FiniteFloat
    seen: list[str]
    heard: list[str]
    branches: dict[str, FiniteFloat]
    may_use: str
    may_redistribute: str

"""Everything that can go wrong in a way a user can mend.

    MvrError                       one sentence: what came, what was wanted, what to do
    ├── UsageError                 a name or an option that does not exist
    │   └── OutputRefused          what a command would write is an input, the user's own, or there already
    ├── ExtraMissing               an optional part that is not installed; the message is the line to type
    ├── ServerFault                a music server that cannot be reached, says no, or answers something else
    ├── SettingsMismatch           a file was made with other settings than the ones now in force
    ├── MediaError                 a file that cannot be used
    │   ├── NotMedia               no known container
    │   ├── Truncated              the file ends before its content does, or is damaged beyond use
    │   ├── BrokenClock            picture and sound cannot be brought onto one clock
    │   ├── UnsupportedCodec       the container is known, the codec is not
    │   ├── NoPicture              a video is wanted, there is none
    │   ├── NoSound                sound is wanted, there is none
    │   ├── TooLong                longer than the limit
    │   ├── TooLarge               more bytes than the limit
    │   ├── TooManyPixels          wider or higher than the limit
    │   └── TooSlow                not done within the time limit
    ├── DataError                  a table, matrix or feature store that cannot be used
    │   ├── NotFinite              NaN or infinity where a number is needed
    │   ├── WrongShape             another number of rows or columns than wanted
    │   └── Leakage                one group on both sides of a split
    ├── WeightsError               weights that are missing, foreign or damaged
    │   ├── WeightsMissing         not on this machine; the message says what to put where
    │   ├── WeightsCorrupt         the hash or the layout is wrong
    │   └── LicenceNotAccepted     non-commercial weights that nobody accepted yet
    ├── NotInLibrary               an id that the library does not hold
    ├── VoteRefused                an unknown, used, expired, foreign or too early vote
    ├── IndexUnreachable           an index in a database that does not answer; nothing was lost
    └── NotSaved                   the vote store cannot be reached or the disk is full; nothing was written

An `assert` is for our own invariants; these classes are for the user.
"""

from __future__ import annotations

from mvr.lines import one_line


class MvrError(Exception):
    """Base of every error that a user can mend; `str(error)` is one sentence on one line, whatever a file is called."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class UsageError(MvrError):
    """A name or an option that does not exist."""


class OutputRefused(UsageError):
    """An output path that is an input, a file of a library, or an existing file; nothing was written."""


class ExtraMissing(MvrError):
    """An optional part of the program that is not installed."""


class ServerFault(MvrError):
    """A music server that cannot be reached, refuses, or answers unexpectedly."""


class SettingsMismatch(MvrError):
    """A stored file was made with other settings than the ones now in force."""


class MediaError(MvrError):
    """A media file that cannot be used."""


class NotMedia(MediaError):
    """The bytes are no known media container."""


class Truncated(MediaError):
    """The file ends before its content does, or is damaged beyond use."""


class BrokenClock(MediaError):
    """The time stamps of picture and sound cannot be brought onto one clock."""


class UnsupportedCodec(MediaError):
    """The container is known, the codec is not."""


class NoPicture(MediaError):
    """A video is wanted and the file has no picture."""


class NoSound(MediaError):
    """Sound is wanted and the file has none."""


class TooLong(MediaError):
    """Longer than the limit."""


class TooLarge(MediaError):
    """More bytes than the limit."""


class TooManyPixels(MediaError):
    """Wider or higher than the limit."""


class TooSlow(MediaError):
    """Not done within the time limit."""


class DataError(MvrError):
    """A table, matrix or feature store that cannot be used."""


class NotFinite(DataError):
    """NaN or infinity where a number is needed."""


class WrongShape(DataError):
    """Another number of rows or columns than wanted."""


class Leakage(DataError):
    """One group on both sides of a split."""


class WeightsError(MvrError):
    """Model weights that cannot be used."""


class WeightsMissing(WeightsError):
    """Weights that are not on this machine; the message says what to put where."""


class WeightsCorrupt(WeightsError):
    """Weights whose hash or layout is wrong."""


class LicenceNotAccepted(WeightsError):
    """Non-commercial weights whose licence nobody accepted yet."""


class NotInLibrary(MvrError):
    """An id that the library does not hold."""


class VoteRefused(MvrError):
    """An unknown, used, expired, foreign or too early vote."""


class NotSaved(MvrError):
    """The vote store cannot be reached or its disk is full; nothing was written."""


class IndexUnreachable(MvrError):
    """An index in a database that does not answer; nothing was lost."""

"""What a user's disk refuses, whoever asks: rights, a file in a folder's place, a name that is too long, no room."""

from __future__ import annotations

import errno
import os
import sqlite3

from mvr.lines import one_line

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_ROOM_IN_SQLITE = (
    "SQLITE_FULL",
    "SQLITE_IOERR_SHMSIZE",
)  # the second one: for the file that readers share


def has_no_room(error: BaseException) -> bool:
    """Whether an error says that the disk is full.

    >>> has_no_room(OSError(errno.ENOSPC, "x")), has_no_room(OSError(errno.EACCES, "x"))
    (True, False)
    """
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "") in _NO_ROOM_IN_SQLITE
    return os.strerror(errno.ENOSPC) in str(error)  # libraries with a language of their own say it in words


def disk_refusal(error: BaseException) -> str | None:
    """One sentence where the disk refused something; None for any other error, which is a fault of ours."""
    if has_no_room(error):
        return "there is no room left on the disk; make room, or choose a place on another one"
    if isinstance(error, OSError) and error.errno in _REFUSED:
        place = one_line(os.fsdecode(error.filename)) if error.filename else "a file"
        return (
            f"{place} cannot be used ({error.strerror}); choose another place, or set MVR_HOME to a folder that can "
            "be written to"
        )
    return None

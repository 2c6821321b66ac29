"""What an agent may read and where it may write: only below folders that the user named at the start.

A name outside gets the same answer whether or not a file is there, so that nothing can be found out about the rest of
the disk. Links are followed first: what counts is where they lead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mvr.config.outputs import check_output_file
from mvr.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Folders as the user named them.

    Attributes:
        allow: files below them may be read.
        out: files are written below it; None: nothing is written.
    """

    allow: tuple[Path, ...] = ()
    out: Path | None = None

    def __post_init__(self) -> None:
        for folder in (*self.allow, *([] if self.out is None else [self.out])):
            if not folder.is_dir():
                raise UsageError(f"there is no folder {folder}")

    def read(self, name: str) -> Path:
        """A file that may be read; a relative name is looked for in each allowed folder.

        Raises:
            UsageError: it is not below an allowed folder, or there is no such file.
        """
        if "://" in name:
            raise UsageError(
                "addresses are never fetched; name a file below a folder given with --allow, or an item's id"
            )
        for folder in self.allow:
            found = _below(folder, Path(name))
            if found is not None and found.is_file():
                return found
        raise UsageError(
            f"{_quoted(name)} is neither a file below a folder given with --allow nor an id of the library"
        )

    def write(
        self, name: str, endings: Sequence[str], inputs: Iterable[Path] = (), kept: Iterable[Path] = ()
    ) -> Path:
        """A file that may be written: new, below `out`, in a folder that is there.

        Raises:
            UsageError: nothing may be written, or not there. OutputRefused: see `check_output_file`.
        """
        if self.out is None:
            raise UsageError("nothing is written: the server was started without --out DIR")
        wanted = Path(name)
        found = None if wanted.is_absolute() else _below(self.out, wanted.parent)
        if found is None or not wanted.name:
            raise UsageError(
                f"{_quoted(name)} is not below the folder given with --out; name a file such as cut.otioz"
            )
        place = found / wanted.name
        try:
            place.lstat()
        except FileNotFoundError:  # as it should be: the file is new
            pass
        except (OSError, ValueError) as error:  # a zero byte, too long a name
            raise UsageError(f"{_quoted(name)} is not a valid file name") from error
        return check_output_file(place, inputs=inputs, kept=kept, endings=endings)


def _below(folder: Path, name: Path) -> Path | None:
    """Where a name leads, if that is the folder or below it."""
    try:
        root = folder.resolve(strict=True)
        place = (root / name).resolve()
        place.is_file()
    except (OSError, ValueError, RuntimeError):  # a zero byte, too long a name, links in a circle
        return None
    return place if place == root or root in place.parents else None


def _quoted(name: str) -> str:
    return repr(name if len(name) <= 200 else f"{name[:200]}…")

"""May this be written? Asked before any work is done, by everything that writes a file or folder that a user named.
What may be is written whole or not at all.

The rule, one for all commands: an input and a file of a library are never written over; anything else that is there
already is replaced only with `--force`; a folder is written into when it is new, empty, or of our own kind.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mvr.errors import OutputRefused

VIDEO_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}  # ending -> FFmpeg's name of the container
VIDEO_ENDINGS = tuple(VIDEO_MUXERS)
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
_TORN_S = 2.0  # a few bytes that are not there by then never come
_LITTER = frozenset(
    {".DS_Store", "Thumbs.db", "desktop.ini"}
)  # left by file managers in folders that look empty


def check_output_file(
    out: Path,
    *,
    inputs: Iterable[Path] = (),
    kept: Iterable[Path] = (),
    endings: Sequence[str] = (),
    force: bool = False,
) -> Path:
    """Refuse an output that must not be written; give back `out` when it may.

    Two names of one file (links, hard links, another spelling of the path) are the same file here.

    Args:
        out: the file to write.
        inputs: what the command reads; never written over, not even by force.
        kept: the user's own files, such as those of a library; looked through only if `out` is there already.
        endings: what the name may end in (any case), such as `VIDEO_ENDINGS`; () for any.
        force: replace another file that is there already.

    Raises:
        OutputRefused: one sentence that says why, and what to do.
    """
    if out.is_dir():
        raise OutputRefused(f"{out} is a folder; name a file in it")
    if endings and out.suffix.lower() not in endings:
        raise OutputRefused(
            f"{out.name} cannot be written: name a file that ends in {_alternatives(endings)}"
        )
    if not out.parent.is_dir():
        raise _no_folder(out)
    if not os.path.lexists(out):
        return out
    if any(_same_file(out, path) for path in inputs):
        raise OutputRefused(f"{out} is read by this command and is never written over; name another file")
    if any(_same_file(out, path) for path in kept):
        raise OutputRefused(f"{out} is a file of the library and is never written over; name another file")
    if not force:
        raise OutputRefused(f"{out} is there already; name another file, or replace it with --force")
    if out.exists() and not out.is_file():  # a device, a pipe: nothing that can be replaced
        raise OutputRefused(f"{out} is not an ordinary file; name another one")
    return out


def check_output_folder(folder: Path, ours: Sequence[str]) -> Path:
    """Refuse a folder that holds something and is not of our own kind; give back `folder` when it may be written into.

    Args:
        folder: new, empty, or one of ours, which is then continued or printed again.
        ours: names (or patterns such as "*.jsonl") one of which every folder of this kind holds.

    Raises:
        OutputRefused: one sentence that says why, and what to do.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputRefused(f"{folder} is a file; name a folder")
    if folder.is_dir() and not any(any(folder.glob(name)) for name in ours):
        found = next((entry.name for entry in sorted(folder.iterdir()) if entry.name not in _LITTER), None)
        if found is not None:
            raise OutputRefused(
                f"{folder} holds other files ({found}) and is left alone; name a new or an empty folder"
            )
    return folder


@contextlib.contextmanager
def written_whole(out: str | Path) -> Iterator[Path]:
    """A temporary path beside `out` that becomes `out` only when the block ends without an error.

    Raises:
        OutputRefused: there is no folder to write it into.
    """
    out = Path(out)
    if not out.parent.is_dir():
        raise _no_folder(out)
    part = out.with_name(f".part-{uuid.uuid4().hex}{out.suffix}")
    try:
        part.touch(exist_ok=False)
    except FileNotFoundError:  # gone meanwhile, or no place for files, such as /proc
        raise OutputRefused(f"the folder {out.parent} takes no files (any more); name another one") from None
    mode = stat.S_IMODE(part.stat().st_mode)  # for whom this user's files are
    try:
        yield part
        part.chmod(mode)  # some writers write for their owner alone, whoever the user's files are for
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def drawn_once(path: Path, drawn: bytes, mode: int = 0o666) -> bytes:
    """What a file holds, or `drawn`, written into it: of several processes that start at once one draws for all.

    Args:
        path: the file, in a folder that is there.
        drawn: what it holds from now on if it is not there yet; not empty.
        mode: for whom it is then, before the user's umask.

    Raises:
        OSError: it can be neither read nor written.
    """
    assert drawn
    if not path.exists() or not path.stat().st_size:
        fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        _write_new(fresh, drawn, mode)
        try:
            _name_once(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    return path.read_bytes()


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _name_once(fresh: Path, path: Path) -> None:
    """Give a whole file its name unless another process did so first.

    A second name for the same bytes is given at one stroke. Where a disk has none (exFAT, some shares), the name is
    taken first and filled then, so whoever comes second waits for what the first one writes.
    """
    try:
        os.link(fresh, path)
    except OSError as error:
        if error.errno in _NO_LINKS:
            with contextlib.suppress(FileExistsError):
                _write_new(path, fresh.read_bytes(), stat.S_IMODE(fresh.stat().st_mode))
        elif not isinstance(error, FileExistsError):
            raise
    until = time.monotonic() + _TORN_S
    while not path.stat().st_size and time.monotonic() < until:
        time.sleep(0.01)
    if not path.stat().st_size:  # who took the name died over it
        fresh.replace(path)


def _no_folder(out: Path) -> OutputRefused:
    return OutputRefused(f"the folder {out.parent} does not exist; make it first")


def _same_file(out: Path, path: Path) -> bool:
    try:
        return out.samefile(path)
    except OSError:  # one of them is gone, or a link to nowhere
        return False


def _alternatives(endings: Sequence[str]) -> str:
    return endings[0] if len(endings) == 1 else f"{', '.join(endings[:-1])} or {endings[-1]}"

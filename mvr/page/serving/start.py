"""Before a server starts: can it write where it must, and what did killed servers leave behind?"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from mvr.errors import UsageError

LEFT_AFTER_S = 6 * 3600.0  # no encoding, export or endpoint call works this long on one temporary folder
PREFIX = "mvr-"


def check_folders(home: Path) -> None:
    """Make the home folder and check where uploads go.

    Raises:
        UsageError: home cannot be written to, or uploads would lie inside it, where nothing may be read by a browser.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise UsageError(
            f"{home} cannot be written to ({error.strerror}); set MVR_HOME to a folder that can"
        ) from error
    uploads = os.environ.get("GRADIO_TEMP_DIR", "")
    if uploads and Path(uploads).resolve().is_relative_to(home.resolve()):
        raise UsageError(
            f"GRADIO_TEMP_DIR ({uploads}) is inside MVR_HOME ({home}), whose files no browser may read; "
            "choose a folder elsewhere"
        )


def sweep(folder: Path, pattern: str = f"{PREFIX}*", older_than_s: float = LEFT_AFTER_S) -> int:
    """Delete this user's folders that killed servers left and that nothing was written to for so long; how many."""
    gone = 0
    for path in folder.glob(pattern):
        try:
            if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.getuid():
                continue
            newest = max(found.lstat().st_mtime for found in (path, *path.rglob("*")))
        except FileNotFoundError:  # somebody works in it, or puts it away just now
            continue
        if time.time() - newest > older_than_s:
            shutil.rmtree(path, ignore_errors=True)
            gone += 1
    return gone


def sweep_leftovers(home: Path) -> int:
    """What killed servers left in the system's folder for temporary files and beside kept excerpts."""
    return sweep(Path(tempfile.gettempdir())) + sweep(home / "battles", "[0-9a-f]" * 16)

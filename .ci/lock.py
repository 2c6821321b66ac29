"""Make `locks/` and the requirements files anew: `make lock`; with `--strip` only the latter, from the locks.

pyproject.toml holds ranges. uv resolves them for every platform and Python at once into `locks/NAME.txt`, exact
versions with hashes; a locked version stays until it is named (`make lock UPGRADE=gradio`). The requirements files are
the same versions without hashes, since a Space's builder adds packages of its own beside requirements.txt.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETS = {  # lock -> requirements file, what is resolved, what it is for
    "core": ("requirements-core.txt", [], "what `make demo` installs"),
    "full": ("requirements.txt", ["--extra", "full"], "what a Space and `make models` install"),
    "dev": (
        "requirements-dev.txt",
        ["--extra", "full", "--extra", "ray", "--extra", "mcp", "--group", "dev"],
        "what `make test` installs",
    ),
}
PYTHON = "3.11"  # the oldest supported; the resolution holds for all later ones


def stripped(lock: str, purpose: str) -> str:
    """A requirements file: the lock's lines without hashes."""
    lines = [f"# Made by `make lock` from pyproject.toml: {purpose}. Change versions there."]
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#")):
            lines.append(line.removesuffix("\\").rstrip())
    return "\n".join(lines) + "\n"


def resolve(name: str, what: list[str], upgrade: list[str]) -> None:
    """One lock, by uv."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        PYTHON,
    ]
    command += [
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
        "--no-emit-package",
        "mvr",
        "pyproject.toml",
    ]
    command += [*what, "--output-file", f"locks/{name}.txt"]
    for package in upgrade:
        command += ["--upgrade-package", package]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    """Locks, then the files made of them."""
    for name, (file, what, purpose) in SETS.items():
        if "--strip" not in sys.argv:
            resolve(name, what, os.environ.get("UPGRADE", "").split())
        lock = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
        (ROOT / file).write_text(stripped(lock, purpose), encoding="utf-8")


if __name__ == "__main__":
    main()

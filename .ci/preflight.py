"""Say in one sentence why the set-up cannot work here: an unsupported Python or too little disk."""

import shutil
import sys

DISK_GB = 9  # measured: the virtual environment of a GPU-capable torch, and pip's temporary copy of it

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        "mvr needs Python 3.10 to 3.13, this is {}.{}; install one and run: make demo PYTHON=python3.12".format(
            *sys.version_info[:2]
        )
    )
FREE_GB = shutil.disk_usage(".").free / 1e9
if FREE_GB < DISK_GB:
    sys.exit(
        f"mvr's set-up needs {DISK_GB} GB of free disk, here are {FREE_GB:.1f} GB; make room and run it again"
    )

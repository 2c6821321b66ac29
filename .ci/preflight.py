"""Say in one sentence why the set-up cannot work here: an unsupported Python or too little disk.

Run as `preflight.py GB`: how much the virtual environment and pip's temporary copy of it take.
"""

import shutil
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(
        "mvr needs Python 3.11 to 3.14, this is {}.{}; install one and run: make demo PYTHON=python3.12".format(
            *sys.version_info[:2]
        )
    )
DISK_GB = float(sys.argv[1])
FREE_GB = shutil.disk_usage(".").free / 1e9
if FREE_GB < DISK_GB:
    sys.exit(
        f"mvr's set-up needs {DISK_GB:.0f} GB of free disk, here are {FREE_GB:.1f} GB; make room and run it again"
    )

"""Commands. Most are over soon: what their libraries do when they are loaded is kept short before any of them is."""

import os
import sys

from mvr.config.threads import start_with_one

if sys.argv[1:2] not in (["serve"], ["train"]):
    start_with_one()
    # typer checks arguments by pydantic, which looks through every installed package for plug-ins of its own
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

"""Run `python -m mvr ...` as if only the core were installed: `python tests/packaging/lean.py recommend clip.mp4`.

pyarrow is in the core for feature stores alone; nothing else may touch it, so it is out unless `LEAN_STORES` is set.
"""

import os
import sys
from importlib.abc import MetaPathFinder

LEFT_OUT = (
    "torch", "torchvision", "transformers", "open_clip", "datasets", "ray", "librosa", "numba", "moviepy", "pyarrow",
    "faiss", "tensorboard", "matplotlib", "ir_measures",
)  # fmt: skip


class Blocked(MetaPathFinder):
    """Says of every package that the core does without that it is not there."""

    def find_spec(self, name, path=None, target=None):
        """Refuse the packages that are left out."""
        if name.split(".")[0] in LEFT_OUT and not (
            name.startswith("pyarrow") and "LEAN_STORES" in os.environ
        ):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


if __name__ == "__main__":
    sys.meta_path.insert(0, Blocked())
    from mvr.__main__ import main

    sys.exit(main())

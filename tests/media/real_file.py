"""Everything that may be done with one file, in a process of its own: prints one JSON object, never a traceback.

Run by test_real_media.py as `python real_file.py FILE FOLDER`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mvr.errors import MvrError
from mvr.media.borders import detect_borders
from mvr.media.frames import sample_frames
from mvr.media.loudness import measure_loudness
from mvr.media.probe import probe
from mvr.media.proxy import make_proxy
from mvr.media.sound import read_sound

MEMORY_BYTES = 6 * 2**30  # of address space; what is used is far less


def probed(path: Path, folder: Path) -> dict[str, Any]:
    info = probe(path)
    video = info.video
    size = None if video is None else f"{video.width_px}x{video.height_px}"
    extra = {} if video is None else {"rotation": video.rotation_deg, "transfer": str(video.transfer)}
    return {"duration_s": info.duration_s, "size": size, "sound": info.audio is not None, **extra}


def sampled(path: Path, folder: Path) -> dict[str, Any]:
    frames = sample_frames(path, count=8)
    box = detect_borders(frames.images)
    return {
        "size": f"{frames.images.shape[2]}x{frames.images.shape[1]}",
        "count": len(frames),
        "times": frames.times_s.tolist(),
        "mean": float(frames.images.mean()),
        "box": [box.left, box.top, box.right, box.bottom],
    }


def heard(path: Path, folder: Path) -> dict[str, Any]:
    sound = read_sound(path, 16000)
    loudness = measure_loudness(path)
    return {
        "seconds": len(sound) / 16000,
        "finite": bool(np.isfinite(sound).all()),
        "lufs": loudness.integrated_lufs,
    }


def proxied(path: Path, folder: Path) -> dict[str, Any]:
    out = folder / "proxy.mp4"
    info = make_proxy(path, out)
    frames = sample_frames(out, count=8)
    assert info.video is not None
    return {
        "duration_s": info.duration_s,
        "codec": info.video.codec,
        "pixels": info.video.pixel_format,
        "size": f"{info.video.width_px}x{info.video.height_px}",
        "mean": float(frames.images.mean()),
        "sound": None if info.audio is None else info.audio.codec,
    }


def outcome(step: Callable[[Path, Path], dict[str, Any]], path: Path, folder: Path) -> dict[str, Any]:
    """What the step gave, or the class and the sentence of its error."""
    try:
        return step(path, folder)
    except MvrError as error:
        return {"error": type(error).__name__, "sentence": str(error)}


def main(path: Path, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    begin = time.process_time()
    steps = (("probe", probed), ("frames", sampled), ("sound", heard), ("proxy", proxied))
    report: dict[str, Any] = {name: outcome(step, path, folder) for name, step in steps}
    # ru_maxrss of this process would count the test runner that it was forked from; VmHWM begins with exec
    status = Path("/proc/self/status").read_text()
    own_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    peaks = [own_kb / 1e3, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3]
    print(json.dumps({**report, "cpu_s": time.process_time() - begin, "peak_mb": max(peaks)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""A description of the machine and of the versions that were timed."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from mvr.config.extras import version_of

_PACKAGES = (
    "av",
    "imageio-ffmpeg",
    "moviepy",
    "numpy",
    "torch",
    "faiss-cpu",
    "faiss-gpu",
    "librosa",
    "soxr",
    "gradio",
)
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd")


def machine() -> dict[str, Any]:
    """Processor, cores that may be used, memory, system, Python, package versions."""
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in _FLAGS if flag in (_cpuinfo("flags") or "").split()],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ffmpeg": imageio_ffmpeg.get_ffmpeg_version(),
        "versions": {name: found for name in _PACKAGES if (found := version_of(name))},
    }


def _cpuinfo(key: str) -> str | None:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), None
    )

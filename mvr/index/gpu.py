"""faiss on the GPU where there is one: the same code for `faiss-cpu` and `faiss-gpu`."""

from __future__ import annotations

from typing import Any

from mvr.config.extras import has


def gpu_count() -> int:
    """GPUs that the installed faiss can use; 0 with `faiss-cpu`, and without faiss."""
    if not has("faiss"):
        return 0
    import faiss

    return int(faiss.get_num_gpus())


def to_gpu(index: Any) -> Any:
    """The index on all GPUs (each a copy), or as it is where there is none."""
    import faiss

    return faiss.index_cpu_to_all_gpus(index) if gpu_count() else index

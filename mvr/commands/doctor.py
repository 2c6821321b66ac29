"""`mvr doctor`: what this machine has, and what each system lacks."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from mvr import __version__
from mvr.commands.options import JsonOption, library_dir
from mvr.commands.output import print_json, say
from mvr.config.extras import has, version_of
from mvr.config.paths import home_dir
from mvr.datatypes import JsonDict

_PACKAGES = ("torch", "gradio", "av", "moviepy", "librosa", "transformers", "open_clip_torch", "datasets")
_INDEX_PACKAGES = ("faiss-cpu", "faiss-gpu")
_DECODERS = ("h264", "hevc", "vp9", "av1", "aac", "mp3", "flac", "opus", "vorbis")
_ENCODERS = ("libx264", "aac")


CommercialOption = Annotated[
    bool, typer.Option("--commercial", help="Only systems that allow commercial use.")
]


def doctor(commercial: CommercialOption = False, as_json: JsonOption = False) -> None:
    """Show device, versions, codecs, and for each system: ready or what it lacks, licence."""
    document = examine()
    if commercial:
        document["left_out"] = [one["name"] for one in document["systems"] if one["commercial"] != "yes"]
        document["systems"] = [one for one in document["systems"] if one["commercial"] == "yes"]
    if as_json:
        print_json(document)
        return
    say(f"mvr {document['version']}, Python {document['python']}, {document['platform']}")
    say(f"device    {document['device']}")
    for name, found in document["packages"].items():
        say(f"{name:<16}{found or 'not installed'}")
    say(f"ffmpeg    {document['ffmpeg'] or 'not found; reinstall imageio-ffmpeg'}")
    missing = [name for name, here in document["codecs"].items() if not here]
    say(f"codecs    {'all available' if not missing else 'missing: ' + ', '.join(missing)}")
    say(f"data      {document['home']}, {document['free_gb']:.1f} GB free")
    say(f"library   {document['library']['items']} items in {document['library']['path']}")
    for system in document["systems"]:
        state = "; ".join(["ready", *filter(None, [system["note"]])]) if system["ready"] else system["lacks"]
        say(f"\n{system['name']}: {state}\n  {system['summary']}")
        for licence in system["licences"]:
            say(f"  {licence['what']}: {licence['licence']} {licence['url']}")
            say(f"    commercial use: {licence['commercial']} ({licence['source']})")
    if commercial:
        left_out = ", ".join(document["left_out"])
        say(f"\nleft out, because commercial use is forbidden or its terms are unknown: {left_out}")


def examine() -> JsonDict:
    """Everything that `doctor` shows."""
    home = home_dir()
    existing = next(path for path in (home, *home.parents) if path.exists())
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": _device(),
        "packages": {name: version_of(name) for name in (*_PACKAGES, *_INDEX_PACKAGES)},
        "ffmpeg": _ffmpeg(),
        "codecs": _codecs(),
        "home": str(home),
        "free_gb": shutil.disk_usage(existing).free / 1e9,
        "library": {"path": str(library_dir(None)), "items": _items(library_dir(None))},
        "systems": _systems(),
    }


def _device() -> str:
    if not has("torch"):
        return f"cpu: {os.cpu_count()} cores; no torch, which only the larger models need"
    if not _has_driver():  # importing torch to hear so takes seconds
        return f"cpu: {os.cpu_count()} cores"
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name(0)}"
    return f"cpu: {torch.get_num_threads()} threads; this torch cannot use the graphics driver"


def _has_driver() -> bool:
    """Whether NVIDIA's driver is installed: without it no GPU can be used."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _ffmpeg() -> str | None:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return None


def _codecs() -> dict[str, bool]:
    import av.codec

    names = [(name, "r") for name in _DECODERS] + [(name, "w") for name in _ENCODERS]
    found = {}
    for name, mode in names:
        try:
            av.codec.Codec(name, mode)  # type: ignore[arg-type]
            here = True
        except av.codec.codec.UnknownCodecError:
            here = False
        found[f"{name} ({'read' if mode == 'r' else 'write'})"] = here
    return found


def _items(folder: Path) -> int:
    if not folder.exists():
        return 0
    from mvr.library.library import Library

    return len(Library.open(folder))


def _systems() -> list[JsonDict]:
    from mvr.config.cards import load_card, system_names
    from mvr.embeddings.status import system_status

    rows = []
    for name in system_names():
        card, status = load_card(name), system_status(name)
        rows.append(
            {
                "name": name,
                "title": card.title,
                "summary": card.summary,
                "ready": status.ready,
                "lacks": status.lacks,
                "note": status.note,
                "alpha": card.alpha,
                "alpha_default": card.alpha_default,
                "commercial": str(card.commercial),
                "trained_on": card.trained_on,
                "download_mb": card.download_mb,
                "licences": [licence.model_dump(mode="json") for licence in card.licences],
            }
        )
    return rows

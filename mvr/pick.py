"""Three lines of Python: the best music of a folder for a clip, and the clip with it.

    from mvr import pick_music
    best = pick_music("clip.mp4", "~/Music")
    best.export("out.mp4")

A folder is read once; later calls embed only what is new. Files stay where they are.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.outputs import VIDEO_ENDINGS, check_output_file
from mvr.config.paths import DEFAULT_SYSTEM, home_dir
from mvr.datatypes import Direction, Modality
from mvr.errors import DataError, UsageError

if TYPE_CHECKING:
    from mvr.library import Item, Library
    from mvr.retrieval import RankedList, Result


@dataclass(frozen=True, kw_only=True)
class Pick:
    """The best track for a clip, and what else fits.

    Attributes:
        video: the clip.
        ranked: the list; the pick is its first.
        skipped: files of the folder that could not be used, each with one sentence why.
    """

    video: Path
    ranked: RankedList
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def best(self) -> Result:
        """The first of the list: its score, and the second at which it fits."""
        return self.ranked.results[0]

    @property
    def track(self) -> Item:
        """The picked track."""
        return self.best.item

    @property
    def start_s(self) -> float:
        """Where in the track to begin."""
        return self.best.start_s

    @property
    def credit(self) -> str:
        """The line to print under the published clip."""
        return self.track.credit_line

    def export(self, out: Path | str, *, original: str = "mute", force: bool = False) -> Path:
        """Write the clip with the music on it, or a timeline with the next four as muted alternates.

        Args:
            out: ends in .mp4, .mov or .mkv; or in .otioz, .otio, .xml or .csv.
            original: the clip's own sound in a film: "mute", "mix" or "duck".
            force: replace a file that is there already; never the clip or a track.

        Raises:
            OutputRefused: a name that must not be written. MediaError: a file that cannot be used.
        """
        from mvr.delivery.writing import TIMELINE_ENDINGS

        path = Path(out).expanduser()
        timeline = path.suffix.lower() in TIMELINE_ENDINGS
        tracks = [result.item.path for result in self.ranked.results]
        endings = (*VIDEO_ENDINGS, *TIMELINE_ENDINGS)
        check_output_file(path, inputs=(self.video, *tracks), endings=endings, force=force)
        self._write_timeline(path) if timeline else self._write_film(path, original)
        return path

    def _write_film(self, out: Path, original: str) -> None:
        from mvr.media.mux import MuxSettings, mux_music

        mux_music(self.video, self.track.path, out, MuxSettings(start_s=self.start_s, original=original))

    def _write_timeline(self, out: Path) -> None:
        from mvr.delivery.laying import Found, lay_film, lay_ranked
        from mvr.delivery.writing import TimelineSettings, write_timeline

        found = [Found.of(result) for result in self.ranked.results[:5]]
        origin = {"system": self.ranked.system, "alpha": self.ranked.alpha}
        write_timeline(lay_ranked(lay_film(self.video), found, origin=origin), out, TimelineSettings())


def pick_music(
    video: Path | str,
    music: Path | str | None = None,
    *,
    alpha: float | None = None,
    count: int = 10,
    commercial: bool = False,
    system: str = DEFAULT_SYSTEM,
) -> Pick:
    """The best music for a clip.

    Args:
        video: the clip.
        music: a folder of tracks, or a library's own folder; None takes the user's library (`mvr library add`).
        alpha: 0 follows how clips and music are paired, 1 follows genre; None: what the system's card says.
        count: how many tracks are ranked, the pick included.
        commercial: only music that one may earn money with.
        system: which system ranks; `mvr doctor` lists them.

    Raises:
        UsageError: no such file or folder, a number out of range. DataError: no track that may be picked.
        MediaError: the clip cannot be used. WeightsError: the system is not ready.
    """
    from mvr.embeddings.system import load_system
    from mvr.retrieval import Filters, Retriever

    clip = Path(video).expanduser()
    if not clip.is_file():
        raise UsageError(f"there is no file {clip}")
    loaded = load_system(system)
    library, folder = _open(music)
    skipped: list[tuple[str, str]] = []
    if folder is not None:
        report = library.add([folder], loaded, modality=None)
        skipped += [(entry.path, entry.reason) for entry in report.skipped]
    retriever = Retriever(library, loaded)
    skipped += [(entry.path, entry.reason) for entry in retriever.prepare(Direction.VIDEO_TO_MUSIC)]
    query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
    ranked = retriever.rank(query, alpha, count, filters=Filters(commercial=commercial))
    library.timings.measure_missing([result.item for result in ranked.results])
    ranked = retriever.place(ranked, clip)
    if not ranked.results:
        held = len(library.items(Modality.AUDIO))
        raise DataError(
            f"none of {held} tracks in {folder or library.root} meets these conditions; add music, or ask for less"
        )
    return Pick(video=clip, ranked=ranked, skipped=tuple(skipped))


def _open(music: Path | str | None) -> tuple[Library, Path | None]:
    """A library, and the folder that is to be read into it (None: it is a library already)."""
    from mvr.library import Library
    from mvr.library.library import CATALOGUE

    if music is None:
        return Library.open(home_dir() / "library"), None
    folder = Path(music).expanduser()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    if (folder / CATALOGUE).is_file():
        return Library.open(folder), None
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return Library.open(home_dir() / "folders" / name), folder

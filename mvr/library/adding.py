"""Adding files to a library: each is finished before the next begins, so a killed run is resumed by running it again.

One path holds one item. A file that was tagged again is the same item with new words; one that holds other music now
takes the place of what it held before; one that is gone leaves its item, marked, until it comes back or is removed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from mvr.config.digest import content_hash
from mvr.datatypes import Modality
from mvr.errors import MediaError, NotFinite
from mvr.library.catalogue import Catalogue, Seen, display_name
from mvr.library.duplicates import Signatures, find_same_music
from mvr.library.item import Item
from mvr.library.measure import Measures, measure, modality_of
from mvr.library.report import AddReport, SameMusic, Skipped
from mvr.library.tables import Tables
from mvr.library.tags import READER, Tags, read_tags

Embed = Callable[[Item], bool]
"""Makes sure that an item's features are there; True if they had to be computed."""


@dataclass
class Adding:
    """One run of adding: what it looks at, and what came of it.

    Attributes:
        catalogue: written to.
        embed: see `Embed`.
        modality: as what files are taken; None: a file with a picture is a video.
    """

    catalogue: Catalogue
    embed: Embed
    modality: Modality | None
    report: AddReport = field(default_factory=AddReport)
    tables: Tables = field(default_factory=Tables)

    @cached_property
    def signatures(self) -> Signatures:
        """Of all tracks; what this run adds is among them."""
        return Signatures(self.catalogue)

    def add(self, path: Path) -> int:
        """Add one file to catalogue and report; 1 if its features were computed."""
        shown = str(path).encode("utf-8", "replace").decode()
        seen = self.catalogue.seen(path)
        try:
            stat = path.stat()
            if seen is not None and (seen.size_bytes, seen.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
                return self._known(path, stat, shown, seen.item, seen.read_by)
            content = content_hash(path)
            item = self.catalogue.of_content(content)
            if item is not None:
                return self._known(path, stat, shown, item.id)
            return self._new(path, stat, shown, content, seen)
        except (MediaError, NotFinite) as error:
            reason = str(error)
        except OSError as error:
            reason = f"{display_name(path)}: cannot be read ({error.strerror})"
        self.report.skipped.append(Skipped(shown, reason))
        if seen is not None:  # what it held is not there any more
            self.catalogue.lost([path])
        return 0

    def look_for_gone(self, folder: Path, found: set[Path]) -> None:
        """Mark the items whose file lay in a folder and does so no more."""
        gone = [path for path in self.catalogue.seen_under(folder) if path not in found and not path.exists()]
        if not gone:
            return
        before = set(self.catalogue.missing_ids())
        self.catalogue.lost(gone)
        ids = [item_id for item_id in self.catalogue.missing_ids() if item_id not in before]
        self.report.gone.extend(self.catalogue.item(item_id) for item_id in ids)

    def _known(
        self, path: Path, stat: os.stat_result, shown: str, item_id: str, read_by: str | None = None
    ) -> int:
        """A file whose content the library holds: its words are read again where something else says them now."""
        wanted = self._read_by(path)
        item = self.catalogue.item(item_id)
        if read_by != wanted or item.missing:
            self.catalogue.saw(path, stat, item_id, wanted)
            item = self.catalogue.item(item_id)
            if item.path == path and self.catalogue.retag(
                item_id, _words(read_tags(path, self.tables), path)
            ):
                item = self.catalogue.item(item_id)
                self.report.updated.append(item)
        self.report.known.append(shown)
        return int(self.embed(item))

    def _new(self, path: Path, stat: os.stat_result, shown: str, content: str, seen: Seen | None) -> int:
        """A file with content that the library does not hold yet."""
        from mvr.media.probe import probe

        info = probe(path)
        kind = self.modality or modality_of(info)
        measures = measure(path, info, kind)
        before = None if seen is None else self._replaced(path, seen.item)
        again = before is not None and _same_recording(before, self.catalogue.signature(before.id), measures)
        same_as = before.same_as if again and before is not None else None
        if measures.signature is not None and measures.fingerprint is not None and not again:
            but = None if before is None else before.id
            same_as = find_same_music(
                measures.fingerprint, measures.signature, self.catalogue, self.signatures, but=but
            )
        item = make_item(path, content, kind, measures, read_tags(path, self.tables), same_as=same_as)
        computed = self.embed(item)
        self.catalogue.add(
            item, measures.signature, measured_bpm=measures.tempo_bpm, instead_of=before, keep_edits=again
        )
        self.catalogue.saw(path, stat, item.id, self._read_by(path))
        item = self.catalogue.item(item.id)
        (self.report.updated if again else self.report.added).append(item)
        if item.same_as is not None and not again:
            self.report.same_music.append(SameMusic(shown, item.same_as))
        return int(computed)

    def _replaced(self, path: Path, item_id: str) -> Item | None:
        """The item that a file held before, if it held it alone."""
        if self.catalogue.other_file(item_id, path) is not None:
            return None
        return self.catalogue.item(item_id)

    def _read_by(self, path: Path) -> str:
        """What decides over a file's words beside its bytes: the reader, and its row in a table."""
        row = self.tables.row(path)
        said = json.dumps(row, sort_keys=True, ensure_ascii=False)
        return f"{READER}:{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:16] if row else ''}"


def make_item(
    path: Path,
    content: str,
    modality: Modality,
    measures: Measures,
    tags: Tags,
    *,
    same_as: str | None = None,
) -> Item:
    """Join what is known of a file."""
    words = _words(tags, path)
    lists = {"genre": tags.genre, "mood": tags.mood}
    measured = {
        name: value
        for name, value in vars(measures).items()
        if name not in ("signature", "fingerprint", "tempo_bpm")
    }
    return Item(
        id=content[:16],
        content=content,
        modality=modality,
        path=path,
        name=display_name(path),
        size_bytes=path.stat().st_size,
        same_as=same_as,
        added_at=datetime.now(UTC).isoformat(timespec="seconds"),
        **measured,
        **words | lists | {"tempo_bpm": tags.tempo_bpm or measures.tempo_bpm},
    )


def _words(tags: Tags, path: Path) -> dict[str, Any]:
    """Tags as columns of the catalogue; without a title the file's name is one."""
    words = asdict(tags) | {"genre": list(tags.genre), "mood": list(tags.mood)}
    return words | {"title": tags.title or Path(display_name(path)).stem}


def _same_recording(before: Item, signature: bytes | None, measures: Measures) -> bool:
    """Whether a file holds what it held before, so that only its tags have changed: all that is measured is equal."""
    sound = ("loudness_lufs", "true_peak_dbtp", "width_px", "height_px")
    return (
        abs(before.duration_s - measures.duration_s) < 0.05
        and signature == measures.signature
        and all(getattr(before, name) == getattr(measures, name) for name in sound)
        and (signature is not None or before.loudness_lufs is not None)
    )

"""Does the true start of a clip's own sound score high among all starts? Real clips, one weight per work.

Forms: circular over windows of at most 30 s; the same with 2 s off both ends of the clip; strict: 10 s of
picture slid over the whole sound, 4 s off both ends of both. Control: sounds of other works, start on
start. A hit is a true start among the best tenth of all; on a grid chance is a little over one tenth (0.105
in windows of 30 s).
"""

from __future__ import annotations

import contextlib
import csv
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from eval.timing.outcomes import Outcome, summary, within
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import MvrError, UsageError
from mvr.media.sound import read_sound
from mvr.media.watching import watch_pictures
from mvr.signal.picture import Changes, Watcher
from mvr.signal.spectrum import SAMPLE_RATE_HZ
from mvr.timing.film import FilmTiming, film_timing
from mvr.timing.music import MusicTiming, measure_music
from mvr.timing.placing.places import place_tracks
from mvr.timing.placing.sliding import STEP_S, score_starts

WINDOW_S, SHORTEST_S, MOST_S = 30.0, 8.0, 95.0  # of a clip at most 95 s are decoded: three windows
TRIM_S, STRICT_TRIM_S, STRICT_PICTURE_S = 2.0, 4.0, 10.0
SILENT_RMS = 10 ** (-50 / 20)
ENDINGS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".flv",
    ".ts",
    ".wmv",
    ".3gp",
    ".ogv",
    ".mpg",
    ".mpeg",
)
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """A decoded clip: the work it is of, what was seen, its sound, and the span in which both are there."""

    name: str
    work: str
    changes: Changes
    samples: FloatArray
    end_s: float

    def film(self, start_s: float, end_s: float) -> FilmTiming:
        """Its picture from `start_s` to `end_s`."""
        times = self.changes.times_s
        rows = slice(*np.searchsorted(times, [start_s - 1e-6, end_s - 1e-6]))
        part = Changes(
            times_s=times[rows] - start_s, distances=self.changes.distances[rows],
            energy=self.changes.energy[rows], luma=self.changes.luma[rows],
            contrast=self.changes.contrast[rows], features=self.changes.features[rows],
        )  # fmt: skip
        return film_timing(part, end_s - start_s)

    def music(self, start_s: float, end_s: float) -> MusicTiming:
        """Its sound from `start_s` to `end_s`."""
        return _measured(self, start_s, end_s)


@lru_cache(maxsize=4096)
def _measured(clip: Clip, start_s: float, end_s: float) -> MusicTiming:
    return measure_music(clip.samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)])


def find_clips(folder: Path) -> dict[Path, str]:
    """Files of a folder and the work of each: column `work` of `manifest.csv` there, or else the file's stem.

    Raises:
        UsageError: no folder, or no file that can be a clip.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder; give one with clips, and a manifest.csv where clips share a work"
        )
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not files:
        raise UsageError(f"{folder} holds no video files")
    works = _column(folder, "work")
    return {path: _of(path, folder, works) or path.stem for path in files}


def _column(folder: Path, column: str) -> dict[str, str]:
    """A column of `manifest.csv` by each file's path and name; nothing without one."""
    cells: dict[str, str] = {}
    manifest = folder / "manifest.csv"
    if manifest.is_file():
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                name = next(
                    (row[key] for key in ("file", "path", "clip", "name", "filename") if row.get(key)), ""
                )
                if name and row.get(column):
                    cells[name] = cells[Path(name).name] = row[column]
    return cells


def _of(path: Path, folder: Path, cells: dict[str, str]) -> str:
    names = str(path.relative_to(folder)), path.name, path.stem
    return next((cells[name] for name in names if name in cells), "")


def load_clip(path: Path, work: str) -> Clip:
    """Decode picture and sound of at most `MOST_S` seconds.

    Raises:
        MvrError: it cannot be used: no picture, no sound, silence, too short; the message says which.
    """
    samples = read_sound(path, SAMPLE_RATE_HZ, duration_s=MOST_S)
    if float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) < SILENT_RMS:
        raise UsageError(f"{path.name}: its sound is silence")
    watcher = Watcher()
    watch_pictures(path, watcher.see, until_s=MOST_S)
    changes = watcher.changes()
    end_s = min(float(changes.times_s[-1]), len(samples) / SAMPLE_RATE_HZ) if len(watcher) else 0.0
    if end_s < SHORTEST_S:
        raise UsageError(
            f"{path.name}: picture and sound are {end_s:.1f} s long; at least {SHORTEST_S:g} s are needed"
        )
    return Clip(name=path.name, work=work, changes=changes, samples=samples, end_s=end_s)


def windows(start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Windows of at most 30 s behind each other, a rest of under 8 s left out."""
    edges = [*np.arange(start_s, end_s, WINDOW_S).tolist(), end_s]
    cut = [(a, b) for a, b in itertools.pairwise(edges) if b - a >= SHORTEST_S]
    return [
        (a, a + int((b - a) / STEP_S) * STEP_S) for a, b in cut
    ]  # whole steps: a circle closes on the grid


def rank_of(
    film: FilmTiming, music: MusicTiming, true_start: int, *, circular: bool
) -> tuple[FloatArray, FloatArray]:
    """(percentile, hit) of a start for each of the five variants and of `SUMS`."""
    starts = score_starts(film, [music], circular=circular)
    settled = starts.five + starts.meeting.evidence
    meets = starts.meeting.correlation
    rows = np.concatenate([starts.scores[:, 0], starts.five, meets, settled, starts.total])
    rows = rows[:, : int(starts.counts[0])]
    own = rows[:, true_start][:, None]
    better, even = (rows > own).sum(axis=1), (rows == own).sum(axis=1) - 1
    percentile = 1 - (better + even / 2) / max(1, rows.shape[1] - 1)
    flat = rows.max(axis=1) == rows.min(axis=1)
    hit = np.where(flat, 0.0, (better + even) < 0.1 * rows.shape[1])
    return np.where(flat, 0.5, percentile).astype(np.float32), hit.astype(np.float32)


def told_of(film: FilmTiming, music: MusicTiming, true_start_s: float) -> tuple[str, float]:
    """What a list says of a sound that is searched as a whole, and how far from a start it begins, in s."""
    [placing] = place_tracks(film, [music], [(0.0, music.duration_s)], draws=0)
    return placing.words, placing.start_s - true_start_s


def own_circular(clips: Sequence[Clip], trim_s: float) -> Iterable[Outcome]:
    """Each window's own sound, going round."""
    for clip in clips:
        for start_s, end_s in windows(trim_s, clip.end_s - trim_s):
            percentile, hit = rank_of(clip.film(start_s, end_s), clip.music(start_s, end_s), 0, circular=True)
            yield Outcome(work=clip.work, sound=clip.work, clip=clip.name, percentile=percentile, hit=hit)


def foreign_circular(clips: Sequence[Clip], trim_s: float) -> Iterable[Outcome]:
    """Each window under sounds of other works, start on start, as long as the window."""
    for clip in clips:
        for start_s, end_s in windows(trim_s, clip.end_s - trim_s):
            film = clip.film(start_s, end_s)
            for other in clips:
                if other.work != clip.work and other.end_s - trim_s >= trim_s + end_s - start_s:
                    sound = other.music(trim_s, trim_s + end_s - start_s)
                    percentile, hit = rank_of(film, sound, 0, circular=True)
                    yield Outcome(
                        work=clip.work, sound=other.work, clip=clip.name, percentile=percentile, hit=hit
                    )


def strict(clips: Sequence[Clip], foreign: bool) -> Iterable[Outcome]:
    """10 s of picture over a whole sound, 4 s off both ends of both; own, or of other works at the same second."""
    for clip in clips:
        begin, end = STRICT_TRIM_S, clip.end_s - STRICT_TRIM_S
        if end - begin < STRICT_PICTURE_S + 8 * STEP_S:
            continue
        for start_s in np.arange(begin, end - STRICT_PICTURE_S + 1e-6, STRICT_PICTURE_S):
            film = clip.film(start_s, start_s + STRICT_PICTURE_S)
            place = round((start_s - begin) / STEP_S)
            for other in clips if foreign else (clip,):
                last = other.end_s - STRICT_TRIM_S
                if foreign and (other.work == clip.work or last < start_s + STRICT_PICTURE_S + 8 * STEP_S):
                    continue
                sound = other.music(begin, last)
                percentile, hit = rank_of(film, sound, place, circular=False)
                yield Outcome(
                    work=clip.work, sound=other.work, clip=clip.name, percentile=percentile, hit=hit,
                    told=told_of(film, sound, start_s - begin),
                )  # fmt: skip


def films_of(folder: Path) -> list[FilmTiming]:
    """Pictures of the clips of a folder, one of each work, those that cannot be used left out."""
    films: dict[str, FilmTiming] = {}
    for path, work in find_clips(folder).items():
        if work in films:
            continue
        watcher = Watcher()
        with contextlib.suppress(MvrError, OSError):
            watch_pictures(path, watcher.see, until_s=MOST_S)
        if len(watcher) > 1:
            films[work] = film_timing(watcher.changes())
    return list(films.values())


def measure_offsets(folder: Path, say: Say) -> JsonDict:
    """`real_offset` of the document, with every clip that was left out and why.

    Where `manifest.csv` has a column `set`, `sets` holds the same of each set alone and of all but it.
    """
    clips, skipped = [], []
    sets: dict[str, set[str]] = {}
    names = _column(folder, "set")
    for path, work in find_clips(folder).items():
        try:
            clips.append(load_clip(path, work))
            say(f"{path.name}: {clips[-1].end_s:.1f} s of {work}")
        except (MvrError, OSError) as error:
            skipped.append(str(error))
            say(f"left out: {error}")
            continue
        sets.setdefault(_of(path, folder, names), set()).add(work)
    forms = {
        "circular": (list(own_circular(clips, 0.0)), list(foreign_circular(clips, 0.0))),
        "trimmed": (list(own_circular(clips, TRIM_S)), list(foreign_circular(clips, TRIM_S))),
        "strict": (list(strict(clips, foreign=False)), list(strict(clips, foreign=True))),
    }
    document = _document(forms) | {"skipped": skipped}
    if not clips:
        document["note"] = "no clip could be used"
    if len(sets) > 1:
        everything = set().union(*sets.values())
        parts = {f"{name or 'no set'} alone": works for name, works in sets.items()}
        parts |= {f"without {name or 'no set'}": everything - works for name, works in sets.items()}
        document["sets"] = {
            name: _document({form: (within(a, works), within(b, works)) for form, (a, b) in forms.items()})
            for name, works in parts.items()
        }
    return document


def _document(forms: dict[str, tuple[list[Outcome], list[Outcome]]]) -> JsonDict:
    """The circular form, with the other two in it."""
    nothing: JsonDict = {
        "percentile": None, "interval": None, "best_tenth": None, "best_tenth_interval": None,
        "control_best_tenth": None,
    }  # fmt: skip
    documents = {name: nothing | summary(*outcomes) for name, outcomes in forms.items()}
    return documents["circular"] | {"trimmed": documents["trimmed"], "strict": documents["strict"]}

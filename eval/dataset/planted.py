"""Which clips are made, and the truth about each: one planted fault, border or relation apiece."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eval.dataset.clips import Picture, Sound, write_clip
from mvr.config.workers import worker_processes

CLEAN_S = 6.0
# of all clips; what is left is clean
SHARES = {
    "voice": 0.1,
    "noise": 0.1,
    "still": 0.06,
    "silent": 0.04,
    "duration": 0.04,
    "likes": 0.03,
    "unreadable": 0.03,
    "copy": 0.03,
    "borders": 0.1,
    "faint": 0.04,
    "same music": 0.15,
    "same pictures": 0.08,
}
_VOICES_DB, _NOISES_DB, _FAINT_DB = (6.0, 3.0, 0.0), (6.0, 3.0, 0.0), -15.0
_MUSIC = ("14 dB quieter", "1 semitone higher", "2 semitones lower", "MP3 at 32 kbit/s", "1 s later")
_PICTURES = ("coarser", "smaller", "brighter")
_SEED_STRIDE = 1_000_000
_BARS = ((0.12, 0.0), (0.25, 0.0), (0.0, 0.1), (0.0, 0.25), (0.1, 0.1))


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A clip and its truth.

    Attributes:
        name: its file.
        kind: a key of `SHARES`, or "clean".
        how: which form of it.
        picture, sound, duration_s: what is rendered.
        likes: of its metadata.
        copy_of: the file whose bytes it has.
    """

    name: str
    kind: str
    how: str
    picture: Picture
    sound: Sound
    duration_s: float = CLEAN_S
    likes: int = 50_000
    copy_of: str | None = None

    @property
    def fault(self) -> str | None:
        """The reason for which it should be dropped (a key of the builder's `REASONS`), if any."""
        return (
            None if self.kind in ("clean", "borders", "faint", "same music", "same pictures") else self.kind
        )


def plan(count: int, seed: int) -> list[Planted]:
    """`count` clips; relations refer to the clean ones, in turn. Two seeds share no tune and no picture."""
    seed *= _SEED_STRIDE
    numbers = {kind: max(1, round(share * count)) for kind, share in SHARES.items()}
    clean = count - sum(numbers.values())
    assert clean > 0, "too few clips for one of each kind"
    bases = [_clip("clean", number, seed + number) for number in range(clean)]
    made = list(bases)
    for kind, wanted in numbers.items():
        for number in range(wanted):
            own = seed + 10_000 * (1 + list(SHARES).index(kind)) + number
            # copies come from the end: a base that has a copy and a variant would stand in two rows of the table
            base = bases[-1 - number % clean] if kind == "copy" else bases[number % clean]
            made.append(_related(kind, number, own, base) or _clip(kind, number, own))
    return made


def render(planted: Sequence[Planted], folder: Path, workers: int) -> Iterator[Path]:
    """Write every clip and `metadata.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    with worker_processes(workers) as pool:
        own = [item for item in planted if item.copy_of is None]
        yield from pool.map(partial(_write, folder), own)
    for item in planted:
        if item.copy_of is not None:
            yield Path(shutil.copyfile(folder / item.copy_of, folder / item.name))
    lines = ["file_name,title,likes", *(f"{item.name},{item.kind},{item.likes}" for item in planted)]
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write(folder: Path, item: Planted) -> Path:
    path = folder / item.name
    write_clip(path, item.picture, item.sound, item.duration_s)
    if item.kind == "unreadable":
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if item.how == "cut in half" else b"no video " * 100)
    return path


def _clip(kind: str, number: int, own: int) -> Planted:
    """A clip of its own music and pictures, with the fault of its kind."""
    picture, sound, how, duration_s, likes = Picture(film=own), Sound(tune=own), "", CLEAN_S, 50_000
    if kind == "voice":
        level = _VOICES_DB[number % 3]
        sound, how = Sound(tune=own, voice_db=level), f"{level:+g} dB against the music"
    elif kind == "noise":
        level = _NOISES_DB[number % 3]
        sound, how = Sound(tune=own, noise_db=level), f"pink, {level:+g} dB against the music"
    elif kind == "faint":
        voice = number % 2 == 0
        sound = Sound(tune=own, voice_db=_FAINT_DB) if voice else Sound(tune=own, noise_db=_FAINT_DB)
        how = f"{'voice' if voice else 'noise'} at {_FAINT_DB:g} dB: stays"
    elif kind == "still":
        picture = Picture(film=own, still=True)
    elif kind == "silent":
        sound = Sound(tune=own, silent=True)
    elif kind == "duration":
        duration_s = 2.0
    elif kind == "likes":
        likes = 500
    elif kind == "unreadable":
        how = ("cut in half", "text")[number % 2]
    elif kind == "borders":
        bars = _BARS[number % len(_BARS)]
        picture, how = (
            Picture(film=own, bars=bars),
            f"{bars[0]:.0%} at the sides, {bars[1]:.0%} above and below",
        )
    return Planted(
        name=f"{kind.replace(' ', '_')}-{number:03d}.mp4",
        kind=kind, how=how, picture=picture, sound=sound, duration_s=duration_s, likes=likes,
    )  # fmt: skip


def _related(kind: str, number: int, own: int, base: Planted) -> Planted | None:
    """A clip that shares bytes, music or pictures with a clean one; None for other kinds."""
    name = f"{kind.replace(' ', '_')}-{number:03d}.mp4"
    if kind == "copy":
        return Planted(
            name=name, kind=kind, how="", picture=base.picture, sound=base.sound, copy_of=base.name
        )
    if kind == "same music":
        how = _MUSIC[number % len(_MUSIC)]
        return Planted(
            name=name, kind=kind, how=how, picture=Picture(film=own), sound=_changed(base.sound, how)
        )
    if kind == "same pictures":
        how = _PICTURES[number % len(_PICTURES)]
        codec = ("-crf", "38") if how == "coarser" else ("-crf", "23")
        filters = {"smaller": "scale=108:192", "brighter": "eq=brightness=0.06:contrast=0.95"}.get(
            how, "null"
        )
        picture = Picture(film=base.picture.film, filters=filters, codec=codec)
        return Planted(name=name, kind=kind, how=how, picture=picture, sound=Sound(tune=own))
    return None


def _changed(sound: Sound, how: str) -> Sound:
    """The same music in another form, a key of `_MUSIC`."""
    tune, start_s = sound.tune, sound.start_s
    changes = (
        Sound(tune=tune, gain_db=-14),
        Sound(tune=tune, semitones=1),
        Sound(tune=tune, semitones=-2),
        Sound(tune=tune, codec=("-c:a", "libmp3lame", "-b:a", "32k")),
        Sound(tune=tune, start_s=start_s + 1),
    )
    return changes[_MUSIC.index(how)]

"""Timelines of real clips from phones, cameras and the net."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from eval.timelines.reading import read_timeline
from mvr.delivery.laying import lay_film
from mvr.delivery.plan import Delivery, Sound, plain_pieces
from mvr.delivery.writing import TimelineSettings, write_timeline
from mvr.errors import MediaError
from mvr.media.probe import probe

ENDINGS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".flv", ".wmv", ".3gp", ".ogv", ".m4v")


@pytest.mark.timelines
@pytest.mark.real_data
def test_every_real_clip_is_laid_out_as_long_as_its_picture(shared: Path, tmp_path: Path, xml_clips) -> None:
    done = 0
    for path in sorted(p for p in (shared / "media").rglob("*") if p.suffix.lower() in ENDINGS):
        try:
            if probe(path).video is None:
                continue
        except MediaError:
            continue
        film = lay_film(path)
        clock = film.clock
        pictures_s = Fraction(clock.pictures) / clock.measured_hz
        assert (
            abs(Fraction(clock.frames) / clock.rate.per_s - pictures_s) <= 1 / (2 * clock.rate.per_s)
            or clock.frames == 1
        )
        sound = Sound(
            path=tmp_path / "t.wav", title="t", duration_s=2.5, pieces=plain_pieces(1.0, 2.5, film.length_s)
        )
        write_timeline(Delivery(film=film, chosen=sound), tmp_path / "a.xml", TimelineSettings())
        sequence, clips = xml_clips(tmp_path / "a.xml")
        assert int(sequence.findtext("duration")) == clock.frames and clips[0].path == path
        read = read_timeline(tmp_path / "a.xml")
        assert [(p.start, p.end) for p in read.placed] == [(c.start, c.end) for c in clips], path.name
        done += 1
    assert done > 10

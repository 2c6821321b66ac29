"""Timelines written and read back twice, by OpenTimelineIO and by a reader of XML of our own: exact to the frame.

The oracle of every in and out point is the exact fraction: the nearest frame to a time, by `round_half_up` below.
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from eval.timelines.reading import read_timeline
from mvr.delivery.clock import PictureClock
from mvr.delivery.frames import STANDARD_RATES, FrameRate
from mvr.delivery.laying import lay_film
from mvr.delivery.plan import Delivery, Film, Marker, MarkerKind, Piece, Sound, join_markers, plain_pieces
from mvr.delivery.writing import TimelineSettings, markers_csv, write_timeline
from mvr.errors import ExtraMissing, UsageError

PLAIN = TimelineSettings()
NAMES = ["été + naïve #1.wav", "音楽 100%.flac", "طبل.mp3", "A & B <c>.m4a", "a;b?c.opus"]


def round_half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def film_of(rate: FrameRate, seconds: float, path: Path) -> Film:
    """A clip that needs no file: links are not followed when a timeline is written."""
    frames = round_half_up(Fraction(seconds) * rate.per_s)
    clock = PictureClock(rate=rate, frames=frames, measured_hz=rate.per_s, pictures=frames, variable=False)
    return Film(path=path, clock=clock, has_sound=True, width_px=1080, height_px=1920, duration_s=seconds)


def delivery_of(film: Film, folder: Path) -> Delivery:
    """A looped track that starts on an odd moment, four alternates of other lengths, markers between frames."""
    sounds = [
        Sound(
            path=folder / name,
            title=Path(name).stem,
            credit=f"“{name}” by Mei",
            licence="CC BY 4.0",
            duration_s=duration_s,
            gain_db=-6.0 + number,
            pieces=plain_pieces(start_s, duration_s, film.length_s),
        )
        for number, (name, duration_s, start_s) in enumerate(
            zip(
                NAMES, (41.7, 200.0, 650.1, 33.33, 1000.0), (10.61, 3.0, 1506.43 / 25, 0.0, 77.7), strict=True
            )
        )
    ]
    hits = [
        Marker(at_s=at, kind=MarkerKind.HIT, name=f"hit {at}", note="drum") for at in (0.5, film.length_s / 3)
    ]
    chosen, *rest = sounds
    return Delivery(
        film=film, chosen=chosen, alternates=tuple(rest), markers=(*hits, *join_markers(chosen.pieces))
    )


def wanted_clips(delivery: Delivery) -> list[tuple[int, int, int, int, int, bool]]:
    """(track, start, end, in, out, heard) of every clip, in order, by exact fractions."""
    rate, length = delivery.film.clock.rate.per_s, delivery.film.clock.frames
    wanted = [(0, 0, length, 0, length, True), (1, 0, length, 0, length, True)]
    for number, sound in enumerate((delivery.chosen, *delivery.alternates)):
        for piece in sound.pieces:
            start = round_half_up(Fraction(piece.start_s) * rate)
            end = min(length, round_half_up(Fraction(piece.start_s + piece.duration_s) * rate))
            source = round_half_up(Fraction(piece.source_start_s) * rate)
            whole = math.floor(Fraction(sound.duration_s) * rate)
            frames = min(end - start, whole - source)
            wanted.append((number + 2, start, start + frames, source, source + frames, number == 0))
    return wanted


@pytest.mark.timelines
@pytest.mark.parametrize("seconds", [7.3, 180.0, 600.0])
@pytest.mark.parametrize("rate", STANDARD_RATES, ids=lambda rate: rate.name)
def test_every_in_and_out_point_is_exact_in_every_format_by_both_readers(
    rate: FrameRate, seconds: float, tmp_path: Path, xml_clips
) -> None:
    delivery = delivery_of(film_of(rate, seconds, tmp_path / "my clip #1.mp4"), tmp_path)
    wanted = wanted_clips(delivery)
    marks = sorted((round_half_up(Fraction(m.at_s) * rate.per_s), m.name) for m in delivery.markers)
    for name, settings in (("a.otio", PLAIN), ("a.otioz", TimelineSettings(link=True)), ("a.xml", PLAIN)):
        write_timeline(delivery, tmp_path / name, settings)
        read = read_timeline(tmp_path / name)
        assert read.rate_hz == pytest.approx(float(rate.per_s), rel=1e-12)
        found = [(p.track, p.start, p.end, p.source_start, p.source_end, p.heard) for p in read.placed]
        assert found == wanted, name
        assert list(read.markers) == marks, name
    sequence, clips = xml_clips(tmp_path / "a.xml")
    assert [(c.track, c.start, c.end, c.source_in, c.source_out, c.heard) for c in clips] == wanted
    assert {clip.rate for clip in clips} == {rate.per_s}
    assert int(sequence.findtext("duration")) == delivery.film.clock.frames
    assert [(int(m.findtext("in")), m.findtext("name")) for m in sequence.iterfind("marker")] == [
        (round_half_up(Fraction(m.at_s) * rate.per_s), m.name) for m in delivery.markers
    ]


@pytest.mark.timelines
def test_a_track_that_is_too_short_is_looped_and_no_loop_is_lost(tmp_path: Path, xml_clips) -> None:
    """Clips of one name, file and range are written to XML once: looped music slid to the end of its first part."""
    film = film_of(STANDARD_RATES[2], 30, tmp_path / "clip.mp4")
    loops = tuple(Piece(start_s=10.0 * n, source_start_s=2.0, duration_s=10.0) for n in range(3))
    sound = Sound(path=tmp_path / "loop.wav", title="Loop", duration_s=12.0, pieces=loops)
    write_timeline(Delivery(film=film, chosen=sound), tmp_path / "a.xml", PLAIN)
    music = [clip for clip in xml_clips(tmp_path / "a.xml")[1] if clip.track == 2]
    assert [(clip.start, clip.end, clip.source_in, clip.source_out) for clip in music] == [
        (250 * n, 250 * n + 250, 50, 300) for n in range(3)
    ]
    read = [place for place in read_timeline(tmp_path / "a.xml").placed if place.track == 2]
    assert [(place.start, place.end) for place in read] == [(0, 250), (250, 500), (500, 750)]


@pytest.mark.timelines
def test_the_sequence_counts_at_the_picture_s_rate_whatever_the_music(tmp_path: Path, xml_clips) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(25)), 20, tmp_path / "clip.mp4"), tmp_path)
    write_timeline(delivery, tmp_path / "a.xml", PLAIN)
    sequence, _ = xml_clips(tmp_path / "a.xml")
    bases = {(rate.findtext("timebase"), rate.findtext("ntsc")) for rate in sequence.iter("rate")}
    assert bases == {("25", "FALSE")}


@pytest.mark.timelines
def test_xml_says_level_credit_colour_comment_size_and_what_belongs_together(
    tmp_path: Path, xml_clips
) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(25)), 60, tmp_path / "clip.mp4"), tmp_path)
    write_timeline(delivery, tmp_path / "a.xml", PLAIN)
    sequence, _ = xml_clips(tmp_path / "a.xml")
    music = sequence.findall("media/audio/track")[1].findall("clipitem")
    level = float(music[0].findtext("filter/effect/parameter/value"))
    assert 20 * math.log10(level) == pytest.approx(-6.0, abs=1e-4)
    assert music[0].findtext("comments/mastercomment1") == delivery.chosen.credit
    assert music[0].findtext("comments/mastercomment2") == "CC BY 4.0"
    marker = sequence.find("marker")
    assert marker.findtext("comment") == "hit at 0.500000 s; drum" and marker.findtext("color/green") == "255"
    assert sequence.findtext("media/video/format/samplecharacteristics/height") == "1920"
    picture, own = sequence.find("media/video/track/clipitem"), sequence.find("media/audio/track/clipitem")
    for item in (picture, own):
        assert [link.findtext("linkclipref") for link in item.iterfind("link")] == [
            picture.get("id"),
            own.get("id"),
        ]
    files = {file.findtext("name"): file for file in sequence.iter("file") if file.find("name") is not None}
    assert files["clip.mp4"].find("media/video") is not None
    for name in NAMES:
        assert files[name].find("media/video") is None, "a track is no picture, whatever its ending"
        assert files[name].findtext("media/audio/channelcount") == "2"


@pytest.mark.timelines
@pytest.mark.parametrize(("drop", "wanted"), [(True, "DF"), (False, "NDF")])
def test_the_clock_of_a_sequence_drops_numbers_only_when_asked(
    tmp_path: Path, xml_clips, drop: bool, wanted: str
) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(30000, 1001)), 700, tmp_path / "clip.mp4"), tmp_path)
    write_timeline(delivery, tmp_path / "a.xml", TimelineSettings(drop_frame=drop))
    sequence, clips = xml_clips(tmp_path / "a.xml")
    assert sequence.findtext("timecode/displayformat") == wanted
    assert clips[0].end == round_half_up(700 * Fraction(30000, 1001)), "frames are the same either way"


@pytest.mark.timelines
def test_drop_frame_at_25_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(25)), 10, tmp_path / "clip.mp4"), tmp_path)
    for name in ("a.xml", "a.otio", "a.csv"):
        with pytest.raises(UsageError, match="not at 25"):
            write_timeline(delivery, tmp_path / name, TimelineSettings(drop_frame=True))
    assert list(tmp_path.iterdir()) == []


def test_markers_as_a_table_keep_the_exact_second(tmp_path: Path) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(30000, 1001)), 180, tmp_path / "clip.mp4"), tmp_path)
    rows = list(csv.DictReader(io.StringIO(markers_csv(delivery, drop_frame=True))))
    assert [float(row["second"]) for row in rows] == pytest.approx(
        [m.at_s for m in delivery.markers], abs=1e-6
    )
    at_a_minute = next(row for row in rows if row["name"] == f"hit {delivery.film.length_s / 3}")
    assert at_a_minute["timecode"] == "00:01:00;00" or at_a_minute["frame"] == "1798"
    assert {row["kind"] for row in rows} == {"hit", "join"}


@pytest.mark.timelines
def test_a_bundle_holds_the_media_even_two_files_of_one_name(
    film: Callable[..., Path], make_tone: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make_tone(tmp_path / name / "音 #1.wav", seconds=4.0, seed=ord(name))
    laid = lay_film(film("bundle.mp4", "30000/1001", 60))
    sounds = [
        Sound(
            path=tmp_path / name / "音 #1.wav",
            title=name,
            duration_s=4.0,
            pieces=plain_pieces(1.0, 4.0, laid.length_s),
        )
        for name in ("a", "b")
    ]
    monkeypatch.chdir(tmp_path)
    out = Path("with media.otioz")  # as one types it
    write_timeline(Delivery(film=laid, chosen=sounds[0], alternates=(sounds[1],)), out, PLAIN)
    with zipfile.ZipFile(out) as bundle:
        inside = {name: bundle.read(name) for name in bundle.namelist()}
    media = {name: data for name, data in inside.items() if name.startswith("media/")}
    wanted = {laid.path.read_bytes(), *(sound.path.read_bytes() for sound in sounds)}
    assert set(media.values()) == wanted and len(media) == 3
    read = read_timeline(out)
    from urllib.parse import unquote

    assert {unquote(place.url) for place in read.placed} == set(media)
    assert [place.heard for place in read.placed] == [True, True, True, False]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".part")] == [], "nothing is left behind"


@pytest.mark.timelines
def test_a_timeline_says_names_credits_and_licences(tmp_path: Path) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(24)), 20, tmp_path / "clip.mp4"), tmp_path)
    write_timeline(delivery, tmp_path / "a.otio", PLAIN)
    document = json.loads((tmp_path / "a.otio").read_text(encoding="utf-8"))
    about = document["metadata"]["mvr"]
    assert about["credits"] == [sound.credit for sound in (delivery.chosen, *delivery.alternates)]
    assert about["rate"] == "24" and about["variable_frame_rate"] is False
    track = document["tracks"]["children"][2]
    assert track["children"][0]["metadata"]["mvr"]["source_start_s"] == 10.61, "the exact second is kept"
    assert track["metadata"]["mvr"]["gain_db"] == -6.0


@pytest.mark.timelines
def test_times_of_a_variable_rate_are_within_half_a_frame_after_conforming(tmp_path: Path, xml_clips) -> None:
    rate = FrameRate(Fraction(30))
    film = film_of(rate, 60, tmp_path / "phone.mp4")
    film = replace(film, clock=replace(film.clock, measured_hz=Fraction("30.01"), variable=True))
    delivery = delivery_of(film, tmp_path)
    hit = Marker(at_s=45.0, kind=MarkerKind.HIT, name="hit at 45 s")
    delivery = replace(delivery, markers=(hit,))
    write_timeline(delivery, tmp_path / "a.xml", PLAIN)
    sequence, clips = xml_clips(tmp_path / "a.xml")
    assert sequence.findtext("rate/timebase") == "30" and sequence.findtext("rate/ntsc") == "FALSE"
    assert Fraction(sequence.find("marker").findtext("in")) / rate.per_s == 45, (
        "it stood at 43.6 s at 31 NTSC"
    )
    pieces = [piece for sound in (delivery.chosen, *delivery.alternates) for piece in sound.pieces]
    for clip, piece in zip(clips[2:], pieces, strict=True):
        assert abs(Fraction(clip.start) / rate.per_s - Fraction(piece.start_s)) <= Fraction(1, 60)
        assert abs(Fraction(clip.source_in) / rate.per_s - Fraction(piece.source_start_s)) <= Fraction(1, 60)


@pytest.mark.timelines
def test_names_in_any_script_and_control_characters_survive(tmp_path: Path, xml_clips) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(25)), 20, tmp_path / "クリップ #1 100%.mp4"), tmp_path)
    odd = replace(delivery.chosen, title="Sea\x01\x0b<&>", credit="line\nbreak \udcff")
    delivery = replace(delivery, chosen=odd)
    for name in ("ünï &.xml", "ünï &.otio"):
        write_timeline(delivery, tmp_path / name, PLAIN)
        assert read_timeline(tmp_path / name).placed[2].name == "Sea  <&> (1.1)"
    _, clips = xml_clips(tmp_path / "ünï &.xml")
    assert {clip.path for clip in clips} == {delivery.film.path, *(tmp_path / name for name in NAMES)}


def test_another_ending_is_refused_with_those_that_are_written(tmp_path: Path) -> None:
    delivery = delivery_of(film_of(FrameRate(Fraction(25)), 20, tmp_path / "clip.mp4"), tmp_path)
    with pytest.raises(UsageError, match=r"ends in \.otioz, \.otio, \.xml, \.csv"):
        write_timeline(delivery, tmp_path / "a.edl", PLAIN)


def test_without_opentimelineio_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("mvr.config.extras.find_spec", lambda name: None)
    delivery = delivery_of(film_of(FrameRate(Fraction(25)), 20, tmp_path / "clip.mp4"), tmp_path)
    with pytest.raises(ExtraMissing, match=r"pip install 'mvr\[timelines\]'"):
        write_timeline(delivery, tmp_path / "a.otioz", PLAIN)
    write_timeline(delivery, tmp_path / "a.csv", PLAIN)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("frame,timecode")


@pytest.mark.timelines
def test_a_turned_hevc_clip_is_laid_out_as_it_is_seen(
    film: Callable[..., Path], run_ffmpeg, tmp_path: Path, xml_clips
) -> None:
    plain = film("upright.mp4", "60000/1001", 90, "-c:v", "libx265", "-x265-params", "log-level=none")
    turned = tmp_path / "turned.mov"
    run_ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", turned)
    laid = lay_film(turned)
    assert (laid.width_px, laid.height_px, laid.clock.frames, laid.clock.rate.name) == (96, 64, 90, "59.94")
    write_timeline(delivery_of(laid, tmp_path), tmp_path / "a.xml", PLAIN)
    sequence, clips = xml_clips(tmp_path / "a.xml")
    assert sequence.findtext("media/video/format/samplecharacteristics/width") == "96"
    assert (clips[0].start, clips[0].end, clips[0].path) == (0, 90, turned)

"""Cue sheet, credits, licences and claim evidence: what is in the pack is what is in the file and on the timeline."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mvr.delivery.cues import COLUMNS, cue_sheet
from mvr.delivery.evidence import claim_evidence, evidence_page, tag_dump
from mvr.delivery.laying import lay_file, lay_film
from mvr.delivery.pack import write_pack
from mvr.delivery.plan import Delivery, RightsHolders, join_markers
from mvr.errors import DataError

HOLDERS = RightsHolders(
    composer="Mei Lin", publisher="Sea & Co.", isrc="DEA123456789", iswc="T-034.524.680-1", ipi="00052210040"
)


@pytest.fixture
def delivery(film: Callable[..., Path], make_tone: Callable[..., Path], tmp_path: Path) -> Delivery:
    """A tagged MP3 of 4 s under a clip of 10 s at 29.97, so that it starts over."""
    import mutagen.id3

    track = make_tone(tmp_path / "sea <b>.wav", seconds=4.0)
    from mutagen.wave import WAVE

    tags = WAVE(track)
    tags.add_tags()
    tags.tags.add(mutagen.id3.TIT2(encoding=3, text=["=Sea <script>alert(1)</script>"]))
    tags.tags.add(mutagen.id3.TXXX(encoding=3, desc="LICENSE", text=["CC BY 4.0"]))
    tags.tags.add(
        mutagen.id3.APIC(encoding=3, mime="image/png", type=3, desc="", data=b"\x89PNG" + bytes(999))
    )
    tags.save()
    laid = lay_film(film("pack.mp4", "30000/1001", 300))
    sound = lay_file(track, laid, 0.5)
    sound = replace(
        sound, rights_holders=HOLDERS, title="=Sea", licence="CC BY 4.0", credit="“Sea” by Mei, CC BY 4.0"
    )
    return Delivery(film=laid, chosen=sound, markers=join_markers(sound.pieces))


def test_the_cue_sheet_has_a_row_for_each_stretch_and_ends_with_the_film(delivery: Delivery) -> None:
    rows = list(csv.DictReader(io.StringIO(cue_sheet(delivery, drop_frame=True))))
    assert list(rows[0]) == list(COLUMNS) and len(rows) == len(delivery.chosen.pieces) > 2
    assert (rows[0]["in"], rows[-1]["out"]) == ("00:00:00;00", "00:00:10;00"), (
        "300 frames are 10 s of drop-frame"
    )
    assert all(before["out"] == after["in"] for before, after in itertools.pairwise(rows))
    assert sum(float(row["duration_s"]) for row in rows) == pytest.approx(300 * 1001 / 30000, abs=1e-5)
    wanted = {
        "composer": "Mei Lin",
        "publisher": "Sea & Co.",
        "isrc": "DEA123456789",
        "iswc": "T-034.524.680-1",
    }
    assert {name: rows[0][name] for name in wanted} == wanted and rows[0]["ipi"] == "00052210040"
    assert rows[0]["title"] == "'=Sea", "no spreadsheet runs a title"


def test_the_evidence_is_what_the_file_says(delivery: Delivery) -> None:
    evidence = claim_evidence(delivery)
    assert evidence["music"]["sha256"] == hashlib.sha256(delivery.chosen.path.read_bytes()).hexdigest()
    assert evidence["film"]["sha256"] == hashlib.sha256(delivery.film.path.read_bytes()).hexdigest()
    tags = dict(evidence["music"]["tags"])
    assert tags["TXXX:LICENSE"] == "CC BY 4.0" and tags["APIC:"] == "1003 bytes"
    assert evidence["licence"]["may_use"] == "commercially, with credit"
    assert evidence["placement"][0]["in_s"] == 0
    json.dumps(evidence, allow_nan=False)


def test_a_file_that_changed_since_it_was_read_proves_nothing(delivery: Delivery) -> None:
    with delivery.chosen.path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(DataError, match="has changed since the library read it"):
        claim_evidence(delivery)


def test_the_page_says_the_same_in_words_and_runs_nothing(delivery: Delivery) -> None:
    page = evidence_page(claim_evidence(delivery))
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append
    found: list[str] = []
    parser.handle_starttag = lambda tag, attrs: found.append(tag)
    parser.feed(page)
    text = " ".join(" ".join(words).split())
    assert "script" not in found and "<script>alert(1)</script>" in text
    assert "CC BY 4.0" in text and delivery.chosen.sha256 in text
    assert "From 00:00:00:00 to" in text and "http://" not in page.replace("http://www.w3", "")


def test_the_pack_holds_papers_and_no_music(delivery: Delivery, tmp_path: Path) -> None:
    names = write_pack(delivery, tmp_path / "papers.zip")
    with zipfile.ZipFile(tmp_path / "papers.zip") as pack:
        assert pack.namelist() == names == [
            "cue sheet.csv", "credits.txt", "licences.txt", "claim evidence.json", "claim evidence.html",
        ]  # fmt: skip
        music = delivery.chosen.path.read_bytes()
        assert all(music[100:400] not in pack.read(name) for name in names)
        assert pack.read("credits.txt").decode() == "“Sea” by Mei, CC BY 4.0\n"
        assert "CC BY 4.0" in pack.read("licences.txt").decode()


def test_a_file_without_tags_has_none_to_dump(make_tone: Callable[..., Path], tmp_path: Path) -> None:
    assert tag_dump(make_tone(tmp_path / "bare.wav", seconds=1)) == []


@pytest.mark.real_data
def test_tags_of_every_kind_are_dumped_as_text(shared: Path) -> None:
    dumps = {
        path.name: dict(tag_dump(path))
        for path in (shared / "cases").iterdir()
        if path.suffix != ".md" and path.is_file()
    }
    assert dumps["freeform_licence.m4a"]["----:com.apple.iTunes:LICENSE"] == "CC BY 4.0"
    assert dumps["vorbis_comment.flac"]["license"] == "CC BY 4.0"
    assert (
        "CC BY 4.0" in dumps["comment_licence.mp3"]["COMM::eng"]
        or "CC " in dumps["comment_licence.mp3"]["COMM::eng"]
    )
    assert all(text.isprintable() for dump in dumps.values() for text in dump.values())

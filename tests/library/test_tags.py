"""Every container that is opened x every field: what is written there, by its own kind of tag, is read."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen.id3
import pytest
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from mvr.library.tags import Tags, read_tags, tags_inside

TRUTH: dict[str, Any] = {
    "title": "Sea — 海",
    "artist": "Mei Ødegård",
    "album": "Shores",
    "genre": ("jazz", "soul"),
    "mood": ("calm",),
    "composer": "Ana Noé",
    "publisher": "Small Label",
    "year": 2019,
    "isrc": "USS1Z9900001",
    "iswc": "T-034.524.680-1",
    "ipi": "00123456789",
    "licence": "CC BY-SA 3.0",
    "licence_url": "https://creativecommons.org/licenses/by-sa/3.0/",
    "credit": "Music: Mei, thank you",
    "source": "https://mei.example/sea",
    "tempo_bpm": 96.0,
}
WORDS = {  # as free-form names, each under the spelling that tools of that field write
    "title": "Sea — 海", "artist": "Mei Ødegård", "album": "Shores", "genre": "Jazz; Soul", "mood": "Calm",
    "composer": "Ana Noé", "publisher": "Small Label", "date": "2019-05-01", "isrc": "US-S1Z-99-00001",
    "iswc": "T-034.524.680-1", "ipi": "00123456789", "license": "CC BY-SA 3.0", "attribution": "Music: Mei, thank you",
    "website": "https://mei.example/sea", "bpm": "96",
}  # fmt: skip
Write = Callable[[Path], None]


def vorbis(cls: type) -> Write:
    def write(path: Path) -> None:
        file = cls(path)
        for name, text in WORDS.items():
            file[name.upper()] = text
        file.save()

    return write


def id3_frames(version: int = 4) -> list[Any]:
    of = mutagen.id3
    texts = {
        "TIT2": "title", "TPE1": "artist", "TALB": "album", "TCON": "genre", "TMOO": "mood", "TCOM": "composer",
        "TPUB": "publisher", "TDRC": "date", "TSRC": "isrc", "TBPM": "bpm",
    }  # fmt: skip
    frames = [getattr(of, frame)(encoding=3, text=WORDS[name]) for frame, name in texts.items()]
    frames += [
        of.TXXX(encoding=3, desc=name.upper(), text=WORDS[name]) for name in ("iswc", "ipi", "attribution")
    ]
    return [
        *frames,
        of.TCOP(encoding=3, text="2019 Mei, all tracks CC BY-SA 3.0"),
        of.WOAF(url=WORDS["website"]),
    ]


def id3(cls: type, version: int = 4) -> Write:
    def write(path: Path) -> None:
        file = cls(path)
        if getattr(file, "tags", None) is None and hasattr(file, "add_tags"):
            file.add_tags()
        tags = file if isinstance(file, mutagen.id3.ID3) else file.tags
        for frame in id3_frames():
            tags.add(frame)
        file.save(v2_version=version)

    return write


def id3_alone(path: Path) -> None:
    tags = mutagen.id3.ID3()
    for frame in id3_frames():
        tags.add(frame)
    tags.save(path)


def ape(path: Path) -> None:
    tags = APEv2()
    for name, text in WORDS.items():
        tags[{"date": "Year"}.get(name, name.title())] = text
    tags.save(path)


def mp4(path: Path) -> None:
    file = MP4(path)
    if file.tags is None:
        file.add_tags()
    atoms = {
        "©nam": "title", "©ART": "artist", "©alb": "album", "©gen": "genre", "©wrt": "composer", "©day": "date",
    }  # fmt: skip
    for atom, name in atoms.items():
        file.tags[atom] = [WORDS[name]]
    file.tags["tmpo"] = [96]
    for name in ("mood", "publisher", "isrc", "iswc", "ipi", "license", "attribution", "website"):
        file.tags[f"----:com.apple.iTunes:{name.upper()}"] = [MP4FreeForm(WORDS[name].encode())]
    file.save()


def asf(path: Path) -> None:
    file = ASF(path)
    names = {
        "Title": "title", "Author": "artist", "WM/AlbumTitle": "album", "WM/Genre": "genre", "WM/Mood": "mood",
        "WM/Composer": "composer", "WM/Publisher": "publisher", "WM/Year": "date", "WM/ISRC": "isrc",
        "WM/BeatsPerMinute": "bpm", "WM/AudioFileURL": "website", "ISWC": "iswc", "IPI": "ipi",
        "ATTRIBUTION": "attribution",
    }  # fmt: skip
    for asf_name, name in names.items():
        file[asf_name] = WORDS[name]
    file["Copyright"] = "(c) Mei, creativecommons.org/licenses/by-sa/3.0/"
    file.save()


INFO = {
    b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"IGNR": "genre", b"IMUS": "composer", b"IPUB": "publisher",
    b"ICRD": "date", b"ISRC": "isrc", b"IURL": "website",
}  # fmt: skip


def riff_info(path: Path, encoding: str = "utf-8") -> None:
    entries = [(name, WORDS[word].encode(encoding, "replace")) for name, word in INFO.items()]
    entries.append((b"ICMT", b"Free to use: http://creativecommons.org/licenses/by-sa/3.0/"))
    body = b"INFO"
    for name, text in entries:
        text += b"\0"
        body += name + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    data = path.read_bytes() + b"LIST" + struct.pack("<I", len(body)) + body
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])


def aiff_text(path: Path) -> None:
    body = b""
    for name, text in ((b"NAME", "title"), (b"AUTH", "artist")):
        value = WORDS[text].encode()
        body += name + struct.pack(">I", len(value)) + value + b"\0" * (len(value) % 2)
    note = b"CC BY-SA 3.0"
    body += b"ANNO" + struct.pack(">I", len(note)) + note
    data = path.read_bytes() + body
    path.write_bytes(data[:4] + struct.pack(">I", len(data) - 8) + data[8:])


def by_ffmpeg(*options: str) -> Write:
    """Written by the muxer itself."""

    def write(path: Path) -> None:
        plain = path.with_name(f"plain {path.name}")
        path.rename(plain)
        words = [part for name, text in WORDS.items() for part in ("-metadata", f"{name}={text}")]
        ffmpeg("-i", plain, "-c", "copy", *words, *options, path)

    return write


LICENCE = {"licence", "licence_url"}
ALL = frozenset(TRUTH)
# container -> (ending, ffmpeg options of the sound, what writes the tags, fields that it has)
CONTAINERS: dict[str, tuple[str, tuple[str, ...], Write, frozenset[str]]] = {
    "FLAC": (".flac", (), vorbis(FLAC), ALL),
    "Ogg Vorbis": (".ogg", ("-c:a", "libvorbis"), vorbis(OggVorbis), ALL),
    "Ogg FLAC": (".oga", ("-c:a", "flac"), vorbis(OggFLAC), ALL),
    "Opus": (".opus", ("-c:a", "libopus"), vorbis(OggOpus), ALL),
    "MP3, ID3v2.4": (".mp3", (), id3(MP3), ALL),
    "MP3, ID3v2.3": (".mp3", (), id3(MP3, version=3), ALL),
    "MP3, APEv2": (".mp3", ("-write_xing", "0", "-id3v2_version", "0"), ape, ALL),
    "WAV, ID3": (".wav", (), id3(WAVE), ALL),
    "WAV, INFO": (
        ".wav",
        ("-fflags", "+bitexact"),
        riff_info,
        LICENCE | {"title", "artist", "album", "genre", "composer", "publisher", "year", "isrc", "source"},
    ),
    "AIFF, ID3": (".aiff", (), id3(AIFF), ALL),
    "AIFF, text chunks": (".aiff", (), aiff_text, LICENCE | {"title", "artist"}),
    "AAC, ID3": (".aac", (), id3_alone, ALL),
    "M4A": (".m4a", (), mp4, ALL),
    "MP4 video": (".mp4", ("video",), mp4, ALL),
    "WMA": (".wma", ("-c:a", "wmav2"), asf, ALL),
    "WMV": (".wmv", ("video", "-c:v", "wmv2", "-c:a", "wmav2"), asf, ALL),
    "Matroska audio": (".mka", ("-c:a", "flac"), by_ffmpeg(), ALL),
    "Matroska": (".mkv", ("video",), by_ffmpeg(), ALL),
    "WebM": (".webm", ("-c:a", "libopus"), by_ffmpeg(), ALL),
    "QuickTime, keys": (".mov", ("video",), by_ffmpeg("-movflags", "use_metadata_tags"), ALL),
    "FLV": (".flv", (), by_ffmpeg(), ALL),
    "CAF": (".caf", (), by_ffmpeg(), ALL),
    "AVI": (".avi", ("video",), by_ffmpeg(), frozenset({"title", "artist", "album", "genre"})),
}


def ffmpeg(*words: object) -> None:
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *map(str, words)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tags]:
    """Tags of a container's file, made once."""
    folder = tmp_path_factory.mktemp("tags")
    known: dict[str, Tags] = {}

    def tags_of(container: str) -> Tags:
        if container not in known:
            ending, options, write, _ = CONTAINERS[container]
            path = folder / f"{len(known)}{ending}"
            sources = ["-f", "lavfi", "-i", "sine=440:duration=0.3"]
            if options[:1] == ("video",):
                options = options[1:]
                sources += ["-f", "lavfi", "-i", "color=red:size=32x32:rate=5:duration=0.3"]
            ffmpeg(*sources, *options, path)
            write(path)
            known[container] = tags_inside(path)
        return known[container]

    return tags_of


CASES = [(container, field) for container, (*_, fields) in CONTAINERS.items() for field in sorted(fields)]


@pytest.mark.parametrize(("container", "field"), CASES)
def test_what_a_container_says_is_read(read: Callable[[str], Tags], container: str, field: str) -> None:
    assert getattr(read(container), field) == TRUTH[field]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A new file without tags."""
    folder = tmp_path_factory.mktemp("plain")
    made: dict[str, bytes] = {}

    def new(ending: str) -> Path:
        if ending not in made:
            ffmpeg(
                "-f",
                "lavfi",
                "-i",
                "sine=440:duration=0.2",
                "-fflags",
                "+bitexact",
                folder / f"first{ending}",
            )
            made[ending] = (folder / f"first{ending}").read_bytes()
        path = folder / f"{len(list(folder.iterdir()))}{ending}"
        path.write_bytes(made[ending])
        return path

    return new


BY = "https://creativecommons.org/licenses/by/4.0/"
of = mutagen.id3


@pytest.mark.parametrize(
    ("frames", "licence", "url"),
    [
        ([of.TXXX(desc="LICENSE", text="CC BY 4.0")], "CC BY 4.0", BY),
        ([of.TXXX(desc="Licence", text="my own words")], "my own words", ""),
        ([of.USER(lang="eng", text="cc-by-4.0")], "CC BY 4.0", BY),
        ([of.WCOP(url="http://creativecommons.org/licenses/by/4.0/")], "CC BY 4.0", BY),
        ([of.WCOP(url="https://band.example/legal")], "unknown", "https://band.example/legal"),
        ([of.WCOP(url="javascript:alert(1)")], "unknown", ""),
        ([of.TCOP(text="2019 Mei. Licensed under CC BY 4.0")], "CC BY 4.0", BY),
        ([of.TCOP(text="2019 Mei. All rights reserved")], "unknown", ""),
        ([of.COMM(lang="eng", desc="", text="more: creativecommons.org/licenses/by/4.0")], "CC BY 4.0", BY),
        ([of.COMM(lang="eng", desc="", text="CC BY 4.0, but no commercial use")], "unknown", ""),
        ([of.WXXX(desc="license", url=BY)], "CC BY 4.0", BY),
        ([of.TXXX(desc="LICENSE", text="CC0 1.0"), of.TCOP(text="CC BY 4.0")], "CC0 1.0",
         "https://creativecommons.org/publicdomain/zero/1.0/"),
        ([of.TXXX(desc="LICENSE", text="ask me"), of.WCOP(url="https://band.example/ask")], "ask me",
         "https://band.example/ask"),
    ],
)  # fmt: skip
def test_a_licence_is_found_by_name_and_address_wherever_one_is_written(plain, frames, licence, url) -> None:
    path, tags = plain(".mp3"), mutagen.id3.ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(path)
    found = tags_inside(path)
    assert (found.licence, found.licence_url) == (licence, url)


def test_a_copyright_comment_or_address_of_vorbis_is_a_licence_too(plain) -> None:
    for name, text in (
        ("COPYRIGHT", f"2020 Mei, {BY}"),
        ("LICENSE", BY),
        ("COMMENT", "CC-BY-4.0"),
        ("URL", BY),
    ):
        file = FLAC(plain(".flac"))
        file[name] = text
        file.save()
        assert (tags_inside(Path(file.filename)).licence, tags_inside(Path(file.filename)).licence_url) == (
            "CC BY 4.0",
            BY,
        ), name


def test_id3_goes_before_ape_and_each_fills_what_the_other_lacks(plain) -> None:
    path = plain(".mp3")
    tags = APEv2()
    tags["Title"], tags["Album"] = "ape", "from ape"
    tags.save(path)
    more = mutagen.id3.ID3(path)
    more.add(of.TIT2(encoding=3, text="id3"))
    more.save(path)
    found = tags_inside(path)
    assert (found.title, found.album) == ("id3", "from ape")


def test_id3v1_alone_is_read(plain) -> None:
    path = plain(".mp3")
    mutagen.id3.ID3(path).delete(path)
    parts = ("Old title", "Old artist", "Old album")
    tag = (
        b"TAG"
        + b"".join(part.encode().ljust(30, b"\0") for part in parts)
        + b"1999"
        + b"CC BY 4.0".ljust(30, b"\0")
    )
    path.write_bytes(path.read_bytes() + tag + bytes([8]))
    found = tags_inside(path)
    assert (found.title, found.artist, found.album, found.year) == (*parts, 1999)
    assert (found.genre, found.licence) == (("jazz",), "CC BY 4.0")


def test_info_in_latin_1_is_read(plain) -> None:
    path = plain(".wav")
    riff_info(path, "latin-1")
    assert tags_inside(path).artist == "Mei Ødegård"


@pytest.mark.parametrize("ending", [".mp3", ".flac", ".ogg", ".m4a", ".wav", ".aiff", ".wma", ".mka"])
def test_no_field_of_any_container_obeys_or_breaks_a_line(plain, ending: str) -> None:
    rude = "a\x1b[31mb\nc\u202ed\x07e"
    path = plain(ending)
    words = (
        "title",
        "artist",
        "album",
        "genre",
        "composer",
        "publisher",
        "license",
        "attribution",
        "website",
        "isrc",
    )
    if ending == ".mka":
        bare = path.rename(path.with_name(f"bare {path.name}"))
        ffmpeg("-i", bare, "-c", "copy", *(p for w in words for p in ("-metadata", f"{w}={rude}")), path)
    elif ending in (".mp3", ".wav", ".aiff"):
        file = {".mp3": MP3, ".wav": WAVE, ".aiff": AIFF}[ending](path)
        file.add_tags() if file.tags is None else None
        for name in ("TIT2", "TPE1", "TALB", "TCON", "TCOM", "TPUB", "TSRC"):
            file.tags.add(getattr(of, name)(encoding=3, text=rude))
        for name in ("license", "attribution", "website"):
            file.tags.add(of.TXXX(encoding=3, desc=name, text=rude))
        file.save()
    else:
        file = {".flac": FLAC, ".ogg": mutagen.File, ".m4a": MP4, ".wma": ASF}[ending](path)
        for word in words:
            if ending == ".m4a":
                file[f"----:x:{word}"] = [MP4FreeForm(rude.encode())]
            else:
                file[word] = rude
        file.save()
    found = vars(tags_inside(path))
    texts = [v for v in found.values() if isinstance(v, str)] + [*found["genre"]]
    assert "a [31mb c d e" in texts
    assert [text for text in texts if not text.isprintable()] == []


@pytest.mark.parametrize("ending", [".mp3", ".flac", ".ogg", ".m4a", ".wav", ".aiff", ".wma", ".mkv"])
def test_damaged_tags_are_none_or_some_but_never_an_error(plain, ending: str) -> None:
    import random

    path = plain(ending if ending != ".mkv" else ".mka")
    data = bytearray(path.read_bytes())
    generator = random.Random(0)
    for _ in range(25):
        broken = bytearray(data)
        for _ in range(8):
            broken[generator.randrange(min(len(broken), 600))] = generator.randrange(256)
        path.write_bytes(broken[: generator.randrange(1, len(broken))])
        assert isinstance(tags_inside(path), Tags)


def test_a_row_of_a_table_goes_before_what_is_inside_field_by_field(plain, tmp_path: Path) -> None:
    path = plain(".flac").rename(tmp_path / "a.flac")
    vorbis(FLAC)(path)
    (tmp_path / "metadata.csv").write_text(
        "file,title,licence,Label,date,BPM,ISRC\na.flac,From the table,cc0,Other label,1987-01-01,,none\n"
    )
    found = read_tags(path)
    assert (found.title, found.artist, found.publisher, found.year) == (
        "From the table",
        "Mei Ødegård",
        "Other label",
        1987,
    )
    assert (found.licence, found.licence_url) == ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/")
    assert (found.tempo_bpm, found.isrc) == (96.0, "none")

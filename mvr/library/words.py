"""The words inside a file, whatever its container: name -> values, under one spelling for all containers.

mutagen reads the containers that it knows; FFmpeg's own reading fills what is left (Matroska, AVI, RIFF INFO, CAF, FLV,
QuickTime's keys). Containers name the same thing differently: `_NAMES` says what a name of one system means; any
other name (a Vorbis comment, a freeform atom, a TXXX frame) means what it says.

Sources: ID3v2.4 section 4 (id3.org), Matroska's tag list (matroska.org/technical/tagging.html), Microsoft's RIFF
INFO list (1991), the ASF metadata of Windows Media, the comment field names of xiph.org, QuickTime's `moov.udta`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Words = dict[str, list[str]]
_LONGEST = 20_000  # characters: pictures are kept as text by some containers

# (system, name there) -> our name; names are compared without case, blanks and punctuation
_NAMES: dict[str, dict[str, str]] = {
    "id3": {
        "TIT2": "title", "TPE1": "artist", "TPE2": "albumartist", "TALB": "album", "TCON": "genre", "TMOO": "mood",
        "TDRC": "date", "TYER": "date", "TDOR": "originaldate", "TDRL": "releasedate", "TCOM": "composer",
        "TPUB": "publisher", "TSRC": "isrc", "TCOP": "copyright", "WCOP": "copyrighturl", "USER": "license",
        "COMM": "comment", "TBPM": "bpm", "WOAF": "source", "WOAS": "source", "WOAR": "website", "WPUB": "publisherurl",
        "WXXX": "website",
    },
    "mp4": {
        "©nam": "title", "©ART": "artist", "aART": "albumartist", "©alb": "album", "©gen": "genre", "©day": "date",
        "©wrt": "composer", "©pub": "publisher", "cprt": "copyright", "©cpy": "copyright", "©cmt": "comment",
        "desc": "description", "ldes": "description", "tmpo": "bpm", "©url": "website", "xid ": "isrc",
    },
    "asf": {
        "Author": "artist", "WM/AlbumArtist": "albumartist", "WM/AlbumTitle": "album", "WM/Genre": "genre",
        "WM/Mood": "mood", "WM/Year": "date", "WM/OriginalReleaseYear": "originaldate", "WM/Composer": "composer",
        "WM/Publisher": "publisher", "WM/ISRC": "isrc", "WM/ProviderCopyright": "copyright",
        "Copyright": "copyright", "CopyrightURL": "copyrighturl", "WM/CopyrightURL": "copyrighturl",
        "Description": "comment", "WM/BeatsPerMinute": "bpm", "WM/AuthorURL": "website", "WM/AudioFileURL": "source",
        "WM/AudioSourceURL": "source",
    },
    "riff": {
        "INAM": "title", "IART": "artist", "IPRD": "album", "IGNR": "genre", "ICRD": "date", "IMUS": "composer",
        "IWRI": "composer", "IPUB": "publisher", "ICOP": "copyright", "ICMT": "comment", "ISBJ": "description",
        "ISRC": "isrc", "ISRF": "source", "IURL": "website", "IBSU": "website", "IMED": "media",
    },
    "aiff": {"NAME": "title", "AUTH": "artist", "(c) ": "copyright", "ANNO": "comment"},
}  # fmt: skip
_MEANS = {
    (system, re.sub(r"[\W_]", "", name.casefold())): word
    for system, names in _NAMES.items()
    for name, word in names.items()
}


def words_inside(path: Path) -> Words:
    """All words of a file under our names, the values of one name in file order; none where nothing is written.

    What a container's own tags say comes before what FFmpeg makes of the same file. A tag that is damaged is passed
    over: tags are an extra, the sound may be fine.
    """
    words: Words = {}
    for read in (_by_mutagen, _ape_of, _info_of, _by_ffmpeg):
        if read is _by_ffmpeg and words and _is_read_whole(path):
            break
        found: Words = {}
        for system, name, values in read(path):
            kept = found.setdefault(_our_name(system, name), [])
            kept += [v for v in values if v.strip() and len(v) < _LONGEST and v not in kept]
        for name, values in found.items():
            if values:
                words.setdefault(name, values)
    return words


def _is_read_whole(path: Path) -> bool:
    """Whether the readers before FFmpeg's know all that this container can hold."""
    with path.open("rb") as file:
        return file.read(4) in (b"fLaC", b"OggS", b"ID3\2", b"ID3\3", b"ID3\4", b"RIFF", b"FORM", b"0&\xb2u")


def _our_name(system: str, name: str) -> str:
    plain = re.sub(r"[\W_]", "", name.casefold())
    return _MEANS.get((system, plain), plain)


Entries = Iterable[tuple[str, str, list[str]]]
"""(system, name there, values) of each tag."""


def _by_mutagen(path: Path) -> Entries:
    """What mutagen finds under the names of its container's own system; ID3 in front of raw AAC, too."""
    import mutagen
    from mutagen.id3 import ID3

    looks: tuple[Callable[[], Any], ...] = (
        lambda: getattr(mutagen.File(path), "tags", None),
        lambda: ID3(path),
    )
    for look in looks:
        try:
            tags = look()
            kind = type(tags).__name__
            found = [entry for part, read in _READERS.items() if part in kind for entry in read(tags)]
        except (
            mutagen.MutagenError,
            OSError,
            ValueError,
            OverflowError,
            LookupError,
            TypeError,
            AttributeError,
        ):
            continue  # a damaged tag, in whatever way
        if found:
            return found
    return []


def _of_id3(tags: Any) -> Iterator[tuple[str, str, list[str]]]:
    for frame in tags.values():
        code = frame.FrameID
        if code == "TCON":
            yield "id3", code, list(frame.genres)
        elif code in ("TXXX", "WXXX"):
            described = "website" if code == "WXXX" else frame.desc
            values = [frame.url] if code == "WXXX" else [str(text) for text in frame.text]
            yield "id3", frame.desc or described, values
        elif code in ("COMM", "USER"):
            text = frame.text if isinstance(frame.text, list) else [frame.text]
            yield "id3", code, [str(part) for part in text]
        elif code.startswith("T"):
            yield "id3", code, [str(text) for text in frame.text]
        elif code.startswith("W"):
            yield "id3", code, [frame.url]


def _of_vorbis(tags: Any) -> Iterator[tuple[str, str, list[str]]]:
    for name, value in tags:
        yield "vorbis", name, [value]


def _of_ape(tags: Any) -> Iterator[tuple[str, str, list[str]]]:
    for name, value in tags.items():
        if value.kind != 1:  # binary: cover art
            yield "ape", name, [str(part) for part in str(value).split("\0")]


def _of_mp4(tags: Any) -> Iterator[tuple[str, str, list[str]]]:
    for name, values in tags.items():
        if name == "covr":
            continue
        parts = values if isinstance(values, list) else [values]
        shown = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts]
        yield "mp4", name.rpartition(":")[2] if name.startswith("----") else name, shown


def _of_asf(tags: Any) -> Iterator[tuple[str, str, list[str]]]:
    for name, value in tags:
        if value.TYPE != 1:  # bytes: cover art
            yield "asf", name, [str(value)]


_READERS: dict[str, Callable[[Any], Iterator[tuple[str, str, list[str]]]]] = {
    "ID3": _of_id3, "VC": _of_vorbis, "APE": _of_ape, "MP4Tags": _of_mp4, "ASFTags": _of_asf,
}  # fmt: skip
"""Part of the name of mutagen's class of tags -> what reads it."""


def _ape_of(path: Path) -> Entries:
    """APEv2 at the end of a file whose own system is another: MP3 has both."""
    import mutagen
    from mutagen.apev2 import APEv2

    if path.suffix.lower() not in (".mp3", ".mp2", ".aac"):
        return []
    try:
        return list(_of_ape(APEv2(path)))
    except (mutagen.MutagenError, OSError, ValueError):
        return []


def _info_of(path: Path) -> Entries:
    """The INFO list of a WAV or AVI file and the text chunks of an AIFF file."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] in (b"RIFF", b"RF64") and head[8:] in (b"WAVE", b"AVI "):
                return [
                    ("riff", name, [text])
                    for chunk, body in _chunks(file, "little", 12, file.seek(0, 2), (b"LIST",))
                    if chunk == b"LIST" and body[:4] == b"INFO"
                    for name, text in _info_texts(body)
                ]
            if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
                wanted = (b"NAME", b"AUTH", b"(c) ", b"ANNO")
                chunks = _chunks(file, "big", 12, file.seek(0, 2), wanted)
                return [("aiff", name.decode(), [decoded(body)]) for name, body in chunks]
    except (
        OSError,
        ValueError,
    ):  # cut off, or a chunk beyond the end: such a file has no words here, and what is
        return []  # wrong with its sound is said by `mvr.media` when it is read
    return []


_LARGEST_BYTES = 1 << 20  # of a chunk of text


def _chunks(
    file: Any, order: Any, at: int, end: int, wanted: tuple[bytes, ...]
) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of the wanted chunks; of RF64, where the data's size stands elsewhere, those before the data."""
    while at + 8 <= end:
        file.seek(at)
        head = file.read(8)
        name, size = head[:4], int.from_bytes(head[4:], order)
        if name in wanted and size <= _LARGEST_BYTES:
            yield name, file.read(size)
        at += 8 + size + size % 2


def _info_texts(body: bytes) -> Iterator[tuple[str, str]]:
    at = 4
    while at + 8 <= len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        yield body[at : at + 4].decode("latin-1"), decoded(body[at + 8 : at + 8 + size])
        at += 8 + size + size % 2


def decoded(text: bytes) -> str:
    """Text of no stated encoding: UTF-8 where it can be, else Western European, up to the first zero byte."""
    text = text.split(b"\0", 1)[0]
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def _by_ffmpeg(path: Path) -> Entries:
    """What FFmpeg's demuxer says of the file and of its streams; "ALBUM/ARTIST" is a tag of a whole album."""
    from mvr.errors import MediaError
    from mvr.media.container import open_media
    from mvr.media.limits import DEFAULT_LIMITS

    try:
        with open_media(path, DEFAULT_LIMITS) as media:
            entries = list(media.container.metadata.items())
            named = (
                media.container.format.name == "ogg"
            )  # elsewhere the title of a stream says "Stereo" or "English"
            for stream in media.container.streams:
                entries += [
                    (name, v) for name, v in stream.metadata.items() if named or name.lower() != "title"
                ]
    except MediaError:
        return []
    found = []
    for name, value in entries:
        level, _, word = name.upper().rpartition("/")
        known = {"TITLE": "album", "ARTIST": "albumartist"}.get(word) if level == "ALBUM" else None
        plain = name.rpartition(".")[2] if name.startswith("com.apple.quicktime.") else word
        found.append(("ffmpeg", known or plain, [value]))
    return found

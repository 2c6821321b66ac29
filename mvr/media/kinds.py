"""What a file is that is neither video nor sound: told from its first bytes, to say so in one sentence.

FFmpeg opens some of these as clips (an AVIF photo lasts a second), so they are refused before it sees them. Brands of
HEIF and AVIF: ISO/IEC 23008-12, 10.2, and the AV1 Image File Format, section 6.
"""

from __future__ import annotations

_STILLS = {
    b"avif": "a photo (AVIF)",
    b"heic": "a photo (HEIC)",
    b"heix": "a photo (HEIC)",
    b"mif1": "a photo (HEIF)",
}
_MOVING = {
    b"avis": "an animated picture (AVIF)",
    b"hevc": "an animated picture (HEIC)",
    b"hevx": "an animated picture (HEIC)",
    b"msf1": "an animated picture (HEIF)",
}
_BEGINNINGS = (
    (b"\xff\xd8\xff", "a photo (JPEG)"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (b"GIF87a", "a picture (GIF)"),
    (b"GIF89a", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"),
    (b"II*\x00", "a picture (TIFF or camera raw)"),
    (b"MM\x00*", "a picture (TIFF or camera raw)"),
    (b"\xff\x0a", "a picture (JPEG XL)"),
    (b"\x00\x00\x00\x0cJXL ", "a picture (JPEG XL)"),
    (b"8BPS", "a picture (Photoshop)"),
    (b"%PDF-", "a document (PDF)"),
    (b"PK\x03\x04", "an archive (ZIP) or an office document"),
    (b"Rar!\x1a", "an archive (RAR)"),
    (b"7z\xbc\xaf'\x1c", "an archive (7z)"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"#EXTM3U", "a playlist (M3U)"),
    (b"MThd", "notes without sound (MIDI)"),
)


def other_kind(head: bytes) -> str | None:
    """Name of what a file is by its first 64 bytes, with its article; None where it may be video or sound.

    >>> other_kind(b"GIF89a" + bytes(58))
    'a picture (GIF)'
    >>> other_kind(b"RIFF\\x24\\x00\\x00\\x00WAVEfmt ") is None
    True
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        animated = head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)
        return "an animated picture (WebP)" if animated else "a picture (WebP)"
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head[:2] == b"BM" and head[6:10] != bytes(
        4
    ):  # two letters are little: the reserved bytes are 0 in a BMP
        return None
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


def _of_brands(head: bytes) -> str | None:
    """By the major brand; `mif1` and `msf1` are general, a brand after them says which codec."""
    major, size = head[8:12], int.from_bytes(head[:4], "big")
    others = [head[at : at + 4] for at in range(16, min(size, len(head)), 4)]
    if major in (b"mif1", b"msf1"):
        table = _STILLS if major == b"mif1" else _MOVING
        return next((table[brand] for brand in others if brand in table and brand != major), table[major])
    return _STILLS.get(major) or _MOVING.get(major)

"""Two clips that compete, as one battle sends them: alike in every number, and like no other battle's in their bytes.

Each excerpt is kept once (`write_rival`): one canvas for both clips, one frame rate, one number of frames. A battle
encodes its two anew, with noise of its own that nobody sees. Then a frame of either clip is made as long as its
twin, and at least as long as was drawn for this frame of this battle: an SEI message (ITU-T H.264, D.1.7,
unregistered user data), which decoders skip, fills the rest. So headers, tables of samples, sizes, bit rates and
lengths are equal on both sides, byte for byte where they are no pictures, and other ones in every battle. The same
secret and battle give the same bytes: a range that is asked for after a restart fits those from before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np

from mvr.config.outputs import written_whole
from mvr.errors import Truncated
from mvr.media.ffmpeg import input_arguments, run_ffmpeg
from mvr.media.limits import ONE_THREAD
from mvr.media.probe import probe
from mvr.media.proxy import picture_filters
from mvr.media.straight import picture_input
from mvr.page.serving import PerKey
from mvr.page.serving.room import make_room

RATE_HZ = 25
WIDE, TALL, SQUARE = (512, 288), (288, 512), (384, 384)
_KEY_EVERY = 4 * RATE_HZ
_SEI_LEAST = 64  # bytes: two messages, see `sei`
_KEY_BYTES, _FRAME_BYTES = (14_000, 18_000), (2_000, 3_000)  # least sizes of a frame are drawn between these
_KEPT_BYTES = 512 << 20
_EXACT = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "mp4")


def canvas_px(shapes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Width and height of the one canvas for clips of these shapes (width, height).

    >>> canvas_px([(1920, 1080), (640, 480)]), canvas_px([(1080, 1920)]), canvas_px([(1920, 1080), (1080, 1920)])
    ((512, 288), (288, 512), (384, 384))
    """
    wide = {width >= height for width, height in shapes}
    return SQUARE if len(wide) > 1 else WIDE if wide == {True} else TALL


def write_rival(video: Path, out: Path, length_s: float, canvas: tuple[int, int]) -> None:
    """The first `length_s` seconds of a clip's picture on a canvas, at `RATE_HZ`; its last frame stays to the end.

    Raises:
        MediaError: the file cannot be used.
    """
    info = probe(video, ONE_THREAD, needs=("picture",))
    assert info.video is not None
    width, height = canvas
    filters = ",".join(
        [
            picture_filters(info.video, (max(canvas), min(canvas))),
            f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2",
            f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1",
            f"fps={RATE_HZ}:start_time=0,tpad=stop_mode=clone:stop=-1,format=yuv420p",
        ]
    )
    frames = max(1, round(length_s * RATE_HZ))
    with picture_input(info, ONE_THREAD) as (opened, shown), written_whole(out) as part:
        encode = ["-c:v", "libx264", "-preset", "superfast", "-tune", "fastdecode", "-crf", "16"]
        run_ffmpeg(
            [
                *opened, "-map", shown, "-an", "-vf", filters, "-frames:v", str(frames), "-threads", "1",
                *encode, *_EXACT, f"file:{part.absolute()}",
            ],
            video,
            ONE_THREAD.timeout_s,
        )  # fmt: skip
        if len(_frames(part)) != frames:
            raise Truncated(f"{video.name}: its picture cannot be decoded; the file is damaged")


class Twins:
    """The files of battles between clips, made once per battle and kept while there is room. Safe between threads.

    At most as many encodings run at a time as there are processors; whoever comes later waits for a place.

    Args:
        folder: where they are kept.
        kept_bytes: above this the ones that were not asked for longest are deleted; they are made again when asked for.
    """

    def __init__(self, folder: Path, kept_bytes: int = _KEPT_BYTES) -> None:
        self._folder, self._kept_bytes = folder, kept_bytes
        self._making: PerKey[str, None] = PerKey(0)
        self._encoders = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="mvr-twins")

    def of(self, rivals: tuple[Path, Path], seeds: tuple[str, str]) -> tuple[Path, Path]:
        """Both sides' files.

        Args:
            rivals: kept excerpts of one canvas and length.
            seeds: secrets of the two sides of this battle.

        Raises:
            MediaError: an excerpt cannot be encoded.
        """
        left, right = (self._folder / f"{_number(seed):032x}.mp4" for seed in seeds)

        def missing() -> None:
            if left.exists() and right.exists():
                left.touch()  # asked for now: kept longer than the others
                right.touch()
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(rivals, seeds, (left, right))
            make_room(self._folder, "[0-9a-f]*.mp4", self._kept_bytes)

        self._making.get(left.name, missing)
        return left, right

    def close(self) -> None:
        """No more encodings."""
        self._encoders.shutdown(wait=True, cancel_futures=True)

    def _write(self, rivals: tuple[Path, Path], seeds: tuple[str, str], outs: tuple[Path, Path]) -> None:
        with written_whole(outs[0]) as left, written_whole(outs[1]) as right:
            list(self._encoders.map(_encode, rivals, (left, right), seeds))
            even_out((left, right), seeds)


def _encode(rival: Path, out: Path, seed: str) -> None:
    noise = f"noise=alls=2:allf=t:all_seed={_number(seed) % 2**31}"
    run_ffmpeg(
        [
            *("-threads", "1"), *input_arguments(rival, ONE_THREAD), "-vf", noise, "-threads", "1", "-c:v", "libx264",
            *("-preset", "superfast", "-crf", "26", "-maxrate", "1000k", "-bufsize", "200k", "-bf", "0"),
            *("-g", str(_KEY_EVERY), "-keyint_min", str(_KEY_EVERY), "-sc_threshold", "0"), *_EXACT,
            f"file:{out.absolute()}",
        ],
        rival,
        ONE_THREAD.timeout_s,
    )  # fmt: skip


def even_out(files: tuple[Path, Path], seeds: tuple[str, str]) -> None:
    """Make every frame of two encoded files as long as its twin, behind a least length that is drawn for both.

    Args:
        files: H.264 in MP4 with equally many frames, rewritten in place.
        seeds: of the two sides; both together draw what both share.
    """
    frames = [_frames(file) for file in files]
    shared = np.random.default_rng(_number("".join(seeds)))
    sizes = []
    for number, twins in enumerate(zip(*frames, strict=True)):
        least = shared.integers(*(_FRAME_BYTES if number % _KEY_EVERY else _KEY_BYTES))
        sizes.append(max(int(least), *(len(frame) + _SEI_LEAST for frame in twins)))
    for file, own, seed in zip(files, frames, seeds, strict=True):
        rng = np.random.default_rng(_number(seed))
        even = [sei(size - len(frame), rng) + frame for frame, size in zip(own, sizes, strict=True)]
        _rewrite(file, even)


def sei(size: int, rng: np.random.Generator) -> bytes:
    """Random user data that decoders skip, `size` bytes (at least 64) with the length fields of MP4.

    >>> len(sei(300, np.random.default_rng(1)))
    300
    """
    if size > _SEI_LEAST and (size - 8) % 256 == 255:  # no single message has this length
        return sei(32, rng) + sei(size - 32, rng)
    content = (size - 8) - (size - 8) // 256
    length = b"\xff" * (content // 255) + bytes([content % 255])
    data = rng.integers(1, 256, content, dtype=np.uint8).tobytes()  # without zeros nothing is to be escaped
    unit = b"\x06\x05" + length + data + b"\x80"
    return len(unit).to_bytes(4, "big") + unit


def _frames(file: Path) -> list[bytes]:
    with av.open(str(file)) as opened:
        return [bytes(packet) for packet in opened.demux(video=0) if packet.size]


def _rewrite(file: Path, frames: Sequence[bytes]) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with (
        written_whole(file) as part,
        av.open(str(file)) as opened,
        av.open(str(part), "w", format="mp4", options=options) as written,
    ):
        stream = opened.streams.video[0]
        target = written.add_stream_from_template(stream)
        for packet, frame in zip((one for one in opened.demux(stream) if one.size), frames, strict=True):
            even = av.Packet(frame)
            even.pts, even.dts, even.duration = packet.pts, packet.dts, packet.duration
            even.time_base, even.is_keyframe, even.stream = packet.time_base, packet.is_keyframe, target
            written.mux(even)


def _number(seed: str) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "big")

"""The picture of a file as ffmpeg's command line is to read it: on the clock that the rest of this project uses.

Most files need nothing. Where a clock starts again or FFmpeg shows the picture late (`mvr.media.clock`), the packets of
the picture are copied into a temporary file with the time stamps that are right, so that a copy or an export has its
picture where the sampled frames have it.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av

from mvr.media.container import open_media
from mvr.media.ffmpeg import input_arguments
from mvr.media.limits import MediaLimits
from mvr.media.probe import MediaInfo


@contextlib.contextmanager
def picture_input(info: MediaInfo, limits: MediaLimits) -> Iterator[tuple[list[str], str]]:
    """ffmpeg arguments that open a file as the first input of a command, and what to map for its picture."""
    assert info.video is not None
    # -copyts: else ffmpeg counts from the first stream that is mapped, in some containers, and the sound is not mapped
    if info.straight:
        later = ["-copyts", "-itsoffset", f"{-info.start_s:.6f}"]
        yield [*later, *input_arguments(info.path, limits)], f"0:{info.video.index}"
        return
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        copy = Path(folder) / ("picture.mp4" if info.container.startswith("mov") else "picture.mkv")
        _copy_picture(info.path, copy, limits)
        yield ["-copyts", *input_arguments(copy, limits)], "0:0"


def _copy_picture(source: Path, out: Path, limits: MediaLimits) -> None:
    with open_media(source, limits) as media, av.open(str(out), "w") as written:
        stream = media.picture()
        assert stream is not None
        target = written.add_stream_from_template(stream)
        start_s = media.start_s
        for packet in media.packets(stream):
            if packet.dts is None or packet.time_base is None:
                continue
            begin = round(start_s / packet.time_base)
            packet.dts -= begin
            packet.pts = None if packet.pts is None else packet.pts - begin
            packet.stream = target
            written.mux(packet)

"""Frame sampling: 16 uniform frames of a clip, against moviepy and imageio-ffmpeg; what decoding costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs

_COUNT = 16


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest for each kind of clip, and one that takes the cost apart."""
    seconds = 3.0 if inputs.short else 15.0
    size = (320, 180) if inputs.short else (1920, 1080)
    for name, gop, aims in (
        (
            "phone",
            30,
            (Aim(text="at most 0.55 of the pipe's CPU", against="imageio-ffmpeg", cpu_ratio_at_most=0.55),),
        ),
        (
            "longgop",
            250,
            (Aim(text="at most 1.1 of linear decoding's CPU", against="linear", cpu_ratio_at_most=1.1),),
        ),
    ):
        clip = inputs.video(name, seconds=seconds, size=size, gop=gop)
        yield Contest(
            name=f"frames-{name}",
            title=f"Sampling {_COUNT} frames, key frame every {gop}",
            work=f"{_COUNT} uniform RGB frames of a {seconds:g} s {size[0]}x{size[1]} 30 fps H.264 clip",
            ours="mvr",
            candidates=_samplers(clip, seconds),
            media_s=seconds,
            aims=aims,
        )
    clip = inputs.video("phone", seconds=seconds, size=size)
    yield Contest(
        name="frames-share",
        title="What sampling frames costs",
        work=f"the same clip: reading packets, decoding all frames, {_COUNT} frames as RGB, proxy-sized RGB",
        ours=f"{_COUNT} frames",
        candidates={
            f"{_COUNT} frames": lambda: _mvr(clip, {}),
            f"{_COUNT} frames of 224 px": lambda: _mvr(clip, {"max_side_px": 224}),
            "packets only": lambda: _packets(clip),
            "decode all, no RGB": lambda: _linear(clip, seconds, rgb=False),
        },
        media_s=seconds,
    )


def _samplers(clip: Path, seconds: float) -> dict[str, Any]:
    return {
        "mvr": lambda: _mvr(clip, {}),
        "mvr, one thread": lambda: _mvr(clip, {"threads": 1}),
        "linear": lambda: _linear(clip, seconds, rgb=True),
        "moviepy": lambda: _moviepy(clip, seconds),
        "imageio-ffmpeg": lambda: _imageio(clip, seconds),
    }


def _times(seconds: float) -> list[float]:
    return [(i + 0.5) * seconds / _COUNT for i in range(_COUNT)]


def _mvr(clip: Path, options: dict[str, int]) -> Work:
    from mvr.media.frames import sample_frames
    from mvr.media.limits import MediaLimits

    limits = MediaLimits(threads=options.get("threads", 0))

    def work() -> dict[str, Any]:
        frames = sample_frames(clip, count=_COUNT, max_side_px=options.get("max_side_px"), limits=limits)
        return {"frames": len(frames), "mean": float(frames.images.mean())}

    return work


def _linear(clip: Path, seconds: float, *, rgb: bool) -> Work:
    import av
    import numpy as np

    def work() -> dict[str, Any]:
        wanted, images = _times(seconds), []
        with av.open(str(clip)) as container:
            container.streams.video[0].thread_type = "AUTO"
            shown = None
            for frame in container.decode(video=0):
                while rgb and wanted and shown is not None and frame.time > wanted[0]:
                    images.append(shown.to_ndarray(format="rgb24"))
                    wanted.pop(0)
                shown = frame
            images += [shown.to_ndarray(format="rgb24") for _ in wanted if rgb and shown is not None]
        return {"frames": len(images), "mean": float(np.mean(images))} if rgb else {}

    return work


def _packets(clip: Path) -> Work:
    import av

    def work() -> dict[str, Any]:
        with av.open(str(clip)) as container:
            return {"packets": sum(1 for _ in container.demux(video=0))}

    return work


def _moviepy(clip: Path, seconds: float) -> Work:
    import numpy as np
    from moviepy import VideoFileClip

    def work() -> dict[str, Any]:
        with VideoFileClip(str(clip), audio=False) as video:
            images = [video.get_frame(time).copy() for time in _times(seconds)]
        return {"frames": len(images), "mean": float(np.mean(images))}

    return work


def _imageio(clip: Path, seconds: float) -> Work:
    import imageio_ffmpeg
    import numpy as np

    def work() -> dict[str, Any]:
        reader = imageio_ffmpeg.read_frames(str(clip))
        meta = next(reader)
        width, height = meta["size"]
        wanted = {int(time * meta["fps"]) for time in _times(seconds)}
        images = [
            np.frombuffer(data, np.uint8).reshape(height, width, 3)
            for i, data in enumerate(reader)
            if i in wanted
        ]
        return {"frames": len(images), "mean": float(np.mean(images))}

    return work

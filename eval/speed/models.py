"""The pretrained backbones: ImageBind's video preprocessing, and encoding one clip in each number format."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs
from eval.speed.networks import NETWORKS, Network, clip_input
from mvr.datatypes import Segment

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_RATE_HZ = 24
_PRECISIONS = ("float32", "bfloat16", "int8")


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Preprocessing of a 30 s 720p film, then one contest per network; the largest is in `models-large`."""
    yield _views(inputs)
    for name, network in NETWORKS.items():
        if not network.heavy:
            yield encoding_contest(name, network, inputs)


def _views(inputs: Inputs) -> Contest:
    seconds, size = (4.0, (320, 180)) if inputs.short else (30.0, (1280, 720))
    film = inputs.video("film", seconds=seconds, size=size, rate=_RATE_HZ, gop=128)
    return Contest(
        name="models-views",
        title="ImageBind's 15 views of a video",
        work=f"first and last frame of 5 clips of 2 s, 3 crops, of a {seconds:g} s {size[0]}x{size[1]} film, "
        "key frame every 128",
        ours="mvr, seeking",
        candidates={
            "mvr, seeking": lambda: _seeking(film, borders=False),
            "mvr, seeking, borders removed": lambda: _seeking(film, borders=True),
            "whole file first": lambda: _whole_file(film),
            "whole clips as float first": lambda: _whole_clips(film),
        },
        media_s=seconds,
        aims=(Aim(text="at least 30 times real time", realtime_at_least=30.0),),
    )


def encoding_contest(name: str, network: Network, inputs: Inputs) -> Contest:
    """One clip through a network of random weights in float32, bfloat16 and int8."""
    return Contest(
        name=f"models-{name}",
        title=f"Encoding: {network.title}",
        work="random weights" + (", two layers only" if inputs.short else "") + ", in each number format",
        ours="float32",
        candidates={
            precision: partial(_encoder, network, precision, inputs.short) for precision in _PRECISIONS
        },
        media_s=network.segment_s,
    )


def _encoder(network: Network, precision: str, small: bool) -> Work:
    """Encodes one clip; facts: cosine to float32, weights in memory, the time that the page would announce."""
    import torch

    from mvr.backbones.cost import estimate_seconds
    from mvr.backbones.precision import Precision, prepare

    chosen, device = Precision(precision), torch.device("cpu")
    card = network.card.model_copy(update={"options": {**network.card.options, "precision": precision}})
    expected_s = estimate_seconds(card, network.modality, segment_s=network.segment_s, device="cpu")
    rows = clip_input(network)
    with torch.inference_mode():
        model = network.build(small).eval()
        exact = network.encode(model, rows)
        model = prepare(model, chosen, device)
    rows = rows.to(chosen.dtype)
    weights_mb = sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers())) / 1e6

    def work() -> dict[str, Any]:
        with torch.inference_mode():
            features = network.encode(model, rows)
        cosine = float(torch.cosine_similarity(features.float(), exact).min())
        expected = {} if small else {"expected s": expected_s}
        return {"cosine": f"{cosine:.5f}", "weights MB": round(weights_mb), **expected}

    return work


def _seeking(film: Path, *, borders: bool) -> Work:
    """The project's way: only the ten frames are decoded to pictures."""
    from mvr.backbones.imagebind import VideoViews, preprocess_video
    from mvr.media.probe import probe

    def work() -> dict[str, Any]:
        whole = Segment(start_s=0.0, end_s=probe(film).duration_s)
        return _facts(preprocess_video(film, [whole], VideoViews(remove_borders=borders))[0])

    return work


def _whole_file(film: Path) -> Work:
    """All frames to RGB in memory, then the ten that are wanted: what a simple loader does."""

    def work() -> dict[str, Any]:
        frames, rate_hz = _decode(film)
        times_s = _times(len(frames) / rate_hz, rate_hz)
        return _facts(_crop([frames[int(time_s * rate_hz)] for time_s in times_s]))

    return work


def _whole_clips(film: Path) -> Work:
    """As before, and each clip's frames become one float tensor before two of them are taken: as video loaders do
    that give clips as tensors."""
    import numpy as np
    import torch

    def work() -> dict[str, Any]:
        frames, rate_hz = _decode(film)
        times_s = _times(len(frames) / rate_hz, rate_hz)
        chosen = []
        for begin_s, end_s in zip(times_s[::2], times_s[1::2], strict=True):
            clip = frames[int(begin_s * rate_hz) : int(end_s * rate_hz) + 1]
            tensor = torch.from_numpy(np.stack(clip)).permute(3, 0, 1, 2).float()
            chosen += [tensor[:, k].permute(1, 2, 0).to(torch.uint8).numpy() for k in (0, -1)]
        return _facts(_crop(chosen))

    return work


def _decode(film: Path) -> tuple[list[npt.NDArray[np.uint8]], float]:
    import av
    import numpy as np

    with av.open(str(film)) as media:
        stream = media.streams.video[0]
        stream.thread_type = "AUTO"
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in media.decode(stream)]
        return frames, float(stream.average_rate or _RATE_HZ)


def _times(duration_s: float, rate_hz: float) -> list[float]:
    from mvr.backbones.imagebind.views import VideoViews, frame_times

    return frame_times(Segment(start_s=0.0, end_s=duration_s), rate_hz, VideoViews())


def _crop(images: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Ten frames -> (15, 3, 2, 224, 224)."""
    import torch

    from mvr.backbones.pictures import crops_along, normalise

    crops = torch.stack([normalise(crops_along(image, 224, 3)) for image in images])
    views = crops.view(5, 2, 3, 3, 224, 224).permute(0, 2, 3, 1, 4, 5).flatten(0, 1)
    out: npt.NDArray[np.float32] = views.contiguous().numpy()
    return out


def _facts(views: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Enough to see that the ways agree."""
    return {"views": len(views), "mean": float(views.mean()), "deviation": float(views.std())}

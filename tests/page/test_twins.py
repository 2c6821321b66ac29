"""Two competing clips are one another's like in every number that a file tells, and no two battles share any of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mvr.errors import MediaError
from mvr.page.voting.excerpts import Excerpts, Source
from mvr.page.voting.twins import SQUARE, Twins, canvas_px, even_out, sei

DEMO = Path(__file__).parents[2] / "assets" / "demo" / "videos"
SECONDS = 2.0
ANY_BYTES = 24  # of a frame's pictures: two battles must not share so many at the same place


def write_clip(
    path: Path, size: tuple[int, int], rate_hz: int, *, level: int = 40, seconds: float = 3.0
) -> Path:
    """Moving noise of a strength, in another shape, rate and codec than the demo's."""
    rng = np.random.default_rng(level)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=rate_hz)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(round(seconds * rate_hz)):
            picture = (128 + rng.integers(-level, level + 1, (size[1], size[0], 3))).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def rivals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A calm demo clip beside a wild one of other shape, rate and codec."""
    folder = tmp_path_factory.mktemp("rivals")
    wild = write_clip(folder / "wild.mp4", (200, 160), 15)
    clips = [Source(path=path, content=path.name) for path in (sorted(DEMO.iterdir())[0], wild)]
    left, right = Excerpts(folder / "made").rivals(clips, SECONDS)
    return left, right


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    made = Twins(tmp_path / "twins")
    yield made
    made.close()


def told(path: Path) -> dict[str, Any]:
    """What a container tells without a picture being looked at."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        packets = [one for one in file.demux(stream) if one.size]
        data = path.read_bytes()
        return {
            "bytes": len(data), "head": data[: data.index(b"mdat")], "codec": stream.codec_context.extradata,
            "bit_rate": stream.bit_rate, "of_file": file.bit_rate, "frames": stream.frames, "rate": stream.average_rate,
            "length": stream.duration, "size": (stream.width, stream.height),
            "samples": [(one.size, one.pts, one.is_keyframe) for one in packets],
        }  # fmt: skip


def pictures(path: Path) -> list[bytes]:
    """The coded pictures alone: every NAL unit but the user data that makes them alike in length."""
    found = []
    with av.open(str(path)) as file:
        for packet in file.demux(video=0):
            data, at, coded = bytes(packet), 0, b""
            while at < len(data):
                size = int.from_bytes(data[at : at + 4], "big")
                coded += data[at + 4 : at + 4 + size] if data[at + 4] & 31 in (1, 5) else b""
                at += 4 + size
            found += [coded] if coded else []
    return found


def test_headers_tables_sizes_and_rates_of_two_sides_are_equal_and_no_battle_is_like_another(
    rivals, tmp_path
):
    """Over battles, the same pair turned round, and a second server with a secret of its own."""
    seen: dict[str, list[Any]] = {}
    coded: list[list[bytes]] = []
    for battle, pair in (("b1", rivals), ("b2", rivals), ("b3", rivals[::-1]), ("other server b1", rivals)):
        maker = Twins(tmp_path / battle)
        files = maker.of((pair[0], pair[1]), (f"{battle}/left", f"{battle}/right"))
        left, right = (told(file) for file in files)
        assert left == right and left["frames"] == SECONDS * 25 and left["size"] == SQUARE
        assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == 2
        for name in ("bytes", "bit_rate", "head", "samples"):
            seen.setdefault(name, []).append(left[name])
        coded += [pictures(file) for file in files]
        maker.close()
    for name, values in seen.items():
        assert len({str(value) for value in values}) == len(values), f"{name} is the same in two battles"
    frames = [frame for film in coded for frame in film if len(frame) > ANY_BYTES]
    assert len(frames) > 300 and len(set(frames)) == len(frames), "not one coded picture is sent twice"


def test_the_same_battle_is_made_again_with_the_same_bytes(rivals, tmp_path):
    """After a restart, or after its files gave way to others, ranges fit together."""
    contents = []
    for folder in ("first", "second"):
        made = Twins(tmp_path / folder)
        contents.append([file.read_bytes() for file in made.of(rivals, ("a", "b"))])
        made.close()
    assert contents[0] == contents[1]


def test_every_frame_is_shown_and_looks_as_it_did(rivals, twins):
    for rival, file in zip(rivals, twins.of(rivals, ("a", "b")), strict=True):
        shown = []
        for path in (rival, file):
            with av.open(str(path)) as opened:
                shown.append(np.stack([frame.to_ndarray(format="gray") for frame in opened.decode(video=0)]))
        assert shown[0].shape == shown[1].shape
        middle = shown[0].shape[2] // 3
        before, after = (films[:, :, middle:-middle].astype(float) for films in shown)
        assert np.abs(before - after).mean() < 6, "the noise and the coding are not seen"


def test_what_was_asked_for_longest_ago_gives_way_and_ten_at_once_make_one_pair(rivals, tmp_path):
    twins = Twins(tmp_path, kept_bytes=1)
    with ThreadPoolExecutor(10) as people:
        found = set(people.map(lambda _: twins.of(rivals, ("a", "b")), range(10)))
    assert len(found) == 1
    twins.of(rivals, ("c", "d"))
    twins.of(rivals, ("e", "f"))
    assert len(list(tmp_path.glob("*.mp4"))) == 4 and not any(file.exists() for file in found.pop())
    twins.close()


@pytest.mark.parametrize("size", [*range(64, 80), *range(255, 300), 519, 520, 775, 18_000])
def test_user_data_has_every_length_and_hides_no_start_code(size):
    data = sei(size, np.random.default_rng(size))
    at = 0
    while at < len(data):
        unit = data[at + 4 : at + 4 + int.from_bytes(data[at : at + 4], "big")]
        assert unit[:2] == b"\x06\x05" and unit[-1] == 0x80 and b"\x00\x00" not in unit
        said, place = 0, 2
        while unit[place] == 255:
            said, place = said + 255, place + 1
        assert said + unit[place] == len(unit) - place - 2 >= 16, (
            "H.264, 7.3.2.3.1: the length it says is its own"
        )
        at += 4 + len(unit)
    assert at == size


def test_frames_of_two_files_that_do_not_belong_together_are_not_made_alike(rivals, tmp_path):
    short = Source(path=sorted(DEMO.iterdir())[1], content="short")
    (other,) = Excerpts(tmp_path / "made").rivals([short], 1.0)
    long = tmp_path / "long.mp4"
    long.write_bytes(rivals[0].read_bytes())
    with pytest.raises(ValueError, match="shorter"):
        even_out((long, other), ("a", "b"))


def test_a_clip_without_a_picture_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no film")
    with pytest.raises(MediaError):
        Excerpts(tmp_path / "made").rivals([Source(path=tmp_path / "a.mp4", content="a")], 1.0)


def test_one_canvas_for_both():
    assert canvas_px([(100, 200), (300, 600)]) == (288, 512) and canvas_px([(10, 6)]) == (512, 288)

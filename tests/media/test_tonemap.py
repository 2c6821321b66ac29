from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvr.media.frames import sample_frames
from mvr.media.proxy import make_proxy
from mvr.media.tonemap import Transfer, hlg_to_nits, nits_to_pq, pq_to_nits, table_path, to_sdr

HDR = [Transfer.PQ, Transfer.HLG]


def test_pq_takes_the_values_of_the_standard():
    # ITU-R BT.2100/BT.2408: 58 % PQ is 203 cd/m2 (rounded), 75 % about 1,000, 100 % is 10,000
    assert pq_to_nits(np.array([0.0, 0.5807, 0.7518, 1.0])) == pytest.approx([0, 203, 1000, 10000], rel=2e-3)


@given(st.floats(0, 10000))
def test_pq_inverts(nits):
    assert pq_to_nits(nits_to_pq(np.array(nits))) == pytest.approx(nits, rel=1e-4, abs=1e-4)


def test_hlg_takes_the_values_of_the_standard():
    grey = np.array(
        [[0.0] * 3, [0.75] * 3, [1.0] * 3]
    )  # BT.2408: 75 % HLG is 203 cd/m2 on a 1,000 cd/m2 display
    assert hlg_to_nits(grey)[:, 0] == pytest.approx([0, 203, 1000], rel=5e-3, abs=1e-3)


@pytest.mark.parametrize("transfer", HDR)
def test_grey_stays_grey_and_brighter_stays_brighter(transfer):
    ramp = np.repeat(np.linspace(0, 1, 200)[:, None], 3, axis=1)
    shown = to_sdr(ramp, transfer)
    assert np.ptp(shown, axis=1).max() < 0.002
    assert (np.diff(shown[:, 0]) >= -1e-9).all()
    assert shown[0, 0] == 0 and shown[-1, 0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("transfer", "white"), [(Transfer.PQ, 0.5807), (Transfer.HLG, 0.75)])
def test_reference_white_is_nearly_white(transfer, white):
    assert 0.85 < to_sdr(np.full((1, 3), white), transfer)[0, 0] < 0.95


@pytest.mark.parametrize("transfer", HDR)
def test_the_table_is_made_once_and_holds_the_function(transfer):
    path = table_path(transfer)
    assert path == table_path(transfer)
    rows = np.loadtxt(path, skiprows=1)
    assert rows.shape == (33**3, 3) and rows.min() >= 0 and rows.max() <= 1
    red, green, blue = 20, 7, 30  # red runs fastest
    wanted = to_sdr(np.array([[red, green, blue]]) / 32, transfer)[0]
    np.testing.assert_allclose(rows[red + 33 * (green + 33 * blue)], wanted, atol=1e-5)


@pytest.fixture(scope="module", params=HDR)
def hdr_clip(request, ffmpeg, tmp_path_factory):
    """Patches of known PQ or HLG code values, 10 bit HEVC in BT.2020; the values and the transfer."""
    codes = np.array(
        [[0.2] * 3, [0.4] * 3, [0.58] * 3, [0.7] * 3, [0.6, 0.3, 0.3], [0.3, 0.6, 0.3], [0.3, 0.35, 0.6]]
    )
    row = np.repeat((codes * 65535).round().astype("<u2"), 32, axis=0)
    data = np.tile(row[None], (64, 1, 1)).tobytes() * 3
    name = "smpte2084" if request.param is Transfer.PQ else "arib-std-b67"
    clip = tmp_path_factory.mktemp("hdr") / "patches.mp4"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", f"{len(row)}x64", "-i", "-"]
    params = f"log-level=none:colorprim=bt2020:transfer={name}:colormatrix=bt2020nc"
    colours = ["-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", name]
    convert = "scale=out_color_matrix=bt2020:out_range=tv"
    encode = ["-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-crf", 4, "-x265-params", params]
    ffmpeg(*raw, "-vf", convert, *encode, *colours, clip, feed=data)
    return clip, codes, request.param


def patches(image, count):
    return np.stack([image[16:48, i * 32 + 8 : i * 32 + 24].mean(axis=(0, 1)) for i in range(count)])


def test_sampled_frames_show_what_the_function_says(hdr_clip):
    clip, codes, transfer = hdr_clip
    image = sample_frames(clip, count=1).images[0]
    np.testing.assert_allclose(patches(image, len(codes)), to_sdr(codes, transfer) * 255, atol=4)


def test_the_proxy_shows_what_the_frames_show(hdr_clip, tmp_path):
    clip, codes, _ = hdr_clip
    make_proxy(clip, tmp_path / "proxy.mp4")
    proxy = sample_frames(tmp_path / "proxy.mp4", count=1).images[0]
    image = sample_frames(clip, count=1).images[0]
    np.testing.assert_allclose(patches(proxy, len(codes)), patches(image, len(codes)), atol=6)


def test_the_result_is_near_another_implementations(hdr_clip, tmp_path):
    clip, codes, _ = hdr_clip
    chain = (
        "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
        "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
    )  # zimg with another curve: the same picture, not the same numbers
    out = tmp_path / "zimg.mkv"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(clip),
        "-vf",
        chain,
        "-c:v",
        "ffv1",
        str(out),
    ]
    subprocess.run(command, check=True)
    theirs = patches(sample_frames(out, count=1).images[0], len(codes))
    ours = patches(sample_frames(clip, count=1).images[0], len(codes))
    assert np.abs(ours - theirs).mean() < 45
    assert (ours.argmax(axis=1)[4:] == theirs.argmax(axis=1)[4:]).all()

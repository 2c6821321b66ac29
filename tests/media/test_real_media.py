"""Every real file ends in a result or in one clear sentence, within limits of time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from mvr.media.frames import sample_frames

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(1800)]

TIMEOUT_S = 600  # wall time of one file on a busy machine; a quiet one needs 10 s
CPU_S = 60
PEAK_MB = 1500

# What each file must give; an error's name stands for one clear sentence of that class.
# file | seconds, size as displayed, clockwise turn, dynamic range | frames: size, mean level 0..255,
# box without borders | sound: seconds and LUFS | size of the proxy
EXPECTED = """
odd/-leading-dash-.mp4 | 5.00 1x1 0 sdr | 1x1 mean 117 | NoSound | 2x2
odd/15s.mkv | 15.02 20x20 0 sdr | 20x20 mean 252 | 15.02 -14.4 | 20x20
odd/annexb_6frames_35s.mp4 | Truncated | Truncated | NoSound | Truncated
odd/av1_15s_mostly_silent.mp4 | 15.04 960x540 0 sdr | 960x540 mean 60 | 15.04 -13.8 | 960x540
odd/bad_container.mkv | 5.00 480x270 0 sdr | 480x270 mean 11 | 4.99 silent | 480x270
odd/bad_sample_50x50.mp4 | 1.00 50x50 0 sdr | 50x50 mean 127 | NoSound | 50x50
odd/bento_vertical_11frames.mp4 | 1.10 320x568 0 sdr | 320x568 mean 108 | 1.00 -20.0 | 320x568
odd/corrupt.mkv | Truncated | Truncated | Truncated | Truncated
odd/corrupted.mp4 | 5.00 1280x720 0 sdr | 1280x720 mean 126 | NoSound | 1280x720
odd/doorknob_hd.mp4 | 4.31 1280x720 0 sdr | 1280x720 mean 144 | 4.31 -55.1 | 1280x720
odd/duration_issues.webm | 0.40 640x480 0 sdr | 640x480 mean 1 | NoSound | 640x480
odd/electricsheep_300x400.ogv | 5.33 400x300 0 sdr | 400x300 mean 23 | NoSound | 400x300
odd/empty_track.mp4 | 1.09 1080x720 0 sdr | 1080x720 mean 171 | 1.09 -60.0 | 1080x720
odd/failing_audio.mp4 | 11.23 640x360 0 sdr | 640x360 mean 151 | 11.23 -30.2 | 640x360
odd/fixture.avi | 0.09 640x356 0 sdr | 640x356 mean 123 | 0.09 -51.8 | 640x356
odd/fixture.flv | 0.70 268x156 0 sdr | 268x156 mean 253 | NoSound | 268x156
odd/friday_cc0_speechlike.mp4 | 6.17 640x480 0 sdr | 640x480 mean 79 box 3,0,636,479 | 6.15 -31.4 | 640x480
odd/h263_amr.3gp | 9.70 192x144 0 sdr | 192x144 mean 67 box 52,0,142,144 | 9.68 -33.1 | 192x144
odd/hdr10_av1.mp4 | 4.24 720x1280 0 pq | 720x1280 mean 154 | 4.18 -45.3 | 720x1280
odd/hdr10_sdr_container.mp4 | 1.02 1920x1080 0 pq | 1920x1080 mean 143 | 1.00 -43.7 | 1280x720
odd/hevc_1080p_10s.mp4 | 10.00 1920x1080 0 sdr | 1920x1080 mean 77 | 10.01 -39.1 | 1280x720
odd/hevc_10bit.mp4 | 1.00 200x200 0 sdr | 200x200 mean 121 | NoSound | 200x200
odd/hevc_metadata_track.mp4 | 0.10 1080x1920 90 sdr | 1080x1920 mean 69 | 0.06 -60.8 | 720x1280
odd/hlg10.mp4 | 0.30 1920x1080 0 hlg | 1920x1080 mean 154 | 0.28 -47.6 | 1280x720
odd/iframes_only.ts | 1.00 854x480 0 sdr | 854x480 mean 210 | NoSound | 854x480
odd/nasa_13s_speech_pillarbox.mp4 | 13.06 480x270 0 sdr | 480x270 mean 29 | 13.06 -19.4 | 480x270
odd/no_duration.webm | 4.94 1280x720 0 sdr | 1280x720 mean 5 | 4.86 silent | 1280x720
odd/no_initial_keyframe.ts | 2.65 626x352 0 sdr | 626x352 mean 104 | 2.65 -18.1 | 626x352
odd/no_stss.mp4 | 1.00 1080x720 0 sdr | 1080x720 mean 150 | NoSound | 1080x720
odd/no_timescale.mp4 | 6.04 320x240 0 sdr | Truncated | NoSound | Truncated
odd/nokia_tune_audio_only.mkv | 7.55 - 0 - | NoPicture | 7.53 -7.6 | NoPicture
odd/null.webm | 4.24 1920x1080 0 sdr | 1920x1080 mean 45 | NoSound | 1280x720
odd/padded_dimensions.mp4 | 5.00 1080x1080 0 sdr | 1080x1080 mean 72 box 235,0,1080,1080 | NoSound | 720x720
odd/pancake_10s.mkv | 10.37 426x240 0 sdr | 426x240 mean 118 | 10.37 -21.1 | 426x240
odd/pcm_f64be.mp4 | 1.02 - 0 - | NoPicture | 1.02 -60.0 | NoPicture
odd/pillarbox_logo_22s.mp4 | 22.44 480x720 0 sdr | 480x720 mean 110 box 31,0,448,720 | 22.44 -41.3 | 480x720
odd/popeye_hevc_noaudio_64s.mkv | 60.06 640x478 0 sdr | 640x478 mean 87 | NoSound | 640x478
odd/portrait_4k60.mp4 | 0.31 2160x3840 90 sdr | 2160x3840 mean 167 | 0.30 -59.4 | 720x1280
odd/rot90.mov | 0.10 320x568 90 sdr | 320x568 mean 96 | NoSound | 320x568
odd/rotate_90_bbb.mp4 | 2.01 1080x1920 90 sdr | 1080x1920 mean 70 | 2.01 -52.6 | 720x1280
odd/rotated_270.mp4 | 4.97 720x1280 270 sdr | 720x1280 mean 79 | 4.97 -28.7 | 720x1280
odd/sample.avi | 4.09 960x400 0 sdr | 960x400 mean 79 | 4.08 -18.4 | 960x400
odd/sar_2x1.mp4 | 5.00 1280x360 0 sdr | 1280x360 mean 127 | NoSound | 1280x360
odd/silent_audio_1080p.mp4 | 5.06 1920x1080 0 sdr | 1920x1080 mean 204 | 5.06 silent | 1280x720
odd/smpte_2997_mostly_silent.mp4 | 10.05 1920x1080 0 sdr | 1920x1080 mean 71 box 239,0,1680,1080 | 10.05 -26.2 | 1280x720
odd/square_vp9.webm | 3.00 642x642 0 sdr | 642x642 mean 154 | NoSound | 642x642
odd/squirrel_silent_track_10s.mp4 | 10.01 1280x720 0 sdr | 1280x720 mean 41 | 10.01 silent | 1280x720
odd/surround_audio_only.webm | 1.01 - 0 - | NoPicture | 1.00 -27.7 | NoPicture
odd/transparent.webm | 5.00 200x200 0 sdr | 200x200 mean 1 | 4.94 silent | 200x200
odd/truncated_header_only.mp4 | Truncated | Truncated | Truncated | Truncated
odd/video_rotation_90_init_only.mp4 | 0.04 60x100 90 sdr | 60x100 mean 56 | NoSound | 60x100
odd/vp9_10bit.webm | 3.00 426x240 0 sdr | 426x240 mean 93 | NoSound | 426x240
odd/zero_empty_stsc.mp4 | Truncated | Truncated | Truncated | Truncated
odd/видео пример 🎵.mp4 | 5.00 1x1 0 sdr | 1x1 mean 117 | NoSound | 2x2
odd/短视频_配乐.mp4 | 5.00 1x1 0 sdr | 1x1 mean 117 | NoSound | 2x2
soundtrack/bbb_000_030.webm | 30.02 1280x720 0 sdr | 1280x720 mean 143 | 30.02 -23.3 | 1280x720
soundtrack/bbb_360p_10s.mp4 | 10.00 480x360 0 sdr | 480x360 mean 139 | 9.89 -29.4 | 480x360
soundtrack/bbb_480p_30s.mp4 | 30.00 854x480 0 sdr | 854x480 mean 141 | 30.02 -29.1 | 854x480
soundtrack/bbb_srs.flv | 10.08 640x360 0 sdr | 640x360 mean 142 | 10.03 -39.1 | 640x360
soundtrack/c64_demo_8s.ts | 8.00 1280x720 0 sdr | 1280x720 mean 155 | 7.94 -37.8 | 1280x720
soundtrack/chrome_ad_30s.mp4 | 30.00 480x270 0 sdr | 480x270 mean 139 | 29.98 -23.2 | 480x270
soundtrack/ms_fishes_12s.wmv | 12.48 512x288 0 sdr | 512x288 mean 45 box 0,0,512,286 | 12.52 -18.2 | 512x288
soundtrack/popcorn_10x6px_65s.webm | 64.58 10x6 0 sdr | 10x6 mean 143 | 64.55 -16.2 | 10x6
soundtrack/simpl_drive_31s.webm | 30.11 480x270 0 sdr | 480x270 mean 121 | 30.11 -18.3 | 480x270
soundtrack/tears_of_steel_battle_70s.webm | 70.55 798x332 0 sdr | 798x332 mean 94 | 70.54 -8.8 | 798x332
"""  # noqa: E501


def expectations() -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.split(" | ")] for line in EXPECTED.strip().splitlines()]
    return {row[0]: row[1:] for row in rows}


def walk_one(path: Path, folder: Path) -> dict:
    """The report of real_file.py in its own process."""
    folder.mkdir()
    command = [sys.executable, str(Path(__file__).with_name("real_file.py")), str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, encoding="utf-8")
    assert "Traceback" not in done.stderr, f"{path.name}: {done.stderr[-2000:]}"
    assert done.returncode == 0, f"{path.name}: exit status {done.returncode}"
    return json.loads(done.stdout)


def is_error(given: dict, wanted: str) -> bool:
    """Whether an error is what is wanted; then it must be the right one, in one sentence that names the file."""
    if wanted.isalpha() or "error" in given:
        assert given.get("error") == wanted, given
        assert "\n" not in given["sentence"] and 20 < len(given["sentence"]) < 200, given
        return True
    return False


def check_probe(given: dict, wanted: str) -> None:
    if not is_error(given, wanted):
        seconds, size, rotation, transfer = wanted.split()
        assert given["duration_s"] == pytest.approx(float(seconds), abs=0.06)
        assert (given["size"] or "-", given.get("transfer", "-")) == (size, transfer)
        assert given.get("rotation", 0) == int(rotation)


def check_frames(given: dict, wanted: str, probe: dict) -> None:
    if not is_error(given, wanted):
        words = wanted.split()
        assert given["size"] == words[0] == probe["size"]
        assert given["count"] == 8 and given["times"] == sorted(given["times"])
        assert given["times"][0] >= -0.01 and given["times"][-1] <= probe["duration_s"] + 0.1
        assert given["mean"] == pytest.approx(float(words[2]), abs=3)
        whole = [0, 0, *map(int, words[0].split("x"))]
        box = [int(x) for x in words[4].split(",")] if len(words) > 4 else whole
        np.testing.assert_allclose(given["box"], box, atol=2)


def check_sound(given: dict, wanted: str) -> None:
    if not is_error(given, wanted):
        seconds, lufs = wanted.split()
        assert given["seconds"] == pytest.approx(float(seconds), abs=0.06) and given["finite"]
        if lufs == "silent":
            assert given["lufs"] is None
        else:
            assert given["lufs"] == pytest.approx(float(lufs), abs=0.3)


def check_proxy(given: dict, wanted: str, report: dict) -> None:
    if not is_error(given, wanted):
        assert (given["codec"], given["pixels"], given["size"]) in {
            ("h264", "yuv420p", wanted),
            ("h264", "yuvj420p", wanted),  # a copied picture of full range
        }
        # the last frame of a file with a variable rate may be shown for longer than its header says
        assert given["duration_s"] == pytest.approx(report["probe"]["duration_s"], abs=0.5)
        assert given["mean"] == pytest.approx(report["frames"]["mean"], abs=5)
        assert given["sound"] == ("aac" if report["probe"]["sound"] else None)


def check(report: dict, wanted: list[str]) -> None:
    check_probe(report["probe"], wanted[0])
    check_frames(report["frames"], wanted[1], report["probe"])
    check_sound(report["sound"], wanted[2])
    check_proxy(report["proxy"], wanted[3], report)
    assert report["cpu_s"] < CPU_S and report["peak_mb"] < PEAK_MB


def test_every_real_file_gives_a_result_or_one_clear_sentence(shared, tmp_path, capsys):
    files = [
        path for folder in ("odd", "soundtrack") for path in sorted((shared / "media" / folder).iterdir())
    ]
    wanted = expectations()
    assert sorted(wanted) == sorted(f"{path.parent.name}/{path.name}" for path in files)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda job: walk_one(job[1], tmp_path / str(job[0])), enumerate(files)))
    faults = []
    for path, report in zip(files, reports, strict=True):
        name = f"{path.parent.name}/{path.name}"
        with capsys.disabled():
            print("\n" + row(name, report), end="")
        try:
            check(report, wanted[name])
        except AssertionError as error:
            faults.append(f"{name}: {error}")
    assert not faults, "\n".join(faults)


def row(name: str, report: dict) -> str:
    """One line of the printed table."""
    cells = [name]
    for step in ("probe", "frames", "sound", "proxy"):
        given = report[step]
        facts = [f"{value:.4g}" if isinstance(value, float) else str(value) for key, value in given.items()
                 if key not in ("times", "finite", "codec", "pixels", "count")]  # fmt: skip
        cells.append(given.get("sentence") or " ".join(facts))
    return " | ".join([*cells, f"{report['cpu_s']:.1f} s CPU", f"{report['peak_mb']:.0f} MB"])


@pytest.mark.parametrize(
    "name", ["rot90.mov", "rotate_90_bbb.mp4", "rotated_270.mp4", "hevc_metadata_track.mp4"]
)
def test_turned_files_look_as_ffmpeg_turns_them(shared, tmp_path, name):
    path, out = shared / "media" / "odd" / name, tmp_path / "upright.mkv"
    exe = imageio_ffmpeg.get_ffmpeg_exe()
    turn = ["-vf", "scale=320:320:force_original_aspect_ratio=decrease", "-c:v", "ffv1", str(out)]
    subprocess.run([exe, "-v", "error", "-i", str(path), *turn], check=True)
    ours, theirs = (sample_frames(file, count=1, max_side_px=320).images[0] for file in (path, out))
    assert ours.shape == theirs.shape
    right = np.abs(ours.astype(int) - theirs).mean()
    assert right < 8
    for other in (np.rot90(ours, 2), ours[:, ::-1]):
        assert np.abs(other.astype(int) - theirs).mean() > 2 + 1.5 * right

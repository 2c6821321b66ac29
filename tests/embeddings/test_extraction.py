"""Bulk embedding: every engine makes the same store, a killed run loses nothing, a bad file is passed over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Modality
from mvr.embeddings.extraction import ExtractSettings, extract_features
from mvr.embeddings.store import FeatureStore
from mvr.embeddings.system import load_system
from mvr.errors import DataError, UsageError


@pytest.fixture
def videos(tmp_path: Path, make_clip, make_tone) -> Path:
    """Four clips with sound, and a text file that calls itself a video."""
    import imageio_ffmpeg

    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(4):
        clip = make_clip(tmp_path / f"p{number}.mp4", seed=number)
        tone = make_tone(tmp_path / f"s{number}.wav", seed=number)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(clip), "-i", str(tone)]
        subprocess.run(
            [*command, "-c:v", "copy", "-c:a", "aac", "-shortest", str(folder / f"v{number}.mp4")], check=True
        )
    (folder / "text.mp4").write_text("no video")
    return folder


def matrices(store: FeatureStore) -> list[bytes]:
    return [np.asarray(store.video).tobytes(), np.asarray(store.audio).tobytes(), "".join(store.ids).encode()]


def test_a_store_holds_what_the_system_says_of_each_file(
    tiny_assets: Path, videos: Path, tmp_path: Path
) -> None:
    report = extract_features(videos, tmp_path / "store", ExtractSettings(system="tiny", workers=1))
    assert (report.rows, report.added) == (4, 8) and [name for name, _ in report.failed] == ["text.mp4"]
    store = FeatureStore.open(tmp_path / "store")
    system = load_system("tiny")
    for row, name in enumerate(store.ids):
        expected = system.features_of_file(videos / name, Modality.AUDIO).features.mean(axis=0)
        np.testing.assert_allclose(store.audio[row], expected, atol=1e-5)
    assert store.meta["audio"]["backbone"] == "descriptors"


def test_a_second_run_encodes_only_what_is_new(
    tiny_assets: Path, videos: Path, tmp_path: Path, make_clip
) -> None:
    settings = ExtractSettings(system="tiny", workers=1)
    extract_features(videos, tmp_path / "store", settings)
    first = FeatureStore.open(tmp_path / "store").ids
    (videos / "v1.mp4").rename(videos / "v9.mp4")
    with pytest.raises(UsageError, match=r"holds 1 rows that this run has not, such as 'v1\.mp4'"):
        extract_features(videos, tmp_path / "store", settings)
    (videos / "v9.mp4").rename(videos / "v1.mp4")
    assert extract_features(videos, tmp_path / "store", settings).added == 0
    assert FeatureStore.open(tmp_path / "store").ids == first


def test_a_run_killed_again_and_again_ends_with_the_same_store(
    tiny_assets: Path, videos: Path, tmp_path: Path
) -> None:
    extract_features(videos, tmp_path / "whole", ExtractSettings(system="tiny", workers=1))
    command = [
        sys.executable,
        "-m",
        "mvr",
        "features",
        "extract",
        str(videos),
        "--out",
        str(tmp_path / "killed"),
    ]
    command += ["--system", "tiny", "--workers", "1"]
    for number in range(4):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(1.5 + 1.5 * number)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert matrices(FeatureStore.open(tmp_path / "killed")) == matrices(FeatureStore.open(tmp_path / "whole"))


@pytest.mark.ray
def test_ray_with_two_actors_one_killed_makes_the_same_store_bit_for_bit(
    tiny_assets: Path, videos: Path, tmp_path: Path
) -> None:
    extract_features(videos, tmp_path / "local", ExtractSettings(system="tiny", workers=1))
    killed = []

    def kill_one(step: str, done: int, total: int) -> None:
        if not killed:
            killed.extend(actor_pids()[:1])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    settings = ExtractSettings(system="tiny", engine="ray", workers=2)
    report = extract_features(videos, tmp_path / "ray", settings, progress=kill_one)
    assert killed and report.rows == 4
    assert matrices(FeatureStore.open(tmp_path / "ray")) == matrices(FeatureStore.open(tmp_path / "local"))


def actor_pids() -> list[int]:
    """Processes of this machine that are Ray actors running the encoder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"ray::" in title and b"IDLE" not in title:
            found.append(int(folder.name))
    return found


def test_an_unknown_engine_and_an_empty_folder_are_one_sentence(tiny_assets: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown engine 'spark'; choose from local, ray"):
        extract_features(tmp_path, tmp_path / "s", ExtractSettings(system="tiny", engine="spark"))
    with pytest.raises(DataError, match="holds no video file"):
        extract_features(tmp_path, tmp_path / "s", ExtractSettings(system="tiny"))

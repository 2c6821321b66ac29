"""Bulk embedding: every engine makes the same store, a killed run loses nothing, a bad file is passed over."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Modality
from mvr.embeddings.extraction import ExtractReport, ExtractSettings, extract_features
from mvr.embeddings.store import FeatureStore
from mvr.embeddings.system import load_system
from mvr.errors import DataError, UsageError, WeightsMissing

VIDEOS = 3


@dataclass(frozen=True)
class Extracted:
    """A store and the report of the run that made it."""

    path: Path
    report: ExtractReport


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, make_clip, make_tone) -> Path:
    """Clips with sound, and a text file that calls itself a video."""
    import imageio_ffmpeg

    scratch = tmp_path_factory.mktemp("parts")
    folder = tmp_path_factory.mktemp("videos")
    for number in range(VIDEOS):
        clip = make_clip(scratch / f"p{number}.mp4", seed=number)
        tone = make_tone(scratch / f"s{number}.wav", seed=number, seconds=2.0)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(clip), "-i", str(tone)]
        command += ["-c:v", "copy", "-c:a", "aac", "-shortest", str(folder / f"v{number}.mp4")]
        subprocess.run(command, check=True)
    (folder / "text.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def whole(videos: Path, make_tiny_assets, tmp_path_factory: pytest.TempPathFactory) -> Extracted:
    """A store that one undisturbed run of the local engine made, and that run's report."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MVR_ASSETS", str(make_tiny_assets(folder / "assets")))
        report = extract_features(videos, folder / "store", ExtractSettings(system="tiny", workers=2))
    return Extracted(path=folder / "store", report=report)


def matrices(place: Path) -> list[bytes]:
    store = FeatureStore.open(place)
    return [np.asarray(store.video).tobytes(), np.asarray(store.audio).tobytes(), "".join(store.ids).encode()]


def test_a_store_holds_what_the_system_says_of_each_file(
    tiny_assets: Path, videos: Path, whole: Extracted
) -> None:
    assert (whole.report.rows, whole.report.added) == (VIDEOS, 2 * VIDEOS)
    assert [name for name, _ in whole.report.failed] == ["text.mp4"]
    store = FeatureStore.open(whole.path)
    system = load_system("tiny")
    for row, name in enumerate(store.ids):
        expected = system.features_of_file(videos / name, Modality.AUDIO).features.mean(axis=0)
        np.testing.assert_allclose(store.audio[row], expected, atol=1e-5)
    assert store.meta["audio"]["backbone"] == "descriptors"


def test_features_to_train_a_head_on_need_no_trained_head(
    make_tiny_assets, videos: Path, whole: Extracted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = make_tiny_assets(tmp_path / "assets")
    card = json.loads((assets / "systems" / "tiny.json").read_text())
    card |= {"name": "untrained", "head": {"kind": "control-mvr", "weights": None}}
    (assets / "systems" / "untrained.json").write_text(json.dumps(card))
    monkeypatch.setenv("MVR_ASSETS", str(assets))
    with pytest.raises(WeightsMissing, match="needs a trained head"):
        load_system("untrained")
    report = extract_features(videos, tmp_path / "store", ExtractSettings(system="untrained", workers=1))
    assert (report.rows, report.added) == (VIDEOS, 2 * VIDEOS)
    assert matrices(tmp_path / "store") == matrices(whole.path)


def test_a_second_run_encodes_only_what_is_new(
    tiny_assets: Path, videos: Path, whole: Extracted, tmp_path: Path
) -> None:
    settings = ExtractSettings(system="tiny", workers=1)
    own = Path(shutil.copytree(videos, tmp_path / "videos"))
    (own / "text.mp4").unlink()  # a file that failed is tried again; here nothing is to be done
    out = Path(shutil.copytree(whole.path, tmp_path / "store"))
    shutil.copytree(whole.path.with_name("store.cache"), tmp_path / "store.cache")
    (own / "v1.mp4").rename(own / "v9.mp4")
    with pytest.raises(UsageError, match=r"holds 1 rows that this run does not have, such as 'v1\.mp4'"):
        extract_features(own, out, settings)
    (own / "v9.mp4").rename(own / "v1.mp4")
    assert extract_features(own, out, settings).added == 0
    assert matrices(out) == matrices(whole.path)


@pytest.mark.slow
def test_a_command_killed_with_its_processes_ends_with_the_same_store(
    tiny_assets: Path, videos: Path, whole: Extracted, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "mvr", "features", "extract", str(videos), "--out", str(out)]
    command += ["--system", "tiny", "--workers", "1"]
    for features in (1, 3):  # each time as soon as so many files are in the cache
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while cached(out) < features and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = cached(out)
    report = extract_features(videos, out, ExtractSettings(system="tiny", workers=1))
    assert before >= 3 and report.added == 2 * VIDEOS - before
    assert matrices(out) == matrices(whole.path)


def cached(out: Path) -> int:
    """Files in the cache of a run, from outside, as a second process sees them."""
    path = out.with_name(out.name + ".cache") / "cache.db"
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM features").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ray_with_two_actors_one_killed_makes_the_same_store_bit_for_bit(
    tiny_assets: Path, videos: Path, whole: Extracted, tmp_path: Path
) -> None:
    killed = []

    def kill_one(step: str, done: int, total: int) -> None:
        if not killed:
            killed.extend(actor_pids()[:1])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    settings = ExtractSettings(system="tiny", engine="ray", workers=2)
    report = extract_features(videos, tmp_path / "ray", settings, progress=kill_one)
    assert killed and report.rows == VIDEOS and [name for name, _ in report.failed] == ["text.mp4"]
    assert matrices(tmp_path / "ray") == matrices(whole.path)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_running_cluster_of_two_machines_makes_the_same_store_from_a_url(
    tiny_assets: Path, videos: Path, whole: Extracted, tmp_path: Path
) -> None:
    """Two Ray nodes on this machine stand for two machines with one shared folder."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        settings = ExtractSettings(system="tiny", engine="ray", workers=2, address=cluster.address)
        report = extract_features(f"file://{videos}", tmp_path / "ray", settings)
        assert not ray.is_initialized() and cluster.head_node is not None
    finally:
        cluster.shutdown()
    assert report.rows == VIDEOS and [name for name, _ in report.failed] == ["text.mp4"]
    assert matrices(tmp_path / "ray") == matrices(whole.path)


def actor_pids() -> list[int]:
    """Ray actors that run the encoder, among the descendants of this process: nobody else's cluster is touched."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # a process that has just ended
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if b"ray::MapWorker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))

    def ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and ours(parents[pid]))

    return [pid for pid in found if ours(pid)]


def test_a_process_of_the_default_system_does_not_load_torch() -> None:
    script = (
        "import sys; from mvr.embeddings.extraction import local; local._start('control-mvr-mini'); "
        "before = 'torch' in sys.modules; import torch; print(before, torch.get_num_threads())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["False", "1"], done.stderr


def test_an_unknown_engine_and_an_empty_folder_are_one_sentence(tiny_assets: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown engine 'spark'; choose from local, ray"):
        extract_features(tmp_path, tmp_path / "s", ExtractSettings(system="tiny", engine="spark"))
    with pytest.raises(DataError, match="holds no video file"):
        extract_features(tmp_path, tmp_path / "s", ExtractSettings(system="tiny"))

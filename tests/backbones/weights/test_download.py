"""Downloads over a line that drops, lies and changes its mind."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

import pytest

from mvr.backbones.weights import Download, DownloadProgress, download
from mvr.backbones.weights.download import ATTEMPTS_WITHOUT_PROGRESS, stderr_progress
from mvr.errors import WeightsCorrupt, WeightsError, WeightsMissing

BODY = random.Random(4).randbytes(300_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


def job(server, tmp_path: Path, **fields) -> Download:
    server.files.setdefault("/w.bin", BODY)
    wanted = {"url": f"{server.url}/w.bin", "target": tmp_path / "w.bin", "retry_wait_s": 0.0, **fields}
    return Download(**wanted)


def leftovers(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()} - {"w.bin", "w.bin.lock", "home"}


def test_a_file_arrives_whole_and_is_checked(server, tmp_path: Path):
    path = download(job(server, tmp_path, digest=SHA256, size_bytes=len(BODY)))
    assert path.read_bytes() == BODY
    assert leftovers(tmp_path) == set()


def test_a_second_call_makes_no_request(server, tmp_path: Path):
    download(job(server, tmp_path))
    download(job(server, tmp_path))
    assert len(server.requests) == 1


def test_dropped_connections_are_resumed_where_they_broke(server, tmp_path: Path):
    server.drop_after = [100_000, 50_000]
    path = download(job(server, tmp_path, digest=SHA256))
    assert path.read_bytes() == BODY
    assert [asked for _, asked in server.requests] == ["", "bytes=100000-", "bytes=150000-"]


def test_a_killed_process_resumes_from_its_part(server, tmp_path: Path):
    server.drop_after = [120_000] + [0] * ATTEMPTS_WITHOUT_PROGRESS
    with pytest.raises(WeightsMissing, match="could not be downloaded"):
        download(job(server, tmp_path))
    assert (tmp_path / "w.bin.part").stat().st_size == 120_000
    server.requests.clear()
    assert download(job(server, tmp_path)).read_bytes() == BODY
    assert server.requests == [("/w.bin", "bytes=120000-")]


def test_a_file_that_changed_in_between_is_not_spliced(server, tmp_path: Path):
    server.drop_after = [120_000] + [0] * ATTEMPTS_WITHOUT_PROGRESS
    with pytest.raises(WeightsMissing):
        download(job(server, tmp_path))
    server.files["/w.bin"] = BODY[::-1]
    assert download(job(server, tmp_path)).read_bytes() == BODY[::-1]


def test_a_server_without_ranges_sends_all_again(server, tmp_path: Path):
    server.ranges, server.drop_after = False, [100_000]
    assert download(job(server, tmp_path, digest=SHA256)).read_bytes() == BODY


def test_without_an_etag_the_digest_guards_the_resumed_file(server, tmp_path: Path):
    server.etags, server.drop_after = False, [100_000]
    assert download(job(server, tmp_path, digest=SHA256)).read_bytes() == BODY
    assert server.requests[-1] == ("/w.bin", "bytes=100000-")


def test_without_an_etag_and_a_digest_nothing_is_resumed(server, tmp_path: Path):
    server.etags, server.drop_after = False, [100_000]
    assert download(job(server, tmp_path)).read_bytes() == BODY
    assert server.requests[-1] == ("/w.bin", "")


def test_a_part_that_is_whole_already_only_gets_its_name(server, tmp_path: Path):
    server.drop_after = [len(BODY) - 1] + [0] * ATTEMPTS_WITHOUT_PROGRESS
    with pytest.raises(WeightsMissing):
        download(job(server, tmp_path))
    (tmp_path / "w.bin.part").write_bytes(BODY)  # killed between the last byte and the renaming
    assert download(job(server, tmp_path, digest=SHA256)).read_bytes() == BODY


def test_a_part_longer_than_the_file_is_dropped(server, tmp_path: Path):
    server.drop_after = [100_000] + [0] * ATTEMPTS_WITHOUT_PROGRESS
    with pytest.raises(WeightsMissing):
        download(job(server, tmp_path))
    (tmp_path / "w.bin.part").write_bytes(BODY + b"more")
    assert download(job(server, tmp_path, digest=SHA256)).read_bytes() == BODY


def test_corrupt_bytes_are_refused_and_deleted(server, tmp_path: Path):
    server.files["/w.bin"] = BODY[:-1] + b"\0"
    with pytest.raises(WeightsCorrupt, match=f"expected {SHA256}"):
        download(job(server, tmp_path, digest=SHA256))
    assert not (tmp_path / "w.bin").exists() and leftovers(tmp_path) == set()
    server.files["/w.bin"] = BODY
    assert download(job(server, tmp_path, digest=SHA256)).read_bytes() == BODY


def test_another_size_than_the_known_one_is_refused(server, tmp_path: Path):
    with pytest.raises(WeightsCorrupt, match="has 300000 bytes, expected 5"):
        download(job(server, tmp_path, size_bytes=5))


def test_a_hubs_own_digest_is_checked_when_none_is_pinned(server, tmp_path: Path):
    server.redirects["/r/w.bin"] = "/w.bin"
    server.headers["/r/w.bin"] = {"X-Linked-ETag": f'"{"0" * 64}"', "X-Repo-Commit": "c0ffee"}
    with pytest.raises(WeightsCorrupt, match="expected 0000"):
        download(job(server, tmp_path, url=f"{server.url}/r/w.bin"))
    server.headers["/r/w.bin"]["X-Linked-ETag"] = f'"{SHA256}"'
    assert download(job(server, tmp_path, url=f"{server.url}/r/w.bin")).read_bytes() == BODY


def test_a_missing_file_says_what_to_put_where(server, tmp_path: Path):
    with pytest.raises(WeightsMissing, match=r"answered 404.*put it at .*w\.bin"):
        download(job(server, tmp_path, url=f"{server.url}/gone.bin"))
    assert len(server.requests) == 1  # asking again would not help


def test_an_unreachable_server_says_what_to_put_where(tmp_path: Path):
    with pytest.raises(WeightsMissing, match=r"w\.bin could not be downloaded .*put it at"):
        download(Download(url="http://127.0.0.1:9/w.bin", target=tmp_path / "w.bin", retry_wait_s=0.0))


def test_progress_goes_from_nothing_to_all(server, tmp_path: Path):
    seen: list[DownloadProgress] = []
    server.drop_after = [100_000]
    download(job(server, tmp_path), seen.append)
    done = [now.done_bytes for now in seen]
    assert done == sorted(done) and done[-1] == len(BODY)
    assert {now.total_bytes for now in seen} == {len(BODY)}


def test_progress_without_a_length_has_no_total(server, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    server.length = False
    assert download(job(server, tmp_path, digest=SHA256)).read_bytes() == BODY
    assert "w.bin: 0." in capsys.readouterr().err


def test_progress_lines_go_to_stderr_a_few_at_a_time(capsys: pytest.CaptureFixture[str]):
    report = stderr_progress(step=0.25)
    for done in range(101):
        report(DownloadProgress(file="w.bin", done_bytes=done * 10**6, total_bytes=100 * 10**6))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "w.bin: 100.0 of 100.0 MB (100%)" and len(err.splitlines()) == 5


def test_a_full_disk_is_said_before_the_download(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(WeightsError, match="make room or set MVR_HOME"):
        download(job(server, tmp_path))

"""One file over HTTP: visible, resumed after a dropped connection or a kill, checked before it counts.

The bytes go to `NAME.part` beside the target; `NAME.part.json` keeps the ETag so that a changed file is
not spliced (RFC 9110, If-Range). Only a complete file with the right length and digest gets its name.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from mvr.backbones.weights.digest import check_digest
from mvr.errors import WeightsCorrupt, WeightsError, WeightsMissing

if TYPE_CHECKING:
    import httpx

ATTEMPTS_WITHOUT_PROGRESS = 4
_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class DownloadProgress:
    """How far a download is; `total_bytes` is None when the server does not say."""

    file: str
    done_bytes: int
    total_bytes: int | None


ProgressCallback = Callable[[DownloadProgress], None]


@dataclass(frozen=True, kw_only=True)
class Download:
    """What to fetch, where to, and what it must be; None is not checked (the server's own digest is)."""

    url: str
    target: Path
    size_bytes: int | None = None
    digest: str | None = None
    retry_wait_s: float = 1.0  # doubled after each attempt that brought nothing


def download(job: Download, progress: ProgressCallback | None = None) -> Path:
    """Fetch one file, or return at once when it is there.

    Raises:
        WeightsMissing: the server cannot be reached or has no such file; says what to put where.
        WeightsCorrupt: the bytes are not the wanted ones; they are deleted.
        WeightsError: the disk is too small.
    """
    job.target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(job.target.with_name(job.target.name + ".lock")):
        if job.target.exists():
            return job.target
        declared = _fetch_all(job, progress or stderr_progress())
        part = _part(job)
        _check(job, part, declared)
        part.replace(job.target)
        _note(job).unlink(missing_ok=True)
    return job.target


def _fetch_all(job: Download, progress: ProgressCallback) -> str | None:
    """Repeat until the file is whole; returns the digest that the server declares, if it does."""
    import httpx

    idle, wait_s = 0, job.retry_wait_s
    while True:
        before = _size(job)
        try:
            return _fetch_rest(job, progress)
        except httpx.HTTPStatusError as error:
            raise _missing(job, f"the server answered {error.response.status_code}") from error
        except (httpx.TransportError, _CutShort) as error:
            idle = 0 if _size(job) > before else idle + 1
            if idle >= ATTEMPTS_WITHOUT_PROGRESS:
                raise _missing(job, str(error) or type(error).__name__) from error
            if idle:
                time.sleep(wait_s)
                wait_s *= 2


class _CutShort(Exception):
    """The connection ended before the announced length."""


def _fetch_rest(job: Download, progress: ProgressCallback) -> str | None:
    import httpx

    with (
        httpx.Client(follow_redirects=True, timeout=_TIMEOUT_S) as client,
        client.stream("GET", job.url, headers=_range_headers(job)) as response,
    ):
        if response.status_code == 416:  # nothing left behind what is here: whole, or of another file
            _check_whole(job, response)
        else:
            response.raise_for_status()
            _write_body(job, response, progress)
        return _declared_digest(response)


def _range_headers(job: Download) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # a compressed body has other byte positions
    if not _size(job) or not _note(job).exists():
        return headers
    etag = str(json.loads(_note(job).read_text(encoding="utf-8"))["etag"])
    if etag and not etag.startswith("W/"):
        headers |= {"Range": f"bytes={_size(job)}-", "If-Range": etag}
    elif job.digest:  # nothing tells whether the file changed, but the digest of the whole will
        headers["Range"] = f"bytes={_size(job)}-"
    return headers


def _check_whole(job: Download, response: httpx.Response) -> None:
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if total != str(_size(job)):
        _part(job).unlink()
        raise _CutShort(f"{_part(job).name} belonged to another file")


def _write_body(job: Download, response: httpx.Response, progress: ProgressCallback) -> None:
    resumed = response.status_code == 206
    done = _size(job) if resumed else 0
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else None
    if total is not None:
        _check_disk(job, total - done)
    etag = response.headers.get("ETag", "")
    _note(job).write_text(json.dumps({"etag": etag, "url": job.url}), encoding="utf-8")
    with _part(job).open("ab" if resumed else "wb") as stream:
        for (
            chunk
        ) in response.iter_bytes():  # as they arrive: a fixed size would lose the last part of a cut line
            stream.write(chunk)
            done += len(chunk)
            progress(DownloadProgress(file=job.target.name, done_bytes=done, total_bytes=total))
    if total is not None and done < total:
        raise _CutShort(f"the connection ended after {done} of {total} bytes")


def _declared_digest(response: httpx.Response) -> str | None:
    """Digest that a hub declares before it redirects: SHA-256 of a large file, git SHA-1 of a small one."""
    for answer in (*response.history, response):
        for header in ("X-Linked-ETag", "ETag"):
            etag = str(answer.headers.get(header, "")).removeprefix("W/").strip('"')
            if "X-Repo-Commit" in answer.headers and len(etag) in (40, 64) and _is_hex(etag):
                return etag
    return None


def _is_hex(text: str) -> bool:
    return set(text.lower()) <= set("0123456789abcdef")


def _check(job: Download, part: Path, declared: str | None) -> None:
    size = part.stat().st_size
    try:
        if job.size_bytes is not None and size != job.size_bytes:
            raise WeightsCorrupt(
                f"{job.target.name} from {job.url} has {size} bytes, expected {job.size_bytes}"
            )
        for digest in {job.digest or declared} - {None}:
            check_digest(part, str(digest))
    except WeightsCorrupt:
        part.unlink()
        _note(job).unlink(missing_ok=True)
        raise


def _check_disk(job: Download, wanted_bytes: int) -> None:
    free = shutil.disk_usage(job.target.parent).free
    if wanted_bytes > free:
        raise WeightsError(
            f"{job.target.name} needs {wanted_bytes / 1e9:.1f} GB more, but {job.target.parent} has "
            f"{free / 1e9:.1f} GB free; make room or set MVR_HOME to another disk"
        )


def _missing(job: Download, why: str) -> WeightsMissing:
    return WeightsMissing(
        f"{job.target.name} could not be downloaded from {job.url} ({why}); "
        f"get the file elsewhere and put it at {job.target}"
    )


def _part(job: Download) -> Path:
    return job.target.with_name(job.target.name + ".part")


def _note(job: Download) -> Path:
    return job.target.with_name(job.target.name + ".part.json")


def _size(job: Download) -> int:
    return _part(job).stat().st_size if _part(job).exists() else 0


def stderr_progress(step: float = 0.05) -> ProgressCallback:
    """A callback that writes one line to stderr per `step` of each file."""
    written: dict[str, int] = {}

    def report(now: DownloadProgress) -> None:
        share = now.done_bytes / now.total_bytes if now.total_bytes else 0.0
        mark = int(share / step) if now.total_bytes else now.done_bytes // 50_000_000
        if written.get(now.file) == mark:
            return
        written[now.file] = mark
        of = f" of {now.total_bytes / 1e6:,.1f} MB ({share:.0%})" if now.total_bytes else " MB"
        sys.stderr.write(f"{now.file}: {now.done_bytes / 1e6:,.1f}{of}\n")

    return report

"""Signed visitors: nobody makes an id of their own, nothing of a person is in it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvr.config.paths import home_dir
from mvr.errors import UsageError, VoteRefused
from mvr.votes.voter import VoterSigner, load_secret

SIGNER = VoterSigner(b"a secret for tests only")


def test_a_cookie_names_one_voter():
    cookies = {SIGNER.new_cookie() for _ in range(100)}
    assert len({SIGNER.voter(cookie) for cookie in cookies}) == 100
    assert all(len(SIGNER.voter(cookie)) == 32 for cookie in cookies)


@given(st.text(max_size=80))
def test_no_made_up_cookie_is_taken(text):
    with pytest.raises(VoteRefused, match="not known here"):
        SIGNER.voter(text)


def test_a_cookie_of_another_server_is_not_taken():
    with pytest.raises(VoteRefused):
        SIGNER.voter(VoterSigner(b"another secret of a server").new_cookie())


def test_macs_depend_on_purpose_and_parts():
    macs = {SIGNER.mac(*parts) for parts in [("a", "b"), ("a", "c"), ("ab",), ("b", "a"), ("a", "b", "")]}
    assert len(macs) == 5 and all(len(mac) == 26 and mac.isalnum() for mac in macs)


def test_the_secret_is_made_once_and_is_private(monkeypatch):
    monkeypatch.delenv("MVR_SECRET", raising=False)
    first = load_secret()
    assert first == load_secret() and len(first) == 64
    assert (home_dir() / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home_dir().iterdir()] == ["secret"]


def _put(path, queue):
    queue.put(load_secret(path))


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=_put, args=(tmp_path / "secret", queue)) for _ in range(3)]
    for process in processes:
        process.start()
    secrets = {queue.get(timeout=240) for _ in processes}
    for process in processes:
        process.join()
    assert len(secrets) == 1


def test_the_environment_may_give_the_secret(monkeypatch):
    monkeypatch.setenv("MVR_SECRET", "s" * 20)
    assert load_secret() == b"s" * 20
    monkeypatch.setenv("MVR_SECRET", "short")
    with pytest.raises(UsageError, match="5 bytes"):
        load_secret()

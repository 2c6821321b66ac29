"""`mvr votes learn` on the demo library: votes that follow one taste are foretold better with the re-ranking."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mvr.__main__ import app
from mvr.arena.reranking.model import Reranker
from mvr.datatypes import Modality
from mvr.library import open_demo_library
from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore


@pytest.fixture
def taste(tmp_path: Path) -> Path:
    """Twelve people who always prefer the faster music."""
    library = open_demo_library()
    tracks, videos = (
        sorted(library.items(m), key=lambda item: item.id) for m in (Modality.AUDIO, Modality.VIDEO)
    )
    rng = np.random.default_rng(0)
    liked = {item.id: item.tempo_bpm or 0.0 for item in tracks}
    path = tmp_path / "votes.sqlite"
    with VoteStore.open(path) as store:
        records, votes = [], []
        for voter in range(12):
            records.append(Consent(voter_id=f"v{voter}", session_id="s", version="1", text_sha256="0"))
            for _ in range(20):
                query = videos[rng.integers(len(videos))]
                pair = [tracks[i] for i in rng.choice(len(tracks), 2, replace=False)]
                sides = [
                    Side(system_id=n, system_version="1", item_id=t.id, item_group_id=t.id)
                    for n, t in zip("ab", pair, strict=True)
                ]
                battle = Battle(
                    voter_id=f"v{voter}",
                    session_id="s",
                    direction="v2m",
                    query_id=query.id,
                    query_group_id=query.id,
                    left=sides[0],
                    right=sides[1],
                    pool_version="1",
                    pool_size=len(tracks),
                    policy_id="uniform-v1",
                    pair_prob=1.0,
                    seed=0,
                    ui_version="1",
                )
                records.append(battle)
                votes.append(
                    Vote(
                        battle_id=battle.battle_id,
                        voter_id=f"v{voter}",
                        session_id="s",
                        consent_version="1",
                        outcome="left" if liked[pair[0].id] >= liked[pair[1].id] else "right",
                        listen_left_ms=5000,
                        listen_right_ms=5000,
                    )
                )
        store.add(*records)
        store.add(*votes)
    return path


@pytest.mark.slow  # embeds the demo library: a minute or two
@pytest.mark.timeout(900)
def test_a_common_taste_is_learned_and_saved_with_its_videos(taste, tmp_path):
    out = tmp_path / "r.json"
    done = CliRunner().invoke(
        app, ["votes", "learn", "--db", str(taste), "--out", str(out), "--hold-out", "0", "--json"]
    )
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert summary["votes"] == 240 and summary["votes_on_unknown_items"] == 0
    assert summary["accuracy_with"] > summary["accuracy_without"] + 0.1 and summary["first_gate_passed"]
    assert len(Reranker.load(out).training_groups) > 5

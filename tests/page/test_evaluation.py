"""What the tab Evaluate reads from outside: the documented forms, and hostile files refused in one sentence."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvr.errors import DataError, MvrError, NotFinite, TooLarge, WrongShape
from mvr.metrics.retrieval.curve import Duel, alpha_preference
from mvr.metrics.retrieval.document import MOST_BYTES, read_rows
from mvr.page.board.curves import metric_panel, panel
from mvr.page.board.evaluation import (
    chance_cells,
    committed_results,
    headings,
    places,
    read_uploads,
    table_lines,
)
from mvr.page.serving.uploads import Upload
from mvr.page.templates import render

ROW = {
    "system": "mine <b>",
    "alpha": 0.5,
    "direction": "v2m",
    "task": "pair",
    "pool": 40,
    "recall": {"1": 0.1, "10": 0.4},
    "precision": {"1": 0.1, "10": 0.04},
    "median_rank": 9.5,
    "mrr": 0.2,
    "intervals": {"recall@10": [0.3, 0.5]},
}


def document(**changes):
    return json.dumps({"rows": [{**ROW, **changes}]}).encode()


def upload(folder, name, content):
    path = folder / f"{len(list(folder.iterdir()))}.upload"
    path.write_bytes(content)
    return Upload(path=path, name=name)


def matrix(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def test_results_are_read_from_json_and_csv_alike(tmp_path):
    from_json = read_uploads([upload(tmp_path, "results.json", document())])
    csv = (
        "system,alpha,direction,task,pool,recall.1,recall.10,precision.1,precision.10,median_rank,mrr,"
        "intervals.recall@10.low,intervals.recall@10.high\n"
        "mine <b>,0.5,v2m,pair,40,0.1,0.4,0.1,0.04,9.5,0.2,0.3,0.5\n"
    )
    from_csv = read_uploads([upload(tmp_path, "results.csv", csv.encode())])
    assert from_json == from_csv
    assert from_json[0]["intervals"] == {"recall@10": (0.3, 0.5)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"{", "not a results.json"),
        (b"[" * 100_000, "not a results.json"),
        (b'{"rows": 3}', "no list 'rows'"),
        (b'{"rows": []}', "holds 0 rows"),
        (b'{"rows": [4]}', "row 1"),
        (document(mrr=float("nan")), "NaN is not a number"),
        (document(mrr=1.5), "mrr"),
        (document(median_rank=0), "median_rank"),
        (document(recall={"x": 0.1}), "recall"),
        (document(task="<script>"), "task"),
        (document(direction="up"), "direction"),
        (document(system="x" * 81), "system"),
        (document(alpha=2), "alpha"),
        (document(pool=10**12), "pool"),
        (b"a,b\n1,2\n", "its first line must name the columns"),
        (b'system,alpha\n"x,1\n', "not a results.csv"),
        (b" " * (MOST_BYTES + 1), "at most"),
    ],
)
def test_a_file_that_is_no_result_is_refused_in_one_sentence(content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_rows(content, "mine")
    assert "\n" not in str(caught.value)[:-1] or "csv" in str(caught.value)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(content):
    with pytest.raises(MvrError):
        read_rows(b"system,alpha\n" + content if content else content, "noise")


def test_own_embeddings_are_measured(tmp_path):
    generator = np.random.default_rng(0)
    video = generator.standard_normal((30, 6)).astype(np.float32)
    audio = video + 0.1 * generator.standard_normal((30, 6)).astype(np.float32)
    manifest = "id,split,genre\n" + "".join(
        f"clip{i},{'test' if i >= 10 else 'train'},{'ab'[i % 2]}\n" for i in range(30)
    )
    rows = read_uploads(
        [
            upload(tmp_path, "manifest.csv", manifest.encode()),
            upload(tmp_path, "my_music.npy", matrix(audio)),
            upload(tmp_path, "my_video.npy", matrix(video)),
        ]
    )
    pair = [row for row in rows if row["task"] == "pair" and row["direction"] == "v2m"]
    assert pair[0]["pool"] == 20 and pair[0]["recall"]["1"] > 0.9
    assert {row["task"] for row in rows} == {"pair", "label:genre"}


def three(tmp_path, video, audio=None, manifest=b"id\na\nb\n"):
    return [
        upload(tmp_path, "video.npy", video),
        upload(tmp_path, "audio.npy", audio if audio is not None else matrix(np.ones((2, 3), np.float32))),
        upload(tmp_path, "m.csv", manifest),
    ]


def claimed(shape, dtype="<f4"):
    """A .npy header that claims more than the file holds."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    ("video", "error", "message"),
    [
        (b"no matrix", DataError, "is not an .npy matrix"),
        (claimed((4000, 2000)), WrongShape, "not what the file holds"),
        (claimed((10**12, 10**6)), TooLarge, "1 to 5000 rows"),
        (claimed((2, 3), "|O"), DataError, "not a matrix of numbers"),
        (matrix(np.array([["a", "b"]])), DataError, "not a matrix of numbers"),
        (matrix(np.ones(3, np.float32)), DataError, "not a matrix of numbers"),
        (matrix(np.full((2, 3), np.nan, np.float32)), NotFinite, "NaN or infinity in row 0"),
        (matrix(np.zeros((2, 3), np.float32)), DataError, "rows without a direction"),
        (matrix(np.ones((3, 3), np.float32)), WrongShape, "equal shapes and one row per line"),
    ],
)
def test_a_hostile_matrix_is_refused_by_its_header(tmp_path, video, error, message):
    with pytest.raises(error, match=message):
        read_uploads(three(tmp_path, video))


def test_a_pickled_matrix_runs_nothing(tmp_path, capsys):
    class Bomb:
        def __reduce__(self):
            return (print, ("this ran",))

    array = np.empty((1, 1), object)
    array[0, 0] = Bomb()
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    with pytest.raises(DataError, match="not a matrix of numbers"):
        read_uploads(three(tmp_path, buffer.getvalue()))
    assert "this ran" not in capsys.readouterr().out


def test_the_wrong_set_of_files_is_refused(tmp_path):
    one = upload(tmp_path, "video.npy", matrix(np.ones((2, 3))))
    with pytest.raises(DataError, match="one results file"):
        read_uploads([one])
    two = [upload(tmp_path, name, matrix(np.ones((2, 3)))) for name in ("a.npy", "b.npy")]
    with pytest.raises(DataError, match="which is which"):
        read_uploads([*two, upload(tmp_path, "m.csv", b"id\na\nb\n")])


def test_own_rows_stand_beside_the_committed_ones_and_are_escaped():
    committed = [
        {
            **ROW,
            "system": "cca",
            "alpha": None,
            "chance": {"recall": {"1": 0.025, "10": 0.25}, "median_rank": 20.5, "mrr": 0.1},
        }
    ]
    own = read_rows(document(), "mine")
    place = places(committed)[0]
    lines = table_lines(committed, own, place)
    assert [line.own for line in lines] == [False, True]
    page = render(
        "evaluate.html",
        note="n",
        caption="c",
        headings=headings(committed[0]),
        lines=lines,
        chance=chance_cells(committed[0]),
        panels=[metric_panel([*committed, *own], "t")],
        people=False,
    )
    assert "mine &lt;b&gt;" in page and "<b>" not in page
    assert "25.0" in page and "30.0 to 50.0" in page


def test_a_curve_says_in_words_what_it_draws():
    drawn = panel("T", "won (%)", {"votes": [(1.0, 40.0, 30.0, 55.0), (0.0, 60.0, 50.0, 70.0)]})
    assert drawn.caption == "T. won (%). votes: 60.0 at alpha 0, 40.0 at alpha 1."
    assert drawn.ticks[-1][1] == "100" and len(drawn.curves[0].marks) == 2
    assert drawn.curves[0].marks[0][1] < drawn.curves[0].marks[1][1]  # higher is further up


def test_preference_over_alpha_counts_decisive_votes_of_different_alphas():
    duels = [Duel(winner=0.0, loser=1.0, voter=f"v{i}") for i in range(6)]
    duels += [Duel(winner=1.0, loser=0.0, voter=f"v{i}") for i in range(2)]
    duels += [Duel(winner=0.5, loser=0.5, voter="v9"), Duel(winner=0.0, loser=None, voter="v7")]
    curve = alpha_preference(duels)
    assert set(curve) == {0.0, 1.0}
    assert curve[1.0].point == pytest.approx(2 / 8)
    assert curve[0.0].low < curve[0.0].point < curve[0.0].high


def test_every_committed_result_can_be_shown():
    for found in committed_results():
        for place in places(found.rows):
            lines = table_lines(found.rows, [], place)
            here = [row for row in found.rows if (row["task"], row["direction"], row["pool"]) == place]
            assert lines and len(chance_cells(here[0])) == len(lines[0].cells)
            metric_panel(here, "t")


def test_human_preference_comes_from_the_votes_that_count(tmp_path):
    from mvr.page.board.evaluation import preference_points
    from mvr.votes.records import Battle, Consent, Side, Vote
    from mvr.votes.store import VoteStore

    def side(alpha, item):
        return Side(
            system_id="control-mvr",
            system_version="1",
            alpha=alpha,
            item_id=item,
            item_group_id=f"group-{item}",
        )

    with VoteStore.open(f"sqlite:///{tmp_path / 'votes.db'}") as store:
        assert preference_points(store) == []
        for number in range(4):
            voter = f"voter-{number}"
            battle = Battle(
                voter_id=voter, session_id="s", direction="v2m", query_id="q", query_group_id="g",
                left=side(0.0, "a"), right=side(1.0, "b"), pool_version="1", pool_size=9, policy_id="p",
                pair_prob=1.0, seed=1, ui_version="1",
            )  # fmt: skip
            store.add(battle, Consent(voter_id=voter, session_id="s", version="1", text_sha256="0"))
            vote = Vote(
                battle_id=battle.battle_id, voter_id=voter, session_id="s", consent_version="1",
                outcome=("left", "left", "right", "tie")[number], listen_left_ms=9000, listen_right_ms=9000,
            )  # fmt: skip
            store.cast(vote)
        points = {alpha: share for alpha, share, _, _ in preference_points(store)}
    assert points == pytest.approx({0.0: 2 / 3, 1.0: 1 / 3})

"""mteb reads what is exported, and scores our systems as our own metrics do."""

from __future__ import annotations

import json
from types import SimpleNamespace

import ir_measures
import pytest

from eval.mteb.__main__ import main
from eval.mteb.adapter import MtebSystem
from eval.mteb.task import load_task
from mvr.arena.benchmark import Shelf, benchmark_tasks
from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import load_system
from mvr.errors import DataError, ExtraMissing, NotFinite
from mvr.library import Library, open_demo_library
from mvr.metrics.graded import Gain, GradedSettings, graded_scores
from mvr.retrieval import Retriever
from mvr.votes.formats.mteb import RetrievalTask, TaskItem, task_writers
from mvr.votes.records import Consent, Judgment
from mvr.votes.store import VoteStore

DEMO = open_demo_library()


@pytest.fixture
def grades() -> dict[str, dict[str, int]]:
    videos, tracks = DEMO.items(Modality.VIDEO)[:3], DEMO.items(Modality.AUDIO)[:6]
    return {
        video.id: {track.id: (2 * i + 3 * j) % 4 for j, track in enumerate(tracks)}
        for i, video in enumerate(videos)
    }


@pytest.fixture
def task_folder(grades, tmp_path, monkeypatch):
    """Three demo videos and six tracks, all graded."""
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        store.add(Consent(voter_id="anna", session_id="s", version="1", text_sha256="0"))
        store.add(
            *(
                Judgment(
                    direction="v2m", pool_version="p1", query_id=query, item_id=item, item_group_id=item, grade=grade,
                    guideline_version="1", voter_id="anna", session_id="s", consent_version="1",
                )
                for query, items in grades.items()
                for item, grade in items.items()
            )
        )  # fmt: skip
        (task,) = benchmark_tasks(store, Shelf(demo=DEMO))
    for file, write in task_writers(task, tmp_path).items():
        file.parent.mkdir(exist_ok=True)
        write(file)
    return tmp_path / task.name


@pytest.mark.slow
def test_mteb_loads_the_task_with_its_grades_and_its_media(task_folder, grades, tmp_path, monkeypatch):
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalDatasetLoader

    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    task = load_task(task_folder)
    task.load_data()
    by_mteb = RetrievalDatasetLoader(hf_repo=str(task_folder), revision="local").load()
    for split in (task.dataset["default"]["test"], by_mteb):
        assert {q: dict(items) for q, items in split["relevant_docs"].items()} == grades
        assert set(split["queries"]["id"]) == set(grades)
        row = split["corpus"][0]
        assert row["audio"]["bytes"] == DEMO.item(row["id"]).path.read_bytes()


@pytest.mark.slow
def test_a_folder_that_was_written_again_is_read_again(tmp_path):
    """`datasets.load_dataset` gives the first of two folders of one name for ever; the task reads the files."""
    for place, grade in (("a", 1), ("b", 2), ("a", 3)):
        task = RetrievalTask(
            pool_version="p1", direction=Direction.VIDEO_TO_MUSIC, queries=[TaskItem(id="q")],
            corpus=[TaskItem(id="d")], qrels={"q": {"d": grade}}, left_out={},
        )  # fmt: skip
        for file, write in task_writers(task, tmp_path / place).items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file)
        read = load_task(tmp_path / place / "p1-v2m")
        read.load_data()
        assert read.dataset["default"]["test"]["relevant_docs"] == {"q": {"d": grade}}


@pytest.mark.slow
def test_mteb_scores_a_tiny_random_model_as_our_own_metrics_do(task_folder, grades, tmp_path, capsys):
    assert main(["--task", str(task_folder), "--systems", "random", "--out", str(tmp_path / "out")]) == 0
    assert "| random |" in capsys.readouterr().out
    (row,) = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    system, library = load_system("random"), Library.open(tmp_path / "library")
    library.add([DEMO.item(track).path for track in next(iter(grades.values()))], system)
    retriever = Retriever(library, system)
    retriever.prepare(Direction.VIDEO_TO_MUSIC)
    run = {}
    for query in grades:
        asked = retriever.embed_query(DEMO.item(query).path, Direction.VIDEO_TO_MUSIC)
        run[query] = {found.item.id: found.score for found in retriever.rank(asked, 0.5, 100).results}
    ours = graded_scores(grades, run, GradedSettings(gain=Gain.LINEAR, relevant=1)).means()
    assert row["ndcg_at_10"] == pytest.approx(ours["ndcg@10"], abs=1e-5)
    assert row["map_at_10"] == pytest.approx(ours["ap"], abs=1e-5)
    assert row["mrr_at_10"] == pytest.approx(ours["rr"], abs=1e-5)


V2M = SimpleNamespace(category="v2a")


def test_scores_that_32_bits_cannot_tell_apart_keep_the_order_of_the_list(tmp_path, monkeypatch):
    """mteb's pytrec_eval reads scores as 32-bit floats and orders equal ones by name, the last name first."""
    model = MtebSystem(load_system("random"), 0.5, tmp_path)
    close = {"a": 0.900000004, "b": 0.900000002, "c": 0.9}
    listed = [SimpleNamespace(item=SimpleNamespace(id=name), score=score) for name, score in close.items()]
    retriever = SimpleNamespace(embed_query=lambda *_: None, rank=lambda *_: SimpleNamespace(results=listed))
    monkeypatch.setattr(model, "_retriever", retriever)
    monkeypatch.setattr(model, "_documents", {name: [name] for name in close})
    monkeypatch.setattr(model, "_put", lambda rows, _: {row["id"]: None for row in rows})
    (scores,) = model.search([{"id": "q"}], task_metadata=V2M, top_k=10).values()
    assert scores == pytest.approx(close, abs=1e-6)
    assert ir_measures.calc_aggregate([ir_measures.RR], {"q": {"a": 1}}, {"q": scores})[ir_measures.RR] == 1.0


def rows_of(modality: Modality, count: int):
    column = str(modality)
    return [
        {
            "id": item.id,
            "sha256": item.content,
            column: {"bytes": item.path.read_bytes(), "path": item.path.name},
        }
        for item in DEMO.items(modality)[:count]
    ]


def test_a_querys_own_file_is_no_answer_and_a_score_that_is_no_number_stops_the_run(tmp_path, monkeypatch):
    model = MtebSystem(load_system("random"), 0.5, tmp_path)
    corpus, queries = rows_of(Modality.AUDIO, 2), rows_of(Modality.VIDEO, 1)
    corpus[0]["id"] = queries[0]["id"]
    model.index(corpus, task_metadata=V2M)
    found = model.search(queries, task_metadata=V2M, top_k=10)
    assert set(found[queries[0]["id"]]) == {corpus[1]["id"]}
    broken = SimpleNamespace(
        results=[SimpleNamespace(item=SimpleNamespace(id=next(iter(model._documents))), score=float("nan"))]
    )
    queries[0]["id"] = "another"
    monkeypatch.setattr(Retriever, "rank", lambda *a, **k: broken)
    with pytest.raises(NotFinite, match="mvr/random gives a score that is not finite for query another"):
        model.search(queries, task_metadata=V2M, top_k=10)


def test_rows_without_files_are_found_by_their_hash_or_refused(tmp_path):
    rows = [row | {"audio": {"bytes": b"", "path": ""}} for row in rows_of(Modality.AUDIO, 2)]
    MtebSystem(load_system("random"), 0.5, tmp_path / "a", [DEMO]).index(rows, task_metadata=V2M)
    with pytest.raises(DataError, match="holds 2 audio items without their files"):
        MtebSystem(load_system("random"), 0.5, tmp_path / "b").index(rows, task_metadata=V2M)
    broken = [rows[0] | {"audio": {"bytes": b"no music", "path": "x.mp3"}}]
    with pytest.raises(DataError, match="cannot be read"):
        MtebSystem(load_system("random"), 0.5, tmp_path / "c").index(broken, task_metadata=V2M)


def test_a_folder_that_is_no_task_and_a_missing_package_are_one_sentence(tmp_path, capsys, monkeypatch):
    assert main(["--task", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "is no task; name a folder such as POOL-v2m" in capsys.readouterr().err
    monkeypatch.setattr("mvr.config.extras.has", lambda package: False)
    with pytest.raises(ExtraMissing, match=r"needs mteb, which is not installed; type: .*mvr\[mteb\]"):
        load_task(tmp_path)

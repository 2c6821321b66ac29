"""Folds: every music video is a query once, all values are those of the folds, families name known systems."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from eval.protocols.__main__ import main
from eval.protocols.folds import run
from eval.protocols.protocol import load_protocol
from eval.protocols.run import Places
from eval.stores.folds import Fold, build_emomv_fold, build_yt8m_fold, fold_split, shard_blocks
from mvr.config.digest import content_hash
from mvr.datatypes import branch_weights, mix_branches
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError
from mvr.heads import load_head
from mvr.metrics.significance import holm
from tests.eval.conftest import few_steps, write_protocol

VIDEOS, RELATED, SHARDS = 90, 60, 200


def write_archives(folder):
    """Archives of YouTube-8M's form whose pairs are findable."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    maps = [generator.standard_normal((5, width)) for width in (10, 8)]
    for name, rows in (("music_video", VIDEOS), ("music_related", RELATED)):
        hidden = generator.standard_normal((rows, 5))
        video, audio = (hidden @ m + 0.7 * generator.standard_normal((rows, m.shape[1])) for m in maps)
        shards = np.sort(generator.integers(0, SHARDS, rows))
        np.savez(
            folder / f"{name}.npz",
            video=video.astype(np.float16),
            audio=audio.astype(np.float16),
            id=np.array([f"{name}{row}" for row in range(rows)]),
            shard=np.array([f"{shard:04d}" for shard in shards]),
            labels=np.array(["5" if row % 2 else "14 6" for row in range(rows)]),
        )
    (folder / "music_labels.csv").write_text("index,name\n5,Guitar\n6,Piano\n14,Music video\n")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    write_archives(folder / "yt8m")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A protocol of two folds with a head of few steps."""
    other = {"name": "cca-all-rows", "preset": "cca", "settings": {"training": {"focus": "none"}}}
    folds = {
        "about": "Two.",
        "count": 2,
        "pool": 30,
        "heads": ["ours", "cca-all-rows"],
        "comparisons": [["ours", "cca"], ["ours", "cca-all-rows"]],
    }
    path = tmp_path_factory.mktemp("protocol") / "small.yaml"
    return write_protocol(path, few_steps("topic"), other, store={"build": "yt8m-public"}, folds=folds)


@pytest.fixture(scope="module")
def report(small, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("folds")
    command = ["folds", str(small), "--data", str(data), "--work", str(out / "work"), "--out", str(out)]
    assert main(command) == 0
    return out


def test_every_music_video_is_a_query_once_and_never_trains_its_own_fold(data, tmp_path):
    tested = []
    for number in range(3):
        store = build_yt8m_fold(data / "yt8m", tmp_path / str(number), Fold(number=number, count=3))
        own = {split: {store.ids[row] for row in store.rows(split)} for split in ("train", "val", "test")}
        assert sum(map(len, own.values())) == len(set().union(*own.values()))
        assert all("music_video" in name for name in own["val"] | own["test"])
        assert all(int(name[:4]) < 180 for name in own["train"] if "related" in name)
        assert abs(len(own["test"]) - VIDEOS / 3) < 3 and 10 < len(own["val"]) < 20
        tested += sorted(own["test"])
    assert len(tested) == len(set(tested)) == VIDEOS


def test_the_last_fold_validates_on_the_first_block():
    split_of = fold_split([1, 2, 3, 4, 5, 6, 7, 8], Fold(number=1, count=2))
    assert [split_of(shard) for shard in range(1, 9)] == ["val"] * 2 + ["train"] * 2 + ["test"] * 4


def test_values_over_all_queries_are_those_of_the_folds(report):
    document = json.loads((report / "folds.json").read_text())
    sizes = [fold["test"] for fold in document["folds"]]
    assert sum(sizes) == document["queries"] == VIDEOS
    assert len(document["rows"]) == 2 * 4  # ours, both CCAs, random
    for row in document["rows"]:
        mean = np.average(row["by_fold"]["recall@10"], weights=sizes)
        assert row["recall@10"]["value"] == pytest.approx(mean, abs=1e-5)
        assert row["recall@10"]["interval"][0] <= mean <= row["recall@10"]["interval"][1]
        assert row["own recall@10"]["value"] < row["recall@10"]["value"], "30 candidates are fewer than 45"
        assert row["chance"]["recall@10"] == pytest.approx(1 / 3, abs=1e-6)


def test_differences_are_those_of_the_rows_and_adjusted_over_the_family(report):
    document = json.loads((report / "folds.json").read_text())
    rows = {(row["system"], row["direction"]): row for row in document["rows"]}
    entries = document["comparisons"]
    assert len(entries) == 4
    for entry in entries:
        first, second = (rows[entry[name], entry["direction"]] for name in ("first", "second"))
        for metric, value in (("recall", "recall@10"), ("median_rank", "median_rank")):
            difference = first[value]["value"] - second[value]["value"]
            assert entry[metric]["value"] == pytest.approx(difference, abs=2e-6)
    tests = [entry[name] for entry in entries for name in ("recall", "log_rank")]
    assert [test["p_holm"] for test in tests] == pytest.approx(holm([test["p"] for test in tests]), abs=1e-5)


def test_the_table_names_systems_folds_and_chance(report):
    text = (report / "folds.md").read_text()
    assert all(
        word in text for word in ("cca-all-rows", "| chance |", "fold 1", "ratio of ranks", "pools of 30")
    )


def test_folds_that_cannot_be_made_are_refused(small, data, tmp_path, capsys):
    assert main(["folds", "yt8m-topics", "--data", str(data), "--out", str(tmp_path)]) == 2
    assert "has no folds" in capsys.readouterr().err
    assert main(["folds", str(small), "--out", str(tmp_path)]) == 2
    assert "give --data DIR" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no fold 2 of 2"):
        Fold(number=2, count=2)
    with pytest.raises(UsageError, match="3 shards cannot be divided into 5 blocks"):
        shard_blocks([1, 2, 3], 5)
    wide = load_protocol(str(small))
    assert wide.folds is not None
    wide = wide.model_copy(update={"folds": wide.folds.model_copy(update={"pool": 60})})
    with pytest.raises(UsageError, match=r"pools of 60 cannot be drawn from the 4\d candidates"):
        run(wide, Places(work=tmp_path, data=data))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"comparisons": [["ours", "ccx"]]}, "comparisons name 'ccx'"),
        ({"folds": {"about": "", "pool": 9, "heads": ["theirs"], "comparisons": []}}, "folds name 'theirs'"),
    ],
)
def test_a_family_of_unknown_systems_is_refused(small, tmp_path, change, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(small.read_text()), **change}))
    with pytest.raises(UsageError, match=message):
        load_protocol(str(path))


CLIPS, EMOTIONS = 72, ("sad", "relax", "fear")


@pytest.fixture(scope="module")
def emotions(tmp_path_factory):
    """EmoMV's form: half of the clips have their sounds exchanged, and a picture tells its clip and its emotion."""
    folder = tmp_path_factory.mktemp("emotions") / "emomv"
    folder.mkdir()
    generator = np.random.default_rng(1)
    numbers = np.arange(CLIPS)
    heard = np.where(numbers < CLIPS // 2, numbers, numbers ^ 1)
    names = [f"{number // 2:011d}_{number % 2:02d}" for number in numbers]
    feelings = numbers // 2 % len(EMOTIONS)
    hidden = np.c_[np.eye(len(EMOTIONS))[feelings] * 2, generator.standard_normal((CLIPS, 4))]
    video, audio = (hidden @ generator.standard_normal((7, width)) for width in (10, 8))
    ids = [a if a == b else f"{a}_PAIR_{b}" for a, b in zip(names, (names[n] for n in heard), strict=True)]
    archive = {
        "id": np.array(ids),
        "video": video.astype(np.float32),
        "audio": audio[heard].astype(np.float32),
        "video_emotion": np.array([EMOTIONS[n] for n in feelings]),
        "audio_emotion": np.array([EMOTIONS[n] for n in feelings[heard]]),
    }
    np.savez(folder / "c_train.npz", **archive)
    return folder.parent


def test_clips_of_one_source_video_are_in_one_fold_with_their_own_sound(emotions, tmp_path):
    tested = []
    for number in range(2):
        store = build_emomv_fold(emotions / "emomv", tmp_path / str(number), Fold(number=number, count=2))
        groups = [{store.groups[row] for row in store.rows(split)} for split in ("train", "val", "test")]
        assert sum(map(len, groups)) == len(set().union(*groups)) == CLIPS // 2
        tested += [store.ids[row] for row in store.rows("test")]
    assert len(tested) == len(set(tested)) == CLIPS


@pytest.fixture(scope="module")
def emotion_report(emotions, tmp_path_factory):
    """Two folds, two trainings, two alphas, labels."""
    out = tmp_path_factory.mktemp("emotion-folds")
    folds = {
        "about": "Two.",
        "count": 2,
        "pool": 15,
        "heads": ["ours"],
        "trainings": 2,
        "alphas": [0, 1],
        "label": "emotion",
        "comparisons": [["ours@1", "ours@0"], ["ours@1", "cca"]],
    }
    ours = few_steps("emotion", epochs=3, batch_rows=16)
    path = write_protocol(
        tmp_path_factory.mktemp("protocol") / "emotions.yaml", ours, store={"build": "emomv"}, folds=folds
    )
    command = ["folds", str(path), "--data", str(emotions), "--work", str(out / "work"), "--out", str(out)]
    assert main(command) == 0
    return out


def test_a_value_is_the_mean_over_folds_trainings_and_queries(emotion_report):
    """Against heads and stores that the run left, measured anew one by one."""
    work = emotion_report / "work"
    document = json.loads((emotion_report / "folds.json").read_text())
    found, found_others = [], []
    for fold in document["folds"]:
        store = FeatureStore.open(work / f"emomv-fold{fold['fold']}of2")
        rows = store.rows("test")
        feelings = [store.labels["emotion"][row][0] for row in rows]
        files = {content_hash(path): path for path in (work / "heads").glob("*.safetensors")}
        for name in ("ours", "ours, 1"):
            head = load_head(files[fold["systems"][name]["sha256"]])
            video = mix_branches(head.encode_video(store.video[rows]).vectors, branch_weights(1.0, 2))
            audio = mix_branches(head.encode_audio(store.audio[rows]).vectors, branch_weights(1.0, 2))
            sources = [store.groups[row] for row in rows]
            for scores, feeling, own in zip(video @ audio.T, feelings, sources, strict=True):
                best: dict[str, float] = {}  # by source video
                for score, source in zip(scores, sources, strict=True):
                    best[source] = max(score, best.get(source, -2.0))
                felt = dict(zip(sources, feelings, strict=True))
                hits = [felt[source] == feeling for source in sorted(best, key=best.__getitem__)[::-1]]
                found.append(np.mean(hits[:10]))
                others = [source for source in sorted(best, key=best.__getitem__)[::-1] if source != own]
                found_others.append(np.mean([felt[source] == feeling for source in others[:10]]))
    row = next(r for r in document["rows"] if (r["system"], r["direction"]) == ("ours@1", "v2m"))
    assert len(found) == 2 * CLIPS
    assert row["precision@10"]["value"] == pytest.approx(np.mean(found), abs=1e-6)
    assert row["others_precision@10"]["value"] == pytest.approx(np.mean(found_others), abs=1e-6)
    assert "label P@10" in (emotion_report / "folds.md").read_text()


def test_alphas_and_labels_are_tested_in_one_family(emotion_report):
    document = json.loads((emotion_report / "folds.json").read_text())
    rows = {(row["system"], row["direction"]): row for row in document["rows"]}
    assert {name for name, _ in rows} == {"ours@0", "ours@1", "cca", "random"}
    tests = [
        entry[name]
        for entry in document["comparisons"]
        for name in ("recall", "precision", "others", "log_rank")
    ]
    assert len(tests) == 2 * 2 * 4
    assert [test["p_holm"] for test in tests] == pytest.approx(holm([test["p"] for test in tests]), abs=1e-5)
    for entry in document["comparisons"]:
        first, second = (rows[entry[name], entry["direction"]] for name in ("first", "second"))
        difference = first["precision@10"]["value"] - second["precision@10"]["value"]
        assert entry["precision"]["value"] == pytest.approx(difference, abs=2e-6)


def test_several_trainings_of_a_head_with_its_own_seed_are_refused(small, tmp_path):
    protocol = yaml.safe_load(small.read_text())
    protocol["heads"][0]["seed"] = 3
    protocol["folds"]["trainings"] = 2
    path = tmp_path / "seeded.yaml"
    path.write_text(yaml.safe_dump(protocol))
    with pytest.raises(UsageError, match="must not have a seed of their own"):
        load_protocol(str(path))

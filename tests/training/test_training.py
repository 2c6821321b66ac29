"""Training learns, stops, resumes bit for bit, refuses leaks, and never reads the test split."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mvr.errors import DataError, Leakage, NotFinite, SettingsMismatch, UsageError, WeightsCorrupt
from mvr.heads import load_head
from mvr.heads.file import read_head_facts
from mvr.metrics.ranks import rank_embeddings, summarise
from mvr.training import load_recipe, preset_names, train_head
from mvr.training.loop import Loop
from mvr.training.settings import Recipe, recipe_from

SMALL = {
    "head": {"hidden": 32, "dim": 16, "dropout": 0.1, "members": 1},
    "training": {
        "epochs": 12,
        "batch_rows": 48,
        "learning_rate": 5e-3,
        "checkpoint_s": 0.0,
        "min_steps": 0,
        "ema_decay": 0.0,
    },
}


def small(preset: str = "mvbind", **training: object) -> Recipe:
    """A preset shrunk to seconds."""
    if preset in ("cca", "random", "identity"):
        return load_recipe(preset, {"training": training})
    return load_recipe(preset, {"head": SMALL["head"], "training": {**SMALL["training"], **training}})


def test_rank(head, store) -> float:
    rows = store.rows("test")
    video = head.encode_video(np.array(store.video[rows])).vectors[:, 0]
    audio = head.encode_audio(np.array(store.audio[rows])).vectors[:, 0]
    return summarise(rank_embeddings(video, audio)).median_rank


test_rank.__test__ = False  # type: ignore[attr-defined]


def weights(path) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in load_file(path).items()}


@pytest.mark.parametrize("preset", ["mvbind", "control-mvr", "cca", "vm-net", "emo-clim"])
def test_every_preset_learns(preset, store, tmp_path):
    report = train_head(store, small(preset, epochs=25), tmp_path / "h.safetensors")
    chance = (len(store.rows("test")) + 1) / 2
    assert test_rank(report.head, store) < (0.35 if preset != "emo-clim" else 0.8) * chance
    assert test_rank(load_head(report.path), store) == test_rank(report.head, store)


def test_random_is_at_chance_and_identity_needs_one_width(store, tmp_path):
    report = train_head(store, "random", tmp_path / "h.safetensors")
    assert 15 < test_rank(report.head, store) < 34
    with pytest.raises(UsageError, match="train a head instead"):
        train_head(store, "identity", tmp_path / "i.safetensors")


def test_control_mvr_has_a_branch_per_taxonomy_that_knows_its_labels(make_store, tmp_path):
    mood = [[("calm", "tense")[i % 2]] for i in range(240)]
    report = train_head(make_store(mood=mood), small("control-mvr", epochs=20), tmp_path / "h.safetensors")
    assert report.head.branches == ("ssl", "genre", "mood")
    assert report.val["genre"]["label_precision"] > 0.5  # 3 genres and one label on top: chance is about 0.35
    one = train_head(
        make_store(mood=mood), small("control-mvr", epochs=2), tmp_path / "o.safetensors", ["mood"]
    )
    assert one.head.branches == ("ssl", "mood")


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(store, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train_head(store, small(epochs=3), tmp_path / name, seed=seed)
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(a[n], b[n]) for n in a)
    assert not all(torch.equal(a[n], c[n]) for n in a)


class Killed(BaseException):
    """Not an Exception: nothing in the trainer may catch it."""


def dies_at(at_step, monkeypatch):
    """The next runs are killed at a step; what each step does while nobody dies."""
    step = Loop._train_step

    def dying(loop, rows):
        if loop.step == at_step:
            raise Killed
        return step(loop, rows)

    monkeypatch.setattr(Loop, "_train_step", dying)
    return step


@pytest.mark.parametrize("preset", ["mvbind", "control-mvr"])
@pytest.mark.parametrize("at_step", [0, 7, 16])
def test_a_killed_and_resumed_run_ends_in_the_same_weights(preset, at_step, store, tmp_path, monkeypatch):
    recipe = small(preset, epochs=8, ema_decay=0.9, noise=0.1, mixup=0.3)
    train_head(store, recipe, tmp_path / "whole")
    step = dies_at(at_step, monkeypatch)
    with pytest.raises(Killed):
        train_head(store, recipe, tmp_path / "killed")
    assert not (tmp_path / "killed").exists()
    monkeypatch.setattr(Loop, "_train_step", step)
    torch.manual_seed(12345)  # whatever the new process did before
    resumed = train_head(store, recipe, tmp_path / "killed", resume=True)
    whole, killed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(whole[n], killed[n]) for n in whole)
    epochs = [
        json.loads(line)["epoch"] for line in (tmp_path / "killed.run" / "log.jsonl").read_text().splitlines()
    ]
    assert epochs == list(range(resumed.facts["epochs_run"]))


def test_a_checkpoint_of_other_settings_or_damaged_is_refused(store, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Loop, "_batches", lambda loop: iter(()) if loop.epoch == 0 else (_ for _ in ()).throw(Killed)
    )
    with pytest.raises(Killed):
        train_head(store, small(epochs=4), tmp_path / "h")
    monkeypatch.undo()
    with pytest.raises(SettingsMismatch, match="checkpoint"):
        train_head(store, small(epochs=5), tmp_path / "h", resume=True)
    (tmp_path / "h.run" / "checkpoint.pt").write_bytes(b"damaged")
    with pytest.raises(WeightsCorrupt, match="remove it to start again"):
        train_head(store, small(epochs=4), tmp_path / "h", resume=True)


def test_training_leaves_the_global_random_numbers_alone(store, tmp_path):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    train_head(store, small(epochs=1), tmp_path / "h")
    assert torch.equal(torch.rand(3), wanted)


def test_the_test_split_is_never_read(store, tmp_path):
    """NaN in the test rows changes nothing: they are not looked at."""
    train_head(store, small(epochs=2), tmp_path / "clean")
    video, audio = np.array(store.video), np.array(store.audio)
    video[store.rows("test")], audio[store.rows("test")] = np.nan, np.nan
    train_head(dataclasses.replace(store, video=video, audio=audio), small(epochs=2), tmp_path / "broken")
    clean, broken = weights(tmp_path / "clean"), weights(tmp_path / "broken")
    assert all(torch.equal(clean[n], broken[n]) for n in clean)


def test_without_a_val_split_whole_groups_are_held_out(make_store, tmp_path):
    from mvr.training.data import prepare_data

    store = make_store(splits=False, group=[f"song{i // 3}" for i in range(240)])
    data = prepare_data(store, [], val_share=0.2, seed=0)
    assert data.val_made and len(data.val) >= 48 and not set(data.train) & set(data.val)
    assert not set(data.groups[data.train]) & set(data.groups[data.val])
    assert sorted([*data.train, *data.val]) == list(range(240))
    report = train_head(store, small(epochs=2), tmp_path / "h")
    assert report.facts["data"]["val_made_from_train"] is True


def test_a_group_on_both_sides_of_a_split_is_refused(store, tmp_path):
    import pyarrow as pa

    groups = ["shared" if i in (0, 3) else f"g{i}" for i in range(240)]  # row 0 is train, row 3 is val
    manifest = store.manifest.set_column(2, "group", pa.array(groups))
    with pytest.raises(Leakage, match="'shared' is in more than one split"):
        train_head(dataclasses.replace(store, manifest=manifest), small(), tmp_path / "h")


@pytest.mark.parametrize("rows", [6, 13])
def test_a_handful_of_rows_trains(make_store, rows, tmp_path):
    report = train_head(make_store(rows, splits=False), small("control-mvr", epochs=2), tmp_path / "h")
    assert np.isfinite(report.val["ssl"]["median_rank"])


def test_too_few_rows_are_refused(make_store, tmp_path):
    with pytest.raises(DataError, match="at least 2 rows to train on"):
        train_head(make_store(3, splits=False), small(), tmp_path / "h")


def test_one_music_in_all_rows_is_refused_because_nothing_can_be_held_out(make_store, tmp_path):
    with pytest.raises(DataError, match="in different groups"):
        train_head(make_store(20, splits=False, group=["one"] * 20), small(), tmp_path / "h")


def test_a_column_that_is_missing_or_empty_is_named(make_store, tmp_path):
    with pytest.raises(UsageError, match="no label column 'mood'; it has genre"):
        train_head(make_store(), small("control-mvr"), tmp_path / "h", ["mood"])
    with pytest.raises(DataError, match="no label column; add one"):
        train_head(make_store(labels=False), small("control-mvr"), tmp_path / "h")
    import pyarrow as pa

    empty = pa.array([[]] * 240, pa.list_(pa.string()))
    with pytest.raises(DataError, match="no training row has a label in column 'genre'"):
        train_head(make_store(labels=False, genre=empty), small("control-mvr"), tmp_path / "h")


def test_a_constant_modality_is_refused_not_scored(store, tmp_path):
    constant = dataclasses.replace(store, video=np.ones_like(store.video))
    with pytest.raises(DataError, match="collapsed to a constant"):
        train_head(constant, small(epochs=1), tmp_path / "h")


def test_a_diverging_run_is_refused_and_leaves_no_head(store, tmp_path, monkeypatch):
    step = Loop._train_step

    def spoiled(loop, rows):
        losses = step(loop, rows)
        with torch.no_grad():
            next(p for p in loop.head.parameters() if p.requires_grad)[...] = float("nan")
        return losses

    monkeypatch.setattr(Loop, "_train_step", spoiled)
    with pytest.raises(NotFinite, match="NaN"):
        train_head(store, small(epochs=2), tmp_path / "h")
    assert not (tmp_path / "h").exists()


def test_the_run_folder_says_what_was_done(store, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    report = train_head(store, small(epochs=3, patience=0), tmp_path / "h")
    folder = tmp_path / "h.run"
    config = json.loads((folder / "config.json").read_text())
    assert config["recipe"]["training"]["epochs"] == 3 and config["data"]["train_rows"] == 144
    assert "git_revision" in config and not (folder / "checkpoint.pt").exists()
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    assert lines[-1]["loss"]["ssl"] < lines[0]["loss"]["ssl"]
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert [e.step for e in events.Scalars("val/ssl/median_rank")] == [0, 1, 2]
    facts = read_head_facts(report.path)["metadata"]
    made = facts["made_by"]
    assert (
        made["command"] == "mvr train mvbind"
        and len(made["code_sha256"]) == 64
        and "git_revision" not in facts
    )
    assert facts["recipe"]["kind"] == "mvbind" and facts["val"] == report.val


def test_early_stopping_keeps_the_best_epoch_not_the_last(store, tmp_path):
    report = train_head(store, small(epochs=60, patience=3, learning_rate=2e-2), tmp_path / "h")
    lines = [json.loads(line) for line in (tmp_path / "h.run" / "log.jsonl").read_text().splitlines()]
    keys = [(line["val"]["ssl"]["median_rank"], -line["val"]["ssl"]["mrr"]) for line in lines]
    assert report.best_epoch["ssl"] == keys.index(min(keys))
    assert len(lines) - 1 - report.best_epoch["ssl"] == 3 and len(lines) < 60


def test_a_head_that_cannot_be_scored_is_not_stopped_early(make_store, tmp_path):
    """48 validation rows of which 12 have labels say nothing of a head that is trained on labels alone."""
    import pyarrow as pa

    labelled = [row % 5 < 3 or row % 20 == 3 for row in range(240)]
    names = [[("rock", "jazz")[row % 2]] if known else [] for row, known in enumerate(labelled)]
    few = make_store(labels=False, genre=pa.array(names, pa.list_(pa.string())))
    report = train_head(few, small("emo-clim", epochs=8, patience=2), tmp_path / "h", ["genre"])
    assert report.val["ssl"]["labelled_rows"] < 30
    assert report.facts["epochs_run"] == 8


def test_a_learned_temperature_moves_and_a_fixed_one_stays(store, tmp_path):
    fixed = train_head(store, small(epochs=3), tmp_path / "f")
    learned = load_recipe("mvbind", {**SMALL, "loss": {"learn_temperature": True, "temperature": 0.1}})
    moved = train_head(store, learned, tmp_path / "l").facts["temperature"][0]
    assert fixed.facts["temperature"][0] == pytest.approx(fixed.facts["recipe"]["loss"]["temperature"])
    assert abs(moved - 0.1) > 1e-3


def test_every_preset_is_a_valid_recipe():
    assert {"mvbind", "control-mvr", "cca", "vm-net", "emo-clim", "random", "identity"} <= set(preset_names())
    for name in preset_names():
        assert load_recipe(name).about


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "mvbind", "los": {}}, "unknown part 'los'"),
        ({"kind": "mvbnd"}, "unknown head 'mvbnd'"),
        ({"kind": "mvbind", "training": {"epoch": 3}}, "unknown setting 'epoch'"),
        ({"kind": "mvbind", "training": {"epochs": "3"}}, "wrong type"),
        ({"kind": "mvbind", "training": {"metric": "auc"}}, "unknown metric 'auc'"),
        ({"kind": "mvbind", "loss": {"objective": "mse"}}, "unknown objective 'mse'"),
        ({"kind": "mvbind", "loss": {"temperature": 0}}, "must be positive"),
        ({"kind": "mvbind", "head": [1]}, "must be an object"),
    ],
)
def test_a_config_with_a_mistake_is_refused(values, message):
    with pytest.raises(UsageError, match=message):
        recipe_from(values)


def shifted(make_store, *, splits=None):
    """600 rows: the first 480 train, a quarter of them and all 120 of val and test of another kind."""
    import pyarrow as pa

    store = make_store(600, splits=False)
    kind = np.array([i >= 360 for i in range(600)])
    video = np.array(store.video) + 6 * kind[:, None] * np.sign(np.arange(24) - 12)
    names = splits or ["train"] * 480 + ["val"] * 60 + ["test"] * 60
    manifest = store.manifest.set_column(1, "split", pa.array(names))
    tags = pa.array([["near"] if k else ["far"] for k in kind], pa.list_(pa.string()))
    manifest = manifest.append_column("kind", tags)
    return dataclasses.replace(store, video=video.astype(np.float32), manifest=manifest), kind


@pytest.mark.parametrize("how", ["auto", "kind=near"])
def test_the_second_phase_trains_on_rows_of_the_kind_of_val(make_store, tmp_path, how):
    from mvr.training.data import prepare_data
    from mvr.training.focus import find_focus

    store, kind = shifted(make_store)
    settings = small(focus=how, focus_epochs=5, epochs=3).training
    focus = find_focus(store, prepare_data(store, [], val_share=0.1, seed=0), settings)
    assert focus.rows is not None and set(focus.rows) <= set(store.rows("train"))
    assert kind[focus.rows].mean() > 0.95 and len(focus.rows) > 110
    report = train_head(store, small(focus=how, focus_epochs=5, epochs=3), tmp_path / "h")
    phases = [
        json.loads(line)["phase"] for line in (tmp_path / "h.run" / "log.jsonl").read_text().splitlines()
    ]
    assert phases == [0, 0, 0, 1, 1, 1, 1, 1] and report.facts["focus"]["rows"] == len(focus.rows)


def test_there_is_no_second_phase_where_val_is_like_train(make_store, tmp_path):
    report = train_head(make_store(600), small(focus_epochs=5, epochs=2), tmp_path / "h")
    assert report.facts["epochs_run"] == 2 and "look like" in report.facts["focus"]["reason"]
    report = train_head(make_store(600, splits=False), small(focus_epochs=5, epochs=2), tmp_path / "h")
    assert "made from train" in report.facts["focus"]["reason"]


@pytest.mark.parametrize("focus", ["mood=calm", "genre", "always"])
def test_a_malformed_focus_is_refused(store, tmp_path, focus):
    with pytest.raises(UsageError, match="focus must be auto, none or COLUMN=LABEL"):
        train_head(store, small(focus=focus, focus_epochs=2), tmp_path / "h")


@pytest.mark.parametrize("at_step", [8, 13])
def test_a_run_killed_in_the_second_phase_resumes_to_the_same_weights(
    at_step, make_store, tmp_path, monkeypatch
):
    store, _ = shifted(make_store)
    options = {"focus": "kind=near", "focus_epochs": 4, "epochs": 1, "focus_batch_rows": 40, "ema_decay": 0.9}
    train_head(store, small(**options), tmp_path / "whole")
    step = dies_at(at_step, monkeypatch)
    with pytest.raises(Killed):
        train_head(store, small(**options), tmp_path / "killed")
    monkeypatch.setattr(Loop, "_train_step", step)
    train_head(store, small(**options), tmp_path / "killed", resume=True)
    whole, killed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(whole[n], killed[n]) for n in whole)


def test_a_small_store_gets_the_steps_it_needs(store, tmp_path):
    """144 rows in batches of 48 are 3 steps an epoch: 4 epochs become 8, patience 5 becomes 10."""
    from mvr.training.data import prepare_data
    from mvr.training.networks import phases_of

    settings = small(epochs=4, patience=5, min_steps=23).training
    (phase,) = phases_of(settings, prepare_data(store, [], val_share=0.1, seed=0), None)
    assert (phase.epochs, phase.patience) == (8, 10)


def test_the_cca_baseline_may_use_the_rows_of_the_kind_of_val_too(make_store, tmp_path):
    store, _ = shifted(make_store)
    report = train_head(store, "cca", tmp_path / "h")
    assert {config["rows"] for config in report.facts["tried"]} == {"all", "focus"}
    best = min(report.facts["tried"], key=lambda c: (c["median_rank"], -c["mrr"]))
    assert report.val["ssl"]["mrr"] == pytest.approx(best["mrr"])

"""One contract, every kind of head; the file format; closed-form CCA against scikit-learn."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mvr.datatypes import Modality
from mvr.errors import DataError, NotFinite, UsageError, WeightsCorrupt, WeightsMissing, WrongShape
from mvr.heads import HEAD_KINDS, create_head, load_head, save_head
from mvr.heads.file import read_head_facts
from mvr.heads.linear import CcaSettings, Moments, maps_of

WIDTH = 12
CONFIGS = {
    "mvbind": {"hidden": 16, "dim": 6, "members": 3},
    "control-mvr": {"hidden": 16, "dim": 6, "taxonomies": ["genre", "emotion"], "norm": "layer"},
    "cca": {"dim": 5},
    "random": {"dim": 7},
    "identity": {},
    "bridge": {"concepts": [f"concept {n}" for n in range(WIDTH)], "tags": ["a", "b", "c", "d"]},
    "profiles": {"concepts": [f"concept {n}" for n in range(WIDTH)], "tags": ["a", "b", "c", "d"]},
}


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


@pytest.fixture(params=HEAD_KINDS)
def head(request):
    torch.manual_seed(0)
    head = create_head(request.param, video_dim=WIDTH, audio_dim=WIDTH, **CONFIGS[request.param])
    if head.kind == "cca":
        head.fit(rows(40), rows(40, 1))
    if head.kind in ("bridge", "profiles"):
        rng = np.random.default_rng(2)
        head.load({name: rng.uniform(0.5, 1.5, tensor.shape) for name, tensor in head.tensors().items()})
    return head


def test_embeddings_are_unit_length_per_branch(head):
    for encode in (head.encode_video, head.encode_audio):
        embedded = encode(rows(9))
        assert embedded.vectors.shape == (9, len(head.branches), head.dim)
        assert embedded.vectors.dtype == np.float32
        assert embedded.branches == head.branches and head.branches[0] == "ssl"
        np.testing.assert_allclose(np.linalg.norm(embedded.vectors, axis=-1), 1, atol=1e-5)


def test_a_batch_is_its_rows_one_by_one(head):
    batch = rows(5)
    alone = np.concatenate([head.encode_audio(row[None]).vectors for row in batch])
    np.testing.assert_allclose(head.encode_audio(batch).vectors, alone, atol=1e-5)


def test_half_precision_features_are_taken(head):
    half = rows(4).astype(np.float16)
    whole = head.encode_video(half.astype(np.float32)).vectors
    np.testing.assert_array_equal(head.encode_video(half).vectors, whole)


def test_encoding_twice_gives_the_same_and_leaves_training_mode_alone(head):
    if isinstance(head, torch.nn.Module):
        head.train()
    first = head.encode_video(rows(6)).vectors
    np.testing.assert_array_equal(first, head.encode_video(rows(6)).vectors)
    if isinstance(head, torch.nn.Module):
        assert head.training


def test_no_rows_give_no_embeddings(head):
    assert head.encode_video(rows(0)).vectors.shape == (0, len(head.branches), head.dim)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(head, bad):
    broken = rows(3)
    broken[1, 2] = bad
    with pytest.raises(NotFinite, match="NaN or infinity"):
        head.encode_video(broken)


def test_features_of_another_width_are_refused(head):
    if head.kind == "random":
        head = create_head("random", video_dim=WIDTH, audio_dim=WIDTH)
    with pytest.raises(WrongShape, match="takes audio features of shape"):
        head.encode_audio(rows(3)[:, :-1])


def test_a_saved_head_is_the_same_head(head, tmp_path):
    path = tmp_path / "deep" / "head.safetensors"
    save_head(head, path, {"trained_on": "rows of this test"})
    again = load_head(path)
    assert (again.kind, again.branches, again.dim, again.settings) == (
        head.kind,
        head.branches,
        head.dim,
        head.settings,
    )
    for encode in ("encode_video", "encode_audio"):
        before, after = getattr(head, encode)(rows(5)), getattr(again, encode)(rows(5))
        np.testing.assert_allclose(
            before.vectors, after.vectors, atol=1e-6
        )  # networks: torch before, numpy after
    assert read_head_facts(path)["metadata"] == {"trained_on": "rows of this test"}
    assert [p.name for p in path.parent.iterdir()] == ["head.safetensors"]


@pytest.mark.parametrize("kind", ["mvbind", "control-mvr"])
@pytest.mark.parametrize(
    "changed",
    [
        {"layers": 1},
        {"layers": 3, "activation": "silu"},
        {"activation": "relu", "norm": "batch", "members": 2},
        {"activation": "tanh", "norm": "layer", "members": 3},
        {"unit_rows": True, "members": 2},
        {"video_parts": 3, "audio_parts": 4},
    ],
)
def test_numpy_runs_a_saved_network_as_torch_does(kind, changed, tmp_path):
    torch.manual_seed(1)
    labels = {"taxonomies": ["genre", "mood"]} if kind == "control-mvr" else {}
    head = create_head(kind, video_dim=WIDTH, audio_dim=WIDTH, hidden=16, dim=6, **labels, **changed)
    for part in head.standardise.values():
        part.fit(rows(50).mean(axis=0).astype(float) + 0.3, rows(50).std(axis=0).astype(float) * 1.7)
    with torch.no_grad():
        for name, value in head.state_dict().items():  # nothing stays at its neutral value
            if name.endswith(("gain", "running_var", "logits", "batch.weight")):
                value.add_(torch.rand_like(value))
            elif name.endswith(("running_mean", "bias")):
                value.add_(torch.randn_like(value))
    save_head(head, tmp_path / "head.safetensors")
    again = load_head(tmp_path / "head.safetensors")
    assert not isinstance(again, torch.nn.Module)
    head.eval()
    for encode in ("encode_video", "encode_audio"):
        wanted = getattr(head, encode)(rows(33) * 3).vectors
        np.testing.assert_allclose(getattr(again, encode)(rows(33) * 3).vectors, wanted, atol=1e-5)
    for name, tensor in load_file(tmp_path / "head.safetensors").items():
        np.testing.assert_array_equal(tensor.numpy(), head.state_dict()[name].numpy())


def test_parts_pooled_by_a_transformer_are_left_to_torch(tmp_path):
    torch.manual_seed(1)
    head = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, dim=4, video_parts=3, pool="transformer")
    save_head(head, tmp_path / "head.safetensors")
    again = load_head(tmp_path / "head.safetensors")
    assert isinstance(again, torch.nn.Module)
    head.eval()
    np.testing.assert_array_equal(again.encode_video(rows(5)).vectors, head.encode_video(rows(5)).vectors)


def test_a_weight_that_the_settings_have_no_place_for_is_named(tmp_path):
    path = tmp_path / "head.safetensors"
    head = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=8, dim=4)
    head.register_buffer("surplus", torch.zeros(2))
    save_head(head, path)
    with pytest.raises(WeightsCorrupt, match="do not provide for the weights surplus"):
        load_head(path)


def test_settings_are_json_and_create_it_again(head):
    settings = json.loads(json.dumps(head.settings))
    assert create_head(head.kind, **settings).settings == head.settings


def test_an_unknown_kind_and_an_unknown_setting_are_named():
    with pytest.raises(UsageError, match="unknown head 'mvbnd'; choose from bridge, cca"):
        create_head("mvbnd", video_dim=3, audio_dim=3)
    with pytest.raises(UsageError, match="unknown setting 'hiden'"):
        create_head("mvbind", video_dim=3, audio_dim=3, hiden=4)
    with pytest.raises(UsageError, match="needs the setting video_dim"):
        create_head("mvbind", audio_dim=3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hidden": 0}, "hidden must be at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"norm": "group"}, "unknown norm 'group'"),
        ({"activation": "sine"}, "unknown activation 'sine'"),
        ({"video_parts": 5}, "must divide"),
        ({"video_parts": 3, "pool": "max"}, "unknown pool 'max'"),
    ],
)
def test_settings_out_of_range_are_refused(config, message):
    with pytest.raises(UsageError, match=message):
        create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, **config)


@pytest.mark.parametrize("taxonomies", [[], ["genre", "genre"], ["ssl"], ["a.b"], [""]])
def test_control_mvr_needs_taxonomies_with_names_of_their_own(taxonomies):
    with pytest.raises(UsageError, match="different label columns"):
        create_head("control-mvr", video_dim=4, audio_dim=4, taxonomies=taxonomies)


def test_branches_of_control_mvr_share_no_weights():
    head = create_head("control-mvr", video_dim=WIDTH, audio_dim=WIDTH, **CONFIGS["control-mvr"])
    head.embed(Modality.VIDEO, torch.from_numpy(rows(4)))[1].sum().backward()
    moved = {
        name.split("/")[0].split(".")[-1]
        for name, p in head.named_parameters()
        if p.grad is not None and p.grad.any()
    }
    assert moved == {"genre"}


def test_a_member_of_an_ensemble_is_a_head_of_its_own():
    """M stacked networks equal M single ones with their weights."""
    torch.manual_seed(0)
    many = create_head(
        "mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=16, dim=6, members=3, norm="layer"
    ).eval()
    together = many.embed(Modality.AUDIO, torch.from_numpy(rows(5)))
    for m in range(3):
        one = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=16, dim=6, norm="layer").eval()
        own = {n: t[m : m + 1] if n.startswith("networks") else t for n, t in many.state_dict().items()}
        one.load_state_dict(own)
        alone = one.embed(Modality.AUDIO, torch.from_numpy(rows(5)))
        torch.testing.assert_close(together[:, m : m + 1], alone, atol=1e-6, rtol=0)


def test_the_score_of_an_ensemble_is_the_mean_of_its_members():
    torch.manual_seed(0)
    head = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=16, dim=6, members=3).eval()
    video, audio = (
        head.embed(m, torch.from_numpy(rows(5, s)))[0] for m, s in ((Modality.VIDEO, 0), (Modality.AUDIO, 1))
    )
    mean = torch.stack([v @ a.T for v, a in zip(video, audio, strict=True)]).mean(0).detach().numpy()
    ours = head.encode_video(rows(5, 0)).vectors[:, 0] @ head.encode_audio(rows(5, 1)).vectors[:, 0].T
    np.testing.assert_allclose(ours, mean, atol=1e-6)


@pytest.mark.parametrize("pool", ["weighted", "transformer"])
def test_parts_of_a_feature_row_are_pooled_in_the_head(pool):
    torch.manual_seed(0)
    config = {"hidden": 8, "dim": 4, "video_parts": 3, "pool": pool}
    head = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, **config)
    assert head.encode_video(rows(5)).vectors.shape == (5, 1, 4)
    head.embed(Modality.VIDEO, torch.from_numpy(rows(5))).sum().backward()
    assert all(p.grad is not None for name, p in head.named_parameters() if name.startswith("pool"))


def test_the_weighted_pool_starts_as_the_mean_of_the_parts():
    from mvr.heads.networks import PartPool

    parts = torch.from_numpy(rows(4))
    torch.testing.assert_close(PartPool(3, 4, "weighted")(parts), parts.view(4, 3, 4).mean(1))


def test_features_that_never_vary_are_switched_off():
    from mvr.heads.networks import Standardise

    raw = rows(50) * 3 + 5
    raw[:, 2] = 7.25
    module = Standardise(WIDTH)
    module.fit(raw.mean(0).astype(float), raw.std(0).astype(float))
    out = module(torch.from_numpy(raw)).numpy()
    assert (out[:, 2] == 0).all()
    np.testing.assert_allclose(np.delete(out, 2, 1).std(0), 1, atol=1e-4)


def test_cca_without_a_ridge_finds_the_canonical_correlations():
    """Oracle: singular values of Qx' Qy (Björck and Golub 1973)."""
    generator = np.random.default_rng(0)
    shared = generator.normal(size=(400, 2))
    x = np.hstack([shared, generator.normal(size=(400, 3))]) @ generator.normal(size=(5, 5))
    y = np.hstack([shared + 0.7 * generator.normal(size=(400, 2)), generator.normal(size=(400, 2))])
    x, y = x - x.mean(0), y - y.mean(0)
    settings = CcaSettings(video_dim=5, audio_dim=4, dim=4, ridge=0.0, power=0.0)
    maps, correlations = maps_of(Moments.of(x, y), settings)
    angles = np.linalg.svd(np.linalg.qr(x)[0].T @ np.linalg.qr(y)[0], compute_uv=False)
    np.testing.assert_allclose(correlations, angles, atol=1e-6)
    projected = [np.corrcoef((x @ maps[0])[:, d], (y @ maps[1])[:, d])[0, 1] for d in range(4)]
    np.testing.assert_allclose(projected, correlations, atol=1e-6)


def test_cca_refuses_more_directions_than_features():
    head = create_head("cca", video_dim=WIDTH, audio_dim=3, dim=4)
    with pytest.raises(DataError, match="4 directions needs"):
        head.fit(rows(9), rows(9)[:, :3])


def test_the_random_head_depends_on_the_row_alone_and_is_at_chance():
    head = create_head("random", dim=16)
    video, audio = head.encode_video(rows(300)).vectors[:, 0], head.encode_audio(rows(300)).vectors[:, 0]
    np.testing.assert_array_equal(head.encode_video(rows(300)[7:8]).vectors[0, 0], video[7])
    scores = video @ audio.T
    ranks = (scores >= np.diag(scores)[:, None]).sum(1)
    assert 120 < np.median(ranks) < 180


def test_identity_needs_one_space_and_a_direction():
    with pytest.raises(UsageError, match="one space for both"):
        create_head("identity", video_dim=3, audio_dim=4)
    with pytest.raises(DataError, match="1 video rows are all zero"):
        create_head("identity", video_dim=3, audio_dim=3).encode_video(np.zeros((1, 3), np.float32))


def test_a_missing_head_says_what_to_do(tmp_path):
    with pytest.raises(WeightsMissing, match="train one with `mvr train`"):
        load_head(tmp_path / "nothing.safetensors")


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "head.safetensors"
    head = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=8, dim=4)
    save_head(head, path)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not a head", struct.pack("<Q", 2) + b"{}"):
        path.write_bytes(damaged)
        with pytest.raises(WeightsCorrupt, match="head"):
            load_head(path)


def test_weights_that_do_not_fit_their_settings_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "head.safetensors"
    save_head(create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=8, dim=4), path)
    facts = {"mvr": json.dumps(read_head_facts(path))}
    save_file({"networks.video.0.weight": torch.zeros(1)}, path, metadata=facts)
    with pytest.raises(WeightsCorrupt, match="not a usable head"):
        load_head(path)


def test_a_head_that_holds_nan_is_neither_saved_nor_loaded(tmp_path):
    head = create_head("mvbind", video_dim=WIDTH, audio_dim=WIDTH, hidden=8, dim=4)
    with torch.no_grad():
        next(head.parameters())[0] = float("nan")
    with pytest.raises(NotFinite, match="not saved"):
        save_head(head, tmp_path / "head.safetensors")
    assert list(tmp_path.iterdir()) == []

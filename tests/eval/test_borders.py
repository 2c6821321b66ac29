"""The border ablation: borders are planted as documented, and the four conditions come out for real clips."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eval.ablation.borders import BorderTest, main, measure_borders, plant_borders, render_features
from eval.retrieval.systems import Candidate
from mvr.errors import UsageError
from mvr.heads import create_head
from mvr.media.borders import detect_borders


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_planted_borders_are_black_even_and_found(seed):
    frames = np.random.default_rng(seed).integers(60, 255, (6, 64, 64, 3)).astype(np.uint8)
    bordered = plant_borders(frames, seed)
    height, width = bordered.shape[1:3]
    assert (height == 64) == (seed % 2 == 0) and (width == 64) == (seed % 2 == 1)
    assert height % 2 == width % 2 == 0
    longer = max(height, width)
    assert 0.1 < (longer - 64) / 2 / longer < 0.32
    box = detect_borders(bordered)
    assert (box.right - box.left, box.bottom - box.top) == (64, 64)


def test_removal_brings_a_bordered_clip_back_to_its_clean_features():
    test = BorderTest(clips=3, duration_s=4.0, side_px=64, draws=200)
    features = render_features(test, range(900_500_000, 900_500_003))
    widths = {name: rows.shape for name, rows in features.items()}
    assert set(widths) == {"music", "clean/on", "clean/off", "bordered/on", "bordered/off"}
    deviation = features["clean/on"].std(axis=0) + 1e-3
    moved = {
        removal: np.abs((features[f"bordered/{removal}"] - features["clean/on"]) / deviation).mean()
        for removal in ("on", "off")
    }
    assert moved["on"] < moved["off"] / 2
    head = create_head("random", video_dim=widths["clean/on"][1], audio_dim=widths["music"][1])
    document = measure_borders(features, Candidate(name="random", head=head, source={}), test)
    clean = [one for one in document["conditions"] if (one["picture"], one["removal"]) == ("clean", "on")]
    assert clean[0]["cosine_with_clean"]["value"] == pytest.approx(1.0)
    assert len(document["conditions"]) == 4 and 0 < document["effect_on_mrr"]["p"] <= 1
    json.dumps(document, allow_nan=False)


def test_wrong_settings_are_refused(tmp_path, capsys):
    with pytest.raises(UsageError, match="at least 2 clips"):
        BorderTest(clips=1)
    assert main(["--system", "no-such-system", "--out", str(tmp_path)]) == 2
    assert "unknown system 'no-such-system'" in capsys.readouterr().err

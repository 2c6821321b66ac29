"""Planted clips: the truth that the plan states is what the files hold, and scores are counted as on paper."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eval.dataset.__main__ import main
from eval.dataset.clips import (
    HEIGHT,
    SOUND_RATE_HZ,
    WIDTH,
    Picture,
    Sound,
    paint,
    render_sound,
    write_clip,
)
from eval.dataset.planted import SHARES, Planted, plan
from eval.dataset.report import planted_document, planted_markdown
from eval.dataset.scores import score_build
from eval.dataset.voices import RATE_HZ, speak
from mvr.datasets.svm10k.filters import REASONS, Decision
from mvr.datasets.svm10k.inspection import Inspection, Measures
from mvr.datasets.svm10k.judged import BuildReport, Judged
from mvr.datasets.svm10k.settings import BuildSettings
from mvr.datasets.svm10k.sources import Clip


def test_a_plan_has_every_kind_in_its_share_and_names_once() -> None:
    clips = plan(300, 5)
    counts = Counter(clip.kind for clip in clips)
    assert counts == {**{kind: round(300 * share) for kind, share in SHARES.items()}, "clean": 60}
    assert len({clip.name for clip in clips}) == 300
    assert {clip.fault for clip in clips if clip.fault} < set(REASONS)


def test_two_seeds_share_no_tune_and_no_picture() -> None:
    tunes, films = (
        [{getattr(getattr(clip, side), name) for clip in plan(300, seed)} for seed in (1, 2)]
        for side, name in (("sound", "tune"), ("picture", "film"))
    )
    assert not tunes[0] & tunes[1] and not films[0] & films[1]


def test_relations_share_music_or_pictures_but_not_both() -> None:
    clips = {clip.name: clip for clip in plan(300, 1)}
    clean = {clip.sound.tune: clip for clip in clips.values() if clip.kind == "clean"}
    for clip in clips.values():
        if clip.kind == "same music":
            base = clean[clip.sound.tune]
            assert clip.picture.film != base.picture.film and clip.sound != base.sound
        if clip.kind == "copy":
            assert clips[str(clip.copy_of)].kind == "clean"


@pytest.mark.parametrize("bars", [(0.12, 0.0), (0.0, 0.25), (0.1, 0.1)])
def test_bars_are_black_outside_the_box_and_nowhere_black_inside(bars: tuple[float, float]) -> None:
    picture = Picture(film=3, bars=bars)
    left, top, right, bottom = picture.box
    images = paint(picture, 3)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[top:bottom, left:right] = True
    assert (images[:, ~inside] == 0).all() and (images[:, inside] >= 16).all()


def test_stills_stand_still_and_films_move() -> None:
    still, film = (paint(Picture(film=1, still=still), 4).astype(int) for still in (True, False))
    assert (still == still[0]).all() and np.abs(np.diff(film, axis=0)).mean() > 1


@pytest.mark.parametrize("level_db", [6.0, -15.0])
def test_noise_is_planted_at_its_level_and_pink(level_db: float) -> None:
    """Level: power of the difference against the music alone. Pink: 3 dB less per octave (a line through the logs)."""
    music = render_sound(Sound(tune=4, gain_db=-20), 4.0)
    noisy = render_sound(Sound(tune=4, noise_db=level_db, gain_db=-20), 4.0)
    scale = float(music @ noisy) / float(music @ music)  # both are turned down to the same peak
    noise = noisy / scale - music
    assert 10 * np.log10(np.mean(noise**2) / np.mean(music**2)) == pytest.approx(level_db, abs=1.0)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / SOUND_RATE_HZ)
    octaves = [2.0**k * 62.5 for k in range(8)]
    bands = [np.log2(power[(hz >= low) & (hz < 2 * low)].mean()) for low in octaves[:7]]
    assert np.polyfit(range(7), bands, 1)[0] == pytest.approx(-1, abs=0.3)


def test_a_voice_has_its_pitch_and_moves_its_formants() -> None:
    samples = speak(np.random.default_rng(0), 3.0, 125.0)
    assert len(samples) == 3 * RATE_HZ and np.sqrt(np.mean(samples**2)) == pytest.approx(0.1, rel=1e-3)
    frame = samples[RATE_HZ : RATE_HZ + 4096] * np.hanning(4096)
    echo = np.fft.irfft(np.abs(np.fft.rfft(frame, 16_384)) ** 2)[: RATE_HZ // 60]
    lag = int(np.argmax(echo[RATE_HZ // 300 :])) + RATE_HZ // 300
    assert RATE_HZ / lag == pytest.approx(125, rel=0.2)  # its melody strays by 12 %


def test_a_written_clip_is_read_back_as_planned(tmp_path: Path) -> None:
    from mvr.media.frames import sample_frames
    from mvr.media.probe import probe

    picture = Picture(film=2, bars=(0.25, 0.0))
    write_clip(tmp_path / "c.mp4", picture, Sound(tune=1), 2.0)
    info = probe(tmp_path / "c.mp4", needs=("picture", "sound"))
    assert info.video is not None and (info.video.width_px, info.video.height_px) == (WIDTH, HEIGHT)
    assert info.duration_s == pytest.approx(2.0, abs=0.15)
    images = sample_frames(tmp_path / "c.mp4", times_s=np.zeros(1)).images.astype(float)
    painted = paint(picture, 1).astype(float)
    assert np.abs(images - painted).mean() < 8


def judged(item: Planted, reason: str | None = None, box: tuple[int, int, int, int] | None = None) -> Judged:
    measures = Measures(
        duration_s=6.0, width_px=WIDTH, height_px=HEIGHT, borders=box or (0, 0, WIDTH, HEIGHT), motion=5.0,
        speech_share=0.0, noise=0.0, loudness_lufs=-20.0, tempo_bpm=None,
    )  # fmt: skip
    inspection = Inspection(sha256=f"{item.name:0<64}", measures=measures)
    return Judged(clip=Clip(path=Path(item.name)), inspection=inspection, decision=Decision(reason=reason))


def test_scores_are_counted_as_on_paper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two voices, one found and a clean clip taken for one; one box 5 pixels off; one false link of four pairs."""

    def clip(name: str, kind: str, film: int, tune: int, bars: float = 0.0) -> Planted:
        picture = Picture(film=film, bars=(bars, 0.0))
        return Planted(name=name, kind=kind, how="", picture=picture, sound=Sound(tune=tune))

    clips = [
        clip("a", "voice", 1, 1), clip("b", "voice", 2, 2), clip("c", "clean", 3, 3), clip("d", "clean", 4, 4),
        clip("e", "same music", 5, 4), clip("f", "borders", 6, 6, bars=0.25), clip("g", "borders", 7, 7, bars=0.25),
    ]  # fmt: skip
    boxes = {"f": (40, 0, 120, HEIGHT), "g": (45, 0, 120, HEIGHT)}
    found = [judged(item, "voice" if item.name in "ac" else None, boxes.get(item.name)) for item in clips]
    groups = dict(zip("bdefg", ["b", "d", "d", "d", "g"], strict=True))
    rows = {
        item.inspection.id: {
            "music_group": groups.get(item.clip.path.name),
            "video_group": item.clip.path.name,
        }
        for item in found
    }
    monkeypatch.setattr("eval.dataset.scores.read_rows", lambda place: rows)
    report = BuildReport(
        judged=tuple(found),
        splits={"train": 5},
        music_groups=3,
        video_groups=5,
        missing=(),
        settings=BuildSettings(),
    )
    scores, forms = score_build(clips, report, tmp_path)
    by_name = {score.name: (score.planted, score.found, score.right) for score in scores}
    assert by_name == {
        "voice": (2, 2, 1), "borders": (2, 2, 1), "same music": (1, 3, 1), "same pictures": (0, 0, 0)
    }  # fmt: skip
    voice = next(score for score in scores if score.name == "voice")
    assert (voice.precision, voice.recall) == (0.5, 0.5)
    assert {form["kind"]: (form["clips"], form["right"]) for form in forms} == {
        "borders": (2, 1), "clean": (2, 1), "same music": (1, 1), "voice": (2, 1)
    }  # fmt: skip
    table = planted_markdown(planted_document(scores, forms, report))
    assert "| prominent voices | 2 | 2 | 1 | 0.500 | 0.500 |" in table
    assert "| pairs with the same pictures | 0 | 0 | 0 | - | - |" in table


def test_too_few_clips_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), "--clips", "5"])
    assert "at least 24: one of each kind" in capsys.readouterr().err


@pytest.mark.slow
def test_a_small_planted_folder_is_built_and_certain_faults_are_all_found(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--clips", "24", "--seed", "7"]) == 0
    document = json.loads((tmp_path / "planted.json").read_text(encoding="utf-8"))
    scores = {score["name"]: score for score in document["scores"]}
    for name in ("still", "silent", "duration", "likes", "unreadable", "copy"):
        assert scores[name]["precision"] == scores[name]["recall"] == 1.0, name
    assert document["build"]["clips"] == 24 and "have not seen" in document["about"]
    assert "| silent | 1 | 1 | 1 | 1.000 | 1.000 |" in (tmp_path / "planted.md").read_text(encoding="utf-8")

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.errors import NoPicture, NoSound, UsageError
from mvr.media import soundtrack
from mvr.media.frames import sample_frames
from mvr.media.loudness import RATE_HZ, loudness_of, measure_loudness
from mvr.media.mux import MuxSettings, mux_music, render_music
from mvr.media.sound import read_sound, read_stereo
from mvr.media.soundtrack import compose, duck_curve, fit_music, read_music, write_sound


def band(seconds, low, high, seed, level=0.2):
    """Stereo noise between two frequencies, (n, 2) at 48 kHz: a sound that can be told from another."""
    length = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((length, 2)), axis=0)
    hertz = np.fft.rfftfreq(length, 1 / RATE_HZ)
    spectrum[(hertz < low) | (hertz > high)] = 0
    sound = np.fft.irfft(spectrum, length, axis=0)
    return (sound / sound.std() * level).astype(np.float32)


def power_db(samples, low, high):
    """Mean power of a band in dB."""
    spectrum = np.abs(np.fft.rfft(samples.mean(axis=1) if samples.ndim == 2 else samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return 10 * np.log10(spectrum[(hertz >= low) & (hertz <= high)].sum() / len(samples) ** 2 + 1e-20)


@pytest.fixture(scope="module")
def music(write_wav, tmp_path_factory):
    """20 s of noise around 1 kHz with strong peaks, as WAV."""
    sound = band(20, 800, 1200, 1)
    sound[::9600] += 0.7
    return write_wav(tmp_path_factory.mktemp("music") / "music.wav", sound.clip(-1, 1), RATE_HZ)


@pytest.fixture(scope="module")
def talk(plain_clip, write_wav, ffmpeg, tmp_path_factory):
    """A 12 s clip whose own sound (noise around 300 Hz) is heard from 3 to 6 s only."""
    folder = tmp_path_factory.mktemp("talk")
    own = band(12, 200, 400, 2)
    own[: 3 * RATE_HZ] = own[6 * RATE_HZ :] = 0
    wav, clip = write_wav(folder / "own.wav", own, RATE_HZ), folder / "talk.mp4"
    ffmpeg("-stream_loop", 3, "-i", plain_clip, "-i", wav, "-c:v", "copy", "-c:a", "aac", "-t", 12, clip)
    return clip


def pictures(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("original", ["mute", "mix", "duck"])
@pytest.mark.parametrize("loudness", [-16.0, -23.0])
def test_the_written_file_has_the_loudness_and_the_peak_asked_for(talk, music, tmp_path, original, loudness):
    out = tmp_path / "out.mp4"
    info = mux_music(talk, music, out, MuxSettings(original=original, loudness_lufs=loudness))
    written = measure_loudness(out)
    assert written.integrated_lufs == pytest.approx(loudness, abs=0.5)
    assert written.true_peak_dbtp <= -1.5
    assert info.duration_s == pytest.approx(12, abs=0.08)
    assert info.audio is not None and (info.audio.codec, info.audio.channels) == ("aac", 2)


def test_a_safe_picture_is_copied_bit_by_bit(talk, music, tmp_path):
    mux_music(talk, music, tmp_path / "out.mp4")
    assert pictures(tmp_path / "out.mp4") == pictures(talk)


def test_a_picture_that_browsers_do_not_play_is_encoded(numbered, music, read_numbers, tmp_path):
    clip = numbered("mpeg4.avi", ["-c:v", "mpeg4", "-g", 15, "-q:v", 3])
    info = mux_music(clip, music, tmp_path / "out.mp4")
    assert info.video is not None and info.video.codec == "h264"
    assert read_numbers(sample_frames(tmp_path / "out.mp4", times_s=[1.0, 2.0]).images) == [30, 60]


def test_muted_means_that_nothing_of_the_original_is_heard(talk, music, tmp_path):
    mux_music(talk, music, tmp_path / "out.mp4")
    sound = read_stereo(tmp_path / "out.mp4", RATE_HZ)[4 * RATE_HZ : 5 * RATE_HZ]
    assert power_db(sound, 200, 400) < power_db(sound, 800, 1200) - 40


def test_mixed_music_is_as_far_below_as_asked_for(talk, music, tmp_path):
    mux_music(talk, music, tmp_path / "out.mp4", MuxSettings(original="mix", mix_music_db=-10))
    sound = read_stereo(tmp_path / "out.mp4", RATE_HZ)[round(3.5 * RATE_HZ) : round(5.5 * RATE_HZ)]
    assert power_db(sound, 200, 400) > power_db(sound, 800, 1200)


def test_ducked_music_goes_down_for_the_voice_and_comes_back(talk, music, tmp_path):
    mux_music(talk, music, tmp_path / "out.mp4", MuxSettings(original="duck", duck_db=-14))
    sound = read_stereo(tmp_path / "out.mp4", RATE_HZ)
    before, during, after = (power_db(sound[round(a * RATE_HZ) : round(b * RATE_HZ)], 800, 1200)
                             for a, b in ((0.5, 2.4), (3.2, 5.8), (7, 8.9)))  # fmt: skip
    assert before - during == pytest.approx(14, abs=1.5)
    assert after - during == pytest.approx(14, abs=1.5)
    assert power_db(sound[4 * RATE_HZ : 5 * RATE_HZ], 200, 400) > during + 6


def test_the_music_starts_where_asked_and_in_time_with_the_picture(talk, write_wav, tmp_path):
    clicks = np.zeros((30 * RATE_HZ, 2), np.float32)
    times = np.arange(0.5, 30, 1.0)
    for time in times:
        at = round(time * RATE_HZ)
        clicks[at : at + 240] = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(240) / RATE_HZ)[:, None]
    wav = write_wav(tmp_path / "clicks.wav", clicks, RATE_HZ)
    mux_music(talk, wav, tmp_path / "out.mp4", MuxSettings(start_s=7.3))
    sound = np.abs(read_sound(tmp_path / "out.mp4", RATE_HZ))
    loud = np.flatnonzero(sound > 0.25 * sound.max())
    onsets = loud[np.insert(np.diff(loud) > RATE_HZ // 2, 0, True)] / RATE_HZ
    wanted = times[(times > 7.3) & (times < 7.3 + 11)] - 7.3
    np.testing.assert_allclose(onsets[: len(wanted)], wanted, atol=0.02)  # 80 ms is what is promised


def test_a_rotated_clip_stays_upright(talk, music, ffmpeg, tmp_path):
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", 90, "-i", talk, "-c", "copy", turned)
    mux_music(turned, music, tmp_path / "out.mp4")
    np.testing.assert_array_equal(
        sample_frames(tmp_path / "out.mp4", times_s=[1.0]).images, sample_frames(turned, times_s=[1.0]).images
    )


def test_sparse_clicks_stay_below_the_peak_whatever_the_loudness(plain_clip, write_wav, tmp_path):
    clicks = np.zeros((5 * RATE_HZ, 2), np.float32)
    clicks[:: RATE_HZ // 2] = 0.9
    mux_music(plain_clip, write_wav(tmp_path / "clicks.wav", clicks, RATE_HZ), tmp_path / "out.mp4")
    assert measure_loudness(tmp_path / "out.mp4").true_peak_dbtp <= -1.5


def test_gain_that_peaks_forbid_is_not_tried_again_and_again(monkeypatch, tmp_path):
    runs, run = [], soundtrack.run_ffmpeg
    monkeypatch.setattr(soundtrack, "run_ffmpeg", lambda *args: (runs.append(args), run(*args)))
    clicks = np.zeros((5 * RATE_HZ, 2), np.float32)
    clicks[:: RATE_HZ // 2] = 0.9
    written = write_sound(clicks, tmp_path / "clicks.wav")
    assert len(runs) <= 3 and written.true_peak_dbtp <= -1.5
    assert (
        written.integrated_lufs > loudness_of(clicks, RATE_HZ).integrated_lufs - 2
    )  # nothing more can be had


def test_a_constant_in_all_samples_takes_no_room_and_alone_it_is_silence(plain_clip, write_wav, tmp_path):
    under = write_wav(tmp_path / "under.wav", 0.4 + band(6, 200, 4000, 14, level=0.005), RATE_HZ)
    mux_music(plain_clip, under, tmp_path / "out.mp4")
    assert measure_loudness(tmp_path / "out.mp4").integrated_lufs == pytest.approx(-16, abs=0.5)
    for rate_hz in (RATE_HZ, 44_100):  # resampled, it rings where it begins and ends
        alone = write_wav(tmp_path / f"alone {rate_hz}.wav", np.full((3 * rate_hz, 2), 0.4), rate_hz)
        with pytest.raises(NoSound, match=r"alone \d+\.wav: the music is silent, its level never changes"):
            mux_music(plain_clip, alone, tmp_path / "out.mp4")


def test_an_excerpt_is_normalised_aac(music, tmp_path):
    info = render_music(music, tmp_path / "excerpt.m4a", 5, 8)
    assert info.duration_s == pytest.approx(8, abs=0.05) and info.video is None
    assert info.audio is not None and info.audio.codec == "aac"
    written = measure_loudness(tmp_path / "excerpt.m4a")
    assert written.integrated_lufs == pytest.approx(-16, abs=0.5) and written.true_peak_dbtp <= -1.5
    assert render_music(music, tmp_path / "end.m4a", 17, 8).duration_s == pytest.approx(3, abs=0.05)


def test_progress_goes_up_to_one(talk, music, tmp_path):
    seen: list[float] = []
    mux_music(talk, music, tmp_path / "out.mp4", progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_inputs_that_cannot_be_used_are_named(plain_clip, music, write_wav, tmp_path):
    with pytest.raises(NoPicture, match=r"music\.wav"):
        mux_music(music, music, tmp_path / "out.mp4")
    with pytest.raises(NoSound, match=r"plain\.mp4"):
        mux_music(plain_clip, plain_clip, tmp_path / "out.mp4")
    with pytest.raises(UsageError, match=r"20\.0 s long; it cannot start at 30 s"):
        mux_music(plain_clip, music, tmp_path / "out.mp4", MuxSettings(start_s=30))
    silent = write_wav(tmp_path / "silent.wav", np.zeros((RATE_HZ, 2)), RATE_HZ)
    with pytest.raises(NoSound, match="music is silent"):
        mux_music(plain_clip, silent, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"original": "loud"},
        {"start_s": -1.0},
        {"fade_s": float("nan")},
        {"loudness_lufs": 3.0},
        {"true_peak_dbtp": 1.0},
    ],
)
def test_settings_must_make_sense(wrong):
    with pytest.raises(UsageError, match=r"unknown original|must be"):
        MuxSettings(**wrong)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seconds=st.floats(0.02, 6), length=st.integers(1, 12 * RATE_HZ), start=st.floats(0, 5), fade=st.floats(0, 4),
       overlap=st.floats(0, 4))  # fmt: skip
def test_fitted_music_has_exactly_the_length_and_no_holes(seconds, length, start, fade, overlap):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(max(2, round(seconds * RATE_HZ))) / RATE_HZ + 1)
    music = np.repeat(tone.astype(np.float32)[:, None], 2, axis=1)
    wish = MuxSettings(start_s=min(start, seconds / 2), fade_s=fade, crossfade_s=overlap)
    fitted = fit_music(music, length, wish)
    assert fitted.shape == (length, 2) and np.isfinite(fitted).all()
    heard = fitted[: max(1, length - round(min(fade, length / RATE_HZ / 4) * RATE_HZ))]
    blocks = heard[: len(heard) // 960 * 960].reshape(-1, 960 * 2)
    assert (np.abs(blocks[2:]).max(axis=1) > 0.05).all() if len(blocks) > 2 else True


def composed_by_moviepy(pieces, length, settings):
    """The same placed pieces and straight fades, by moviepy: pieces are (first sample, samples with their fades)."""
    from moviepy import CompositeAudioClip, afx
    from moviepy.audio.AudioClip import AudioArrayClip

    clips = [AudioArrayClip(part, fps=RATE_HZ).with_start(at / RATE_HZ) for at, part in pieces]
    whole = CompositeAudioClip(clips).with_duration(length / RATE_HZ)
    effects = [afx.AudioFadeOut(settings.fade_s)]
    if settings.start_s:
        effects.append(afx.AudioFadeIn(0.03))
    return whole.with_effects(effects).get_frame(np.arange(length) / RATE_HZ)


def test_fitted_music_is_what_moviepy_composes():
    music, length = band(5, 200, 4000, 10), 11 * RATE_HZ
    wish = MuxSettings(start_s=1, fade_s=1.5, crossfade_s=0.5)
    overlap = RATE_HZ // 2
    rise = np.sin(0.5 * np.pi * (np.arange(overlap) + 0.5) / overlap)[:, None]
    shaped, pieces, at = music[RATE_HZ:].copy(), [], 0
    while at < length:  # the music from 1 s on, then as often from its start as it takes
        end = at + len(shaped)
        shaped[:overlap] *= rise if at else 1.0
        shaped[len(shaped) - overlap :] *= rise[::-1] if end < length else 1.0
        pieces.append((at, shaped))
        at, shaped = end - overlap, music.copy()
        if end >= length:
            break
    fitted = fit_music(music, length, wish)
    np.testing.assert_allclose(fitted, composed_by_moviepy(pieces, length, wish), atol=3e-7)


def test_a_track_that_is_long_enough_is_read_only_as_far_as_it_is_heard(write_wav, tmp_path):
    sound = band(12, 200, 4000, 11)
    wav = write_wav(tmp_path / "long.wav", sound, RATE_HZ)
    wish = MuxSettings(start_s=3, fade_s=1)
    music, begin_s = read_music(wav, 4 * RATE_HZ, 3.0)
    assert (len(music), begin_s) == (4 * RATE_HZ, 3.0)
    np.testing.assert_array_equal(
        fit_music(music, 4 * RATE_HZ, wish, begin_s), fit_music(sound, 4 * RATE_HZ, wish)
    )
    music, begin_s = read_music(wav, 10 * RATE_HZ, 3.0)  # it will start over: all of it
    assert (len(music), begin_s) == (12 * RATE_HZ, 0.0)


def test_music_far_below_full_scale_is_played_and_silence_names_file_and_level(
    plain_clip, write_wav, tmp_path
):
    faint = write_wav(tmp_path / "faint.wav", band(6, 200, 4000, 12, level=1e-4), RATE_HZ)
    mux_music(plain_clip, faint, tmp_path / "out.mp4")
    assert measure_loudness(tmp_path / "out.mp4").integrated_lufs == pytest.approx(-16, abs=0.5)
    dither = write_wav(tmp_path / "dither.wav", band(2, 20, 20000, 13, level=1e-5), RATE_HZ)
    with pytest.raises(NoSound, match=r"dither\.wav: the music is silent, its peak is -8\d dBFS"):
        mux_music(plain_clip, dither, tmp_path / "out.mp4")


def test_a_stretch_that_is_silent_is_not_said_of_the_whole_track(write_wav, tmp_path):
    sound = band(12, 200, 4000, 16)
    sound[3 * RATE_HZ : 11 * RATE_HZ] = 0
    with pytest.raises(NoSound, match=r"gap\.wav: the music is silent from 4 s on for as long as the clip"):
        read_music(write_wav(tmp_path / "gap.wav", sound, RATE_HZ), 5 * RATE_HZ, 4.0)


def test_music_that_is_long_enough_is_the_music():
    music = band(10, 200, 4000, 3)
    fitted = fit_music(music, 4 * RATE_HZ, MuxSettings(start_s=2, fade_s=1))
    np.testing.assert_allclose(fitted[RATE_HZ : 3 * RATE_HZ], music[3 * RATE_HZ : 5 * RATE_HZ], atol=1e-6)
    fade = np.abs(fitted[-480:]).max()
    assert fade < 0.02


@pytest.mark.parametrize("missing", [1, RATE_HZ // 24, RATE_HZ // 11])
def test_a_track_that_is_a_frame_too_short_ends_and_does_not_start_over(missing):
    music, length = band(12, 200, 4000, 15), 12 * RATE_HZ
    fitted, whole = fit_music(music[: length - missing], length), fit_music(music, length)
    np.testing.assert_array_equal(fitted[:-missing], whole[:-missing])
    assert not fitted[-missing:].any() and np.abs(whole[-missing:]).max() < 0.05
    again = fit_music(music[: length - RATE_HZ // 4], length)
    assert np.abs(again[-RATE_HZ:] - whole[-RATE_HZ:]).max() > 0.05, "a quarter of a second would be missed"


def test_a_crossfade_keeps_the_level():
    music = band(6, 200, 4000, 4)
    looped = fit_music(music, 14 * RATE_HZ, MuxSettings(fade_s=0, crossfade_s=2))
    seam = looped[round(4.5 * RATE_HZ) : round(5.5 * RATE_HZ)].std()  # the loop starts over at 4 s
    assert 20 * np.log10(seam / music.std()) == pytest.approx(0, abs=0.7)


def test_a_loop_leaves_the_silent_end_out():
    music = np.concatenate([band(4, 200, 4000, 5), np.zeros((3 * RATE_HZ, 2), np.float32)])
    looped = fit_music(music, 12 * RATE_HZ, MuxSettings(fade_s=0, crossfade_s=0.5))
    levels = looped.reshape(-1, RATE_HZ // 4 * 2).std(axis=1)
    assert levels.min() > 0.5 * levels.max()


def test_a_quiet_room_is_not_blown_up():
    music, room = band(5, 800, 1200, 6), band(5, 200, 400, 7, level=0.0005)
    mixed = compose(music, room, 5 * RATE_HZ, MuxSettings(original="mix", fade_s=0))
    assert power_db(mixed, 200, 400) < power_db(mixed, 800, 1200) - 20


def test_an_original_without_sound_leaves_the_music_alone():
    music = band(5, 800, 1200, 8)
    for nothing in (None, np.zeros((RATE_HZ, 2), np.float32)):
        mixed = compose(music, nothing, 5 * RATE_HZ, MuxSettings(original="duck"))
        np.testing.assert_array_equal(mixed, fit_music(music, 5 * RATE_HZ, MuxSettings()))


def test_the_duck_curve_is_down_around_the_voice_only():
    own = np.zeros((10 * RATE_HZ, 2), np.float32)
    own[4 * RATE_HZ : 6 * RATE_HZ] = band(2, 200, 400, 9)
    loudness = loudness_of(own, RATE_HZ).integrated_lufs
    curve = duck_curve(own, 10 * RATE_HZ, loudness, -14)
    at = lambda second: curve[round(second * RATE_HZ)]  # noqa: E731
    assert [at(s) for s in (1, 3.4, 4.1, 5, 5.9, 7)] == pytest.approx([0, 0, -14, -14, -14, 0], abs=0.2)
    assert -14 < at(3.75) < 0 and -14 < at(6.5) < 0

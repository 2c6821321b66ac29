from __future__ import annotations

import librosa
import numpy as np
import pytest
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvr.errors import NoSound, NotFinite, TooLong, Truncated, UsageError
from mvr.media.limits import MediaLimits
from mvr.media.probe import probe
from mvr.media.sound import read_sound, read_stereo

ENCODERS = {
    "u8.wav": ["-c:a", "pcm_u8"],
    "s16.wav": ["-c:a", "pcm_s16le"],
    "s24.wav": ["-c:a", "pcm_s24le"],
    "f64.wav": ["-c:a", "pcm_f64le"],
    "flac.flac": ["-c:a", "flac"],
    "mp3.mp3": ["-c:a", "libmp3lame", "-b:a", "256k"],
    "aac.m4a": ["-c:a", "aac", "-b:a", "256k"],
    "opus.webm": ["-c:a", "libopus", "-b:a", "256k"],
    "vorbis.ogg": ["-c:a", "libvorbis", "-q:a", 9],
    "ac3.mkv": ["-c:a", "ac3", "-b:a", "448k"],
}


@pytest.fixture(scope="module")
def encoded(write_wav, tune, ffmpeg, tmp_path_factory):
    """The tune in many codecs (packed and planar), mono or stereo."""
    folder = tmp_path_factory.mktemp("sound")
    sources = {
        1: write_wav(folder / "mono.wav", tune[:, 0], 48000),
        2: write_wav(folder / "stereo.wav", tune, 48000),
    }

    def make(name, channels):
        path = folder / f"{channels}-{name}"
        if not path.exists():
            ffmpeg("-i", sources[channels], *ENCODERS[name], path)
        return path

    return make


def best_lag(ours, truth, most=2400):
    """The shift in samples at which two signals agree best."""
    spectrum = np.fft.rfft(ours, 2**18) * np.conj(np.fft.rfft(truth, 2**18))
    correlation = np.fft.irfft(spectrum)
    around = np.concatenate([correlation[-most:], correlation[: most + 1]])
    return int(np.argmax(around)) - most


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_every_codec_comes_back_in_place_and_at_its_level(encoded, tune, name, channels):
    truth = tune[:, 0] if channels == 1 else tune.mean(axis=1)
    ours = read_sound(encoded(name, channels), 48000)
    assert best_lag(ours, truth) == 0
    middle = slice(24000, 168000)
    assert np.dot(ours[middle], truth[middle]) / np.dot(truth[middle], truth[middle]) == pytest.approx(
        1, abs=0.02
    )
    assert ours.dtype == np.float32 and len(ours) == pytest.approx(len(truth), abs=2400)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 96000])
def test_resampling_is_soxr_on_the_whole_signal(encoded, tune, rate):
    ours = read_sound(encoded("f64.wav", 2), rate)
    truth = soxr.resample(tune.mean(axis=1), 48000, rate, quality="HQ")
    assert len(ours) == len(truth)
    np.testing.assert_allclose(ours, truth, atol=1e-4)


@pytest.mark.slow  # librosa compiles itself for a quarter of a minute when it first reads or transforms sound
def test_a_file_reads_as_librosa_reads_it(encoded):
    ours = read_sound(encoded("flac.flac", 2), 16000)
    theirs, _ = librosa.load(encoded("flac.flac", 2), sr=16000, mono=True, res_type="soxr_hq")
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_mean_is_the_mean_and_first_is_the_first(encoded, tune):
    path = encoded("f64.wav", 2)
    np.testing.assert_allclose(read_sound(path, 48000), tune.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(read_sound(path, 48000, channels="first"), tune[:, 0], atol=1e-6)
    np.testing.assert_allclose(read_stereo(path, 48000), tune, atol=1e-6)


def test_mono_goes_to_both_sides_unchanged(encoded, tune):
    stereo = read_stereo(encoded("f64.wav", 1), 48000)
    np.testing.assert_allclose(stereo, np.repeat(tune[:, :1], 2, axis=1), atol=1e-6)


def test_surround_is_mixed_down_by_the_standard_and_cannot_clip(ffmpeg, tmp_path):
    path = tmp_path / "surround.wav"  # FL FR FC LFE BL BR
    levels = "|".join(str(level) for level in (0.1, 0.2, 0.4, 0.9, 0.3, 0.5))
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc=exprs='{levels}':c=5.1:d=1:s=48000", "-c:a", "pcm_f32le", path)
    half = np.sqrt(0.5)
    left = (0.1 + half * 0.4 + half * 0.3) / (1 + 2 * half)
    right = (0.2 + half * 0.4 + half * 0.5) / (1 + 2 * half)
    np.testing.assert_allclose(read_stereo(path, 48000)[100], [left, right], atol=1e-5)
    np.testing.assert_allclose(
        read_sound(path, 48000)[100], np.mean([0.1, 0.2, 0.4, 0.9, 0.3, 0.5]), atol=1e-5
    )


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(start=st.floats(0, 3.9), duration=st.floats(0.01, 5))
def test_a_span_is_a_slice_of_the_whole(encoded, start, duration):
    path = encoded("f64.wav", 2)
    whole = read_sound(path, 48000)
    part = read_sound(path, 48000, start_s=start, duration_s=duration)
    begin = round(start * 48000)
    np.testing.assert_array_equal(part, whole[begin : begin + round(duration * 48000)])


def test_sound_that_starts_later_than_the_picture_is_preceded_by_silence(
    plain_clip, encoded, ffmpeg, tmp_path
):
    late = tmp_path / "late.mkv"
    wav = encoded("s16.wav", 1)
    ffmpeg(
        "-i",
        plain_clip,
        "-itsoffset",
        1.5,
        "-i",
        wav,
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "copy",
        "-c:a",
        "flac",
        late,
    )
    sound = read_sound(late, 48000)
    assert np.abs(sound[: 48000 * 149 // 100]).max() == 0
    assert best_lag(sound, np.pad(read_sound(wav, 48000), (72000, 0))) in range(
        -48, 49
    )  # Matroska counts milliseconds


def test_a_gap_in_the_time_stamps_is_silence(encoded, ffmpeg, tmp_path):
    gap = tmp_path / "gap.mkv"
    cut = "aselect='not(between(t,1,2))'"
    ffmpeg("-i", encoded("s16.wav", 1), "-af", cut, "-c:a", "flac", gap)
    sound, whole = read_sound(gap, 48000), read_sound(encoded("s16.wav", 1), 48000)
    assert len(sound) == pytest.approx(len(whole), abs=4800)
    assert np.abs(sound[52000:92000]).max() == 0
    np.testing.assert_allclose(sound[100000:180000], whole[100000:180000], atol=0.02)


def test_silence_is_zeros_not_an_error(ffmpeg, tmp_path):
    path = tmp_path / "silence.m4a"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo:d=1", "-c:a", "aac", path)
    sound = read_sound(path, 16000)
    assert len(sound) == pytest.approx(16000, abs=800) and not sound.any()


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e30])
def test_samples_that_are_no_numbers_of_a_sound_are_refused(write_wav, tmp_path, value):
    samples = np.zeros(4800, np.float32)
    samples[100] = value
    with pytest.raises(NotFinite, match="NaN, infinite or absurdly large"):
        read_sound(write_wav(tmp_path / "nan.wav", samples, 48000), 16000)


def test_a_video_without_sound_is_named(plain_clip):
    with pytest.raises(NoSound, match="no sound"):
        read_sound(plain_clip, 16000)


def test_limits_of_music_are_kept(encoded):
    with pytest.raises(TooLong, match="4 s long; at most 2 s"):
        read_sound(encoded("s16.wav", 1), 16000, limits=MediaLimits(music_s=2))


def test_a_sound_file_cut_short_is_named(encoded, tmp_path):
    data = encoded("aac.m4a", 1).read_bytes()
    cut = tmp_path / "cut.m4a"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(Truncated, match="breaks off"):
        read_sound(cut, 16000)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("s16.wav", []), ("s24.wav", ["-c:a", "pcm_s24le"]), ("s16.w64", []), ("s16.aiff", []), ("s16.au", []),
     ("s16.caf", []), ("s16.avi", ["-c:a", "pcm_s16le"])],
)  # fmt: skip
def test_samples_that_a_file_promises_and_does_not_hold_are_missed(ffmpeg, tmp_path, name, arguments):
    whole, cut = tmp_path / name, tmp_path / f"cut {name}"
    ffmpeg("-f", "lavfi", "-i", "sine=440:d=5:r=8000", "-metadata", "title=five", *arguments, whole)
    assert probe(whole).duration_s == pytest.approx(5, abs=0.02) == len(read_sound(whole, 8000)) / 8000
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 5])
    for read in (probe, lambda path: read_sound(path, 8000)):
        with pytest.raises(Truncated, match=rf"cut {name}: the file breaks off after [12]\.\d of 5\.0 s"):
            read(cut)
    assert len(read_sound(cut, 8000, duration_s=1.0)) == 8000  # all of what was asked for is there


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_wav_file_of_a_writer_that_could_not_say_how_much_it_was_is_whole(encoded, tmp_path, size):
    data, piped = encoded("s16.wav", 1).read_bytes(), tmp_path / "piped.wav"
    at = data.index(b"data") + 4
    piped.write_bytes(data[:at] + size.to_bytes(4, "little") + data[at + 4 :])
    assert len(read_sound(piped, 48000)) == len(read_sound(encoded("s16.wav", 1), 48000))
    assert probe(piped).duration_s == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("wish", [{"start_s": -1.0}, {"duration_s": 0.0}, {"start_s": 50.0}])
def test_spans_that_make_no_sense_are_refused(encoded, wish):
    with pytest.raises(UsageError, match=r"negative|no sound from 50 s"):
        read_sound(encoded("s16.wav", 1), 16000, **wish)


def test_a_rate_must_be_positive(encoded):
    with pytest.raises(UsageError, match="must be positive"):
        read_sound(encoded("s16.wav", 1), 0)

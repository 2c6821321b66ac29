"""Picture and sound on one clock: a flash and a click at the same moment, in files whose clocks are odd."""

from __future__ import annotations

import av
import numpy as np
import pytest

from mvr.errors import BrokenClock, TooLong, Truncated
from mvr.media.clock import late_picture_s
from mvr.media.frames import sample_frames
from mvr.media.limits import MediaLimits
from mvr.media.mux import MuxSettings, mux_music
from mvr.media.probe import probe
from mvr.media.proxy import make_proxy
from mvr.media.sound import read_sound

RATE_HZ = 48_000
FLASH_S = 1.0
LENGTH_S = 2.0
RAW = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x64", "-r", 25, "-i"]
H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", 3, "-preset", "veryfast"]


@pytest.fixture(scope="module")
def flash(ffmpeg, write_wav, tmp_path_factory):
    """Make a clip with a white frame and a click 1 s after each begins: name, arguments, sound's offset in s."""
    folder = tmp_path_factory.mktemp("flash")
    frames = np.zeros((round(LENGTH_S * 25), 64, 64, 3), np.uint8)
    frames[round(FLASH_S * 25)] = 255
    (folder / "flash.rgb").write_bytes(frames.tobytes())
    time = np.arange(round(LENGTH_S * RATE_HZ)) / RATE_HZ
    hum = 0.002 * np.random.default_rng(1).standard_normal(len(time))
    click = np.where((time >= FLASH_S) & (time < FLASH_S + 0.005), 0.9 * np.sin(2 * np.pi * 6000 * time), hum)
    wav = write_wav(folder / "click.wav", click, RATE_HZ)

    def make(name, arguments=("-c:a", "aac"), offset_s=0.0):
        out = folder / name
        if not out.exists():
            ffmpeg(*RAW, folder / "flash.rgb", "-itsoffset", offset_s, "-i", wav, *H264, *arguments, out)
        return out

    return make


@pytest.fixture(scope="module")
def music(write_wav, tmp_path_factory):
    """Music without anything sudden in it."""
    time = np.arange(4 * RATE_HZ) / RATE_HZ
    wav = 0.3 * np.sin(2 * np.pi * 110 * time)
    return write_wav(tmp_path_factory.mktemp("music") / "music.wav", wav, RATE_HZ)


def flash_s(path):
    """When the white frame is shown, by PyAV's time stamps."""
    with av.open(str(path)) as container:
        return next(f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128)


def click_s(sound, begin_s=0.0):
    """When the click is heard in mono samples: the first sharp change."""
    sharp = np.abs(np.diff(sound, n=2))
    return begin_s + int(np.argmax(sharp > 0.5 * sharp.max())) / RATE_HZ


def written_click_s(path):
    """When the click is heard in a written file, by PyAV's time stamps."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    begin_s = float(frames[0].pts * frames[0].time_base)
    return click_s(np.concatenate([f.to_ndarray().mean(axis=0) for f in frames]), begin_s)


def read_clock(path):
    """Flash and click by our own reading."""
    frames = sample_frames(path, rate_hz=25)
    white = int(np.argmax(frames.images.mean(axis=(1, 2, 3))))
    return frames.times_s[white], click_s(read_sound(path, RATE_HZ))


OFFSETS_MS = [0, 1, 5, 20, 37, 60, 90, 99, 100, 120, 300]


@pytest.mark.parametrize("offset_ms", OFFSETS_MS)
def test_sound_that_starts_later_is_read_later(flash, offset_ms):
    shown, heard = read_clock(flash(f"late-{offset_ms}.mp4", offset_s=offset_ms / 1000))
    assert shown == pytest.approx(FLASH_S, abs=1e-6)
    assert heard - shown == pytest.approx(offset_ms / 1000, abs=0.001)


# the offset that the container really has: ADTS in TS and FLV, and `cmaf`, play an encoder's 1024 samples of delay
PRIMING_MS = 1024 / 48
CONTAINERS = {
    "plain.mkv": (["-c:a", "flac"], 0.0),
    "plain.webm": (["-c:v", "libvpx", "-c:a", "libopus"], 0.0),
    "plain.mov": (["-c:a", "pcm_s16le"], 0.0),
    "plain.3gp": (["-c:a", "aac"], 0.0),
    "plain.avi": (["-c:v", "mpeg4", "-bf", 0, "-c:a", "mp3"], None),
    "plain.ts": (["-c:a", "aac"], 0.0),
    "plain.flv": (["-c:a", "aac"], 0.0),
    "fragments.mp4": (["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"], 0.0),
    "edited.mp4": (["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov+delay_moov"], 0.0),
    "cmaf.mp4": (["-c:a", "aac", "-movflags", "cmaf"], PRIMING_MS),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_keeps_sound_and_picture_together(flash, name):
    arguments, offset_ms = CONTAINERS[name]
    shown, heard = read_clock(flash(name, arguments))
    if offset_ms is None:  # AVI has no time stamps; what an MP3 encoder adds in front is heard
        assert abs(heard - shown) < 0.04
    else:
        assert heard - shown == pytest.approx(offset_ms / 1000, abs=0.0011)  # some count milliseconds


@pytest.mark.parametrize(
    ("name", "offset_ms"),
    [("late-60.mp4", 60), ("fragments.mp4", 0), ("cmaf.mp4", PRIMING_MS), ("plain.ts", 0)],
)
def test_export_and_player_copy_have_the_offset_of_the_clip(flash, music, tmp_path, name, offset_ms):
    clip = flash(name, *((CONTAINERS[name][0],) if name in CONTAINERS else ((), 0.06)))
    mux_music(clip, music, tmp_path / "export.mp4", MuxSettings(original="mix"))
    make_proxy(clip, tmp_path / "copy.mp4")
    for made in (tmp_path / "export.mp4", tmp_path / "copy.mp4"):
        assert written_click_s(made) - flash_s(made) == pytest.approx(offset_ms / 1000, abs=0.0012), made.name


@pytest.mark.slow
@pytest.mark.parametrize("offset_ms", OFFSETS_MS)
def test_every_offset_comes_out_as_it_went_in(flash, music, tmp_path, offset_ms):
    clip = flash(f"late-{offset_ms}.mp4", offset_s=offset_ms / 1000)
    mux_music(clip, music, tmp_path / "export.mp4", MuxSettings(original="mix"))
    make_proxy(clip, tmp_path / "copy.mp4")
    for made in (tmp_path / "export.mp4", tmp_path / "copy.mp4"):
        assert written_click_s(made) - flash_s(made) == pytest.approx(offset_ms / 1000, abs=0.001)


def test_only_a_fragmented_file_with_negative_offsets_and_no_edit_list_is_shown_late(flash):
    late = {name: late_picture_s(flash(name, CONTAINERS[name][0])) for name in CONTAINERS if ".mp4" in name}
    assert late == {"fragments.mp4": {}, "edited.mp4": {}, "cmaf.mp4": {1: pytest.approx(0.08)}}


def joined(first, second, out):
    """Two files behind each other, byte by byte."""
    out.write_bytes(first.read_bytes() + second.read_bytes())
    return out


def test_two_recordings_joined_are_as_long_as_both(flash, music, tmp_path):
    part = flash("plain.ts", CONTAINERS["plain.ts"][0])
    whole = joined(part, part, tmp_path / "joined.ts")
    one, both = probe(part), probe(whole)
    assert both.duration_s == pytest.approx(2 * one.duration_s, abs=0.001) and not both.straight
    frames = sample_frames(whole, rate_hz=25)
    white = frames.times_s[frames.images.mean(axis=(1, 2, 3)) > 128]
    first, _ = read_clock(part)
    assert white == pytest.approx([first, first + one.duration_s], abs=0.001)
    sound = read_sound(whole, RATE_HZ)
    assert len(sound) / RATE_HZ == pytest.approx(both.duration_s, abs=0.03)
    second = click_s(sound[round(one.duration_s * RATE_HZ) :], one.duration_s)
    assert second == pytest.approx(white[1], abs=0.001)
    mux_music(whole, music, tmp_path / "export.mp4", MuxSettings(original="mix"))
    make_proxy(whole, tmp_path / "copy.mp4")
    for made in (tmp_path / "export.mp4", tmp_path / "copy.mp4"):
        assert probe(made).duration_s == pytest.approx(both.duration_s, abs=0.05)
        shown = sample_frames(made, rate_hz=100)
        starts = np.flatnonzero(np.diff(shown.images.mean(axis=(1, 2, 3)) > 128, prepend=False))[::2]
        assert shown.times_s[starts] == pytest.approx(white, abs=0.002)


@pytest.mark.parametrize(
    ("name", "codec"), [("chain.ogg", "libvorbis"), ("chain.opus", "libopus"), ("chain.oga", "flac")]
)
def test_chained_ogg_is_heard_from_the_first_to_the_last_piece(ffmpeg, write_wav, tmp_path, name, codec):
    tones = (300, 700)
    for number, hertz in enumerate(tones):
        tone = 0.4 * np.sin(2 * np.pi * hertz * np.arange(2 * RATE_HZ) / RATE_HZ)
        wav = write_wav(tmp_path / f"{number}.wav", tone, RATE_HZ)
        ffmpeg("-i", wav, "-c:a", codec, "-f", "ogg", tmp_path / f"{number}.ogg")
    whole = joined(tmp_path / "0.ogg", tmp_path / "1.ogg", tmp_path / name)
    assert probe(whole).duration_s == pytest.approx(4, abs=0.05)
    sound = read_sound(whole, RATE_HZ)
    assert len(sound) / RATE_HZ == pytest.approx(4, abs=0.05)
    for second, hertz in ((1, tones[0]), (3, tones[1])):
        spectrum = np.abs(np.fft.rfft(sound[second * RATE_HZ - 12000 : second * RATE_HZ + 12000]))
        assert np.argmax(spectrum) * 2 == pytest.approx(hertz, abs=4)


def test_a_second_part_without_sound_is_one_sentence(flash, ffmpeg, tmp_path):
    part = flash("plain.ts", CONTAINERS["plain.ts"][0])
    ffmpeg("-i", part, "-c", "copy", "-an", tmp_path / "silent.ts")
    whole = joined(part, tmp_path / "silent.ts", tmp_path / "half.ts")
    for read in (probe, make_probe_of_copy(tmp_path), lambda path: sample_frames(path, count=2)):
        with pytest.raises(BrokenClock, match=r"half\.ts: the clock jumps back.*convert the file"):
            read(whole)


def make_probe_of_copy(folder):
    return lambda path: make_proxy(path, folder / "copy.mp4")


def test_a_lone_wrong_time_stamp_is_no_restart(flash):
    clip = flash("plain.mkv", CONTAINERS["plain.mkv"][0])
    assert probe(clip).straight


def test_a_clock_that_starts_late_makes_nothing_longer(ffmpeg, tune, write_wav, tmp_path):
    wav, late = write_wav(tmp_path / "tune.wav", tune, RATE_HZ), tmp_path / "late.mka"
    ffmpeg("-itsoffset", 36000, "-i", wav, "-c:a", "libopus", "-output_ts_offset", 36000, late)
    with av.open(str(late)) as container:
        assert container.duration > 36_000e6  # what the header says
    assert probe(late).duration_s == pytest.approx(4, abs=0.05)
    assert len(read_sound(late, RATE_HZ)) == pytest.approx(4 * RATE_HZ, abs=2000)
    with pytest.raises(TooLong, match="at most 3 s"):
        probe(late, MediaLimits(music_s=3))


def test_a_subtitle_that_stays_longer_does_not_make_the_clip_broken(flash, ffmpeg, tmp_path):
    (tmp_path / "late.srt").write_text("1\n00:00:01,000 --> 00:00:50,000\nTHE END\n")
    clip = tmp_path / "subtitled.mkv"
    ffmpeg("-i", flash("plain.mkv", CONTAINERS["plain.mkv"][0]), "-i", tmp_path / "late.srt", "-c:v", "copy",
           "-c:a", "copy", "-c:s", "srt", clip)  # fmt: skip
    with av.open(str(clip)) as container:
        assert container.duration > 40e6
    assert probe(clip).duration_s == pytest.approx(LENGTH_S, abs=0.03)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    with pytest.raises(Truncated, match=r"cut\.mkv: the file breaks off after"):
        probe(cut)


@pytest.mark.parametrize(("name", "arguments"), [
    ("quiet.aac", ["-c:a", "aac", "-f", "adts"]),
    ("quiet.mp3", ["-c:a", "libmp3lame", "-q:a", 2, "-write_xing", 0]),
])  # fmt: skip
def test_a_guessed_length_is_not_missed(ffmpeg, write_wav, tmp_path, name, arguments):
    noise = 0.3 * np.random.default_rng(2).standard_normal(9 * RATE_HZ)
    noise[: RATE_HZ * 2] = 0  # a quiet start of few bits: FFmpeg's guess from the bit rate comes out too long
    ffmpeg("-i", write_wav(tmp_path / "quiet.wav", noise, RATE_HZ), *arguments, tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert container.duration > 10.5e6
    assert probe(tmp_path / name).duration_s == pytest.approx(9, abs=0.1)
    assert len(read_sound(tmp_path / name, RATE_HZ)) == pytest.approx(9 * RATE_HZ, abs=5000)


@pytest.mark.slow
def test_music_stays_with_the_picture_for_ten_minutes(ffmpeg, write_wav, tmp_path):
    clip, out = tmp_path / "long.mp4", tmp_path / "export.mp4"
    flashes = "drawbox=t=fill:color=white:enable='between(mod(t,100),49.99,50.01)'"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=64x64:r=25:d=598", "-vf", flashes, *H264, clip)
    time = np.arange(598 * RATE_HZ) / RATE_HZ
    clicks = np.where(time % 100 - 50 < 0.01, np.sin(2 * np.pi * 6000 * time), 0) * (time % 100 >= 50)
    hum = 0.05 * np.sin(2 * np.pi * 110 * time)
    mux_music(clip, write_wav(tmp_path / "music.wav", 0.4 * clicks + hum, RATE_HZ), out)
    with av.open(str(out)) as container:
        shown = [f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128]
    sound = read_sound(out, RATE_HZ)
    heard = [
        at + click_s(sound[round(at * RATE_HZ) : round((at + 2) * RATE_HZ)]) for at in range(49, 598, 100)
    ]
    assert len(shown) == len(heard) == 6
    np.testing.assert_allclose(heard, shown, atol=1 / 25)

"""An agent's tools through the official client over stdio: what they answer, what they refuse, what they write."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from eval.timelines.reading import read_timeline
from mvr.media.probe import probe

Story = Callable[[Client], Awaitable[None]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_tone, make_clip, make_tiny_assets) -> Path:
    """Assets; a library of three tracks and two videos; folders to read from, to write to, and one that is secret."""
    place = tmp_path_factory.mktemp("agent")
    make_tiny_assets(place / "assets")
    for name in ("media", "out", "secret"):
        (place / name).mkdir()
    for seed in range(3):
        make_tone(place / "media" / f"track {seed}.wav", seconds=5.0, seed=seed)
    make_clip(place / "media" / "clip #1.mp4", seconds=3.0, rate_hz=25)
    make_clip(place / "media" / "second.mp4", seconds=2.0, rate_hz=25, seed=4)
    (place / "media" / "metadata.csv").write_text(
        "file,title,licence\ntrack 1.wav,Sea,CC BY 4.0\n", encoding="utf-8"
    )
    make_tone(place / "secret" / "diary.wav", seconds=2.0, seed=7)
    (place / "media" / "way out.wav").symlink_to(place / "secret" / "diary.wav")
    (place / "out" / "way out").symlink_to(place / "secret")
    from mvr.embeddings.system import load_system
    from mvr.library import Library

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MVR_ASSETS", str(place / "assets"))
        files = [
            path
            for path in sorted((place / "media").iterdir())
            if not path.is_symlink() and path.suffix != ".csv"
        ]
        report = Library.open(place / "library").add(files, load_system("tiny"))
    assert len(report.added) == 5, report.skipped
    return place


def tell(place: Path, story: Story, *options: str) -> None:
    """Run a story against a server of its own."""
    words = [
        "-m",
        "mvr",
        "mcp",
        "--allow",
        str(place / "media"),
        "--library",
        str(place / "library"),
        "--system",
        "tiny",
    ]
    env = os.environ | {"MVR_ASSETS": str(place / "assets"), "PYTHONPATH": os.pathsep.join(sys.path)}
    server = StdioServerParameters(command=sys.executable, args=[*words, *options], env=env)

    async def run() -> None:
        async with Client(stdio_client(server)) as client:
            await story(client)

    asyncio.run(asyncio.wait_for(run(), 200))


async def answer(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content, (
        "who reads text alone reads the same"
    )
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return result.content[0].text


@pytest.mark.timelines
def test_an_agent_finds_music_tries_it_dry_and_writes_what_it_was_told(place: Path) -> None:
    async def story(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"recommend", "find_videos", "fit", "export_timeline", "explain"}
        assert all(tool.output_schema for tool in tools.values())
        assert [name for name, tool in tools.items() if not tool.annotations.read_only_hint] == [
            "fit",
            "export_timeline",
        ]

        ranked = await answer(client, "recommend", video="clip #1.mp4", count=2, alpha=0.3)
        assert (ranked["count"], ranked["alpha"], ranked["asked"]) == (2, 0.3, "clip #1.mp4")
        assert [match["rank"] for match in ranked["results"]] == [1, 2] and "1. “" in ranked["sentence"]
        earning = await answer(client, "recommend", video="clip #1.mp4", commercial=True)
        assert [match["title"] for match in earning["results"]] == ["Sea"]
        best = ranked["results"][0]["id"]

        why = await answer(client, "explain", video="clip #1.mp4", track=best, alpha=0.3)
        assert why["score"] == pytest.approx(ranked["results"][0]["score"], abs=1e-5) and why["heard"]
        turned = await answer(client, "find_videos", music=best, alpha=0.3)
        assert turned["count"] == 2
        for match in (*ranked["results"], *turned["results"]):
            assert f"music from {match['music_start_s']:.1f} s" in (ranked["sentence"] + turned["sentence"])
            assert match["placed"]
        assert all(match["music_start_s"] == match["start_s"] for match in ranked["results"])

        dry = await answer(client, "fit", video="clip #1.mp4", track=best)
        assert dry["dry_run"] and dry["file"] == "" and dry["ending"] in ("real", "fade")
        assert "s of the track; ends with " in dry["sentence"] and "the clip's end" in dry["sentence"]
        assert dry["pieces"][-1]["end_s"] == pytest.approx(3.0 + dry["end_error_s"])
        plan = await answer(client, "export_timeline", video="clip #1.mp4", track=best, out="cut.xml", top=3)
        assert (
            plan["files"] == []
            and plan["would_write"] == "cut.xml"
            and sorted((place / "out").iterdir()) == [place / "out" / "way out"]
        )

        fitted = await answer(client, "fit", video="clip #1.mp4", track=best, dry_run=False)
        assert fitted["file"] == str(place / "out" / "music.wav")
        assert probe(place / "out" / "music.wav").duration_s == pytest.approx(3.0, abs=1e-3)
        written = await answer(
            client, "export_timeline", video="clip #1.mp4", track=best, out="cut.xml", top=3, dry_run=False
        )
        assert written["cuts"] == plan["cuts"] and written["rate"] == "25"
        heard = [p for p in read_timeline(place / "out" / "cut.xml").placed if p.heard and p.track > 0]
        assert [(p.start, p.end, p.source_start, p.source_end) for p in heard] == [
            (cut["start"], cut["end"], cut["in_frame"], cut["out_frame"])
            for cut in written["cuts"]
            if not cut["muted"]
        ]
        assert "is there already" in await refusal(
            client, "export_timeline", video="clip #1.mp4", track=best, out="cut.xml", dry_run=False
        )

    tell(place, story, "--out", str(place / "out"))


@pytest.mark.timelines
def test_hostile_names_reach_nothing_and_errors_say_their_reason(place: Path) -> None:
    secret = place / "secret" / "diary.wav"
    hostile = [
        str(secret), "../secret/diary.wav", "way out.wav", str(place / "media" / ".." / "secret" / "diary.wav"),
        "/etc/passwd", "/dev/zero", "~/.ssh/id_rsa", "file:///etc/passwd", "http://127.0.0.1:1/a.mp4",
        "concat:/etc/passwd", "subsonic://me@host", "", ".", "clip #1.mp4\0.wav", "null", '{"a": 1}', "x" * 5000, "-i",
    ]  # fmt: skip

    async def story(client: Client) -> None:
        for name in hostile:
            said = await refusal(client, "recommend", video=name)
            assert "--allow" in said and "secret" not in said.replace(repr(name)[:190], ""), name
            assert "--allow" in await refusal(client, "fit", video="clip #1.mp4", track=name)
        missing, there = [
            await refusal(client, "recommend", video=str(place / "secret" / name))
            for name in ("no.wav", "diary.wav")
        ]
        assert missing.replace("no.wav", "diary.wav") == there, "nobody learns what else is on the disk"
        assert "no item '0123456789abcdef'" in await refusal(client, "recommend", video="0123456789abcdef")
        tracks = (await answer(client, "recommend", video="clip #1.mp4"))["results"]
        assert "video is needed here" in await refusal(client, "recommend", video=tracks[0]["id"])
        for out in (
            "../cut.xml", str(place / "media" / "cut.xml"), "way out/cut.xml", "/tmp/cut.xml", "no folder/cut.xml",
            "cut.exe", "x" * 5000 + ".xml", "..", "", "a\0.xml",
        ):  # fmt: skip
            said = await refusal(client, "export_timeline", video="clip #1.mp4", out=out, dry_run=False)
            assert any(
                word in said for word in ("--out", "ends in", "does not exist", "not a valid file name")
            ), (
                out,
                said,
            )
        assert list((place / "secret").iterdir()) == [secret]

    tell(place, story, "--out", str(place / "out"))


def test_numbers_that_are_none_are_refused_and_what_was_used_is_repeated(place: Path) -> None:
    async def story(client: Client) -> None:
        for wrong in (
            {"alpha": "nan"},
            {"alpha": 2},
            {"count": True},
            {"count": 0},
            {"count": 51},
            {"count": 1.5},
        ):
            assert next(iter(wrong)) in await refusal(client, "recommend", video="clip #1.mp4", **wrong)
        assert "dry_run" in await refusal(
            client, "fit", video="clip #1.mp4", track="track 0.wav", dry_run="no"
        )
        assert "matching second" in await refusal(
            client, "fit", video="clip #1.mp4", track="track 0.wav", start_s=-0.5
        )
        late = await refusal(client, "fit", video="clip #1.mp4", track="track 0.wav", start_s=99)
        assert "it cannot start at 99 s" in late
        misspelt = await answer(client, "recommend", video="clip #1.mp4", alfa=0.9)
        assert misspelt["alpha"] == 0.5, (
            "the protocol's library drops what it does not know: the answer tells"
        )
        assert "nothing is written" in await refusal(
            client, "fit", video="clip #1.mp4", track="track 0.wav", dry_run=False
        )
        slow = await asyncio.gather(
            *(answer(client, "recommend", video="clip #1.mp4", alpha=a / 8) for a in range(8))
        )
        assert [each["alpha"] for each in slow] == [a / 8 for a in range(8)], "calls side by side do not mix"

    tell(place, story)


def test_without_the_package_one_sentence_says_what_to_install(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mvr.errors import ExtraMissing, UsageError
    from mvr.library import Library
    from mvr.mcp.desk import Desk
    from mvr.mcp.gate import Gate
    from mvr.mcp.server import create_server

    monkeypatch.setattr("mvr.config.extras.find_spec", lambda name: None)
    with pytest.raises(ExtraMissing, match=r"pip install 'mvr\[mcp\]'"):
        create_server(Desk(Library.open(place / "library"), "tiny", Gate()))
    with pytest.raises(UsageError, match="there is no folder"):
        Gate(allow=(place / "nowhere",))

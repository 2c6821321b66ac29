"""What a shared link shows: words and picture of this page, at this server's own address, whatever the frame says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mvr.page.serving import LinkPreview, Preview, picture_route

FRAME = (
    '<!doctype html><html lang="en"><head>\n<meta charset="utf-8" />'
    '<meta property="og:title" content="Gradio" /><meta\n\t\tproperty="og:image"\n content="https://example.org/a.jpg"/>'
    '<meta name="twitter:image" content="" /><meta name="viewport" content="width=device-width" />'
    "<script>const kept = '<meta property=\"og:title\">';</script></head><body>é</body></html>"
)
PREVIEW = Preview(
    title='Music & "clips"', description="Drop a clip.", alt="A clip", width_px=1280, height_px=940
)


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG of the tests")
    routes = [
        Route("/", lambda _: HTMLResponse(FRAME)),
        Route("/other", lambda _: HTMLResponse(FRAME)),
        Route("/plain", lambda _: PlainTextResponse("<head>")),
        picture_route(picture),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(LinkPreview, preview=PREVIEW)]))


def metas(html: str) -> dict[str, str]:
    found = re.findall(
        r'<meta\s+(?:property|name)="([^"]+)"\s+content="([^"]*)"', html.partition("<script")[0]
    )
    assert len(found) == len(dict(found)), "each is said once"
    return dict(found)


def test_words_and_picture_are_ours_in_full_and_the_frames_own_are_gone(client: TestClient) -> None:
    answer = client.get("/", headers={"host": "music.example:8443"})
    said = metas(answer.text)
    assert said["og:title"] == "Music &amp; &quot;clips&quot;" and said["description"] == "Drop a clip."
    assert said["og:image"] == "http://music.example:8443/link-preview.png"
    assert said["twitter:card"] == "summary_large_image" and said["viewport"] == "width=device-width"
    assert "example.org" not in answer.text and "Gradio" not in answer.text
    assert answer.text.endswith(
        "<script>const kept = '<meta property=\"og:title\">';</script></head><body>é</body></html>"
    )
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert client.get(said["og:image"].replace("music.example:8443", "testserver")).content.startswith(
        b"\x89PNG"
    )


def test_who_asks_by_https_gets_an_address_of_https(client: TestClient) -> None:
    secure = TestClient(client.app, base_url="https://music.example")
    assert metas(secure.get("/").text)["og:image"] == "https://music.example/link-preview.png"


@pytest.mark.parametrize("host", ['localhost:"><script>', "a b", "", "localhost:1/x"])
def test_a_name_that_is_none_gets_words_without_addresses(client: TestClient, host: str) -> None:
    said = metas(client.get("/", headers={"host": host}).text)
    assert said["twitter:card"] == "summary"
    assert "og:image" not in said and "og:url" not in said and said["og:title"]


@pytest.mark.parametrize("path", ["/other", "/plain"])
def test_nothing_else_is_touched(client: TestClient, path: str) -> None:
    assert client.get(path).text in (FRAME, "<head>")

"""What the middleware refuses and what every answer carries, without a browser."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mvr.page.serving.harden import Harden, HardenSettings, TokenBuckets, is_forwarding


async def size(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def swallowing(request: Request) -> Response:
    try:
        await request.body()
    except Exception:
        return PlainTextResponse("all is well", 200)
    return PlainTextResponse("read")


async def echo_206(request: Request) -> Response:
    return Response(
        b"x", 206, headers={**dict(request.headers), "content-range": "bytes 0-0/9", "content-length": "1"}
    )


ROUTES = [
    Route("/size", size, methods=["POST"]),
    Route("/swallow", swallowing, methods=["POST"]),
    Route("/partial", echo_206),
    Route("/{path:path}", lambda request: PlainTextResponse("page")),
]


def ask(
    method: str, path: str, *, settings: HardenSettings | None = None, times: int = 1, **options
) -> httpx.Response:
    async def asking() -> httpx.Response:
        app = Harden(Starlette(routes=ROUTES), settings)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            for _ in range(times):
                answer = await client.request(method, path, **options)
            return answer

    return asyncio.run(asking())


async def chunks(count: int, size_bytes: int):
    for _ in range(count):
        yield b"x" * size_bytes


SMALL = HardenSettings(max_body_bytes=1000)


def test_a_body_within_the_limit_arrives_whole():
    assert ask("POST", "/size", settings=SMALL, content=b"x" * 1000).text == "1000"


def test_a_body_over_the_limit_is_413():
    assert ask("POST", "/size", settings=SMALL, content=b"x" * 1001).status_code == 413


def test_a_chunked_body_is_counted_although_it_announces_no_length():
    answer = ask("POST", "/size", settings=SMALL, content=chunks(11, 100))
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


def test_an_application_that_swallows_the_interruption_still_answers_413():
    assert ask("POST", "/swallow", settings=SMALL, content=chunks(11, 100)).status_code == 413


def test_a_206_answer_carries_nothing_of_the_request():
    answer = ask("GET", "/partial", headers={"cookie": "secret=1", "x-anything": "secret"})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == "bytes 0-0/9"
    assert not {"cookie", "user-agent", "x-anything", "host"} & set(answer.headers)


@pytest.mark.parametrize(
    "method, path, status", [("GET", "/", 200), ("GET", "/proxy=http://x", 403), ("POST", "/size", 413)]
)
def test_every_answer_carries_the_security_headers(method, path, status):
    answer = ask(method, path, settings=SMALL, content=b"x" * 2000 if method == "POST" else None)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://example.org/a.mp4",
        "/gradio_api/file=HTTP://127.0.0.1/",
        "/gradio_api/file=%68ttp://example.org",
        "/gradio_api/file=//example.org/a",
        "/file/https://example.org",
        "/gradio_api/proxy=https://example.org",
    ],
)
def test_addresses_that_lead_elsewhere_are_403(path):
    assert ask("GET", path).status_code == 403


@given(st.from_regex(r"/[a-z_]{0,12}/file=/[a-zA-Z0-9._ -]{1,30}", fullmatch=True))
def test_local_files_are_not_taken_for_addresses(path):
    assert not is_forwarding(path)


def test_the_bucket_of_one_visitor_runs_dry_and_says_when_to_come_back():
    answer = ask("GET", "/", settings=HardenSettings(requests_per_minute=1), times=2)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_files_of_the_page_cost_no_token():
    assert (
        ask("GET", "/assets/index.js", settings=HardenSettings(requests_per_minute=1), times=5).status_code
        == 200
    )


def test_a_bucket_refills_steadily_and_visitors_do_not_share_it():
    now = [0.0]
    buckets = TokenBuckets(HardenSettings(requests_per_minute=60), clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == pytest.approx(1.0)
    assert buckets.take("b") == 0.0
    now[0] = 1.0
    assert buckets.take("a") == 0.0


def test_the_number_of_remembered_buckets_is_bounded():
    buckets = TokenBuckets(HardenSettings(visitors=3))
    for visitor in range(50):
        buckets.take(str(visitor))
    assert len(buckets._buckets) == 3


def test_other_than_http_passes_untouched():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Harden(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]

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
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mvr.page.serving.addresses import Hosts, trusted_proxies
from mvr.page.serving.harden import Harden, HardenSettings, TokenBuckets, is_forwarding
from mvr.page.serving.quota import QuotaSettings, UploadQuota


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


async def names(request: Request) -> Response:
    return PlainTextResponse(
        "".join(request.headers.get(name, "") for name in ("x-forwarded-host", "x-gradio-server"))
    )


ROUTES = [
    *(
        Route(path, size, methods=["POST"])
        for path in ("/size", "/gradio_api/upload", "/gradio_api/queue/join")
    ),
    Route("/gradio_api/upload_progress", size, methods=["POST"]),
    Route("/names", names),
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


def test_what_is_no_upload_may_be_small_only_however_it_is_sent():
    """Gradio reads a call whole before it looks at it: half a gigabyte of JSON was taken."""
    settings = HardenSettings(max_body_bytes=5000, max_call_bytes=1000)
    for path in ("/size", "/gradio_api/queue/join", "/gradio_api/upload_progress"):
        assert ask("POST", path, settings=settings, content=b"x" * 1001).status_code == 413
    assert ask("POST", "/size", settings=settings, content=chunks(11, 100)).status_code == 413
    assert ask("POST", "/gradio_api/upload", settings=settings, content=chunks(49, 100)).text == "4900"
    assert ask("POST", "/gradio_api/upload", settings=settings, content=chunks(51, 100)).status_code == 413


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({"x-forwarded-host": "evil.example"}, ""),
        ({"x-gradio-server": "http://evil.example/"}, ""),
        ({"x-forwarded-host": "mvr.example, evil.example"}, ""),
        ({"x-forwarded-host": "mvr.example:443"}, "mvr.example:443"),
        ({"x-gradio-server": "https://mvr.example/"}, "https://mvr.example/"),
        ({"x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}, ""),
    ],
)
def test_a_forged_header_gives_the_page_no_other_name(told, seen):
    settings = HardenSettings(hosts=Hosts(names=frozenset({"page", "mvr.example"})))
    assert ask("GET", "/names", settings=settings, headers=told).text == seen


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


def test_another_name_than_the_server_s_is_not_answered_and_the_sentence_says_what_to_do():
    settings = HardenSettings(hosts=Hosts())
    for path in ("/", "/config", "/media/x/y"):
        answer = ask("GET", path, settings=settings, headers={"host": "evil.example:7860"})
        assert answer.status_code == 421
        assert answer.text == (
            "this server does not answer to the name evil.example:7860; its operator may add it to MVR_ALLOWED_HOSTS"
        )
    assert ask("GET", "/", settings=settings, headers={"host": "localhost:7860"}).text == "page"
    assert "<" not in ask("GET", "/", settings=settings, headers={"host": "<script>.example"}).text


@pytest.mark.parametrize(
    "path", ["/assets/a.js", "/svelte/a.js", "/static/a.css", "/theme.css", "/manifest.json"]
)
def test_files_of_the_page_cost_no_token(path):
    settings = HardenSettings(requests_per_minute=3)
    assert ask("GET", path, settings=settings, times=20).status_code == 200
    assert ask("GET", "/config", settings=settings, times=20).status_code == 429


def buckets_of(trusted: str, callers: list[tuple[str, str]]) -> list[int]:
    """Statuses of requests by (address of the connection, what it says whom it stands for), one token each."""
    app = ProxyHeadersMiddleware(
        Harden(Starlette(routes=ROUTES), HardenSettings(requests_per_minute=1)), trusted_hosts=trusted
    )

    async def asking() -> list[int]:
        found = []
        for address, stands_for in callers:
            transport = httpx.ASGITransport(app=app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
                found.append((await client.get("/x", headers={"x-forwarded-for": stands_for})).status_code)
        return found

    return asyncio.run(asking())


def test_behind_a_trusted_proxy_every_visitor_has_a_bucket_and_a_forged_header_lifts_none():
    proxied = [("10.0.0.5", "192.0.2.1"), ("10.0.0.5", "192.0.2.2"), ("10.0.0.5", "192.0.2.1")]
    trusted = trusted_proxies({"MVR_TRUSTED_PROXIES": "10.0.0.0/24", "MVR_ALLOWED_HOSTS": "x"})
    assert buckets_of(trusted, proxied) == [200, 200, 429]
    forged = [("127.0.0.1", "192.0.2.1"), ("127.0.0.1", "192.0.2.2"), ("127.0.0.1", "192.0.2.3")]
    assert buckets_of(trusted_proxies({}), forged) == [200, 429, 429]


QUOTA = HardenSettings(quota=QuotaSettings(visitor_bytes=2500, all_bytes=4000, window_s=60))


@pytest.mark.parametrize("chunked", [True, False])
def test_uploads_of_one_visitor_and_of_all_have_a_quota(chunked):
    app = Harden(Starlette(routes=[Route("/gradio_api/upload", size, methods=["POST"])]), QUOTA)

    async def upload(address: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            content = chunks(10, 100) if chunked else b"x" * 1000
            return await client.post("/gradio_api/upload", content=content)

    async def uploading() -> list[int]:
        return [(await upload(address)).status_code for address in ("a", "a", "a", "b", "b", "c")]

    assert asyncio.run(uploading()) == [200, 200, 429, 200, 429, 429]


def test_old_uploads_are_forgotten():
    now = [0.0]
    quota = UploadQuota(QuotaSettings(visitor_bytes=10, all_bytes=20, window_s=60), clock=lambda: now[0])
    quota.add("anna", 10)
    assert quota.left("anna") == 0 and quota.wait_s() == 60
    now[0] = 61
    assert quota.left("anna") == 10

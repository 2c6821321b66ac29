"""The page: its tabs, composed, and how it is launched.

The rooms: `serving` (visits, shelf, uploads, limits) knows no other; `library` (systems, libraries, items) knows
serving; `search` both; `voting` search too; `board` shows what was counted. Each room's `__init__` is its face. Only
files named `..._tab.py` (and `app`, `api`, `theme`, `upload_box` here) import Gradio: what they do is in files beside
them that run without it.

A tab is one file of a room with one function

    def build_tab(context: PageContext, page: gr.Blocks) -> None

called inside the tab; it creates components and events there. `page.load(...)` runs something on every page load
(the query string is in `request.query_params`). To add a tab: write the file, put its line into `TABS`, its label
into `texts.py`. Rules that keep the page private, quick and accessible:

- what runs when the page is opened has `queue=False`: Gradio's stream of answers would close just when somebody
  presses the first button, and its answer could be lost;
- every event has `api_visibility="private"`; the two public endpoints are in `api.py`;
- media is served by `context.shelf.put(ShelfItem(...))`, never by a path of the client;
- what belongs to a visitor lives in `context.visit(request.session_hash)` (`.desk[...]`, `.new_file(".mp4")`);
- HTML comes from `templates.render("name.html", ...)`, which escapes; buttons in it carry `data-event="pick"` and
  `data-...` values, `ON_LOAD_EVENTS` turns their clicks into `html.pick(...)` events (`gr.EventData`);
- players are plain `<audio>` and `<video>` elements: `assets/js/page.js` lets one sound at a time;
- an error is a sentence in the tab's own status line (`status.html`, a live region), beside the control.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from mvr.config.paths import assets_dir, home_dir
from mvr.errors import UsageError
from mvr.page import about_tab as about
from mvr.page import texts
from mvr.page.api import create_endpoints
from mvr.page.board import evaluate_tab as evaluate
from mvr.page.board import leaderboard_tab as leaderboard
from mvr.page.context import PageContext, create_context
from mvr.page.library import library_tab as library
from mvr.page.search import music_to_video_tab as music_to_video
from mvr.page.search import video_to_music_tab as video_to_music
from mvr.page.search.search_tab import MOST_SEARCHING
from mvr.page.serving import Harden, HardenSettings, LinkPreview, Preview, QuotaSettings, picture_route
from mvr.page.templates import render
from mvr.page.theme import create_theme
from mvr.page.voting import arena_routes
from mvr.page.voting import vote_tab as vote


@dataclass(frozen=True, kw_only=True)
class TabSpec:
    """One tab: `?tab=ID` opens it."""

    id: str
    label: str
    build: Callable[[PageContext, gr.Blocks], Callable[[gr.Tab], None] | None]


TABS: tuple[TabSpec, ...] = (
    TabSpec(id="video-to-music", label=texts.TAB_VIDEO_TO_MUSIC, build=video_to_music.build_tab),
    TabSpec(id="music-to-video", label=texts.TAB_MUSIC_TO_VIDEO, build=music_to_video.build_tab),
    TabSpec(id="vote", label=texts.TAB_VOTE, build=vote.build_tab),
    TabSpec(id="leaderboard", label=texts.TAB_LEADERBOARD, build=leaderboard.build_tab),
    TabSpec(id="library", label=texts.TAB_LIBRARY, build=library.build_tab),
    TabSpec(id="evaluate", label=texts.TAB_EVALUATE, build=evaluate.build_tab),
    TabSpec(id="about", label=texts.TAB_ABOUT, build=about.build_tab),
)


UPLOADS_STAY_S = 600
PREVIEW = Preview(
    title=texts.TITLE,
    description=texts.TAGLINE,
    alt=texts.PREVIEW_ALT,
    width_px=1280,
    height_px=800,
)


def create_page(context: PageContext) -> gr.Blocks:
    """Compose the page; nothing is loaded or served yet."""
    # each visit has its own copy; the arrived file stays a little while, for others who send the same at once
    arrived_s = min(UPLOADS_STAY_S, int(context.manifest.app.retention_minutes * 60))
    page = gr.Blocks(title=texts.TITLE, analytics_enabled=False, delete_cache=(60, arrived_s))
    with page:
        gr.HTML(render("header.html"), elem_id="mv-header")
        with gr.Tabs(elem_id="mv-tabs", overflow_behavior="wrap") as tabs:
            for tab in TABS:
                with gr.Tab(tab.label, id=tab.id, elem_id=f"mv-tab-{tab.id}") as built:
                    when_opened = tab.build(context, page)
                if when_opened is not None:
                    when_opened(built)
        gr.HTML(render("footer.html"), elem_id="mv-footer")
        page.load(_open_tab, None, tabs, api_visibility="private", show_progress="hidden", queue=False)
        page.unload(_leave(context))
        create_endpoints(context)
    app = context.manifest.app
    page.queue(max_size=app.queue_size, default_concurrency_limit=4)
    return page


def _open_tab(request: gr.Request) -> Any:
    """The first is open anyway: where no other is asked for, an answer that comes late must not take a click back."""
    wanted = request.query_params.get("tab", "")
    return gr.Tabs(selected=wanted) if wanted in [tab.id for tab in TABS[1:]] else gr.skip()


def _leave(context: PageContext) -> Callable[[gr.Request], None]:
    def leave(request: gr.Request) -> None:
        context.visits.leave(request.session_hash or "")

    return leave


def launch_kwargs(context: PageContext) -> dict[str, Any]:
    """How the page is launched, by `app.py` and by tests alike: everything that would phone home, keep a
    history or show more than the page is off.
    """
    app = context.manifest.app
    limits = HardenSettings(
        max_body_bytes=(app.max_upload_mb + 1) * 2**20,
        requests_per_minute=app.requests_per_minute,
        hosts=context.hosts,
        quota=QuotaSettings(
            visitor_bytes=app.visitor_upload_mb * 2**20,
            all_bytes=app.all_upload_mb * 2**20,
            window_s=app.retention_minutes * 60,
        ),
    )
    return {
        "max_file_size": f"{app.max_upload_mb}mb",
        "max_threads": 2 * MOST_SEARCHING,
        "run_history": False,
        "enable_monitoring": False,
        "pwa": False,
        "ssr_mode": False,
        "mcp_server": False,
        "share": False,
        "show_error": False,
        "footer_links": [],
        "strict_cors": True,
        "allowed_paths": [],
        "blocked_paths": [str(home_dir())],
        "theme": create_theme(),
        "css": "".join(_asset(f"css/{name}.css") for name in STYLES),
        "head": head(),
        "favicon_path": str(assets_dir() / "icon.svg"),
        "app_kwargs": {
            "middleware": [
                Middleware(Harden, settings=limits),
                Middleware(LinkPreview, preview=PREVIEW),
            ],
            "routes": [
                picture_route(assets_dir() / "screenshot.png"),
                context.shelf.route(),
                *arena_routes(context.ballots),
            ],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
    }


def serve(port: int | None = None, index: str | None = None) -> None:
    """Compose the tabs and serve them until the process ends.

    Args:
        port: of `GRADIO_SERVER_NAME`, by default 127.0.0.1; None: `GRADIO_SERVER_PORT`, or 7860 or the next free one.
        index: address of an index that several servers share; None: `MVR_INDEX`, or none.

    Raises:
        UsageError: the manifest, a folder or a variable keeps the server from working, or the port is taken.
    """
    server_name = os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    context = create_context(server_name=server_name, index=index)
    page, options = (
        create_page(context),
        launch_kwargs(context),
    )  # what keeps it from starting is told before work begins
    context.visits.keep_swept()
    context.catalogue.warm()
    try:
        page.launch(server_name=server_name, server_port=port, **options)
    except OSError as error:  # gradio's word for a port that is taken
        wanted = port or os.environ.get("GRADIO_SERVER_PORT") or "7860"
        raise UsageError(f"port {wanted} of {server_name} is taken; choose another with --port") from error
    finally:
        context.close()


# Gradio scopes rules of its `css` inside media queries to what lies within its frame; these are for the frame itself
NARROW_FRAME = (
    "@media (max-width: 860px) {"
    " html body .gradio-container.gradio-container.gradio-container { padding: 0 0 32px !important; }"
    " html body .gradio-container.gradio-container > .main.main { padding: 16px !important; } }"
)


STYLES = ("page", "player", "arena")

# of `assets/js/`, in the order in which they need each other
SCRIPTS = (
    *(f"player/{part}" for part in ("sounds", "player", "pictures", "strip", "audition")),
    "page",
    "drops",
    *(f"arena/{part}" for part in ("state", "panel", "player", "battle", "grades", "visitor", "controls")),
)


_FILL = "window.mvWords = (name, values) => mvTexts[name].replace(/\\{(\\w+)\\}/g, (_, one) => values[one]);"


def head() -> str:
    """What goes into `<head>`: the page's own scripts, inline, so that no further request is needed. They run once,
    also where the frame puts them in twice.
    """
    scripts = "\n".join(_asset(f"js/{name}.js") for name in SCRIPTS)
    words = json.dumps(texts.SCRIPTS).replace("<", "\\u003c")
    once = f"if (!window.mvPage) {{ window.mvPage = true; window.mvTexts = {words}; {_FILL}\n{scripts}}}"
    return (
        f'<meta name="color-scheme" content="light dark"><style>{NARROW_FRAME}</style><script>{once}</script>'
    )


def _asset(name: str) -> str:
    return Path(assets_dir() / name).read_text(encoding="utf-8")

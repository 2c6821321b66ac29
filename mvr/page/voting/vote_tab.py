"""Tab "Vote": blind battles on demo clips or on one's own clip; the widget talks to `mvr.page.voting.arena_routes`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr

from mvr.datatypes import Direction
from mvr.errors import MvrError
from mvr.media.probe import probe
from mvr.media.proxy import make_proxy
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.serving import Upload, Visit, media_limits
from mvr.page.serving.room import fault_of_ours
from mvr.page.serving.uploads import MEDIA_TYPES
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box
from mvr.page.voting.own_music import OwnMusic
from mvr.page.voting.sign_in import is_offered

logger = logging.getLogger(__name__)
_DESK = "own-clip"  # how many clips a visit has brought to vote on


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    gr.HTML(f'<h2 class="mv-title">{texts.VOTE_LEAD}</h2>')
    gr.HTML(render("arena.html"))
    if is_offered():
        gr.LoginButton(texts.SIGN_IN, logout_value=texts.SIGN_OUT, elem_id="mv-sign-in", size="sm")
    with gr.Accordion(texts.OWN_CLIP_LABEL, open=False):
        may_compete = gr.Checkbox(label=texts.OWN_MUSIC_MAY, value=False, elem_id="mv-own-music")
        box = create_upload_box(
            label=texts.OWN_CLIP_DROP,
            file_types=MEDIA_TYPES,
            height=150,
            elem_id="mv-own-clip",
        )
        status = gr.HTML("", elem_classes="mv-status-box")
    ticket = gr.Textbox(visible="hidden", elem_id="mv-own-ticket")

    def register(
        uploads: list[Upload] | None, may: bool, request: gr.Request
    ) -> Iterator[tuple[Any, Any, Any]]:
        if not uploads:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        visit = context.visit(request.session_hash)
        turn = visit.desk[_DESK] = visit.desk.get(_DESK, 0) + 1
        yield gr.skip(), status_html("busy", texts.READING.format(name=uploads[-1].name)), None
        try:
            ticket, said = _registered(context, visit, uploads[-1], may)
        except MvrError as error:
            ticket, said = "", status_html("error", str(error))
        except Exception as error:
            logger.exception("a clip to vote on cannot be made ready")
            ticket, said = "", status_html("error", fault_of_ours(error))
        # another clip may have come meanwhile: the latest is voted on
        yield (ticket, said, None) if visit.desk[_DESK] == turn else (gr.skip(), gr.skip(), gr.skip())

    events: dict[str, Any] = {
        "api_visibility": "private", "show_progress": "hidden", "concurrency_id": "media", "trigger_mode": "multiple",
    }  # fmt: skip
    done = box.upload(register, [box, may_compete], [ticket, status, box], **events)
    done.then(None, [ticket], None, js=_HAND_OVER, api_visibility="private")


def _registered(context: PageContext, visit: Visit, upload: Upload, may: bool) -> tuple[str, str]:
    """The ticket of a visitor's clip in the arena, and what is said of it.

    Raises:
        MediaError: it cannot be used.
    """
    limits, clip = media_limits(context.manifest.app), visit.new_file(".mp4")
    probe(upload.path, limits, needs=("picture",))
    info = make_proxy(upload.path, clip, limits=limits)
    own = OwnMusic.of(clip, info.duration_s) if may and info.audio is not None else None
    competes = own is not None and own.competes
    item = context.ballots.add_own(clip, Direction.VIDEO_TO_MUSIC, info.duration_s, own_music=competes)
    words = [texts.OWN_CLIP_READY, own.words() if own is not None else texts.ORIGINAL_SILENT if may else ""]
    return item.query_id, status_html("done", " ".join(filter(None, words)))


_HAND_OVER = """(ticket) => {
  const arena = document.getElementById("mv-arena");
  if (arena && ticket) { arena.dataset.own = ticket; arena.dataset.ownDirection = "v2m"; }
}"""

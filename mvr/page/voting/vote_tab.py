"""Tab "Vote": blind battles on demo clips or on one's own clip; the widget talks to `mvr.page.voting.arena_routes`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mvr.datatypes import Direction
from mvr.errors import MvrError
from mvr.media.probe import probe
from mvr.media.proxy import make_proxy
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.serving import Upload, media_limits
from mvr.page.serving.uploads import MEDIA_TYPES
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box
from mvr.page.voting.own_music import OwnMusic
from mvr.page.voting.sign_in import is_offered


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
            elem_classes="mv-upload",
        )
        status = gr.HTML("", elem_classes="mv-status-box")
    limits = media_limits(context.manifest.app)
    ticket = gr.Textbox(visible="hidden", elem_id="mv-own-ticket")

    def register(uploads: list[Upload] | None, may: bool, request: gr.Request) -> tuple[str, str, None]:
        if not uploads:
            return "", "", None
        visit = context.visit(request.session_hash)
        try:
            clip = visit.new_file(".mp4")
            probe(uploads[0].path, limits, needs=("picture",))
            info = make_proxy(uploads[0].path, clip, limits=limits)
            own = OwnMusic.of(clip, info.duration_s) if may and info.audio is not None else None
        except MvrError as error:
            return "", status_html("error", str(error)), None
        competes = own is not None and own.competes
        item = context.ballots.add_own(clip, Direction.VIDEO_TO_MUSIC, info.duration_s, own_music=competes)
        words = [
            texts.OWN_CLIP_READY,
            own.words() if own is not None else texts.ORIGINAL_SILENT if may else "",
        ]
        return item.query_id, status_html("done", " ".join(filter(None, words))), None

    events: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "media"}
    done = box.upload(register, [box, may_compete], [ticket, status, box], **events)
    done.then(None, [ticket], None, js=_HAND_OVER, api_visibility="private")


_HAND_OVER = """(ticket) => {
  const arena = document.getElementById("mv-arena");
  if (arena && ticket) { arena.dataset.own = ticket; arena.dataset.ownDirection = "v2m"; }
}"""

"""The page's look: one theme for light and dark, on bundled fonts; details in `assets/css/page.css`."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.themes.utils import colors, sizes

# The bundled semi-bold (600) files lack most Latin letters; 400 and 700 are complete.
FULL_WEIGHTS = (400, 700)

# One accent, a warm red; contrast with white 5.0 : 1 at 600, with the dark ground 6.9 : 1 at 400.
ACCENT = colors.Color(
    name="accent",
    c50="#fff4ef",
    c100="#ffe4d8",
    c200="#ffc8b2",
    c300="#ffa483",
    c400="#ff8a62",
    c500="#e8552c",
    c600="#c8401b",
    c700="#a63215",
    c800="#832812",
    c900="#622011",
    c950="#3a1108",
)

INK = colors.Color(
    name="ink",
    c50="#faf9f7",
    c100="#f3f1ed",
    c200="#e6e2db",
    c300="#d2ccc2",
    c400="#a49c90",
    c500="#7b7469",
    c600="#5d574e",
    c700="#443f38",
    c800="#2a2723",
    c900="#1b1917",
    c950="#121110",
)


def create_theme() -> Any:
    """The theme that `launch` gets."""
    theme = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=INK,
        text_size=sizes.text_md,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_lg,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=FULL_WEIGHTS), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=FULL_WEIGHTS), "ui-monospace", "monospace"],
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_800",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
        block_background_fill="#ffffff",
        block_background_fill_dark="*neutral_900",
        block_border_width="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_title_text_weight="600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_border_width="1px",
        input_background_fill="#ffffff",
        input_background_fill_dark="*neutral_950",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_text_color="*neutral_900",
        button_secondary_text_color_dark="*neutral_100",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_400",
        link_text_color_hover="*primary_800",
        link_text_color_hover_dark="*primary_300",
        link_text_color_visited="*primary_700",
        link_text_color_visited_dark="*primary_400",
        link_text_color_active="*primary_800",
        link_text_color_active_dark="*primary_300",
        accordion_text_color="*neutral_900",
        accordion_text_color_dark="*neutral_100",
    )

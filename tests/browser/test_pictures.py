"""The pictures of the page: README's moving one of an audition, and the still one that shared links show. They are made
by `MVR_PICTURES=. pytest tests/browser/test_pictures.py`, from the demo clips and tracks alone.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from mvr.page.app import PREVIEW
from tests.browser.conftest import screen_of

pytestmark = pytest.mark.browser

MOVING, STILL = Path("docs", "audition.webp"), Path("assets", "screenshot.png")
MOVING_WIDTH_PX, FRAME_MS, MOST_BYTES = 900, 250, 1_500_000


class Film:
    """Frames of a page at fixed steps; the pointer is drawn in, as a screenshot has none."""

    def __init__(self, page: Any) -> None:
        self.page, self.at = page, (640.0, 420.0)
        self.frames: list[Image.Image] = []

    def shoot(self, frames: int) -> None:
        """That many frames, one every step."""
        for _ in range(frames):
            self.page.wait_for_timeout(FRAME_MS)
            frame = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
            x, y = self.at
            arrow = [(x, y), (x, y + 20), (x + 5, y + 15), (x + 13, y + 14)]
            ImageDraw.Draw(frame).polygon(arrow, fill="black", outline="white")
            height = round(frame.height * MOVING_WIDTH_PX / frame.width)
            self.frames.append(frame.resize((MOVING_WIDTH_PX, height), Image.Resampling.LANCZOS))

    def point(self, part: Any, down: float = 0.5) -> None:
        """Move the pointer onto a part; `down` is how far down in it."""
        box = part.bounding_box()
        self.at = (box["x"] + box["width"] / 2, box["y"] + down * box["height"])
        self.page.mouse.move(*self.at)

    def click(self, part: Any) -> None:
        """Point at a part, then press."""
        self.point(part)
        self.shoot(1)
        part.click()

    def drag(self, by: float, frames: int) -> None:
        """Drag what is under the pointer sideways."""
        self.page.mouse.down()
        x, y = self.at
        for step in range(1, frames + 1):
            self.at = (x + by * step / frames, y)
            self.page.mouse.move(*self.at)
            self.shoot(1)
        self.page.mouse.up()

    def write(self, path: Path) -> None:
        """Save the frames as one picture that moves for ever."""
        first, *rest = self.frames
        path.parent.mkdir(parents=True, exist_ok=True)
        first.save(path, save_all=True, append_images=rest, duration=FRAME_MS, loop=0, quality=50, method=6)


@pytest.mark.slow
def test_an_audition_is_filmed_and_the_main_tab_pictured(new_visitor, other_server, tmp_path):
    visitor = new_visitor(**screen_of(f"{PREVIEW.width_px}x{PREVIEW.height_px}"))
    if asked := os.environ.get("MVR_PICTURES"):  # with the limits that a server has unasked
        limits = {"MVR_APP_MAX_VIDEO_S": "600", "MVR_APP_MAX_UPLOAD_MB": "500"}
        with other_server(tmp_path, **limits) as visitor.server:
            film_and_picture(visitor.open(), Path(asked), frames=8)
            visitor.page.close()  # before its server goes
    else:
        film_and_picture(visitor.open(), tmp_path, frames=1)


def film_and_picture(page, out, frames):
    page.wait_for_function(
        "() => document.fonts.status === 'loaded' && document.querySelector('#mv-examples-v2m img')"
        " && [...document.querySelectorAll('#mv-examples-v2m img')].every(one => one.naturalWidth)"
    )
    film, hear = Film(page), page.locator("#mv-results-v2m [data-hear]")
    film.shoot(frames // 4)
    film.click(page.locator("#mv-examples-v2m [data-event=pick]").nth(2))
    page.wait_for_function("document.querySelector('.mv-stage video')?.readyState >= 2")
    page.evaluate("scrollTo(0, 0)")
    film.shoot(frames // 2)
    film.click(hear.first)
    page.wait_for_function("document.querySelector('.mv-stage video').currentTime > 0.5")
    page.locator(".mv-strip").wait_for()
    page.evaluate("scrollTo(0, 0)")
    film.shoot(frames)
    film.click(hear.nth(1))
    film.shoot(frames)
    film.point(page.locator(".mv-strip"), down=0.55)  # the music's own line
    film.drag(-120, frames)
    film.shoot(frames)
    film.write(out / MOVING)
    page.mouse.move(5, 5)
    (out / STILL).parent.mkdir(exist_ok=True)
    page.screenshot(path=str(out / STILL))

    with Image.open(out / MOVING) as moving, Image.open(out / STILL) as still:
        assert moving.is_animated and moving.n_frames >= 6 and moving.width == MOVING_WIDTH_PX
        assert still.size == (PREVIEW.width_px, PREVIEW.height_px)
    assert (out / MOVING).stat().st_size <= MOST_BYTES

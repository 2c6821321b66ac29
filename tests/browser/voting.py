"""What the tests of the tab Vote do in a browser: open it, agree, listen, wait for a step."""

from __future__ import annotations

import re
from typing import Any

# names and titles by which a reader would know a system
SYSTEMS = re.compile(r"control-mvr|mvbind|bridge[- ]mini|\bcca\b|\brandom\b@?", re.IGNORECASE)


def arena(visitor: Any, query: str = "?tab=vote") -> Any:
    page = visitor.open(query)
    page.wait_for_function(
        "() => ['consent', 'sound'].includes(document.querySelector('#mv-arena')?.dataset.step)"
    )
    return page


def start(page: Any) -> None:
    if page.locator("#mv-arena").get_attribute("data-step") == "consent":
        page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Start voting").click()
    in_step(page, "battle")


def in_step(page: Any, step: str) -> None:
    page.wait_for_function(f"() => document.querySelector('#mv-arena')?.dataset.step === '{step}'")


def listen(page: Any) -> None:
    """Hear both sides for as long as the gate asks."""
    needed = page.evaluate("() => mvArena.battle.needed_ms")
    for key, side in (("q", 0), ("w", 1)):
        page.keyboard.press(key)
        page.wait_for_function(f"() => mvArena.heard[{side}] >= {needed}")


def by_tab(page: Any, name: str) -> None:
    """Go to a button with the Tab key alone, and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the Tab key does not reach {name!r}")


def post(page: Any, name: str, **payload: Any) -> tuple[int, dict[str, Any]]:
    """A call of the page's own routes as this visitor: status and answer."""
    status, answer = page.evaluate(
        """([name, payload]) => fetch("arena/" + name, {
            method: "POST", body: JSON.stringify({ session: mvArena.session, ...payload }),
            headers: { "content-type": "application/json", "x-mvr-voter": localStorage.getItem("mv_voter") },
        }).then(async (answer) => [answer.status, await answer.json()])""",
        [name, payload],
    )
    return int(status), dict(answer)

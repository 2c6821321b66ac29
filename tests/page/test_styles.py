"""Style sheets as Gradio serves them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SHEETS = sorted((Path(__file__).parents[2] / "assets" / "css").glob("*.css"))
# longhands that belong to a shorthand: border-radius and outline-offset do not
PARTS = {
    "border": r"border-(top|right|bottom|left|color|width|style|image).*",
    "background": r"background-.*",
    "outline": r"outline-(color|width|style)",
}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_no_part_of_a_shorthand_with_a_variable_is_set_anew_in_its_rule(sheet):
    """Gradio writes each rule out as the browser has read it, which leaves such a shorthand away: nothing was drawn."""
    sheet_text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", sheet_text)
    assert len(rules) > 20
    lost = []
    for selector, body in rules:
        told = [line.split(":", 1) for line in body.split(";") if ":" in line]
        names = [(name.strip(), value) for name, value in told]
        for place, (name, value) in enumerate(names):
            if name in PARTS and "var(" in value:
                lost += [
                    (selector.strip(), later)
                    for later, _ in names[place + 1 :]
                    if re.fullmatch(PARTS[name], later)
                ]
    assert lost == []

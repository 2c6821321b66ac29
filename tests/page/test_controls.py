"""What the controls of a search tab ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mvr.page.search.controls import Controls, ask_of

CONTROLS = Controls(
    alpha=0.3, library="demo", system="s", text=None, genre=None, licence=None, mood=None, pace="any", tempo_min="",
    tempo_max="", duration_max="", earn=False, variety=0.0, taste=None, voter="",
)  # fmt: skip


@pytest.mark.parametrize("earn", [True, False])
def test_who_earns_money_asks_for_music_that_allows_it(earn: bool) -> None:
    assert ask_of(replace(CONTROLS, earn=earn), "demo", 10).filters.commercial is earn


def test_an_instrument_of_the_page_is_one_that_the_command_line_takes() -> None:
    from mvr.retrieval.filters import INSTRUMENTS, known_instruments

    asked = ask_of(replace(CONTROLS, instrument=["piano"]), "demo", 10).filters
    assert asked.instruments == known_instruments(["piano"]) == ("piano",) and "piano" in INSTRUMENTS

"""The position lab in a real browser: moved by keys, looked at in both themes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=position]"
WAIT = 60_000


def wait_for_summary(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} .course-lab-summary:has-text('{words}')", timeout=WAIT)


def picture(page: Any, panel: str) -> str:
    query = f"{LAB} [data-panel={panel}] canvas"
    return str(page.locator(query).evaluate("(node) => node.toDataURL()"))


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_pairs_turn_as_the_position_moves(open_notebook: OpenNotebook, dark: bool) -> None:
    cell = "from course import labs\nlabs.PositionLab(kind='rotary')"
    watched = open_notebook(cell, dark=dark, height=1650)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    watched.picture(f"position-rotary-{'dark' if dark else 'light'}")
    before = picture(page, "circles")
    page.locator(f"{LAB} label:text-is('position') + input").focus()
    page.keyboard.press("ArrowRight")
    wait_for_summary(page, "Positions 9 and 24 are 15 apart")
    assert picture(page, "circles") != before
    page.locator(f"{LAB} [data-panel=distance] canvas").focus()
    page.keyboard.press("ArrowLeft")
    wait_for_summary(page, "are 14 apart")
    before = picture(page, "similarity")
    page.locator(f"{LAB} label:text-is('Positions') + select").select_option(index=2)
    wait_for_summary(page, "Not only the distance counts")
    assert picture(page, "similarity") != before
    assert not page.locator(f"{LAB} [data-panel=circles]").is_visible()
    watched.picture(f"position-learned-{'dark' if dark else 'light'}")

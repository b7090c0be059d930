"""The embedding lab in a real browser: words typed and chosen, looked at in both themes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=embedding]"
WAIT = 60_000


def wait_for_summary(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} .course-lab-summary:has-text('{words}')", timeout=WAIT)


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_words_are_typed_and_chosen(open_notebook: OpenNotebook, dark: bool) -> None:
    cell = "from course import labs\nlabs.EmbeddingLab()"
    watched = open_notebook(cell, dark=dark, height=1350)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    watched.picture(f"embedding-{'dark' if dark else 'light'}")
    page.locator(f"{LAB} label:text-is('Word') + input").fill("monday")
    wait_for_summary(page, "Nearest to “monday”: tuesday")
    page.locator(f"{LAB} label:text-is('Word') + input").fill("mondayish")
    notice = page.locator(f"{LAB} .course-lab-notice")
    notice.wait_for(state="visible", timeout=WAIT)
    assert "is read as monday ##ish" in notice.inner_text()
    page.locator(f"{LAB} [data-panel=near] tbody tr >> nth=0").click()
    wait_for_summary(page, "Nearest to “tuesday”")
    page.locator(f"{LAB} label:text-is('On the map') + select").select_option("places")
    wait_for_summary(page, "10.9%")
    canvas = page.locator(f"{LAB} [data-panel=map] canvas")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([lab]) => !document.querySelector(`${lab} .course-lab-summary`).textContent"
        ".includes('“tuesday”')",
        arg=[LAB],
        timeout=WAIT,
    )
    page.locator(f"{LAB} [data-panel=scores] tbody tr >> nth=5").click()
    wait_for_summary(page, "The analogy does not hold: “nurse”")

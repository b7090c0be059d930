"""The decoding lab in a real browser: tokens taken by keys and by clicks, the tree walked."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import DECODING, IMPORTS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=decoding]"
WAIT = 60_000


def test_a_sentence_is_written_by_keys(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(IMPORTS, DECODING, height=1500)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    watched.picture("decoding-start")
    begun = page.locator(f"{LAB} label:text-is('The sentence so far') + input")

    def follows(changed: str) -> None:
        page.wait_for_function(
            "([lab, before]) => document.querySelector(lab).dataset.drawn !== before",
            arg=[LAB, changed],
            timeout=WAIT,
        )

    def drawn() -> str:
        return str(page.get_attribute(LAB, "data-drawn"))

    table = page.locator(f"{LAB} [data-panel=next] .course-lab-scroller")
    table.focus()
    before = drawn()
    page.keyboard.press("ArrowDown")
    follows(before)
    assert page.locator(f"{LAB} [data-panel=next] tbody tr.is-chosen").count() == 1
    words = page.locator(f"{LAB} [data-panel=next] tbody tr.is-chosen th").inner_text()
    before = drawn()
    page.keyboard.press("Enter")
    follows(before)
    assert begun.input_value() == words.removeprefix("##")
    before = drawn()
    page.locator(f"{LAB} label:text-is('top-k (0: all)') + input").fill("3")
    follows(before)
    assert page.locator(f"{LAB} [data-panel=next] tr.is-greyed").count() > 0
    assert "With top-k 3" in page.inner_text(f"{LAB} .course-lab-summary")
    page.locator(f"{LAB} [data-panel=tree] canvas").focus()
    before = drawn()
    page.keyboard.press("End")
    follows(before)
    before = drawn()
    page.locator(f"{LAB} button:text-is('Take the tree up to the chosen place')").click()
    follows(before)
    assert len(begun.input_value()) > len(words)
    before = drawn()
    page.locator(f"{LAB} label:text-is('Keywords') + input").fill("返回 列表")
    follows(before)
    told = page.inner_text(f"{LAB} .course-lab-notice")
    assert "A word of the keywords is read as [UNK]" in told
    watched.picture("decoding-written")

"""The translation lab in a real browser: typed, stepped through, forced, walked, another memory looked at."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import IMPORTS, TRANSLATION

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=translation]"
WAIT = 60_000


def test_a_phrase_is_translated_and_what_follows_is_changed(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(IMPORTS, TRANSLATION, width=1000, height=1800)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)

    def drawn() -> str:
        return str(page.get_attribute(LAB, "data-drawn"))

    def follows(before: str) -> None:
        page.wait_for_function(
            "([lab, before]) => document.querySelector(lab).dataset.drawn !== before",
            arg=[LAB, before],
            timeout=WAIT,
        )

    def texts() -> dict[str, str]:
        rows = page.locator(f"{LAB} .course-lab-texts > li").all()
        return {
            row.locator(".is-name").inner_text(): row.locator("bdi").inner_text() for row in rows
        }

    def label(panel: str) -> str:
        return str(page.get_attribute(f"{LAB} [data-panel={panel}] canvas", "aria-label"))

    start = texts()
    assert start["The phrase"] == "Thursday, March 6, 1997"
    assert start["The exact answer"] == "1997年3月6日星期四"
    assert page.get_attribute(f"{LAB} .course-lab-texts bdi >> nth=1", "lang") == "zh"
    # The cursor steps by keys; all pictures follow.
    page.locator(f"{LAB} [data-panel=written] canvas").focus()
    before = drawn()
    page.keyboard.press("ArrowRight")
    follows(before)
    assert "step 2" in label("written")
    assert "step 2" in label("weights")
    assert "step 2" in label("flow")
    # In the lines the step is moved too, and the character that it looks at most follows.
    flow = page.locator(f"{LAB} [data-panel=flow] canvas")
    flow.focus()
    for key, step in (("ArrowDown", 3), ("ArrowUp", 2)):
        before = drawn()
        page.keyboard.press(key)
        follows(before)
        assert f"step {step}" in label("written")
    heaviest = (
        page.inner_text(f"{LAB} .course-lab-summary").split("at the characters ")[1].split()[0]
    )
    assert f"character {heaviest} " in label("flow")
    # Enter forces the row that the keys chose.
    table = page.locator(f"{LAB} [data-panel=next] .course-lab-scroller")
    table.focus()
    for key in ("ArrowDown", "Enter"):
        before = drawn()
        page.keyboard.press(key)
        follows(before)
    assert "forced" in label("written")
    assert texts()["Without your changes"] == start["The translation"]
    assert texts()["The translation"] != start["The translation"]
    watched.picture("translation-forced")
    before = drawn()
    page.locator(f"{LAB} button:text-is('Release what is forced')").click()
    follows(before)
    assert texts()["The translation"] == start["The translation"]
    # The tree is walked by keys, and its path taken.
    page.locator(f"{LAB} [data-panel=tree] canvas").focus()
    before = drawn()
    page.keyboard.press("ArrowDown")
    follows(before)
    walked = texts()["In the tree"]
    assert not start["The translation"].startswith(walked)
    before = drawn()
    page.locator(f"{LAB} button:text-is('Force the tree\\'s path up to the chosen place')").click()
    follows(before)
    assert texts()["The translation"].startswith(walked)
    # Another phrase's memory; typing lets go of what was forced.
    before = drawn()
    page.locator(f"{LAB} label:text-is('English phrase') + input").fill("Thursday, snö")
    follows(before)
    assert "“ö”" in page.inner_text(f"{LAB} .course-lab-notice")
    assert "Without your changes" not in texts()
    before = drawn()
    page.locator(f"{LAB} label:text-is('Memory') + select").select_option(index=1)
    follows(before)
    other = page.locator(f"{LAB} label:text-is('Other phrase') + input")
    assert other.input_value() == "Monday, October 12, 2020"
    other.fill("")
    page.wait_for_selector(f"{LAB} [aria-invalid=true]", timeout=WAIT)
    assert "Type the other phrase" in page.inner_text(f"{LAB} .course-lab-notice")
    watched.picture("translation-swapped")

"""The tokenizer lab in a real browser: typed in, its size moved, looked at in both themes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=tokenizer]"
WAIT = 60_000


def wait_for_summary(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} .course-lab-summary:has-text('{words}')", timeout=WAIT)


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_text_and_size_are_followed(open_notebook: OpenNotebook, dark: bool) -> None:
    watched = open_notebook("from course import labs\nlabs.TokenizerLab()", dark=dark, height=1250)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    slider = page.locator(f"{LAB} input[type=range]")
    assert slider.get_attribute("aria-valuetext") == "800"
    before = page.locator(f"{LAB} [data-panel=pieces] canvas").evaluate(
        "(node) => node.toDataURL()"
    )
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_for_summary(page, "1,100 entries")
    assert (
        page.locator(f"{LAB} [data-panel=pieces] canvas").evaluate("(n) => n.toDataURL()") != before
    )
    page.locator(f"{LAB} input[type=text]").fill("café 雪")
    wait_for_summary(page, "1 token unknown: “雪”")
    page.locator(f"{LAB} [data-panel=counts] canvas").focus()
    page.keyboard.press("ArrowLeft")
    wait_for_summary(page, "800 entries")
    page.locator(f"{LAB} label:text-is('Examples') + select").select_option(index=1)
    wait_for_summary(page, "“tokenization” is")  # keys act on what is seen
    page.locator(f"{LAB} [data-panel=pieces] canvas").focus()
    page.keyboard.press("End")
    wait_for_summary(page, "“.” is .")
    page.keyboard.press("Home")
    wait_for_summary(page, "“tokenization” is")
    watched.picture(f"tokenizer-{'dark' if dark else 'light'}")

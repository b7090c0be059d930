"""A saved notebook, opened again: every lab and question shows what it showed last, and no error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import EVERY_CELL, IMPORTS, QUESTIONS, QUIZ
from tests.browser.server import JupyterLab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
SHOWN = (*QUESTIONS, *EVERY_CELL)


def visible(page: Any, selector: str) -> int:
    """How many elements are shown."""
    found = page.locator(selector)
    return sum(found.nth(i).is_visible() for i in range(found.count()))


def wait_for_visible(page: Any, selector: str, count: int) -> None:
    page.wait_for_function(
        "([selector, count]) => [...document.querySelectorAll(selector)]"
        ".filter((node) => node.offsetParent !== null).length === count",
        arg=[selector, count],
        timeout=WAIT,
    )


def test_a_saved_notebook_shows_how_it_was_left(
    open_notebook: OpenNotebook, server: JupyterLab
) -> None:
    watched = open_notebook(IMPORTS, *SHOWN, height=4500, afresh=True)
    page = watched.page
    wait_for_visible(page, ".course-live", len(SHOWN))
    wait_for_visible(page, ".course-still", 0)
    page.get_by_role("radio").nth(QUIZ.right).click()
    page.wait_for_selector(".course-quiz-says:has-text('Right.')", timeout=WAIT)
    page.locator("[data-lab=tokenizer]").get_by_role("textbox", name="Text").fill(
        "Nothing but penguins."
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('.course-still')]"
        ".some((node) => node.textContent.includes('penguins'))",
        timeout=WAIT,
    )
    wait_for_visible(page, ".course-still", 0)  # renewed, and still out of sight
    page.keyboard.press("Control+s")  # with the focus in the lab
    page.wait_for_selector("#jp-main-dock-panel .lm-TabBar-tab:not(.jp-mod-dirty)", timeout=WAIT)
    watched.picture("reopened-before")
    name = page.url.partition("/tree/")[2].partition("?")[0]
    page.goto("about:blank")
    server.shut_kernels()
    page.goto(server.address(name))
    wait_for_visible(page, ".course-still", len(SHOWN))
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    page.wait_for_timeout(3000)  # JupyterLab looks for the widgets meanwhile
    watched.picture("reopened-after")
    assert visible(page, "text=Error displaying widget") == 0
    assert visible(page, "text=Loading widget") == 0
    assert visible(page, ".course-still") == len(SHOWN)
    assert "penguin" in str(page.text_content(".jp-Notebook"))
    assert "(right)" in page.inner_text(".jp-Notebook")
    watched.errors[:] = [error for error in watched.errors if "model not found" not in error]

"""The training theatre in a real JupyterLab in a real Chromium, driven by keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.test_axe import LEAVE_KEYS, faults
from tests.browser.toy_training import CELL

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=theatre]"
WAIT = 60_000


def opened(open_notebook: OpenNotebook, **how: Any) -> Any:
    watched = open_notebook(CELL, more=False, **how)
    watched.page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    return watched


def press(page: Any, name: str) -> None:
    page.locator(f"{LAB} [data-press={name}]").focus()
    page.keyboard.press("Enter")


def wait_for_state(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} .course-lab-state:has-text('{words}')", timeout=WAIT)


def test_a_training_is_driven_by_keys(open_notebook: OpenNotebook) -> None:
    watched = opened(open_notebook)
    page = watched.page
    press(page, "go")
    wait_for_state(page, "Running: update")
    page.wait_for_selector(f"{LAB} .is-answers:not([data-at='0'])", timeout=WAIT)
    press(page, "go")
    wait_for_state(page, "Paused: update")
    state = page.locator(f"{LAB} .course-lab-state").first
    before = state.inner_text()
    press(page, "step")
    page.wait_for_function(
        "(before) => document.querySelector('.course-lab-state').innerText !== before",
        arg=before,
        timeout=WAIT,
    )
    wait_for_state(page, "Paused: update")
    at = page.locator(f"{LAB} [data-panel=answers]")
    shown = at.get_attribute("data-at")
    page.get_by_label("Moment").focus()
    page.keyboard.press("Home")
    page.wait_for_selector(f"{LAB} [data-panel=answers][data-at='0']", timeout=WAIT)
    assert shown != "0"
    page.keyboard.press("PageUp")
    page.wait_for_selector(f"{LAB} [data-panel=answers]:not([data-at='0'])", timeout=WAIT)
    page.locator(f"{LAB} .course-lab-more").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Learning rate").fill("0.03")
    for button, told in (("Change the rate now", "from now on"), ("Branch here", "B branches off")):
        page.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(f"{LAB} .course-lab-notice:has-text('{told}')", timeout=WAIT)
    page.wait_for_selector(f"{LAB} [data-panel=answers_b][data-at]", timeout=WAIT)
    watched.picture("theatre-branch")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_notebook: OpenNotebook, dark: bool) -> None:
    watched = opened(open_notebook, dark=dark)
    page = watched.page
    press(page, "go")
    page.wait_for_selector(f"{LAB} .is-answers:not([data-at='0'])", timeout=WAIT)
    press(page, "go")
    wait_for_state(page, "Paused: update")
    page.locator(f"{LAB} .course-lab-more").click()
    page.get_by_role("button", name="Numbers as tables").click()
    watched.picture(f"theatre-{'dark' if dark else 'light'}")
    assert page.evaluate(LEAVE_KEYS) == []
    assert faults(page) == []

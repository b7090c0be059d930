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


def states(page: Any) -> list[str]:
    """What each view says of its runs."""
    script = "(nodes) => nodes.map((node) => node.innerText)"
    return list(page.locator(f"{LAB} .course-lab-runs").evaluate_all(script))


def test_two_views_show_the_same_and_a_branch_takes_the_controls(
    open_notebook: OpenNotebook,
) -> None:
    watched = open_notebook(CELL, "theatre", more=False, height=2400)
    page = watched.page
    page.wait_for_function(
        f"() => document.querySelectorAll('{LAB}[data-drawn]').length === 2", timeout=WAIT
    )
    first, second = (page.locator(LAB).nth(i) for i in (0, 1))
    first.locator("[data-press=go]").click()
    second.locator(".course-lab-state:has-text('Running: update')").wait_for(timeout=WAIT)
    second.locator("[data-press=go]").click()
    first.locator(".course-lab-state:has-text('Paused: update')").wait_for(timeout=WAIT)
    page.wait_for_timeout(500)
    assert states(page)[0] == states(page)[1]
    # A branch with another setting, of the controls.
    first.locator(".course-lab-more").click()
    first.get_by_label("Dropout").fill("0.3")
    first.get_by_role("button", name="Branch here").click()
    for view in (first, second):
        view.locator(".course-lab-state:has-text('B: ')").wait_for(timeout=WAIT)
    notice = first.locator(".course-lab-notice")
    assert "dropout 0.3" in notice.inner_text()
    first.locator(".course-lab-state:has-text('B: Running')").wait_for(timeout=WAIT)
    first.get_by_role("button", name="Numbers as tables").click()
    assert page.evaluate(LEAVE_KEYS) == []
    # Two views of one lab have one name.
    assert [fault for fault in faults(page) if not fault.startswith("landmark-unique")] == []
    watched.picture("theatre-two-views")

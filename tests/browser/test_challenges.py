"""A lab's tasks in a real browser: opened, helped and reached by keys, told, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.test_axe import faults
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
LAB = "[data-lab=position]"
TASKS = f"{LAB} .course-lab-challenges"
HOME = "import os, tempfile\nos.environ['COURSE_HOME'] = tempfile.mkdtemp()"
CELL = "from course import labs\nlabs.PositionLab(position=3, other=46)"


def wait_for_line(page: Any, count: int) -> None:
    line = f"Tasks: {count} of 4 reached"
    page.wait_for_selector(f"{TASKS} summary:has-text('{line}')", timeout=WAIT)


def run_again(page: Any) -> None:
    """Run the lab's cell again, and wait for the lab that comes in the old one's place."""
    page.evaluate(f"() => document.querySelector('{LAB}').setAttribute('data-old', '')")
    page.locator(".jp-Cell .cm-content").nth(1).click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"{LAB}[data-drawn]:not([data-old])", timeout=WAIT)


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_a_task_is_reached_by_keys_and_stays_reached(
    open_notebook: OpenNotebook, dark: bool
) -> None:
    watched = open_notebook(HOME, CELL, dark=dark, width=900, height=1200)
    page, theme = watched.page, "dark" if dark else "light"
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    wait_for_line(page, 0)
    assert not page.locator(f"{TASKS} li").first.is_visible()

    page.locator(f"{LAB} .course-lab-tools button").last.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(f"{TASKS} li").first.wait_for(state="visible")
    page.keyboard.press("Enter")
    page.locator(f"{TASKS} li").first.wait_for(state="hidden")
    page.get_by_role("button", name="Tasks: 0 of 4 reached").focus()
    page.keyboard.press("Enter")
    page.locator(f"{TASKS} li").first.wait_for(state="visible")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')") == (
        "Hint for task 1"
    )
    hint = page.get_by_text("The first that fits lies between 40 and 50.")
    assert not hint.is_visible()
    page.keyboard.press("Enter")
    assert hint.is_visible()
    assert page.get_by_text("44 radians").count() == 0
    watched.picture(f"challenges-open-{theme}")

    page.locator(f"{LAB} label:text-is('another position') + input").focus()
    before = page.locator(f"{LAB} [data-panel=table] canvas").bounding_box()
    page.keyboard.press("ArrowRight")
    wait_for_line(page, 1)
    told = page.locator(f"{TASKS} [aria-live=polite]")
    assert told.inner_text().startswith("Task 1 reached. 44 radians are 7 turns")
    after = page.locator(f"{LAB} [data-panel=table] canvas").bounding_box()
    assert after == before  # nothing moved under a pointer
    assert page.get_by_text("✓ Task 1 reached: see below.").is_visible()
    first, second = (page.locator(f"{TASKS} li").nth(i).inner_text() for i in (0, 1))
    assert first.startswith("✓ reached:")
    assert "44 radians" in first
    assert second.startswith("○ to do:")
    watched.picture(f"challenges-reached-{theme}")
    first_task = page.locator(f"{TASKS} li").first
    first_task.scroll_into_view_if_needed()
    watched.picture(f"challenges-list-{theme}")
    assert faults(page) == []

    run_again(page)
    wait_for_line(page, 1)
    assert page.locator(f"{TASKS} li").first.inner_text().startswith("✓ reached:")  # still unfolded
    assert page.locator(f"{TASKS} [aria-live=polite]").inner_text() == ""

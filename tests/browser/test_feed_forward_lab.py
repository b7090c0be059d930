"""The feed-forward lab in a real JupyterLab in a real Chromium, moved by keys and mouse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=feed-forward]"
CELL = "from course import labs\nlabs.FeedForwardLab()"
WAIT = 60_000


def drawn(page: Any) -> int:
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    return int(page.get_attribute(LAB, "data-drawn"))


def wait_beyond(page: Any, number: int) -> int:
    page.wait_for_function(
        "([lab, number]) => Number(document.querySelector(lab).dataset.drawn) > number",
        arg=[LAB, number],
        timeout=WAIT,
    )
    return drawn(page)


def pixels(page: Any, panel: str) -> str:
    canvas = page.locator(f"{LAB} [data-panel={panel}] canvas")
    return str(canvas.evaluate("(node) => node.toDataURL()"))


def test_keys_move_the_network_and_the_neurons(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page = watched.page
    number = drawn(page)
    watched.picture("feed-forward-light")
    summary = page.locator(f"{LAB} .course-lab-summary")
    # Each control of the small network by its keys, and its picture follows.
    for where, key in (
        ("label:text-is('Neurons') >> xpath=../input", "ArrowRight"),
        ("label:text-is('Step') >> xpath=../input", "ArrowLeft"),
        ("label:text-is('Activation') + select", "ArrowDown"),
        ("label:text-is('Curve') + select", "ArrowDown"),
    ):
        before = pixels(page, "curve")
        page.locator(f"{LAB} {where}").focus()
        page.keyboard.press(key)
        number = wait_beyond(page, number)
        assert pixels(page, "curve") != before, where
    assert "9 neurons with GELU learn “absolute value”" in summary.inner_text()
    # A step is chosen in the picture of the loss.
    before = pixels(page, "curve")
    page.locator(f"{LAB} [data-panel=loss] canvas").focus()
    page.keyboard.press("Home")
    number = wait_beyond(page, number)
    assert pixels(page, "curve") != before
    assert "At step 0 " in summary.inner_text()
    # A token, then one of the neurons that it excites, then a neuron with a name.
    for panel in ("tokens", "neurons"):
        before = pixels(page, "words") if panel == "neurons" else pixels(page, "neurons")
        page.locator(f"{LAB} [data-panel={panel}] canvas").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        number = wait_beyond(page, number)
    page.locator(f"{LAB} label:text-is('Some to look at') + select").select_option(index=2)
    page.wait_for_selector(
        f"{LAB} .course-lab-summary:text('Neuron 1184 of layer 1')", timeout=WAIT
    )
    watched.picture("feed-forward-neurons")
    page.locator(f"{LAB} label:text-is('Sentence') + input").fill("  ")
    notice = page.locator(f"{LAB} .course-lab-notice")
    notice.wait_for(state="visible", timeout=WAIT)
    assert "There is no text" in notice.inner_text()

"""The stack lab in a real JupyterLab in a real Chromium, moved by keys and mouse."""

from __future__ import annotations

from typing import Any

import pytest

from course.labs.stack.compute import compute
from course.labs.stack.settings import Settings
from tests.browser.conftest import OpenNotebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=stack]"
CELL = "from course import labs\nlabs.StackLab()"
WAIT = 60_000


def drawn(page: Any) -> int:
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    return int(page.get_attribute(LAB, "data-drawn"))


def wait_beyond(page: Any, number: int) -> None:
    page.wait_for_function(
        "([lab, number]) => Number(document.querySelector(lab).dataset.drawn) > number",
        arg=[LAB, number],
        timeout=WAIT,
    )


def pixels(page: Any, panel: str) -> str:
    canvas = page.locator(f"{LAB} [data-panel={panel}] canvas")
    return str(canvas.evaluate("(node) => node.toDataURL()"))


def readout(page: Any, panel: str) -> str:
    return str(page.inner_text(f"{LAB} [data-panel={panel}] .course-lab-readout"))


def test_keys_move_the_stack_and_the_pictures_follow(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page, walk = watched.page, compute(Settings())[0]
    number = drawn(page)
    watched.picture("stack-light")
    assert readout(page, "norms") == "this stack, after layer 12: 8"
    told, _, cosine = readout(page, "cosines").rpartition(" ")
    assert told.endswith("cosine")
    assert float(cosine) == pytest.approx(float(walk.cosines[12, 2, 8]), abs=1e-3)
    panels = ["gradients", "similarity", "norms", "cosines"]
    # Each control by its keys: what is focused keeps them, and every picture changes.
    for where, key in (
        ("label:text-is('residual connections') >> xpath=../input", "Space"),
        ("label:text-is('Layers') >> xpath=../input", "ArrowLeft"),
        ("label:text-is('First weights') + select", "ArrowDown"),
    ):
        before = {name: pixels(page, name) for name in panels}
        page.locator(f"{LAB} {where}").focus()
        page.keyboard.press(key)
        wait_beyond(page, number)
        number = drawn(page)
        changed = {name for name in panels if pixels(page, name) != before[name]}
        assert changed >= {"gradients", "similarity"}, where
    assert "all alike" in page.inner_text(f"{LAB} .course-lab-summary")
    # A layer is chosen on a line; its tokens are seen below.
    page.locator(f"{LAB} [data-panel=similarity] canvas").focus()
    page.keyboard.press("Home")
    wait_beyond(page, number)
    number = drawn(page)
    caption = f"{LAB} [data-panel=cosines] figcaption"
    assert "before the first layer" in page.inner_text(caption)
    page.locator(f"{LAB} [data-panel=gradients] canvas").focus()
    page.keyboard.press("End")
    wait_beyond(page, number)
    number = drawn(page)
    assert "after layer 11" in page.inner_text(caption)
    # Lines that were kept stand beside new ones, and MiniLM's too.
    page.click(f"{LAB} button:text-is('Keep these lines')")
    wait_beyond(page, number)
    page.check(f"{LAB} label:text-is('the pretrained MiniLM') >> xpath=../input")
    page.check(f"{LAB} label:text-is('residual connections') >> xpath=../input")
    page.wait_for_selector(f"{LAB} .course-lab-summary:text('MiniLM beside it')", timeout=WAIT)
    page.wait_for_selector(f"{LAB} .course-lab-summary:text('Kept: 11')", timeout=WAIT)
    watched.picture("stack-beside")
    page.locator(f"{LAB} label:text-is('d_model') + input").fill("66")
    notice = page.locator(f"{LAB} .course-lab-notice")
    notice.wait_for(state="visible", timeout=WAIT)
    assert "not divisible by 4 heads" in notice.inner_text()

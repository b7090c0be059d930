"""The vision lab in a real browser: drawn by mouse and by keys, patches covered, shuffled and looked from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import IMPORTS, VISION

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=vision]"
WAIT = 60_000


class Page:
    """The lab's parts on a page."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def canvas(self, panel: str) -> Any:
        return self.page.locator(f"{LAB} [data-panel={panel}] canvas")

    def drawn(self) -> str:
        return str(self.page.get_attribute(LAB, "data-drawn"))

    def follows(self, changed: str) -> None:
        self.page.wait_for_function(
            "([lab, before]) => document.querySelector(lab).dataset.drawn !== before",
            arg=[LAB, changed],
            timeout=WAIT,
        )

    def told(self, words: str) -> None:
        self.page.wait_for_selector(f'{LAB} .course-lab-summary:has-text("{words}")', timeout=WAIT)

    def cell(self) -> str:
        """What a screen reader hears of the sketch's cursor."""
        at = self.canvas("sketch").get_attribute("aria-activedescendant")
        return str(self.page.get_attribute(f"[id='{at}']", "aria-label"))

    def press(self, panel: str, *keys: str) -> None:
        self.canvas(panel).focus()
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, words: str) -> None:
        before = self.drawn()
        self.page.locator(f"{LAB} button:text-is('{words}')").click()
        self.follows(before)

    def pixels(self, panel: str) -> str:
        return str(self.canvas(panel).evaluate("(node) => node.toDataURL()"))


@pytest.fixture
def lab(open_notebook: OpenNotebook) -> Page:
    watched = open_notebook(IMPORTS, VISION, height=1700)
    watched.page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    watched.page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    watched.picture("vision-start")
    return Page(watched.page)


def test_a_digit_is_drawn_by_keys_and_by_mouse(lab: Page) -> None:
    lab.button("Clear")
    assert lab.canvas("sketch").get_attribute("role") == "grid"
    assert lab.page.locator(f"{LAB} [role=gridcell]").count() == 64
    lab.press("sketch", "ArrowDown", "ArrowRight", "ArrowRight")
    assert lab.cell() == "row 1, column 2, patch 1: ink 0 of 16"
    before = lab.drawn()
    lab.press("sketch", " ")
    assert lab.cell().endswith("ink 16 of 16")  # at once, before Python answers
    lab.follows(before)
    lab.press("sketch", "ArrowRight")
    assert lab.cell().endswith("column 3, patch 1: ink 6 of 16")  # the brush is soft
    lab.press("sketch", "Delete")
    assert lab.cell().endswith("ink 0 of 16")
    lab.press("sketch", "9", "Shift+ArrowDown", "Shift+ArrowDown")
    assert lab.cell() == "row 3, column 3, patch 5: ink 16 of 16"
    lab.told("Your drawing; it began as example 0")
    box = lab.canvas("sketch").bounding_box()
    cell = box["width"] / 8
    before = lab.drawn()
    lab.page.mouse.move(box["x"] + 6.5 * cell, box["y"] + 1.5 * cell)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 6.5 * cell, box["y"] + 6.5 * cell, steps=4)
    lab.page.mouse.up()
    lab.follows(before)
    assert lab.cell() == "row 6, column 6, patch 15: ink 16 of 16"
    lab.press("sketch", "ArrowUp", "ArrowUp")
    assert lab.cell().endswith("ink 16 of 16")  # all along the stroke
    lab.page.locator(f"{LAB} label:text-is('Tool') + select").select_option("eraser")
    lab.press("sketch", " ")
    assert lab.cell().endswith("ink 0 of 16")
    lab.button("Next")
    lab.told("Example 1")


def test_patches_are_covered_shuffled_and_looked_from(lab: Page) -> None:
    lab.press("sentence", "ArrowRight", "ArrowRight")
    before = lab.drawn()
    lab.press("sentence", " ")
    lab.follows(before)
    lab.told("Patch 2 is occluded.")
    before = lab.drawn()
    box = lab.canvas("sentence").bounding_box()
    lab.page.mouse.click(box["x"] + 4 * 42 + 15, box["y"] + 15)  # class token, 0, 1, 2, 3
    lab.follows(before)
    lab.told("Patches 2, 3 are occluded.")
    lab.button("Uncover all")
    effect = lab.pixels("effect")
    lab.page.mouse.move(box["x"] + 6 * 42 + 15, box["y"] + 15)
    assert lab.pixels("effect") != effect  # the patch under the pointer is framed there
    lab.button("Shuffle the patches")
    lab.told("shuffled with seed 0")
    assert lab.canvas("read").is_visible()
    lab.page.locator(f"{LAB} label:text-is('Positions') + select").select_option(
        "moved along with the patches"
    )
    lab.told("Each position moved along with its patch")
    assert lab.canvas("read").is_hidden()
    lab.button("Put them back")
    before = lab.drawn()
    lab.press("attention", "End")
    lab.follows(before)
    lab.told("Patch 15 looks most at")


def test_a_drawing_outlives_its_kernel(lab: Page) -> None:
    page = lab.page
    lab.press("sketch", "9", "ArrowRight", "9")
    lab.told("Your drawing; it began as example 0")
    page.click("#jp-MainMenu >> text=Kernel")
    page.click('[data-command="kernelmenu:restart"]')
    page.click(".jp-Dialog .jp-mod-accept")
    page.wait_for_selector(
        f"{LAB} .course-lab-notice:has-text('Run this cell again')", timeout=WAIT
    )
    lab.press("sketch", "ArrowRight", "5")
    assert lab.cell() == "row 0, column 2, patch 1: ink 9 of 16"  # drawn on, with no kernel
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    for number in (0, 1):
        page.locator(".jp-CodeCell .jp-InputArea-editor").nth(number).click()
        page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"{LAB}:has(.course-lab-notice[hidden])", timeout=WAIT)
    lab.told("Your drawing; it began as example 0")
    lab.press("sketch", "ArrowRight", "ArrowRight")
    assert lab.cell() == "row 0, column 2, patch 1: ink 9 of 16"


def test_a_narrow_dark_page(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(IMPORTS, VISION, width=700, height=2400, dark=True)
    watched.page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    watched.page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    lab = Page(watched.page)
    lab.button("Shuffle the patches")
    watched.picture("vision-narrow-dark")
    reach = "(node) => node.scrollWidth - node.clientWidth"
    assert watched.page.locator(LAB).evaluate(reach) <= 1

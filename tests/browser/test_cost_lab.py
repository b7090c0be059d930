"""The cost lab in a real browser: costs follow keys, a curve and a roof are walked, and a layer is timed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import COST, IMPORTS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=cost]"
WAIT = 60_000


class Page:
    """The lab on its page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
        page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)

    def drawn(self) -> str:
        return str(self.page.get_attribute(LAB, "data-drawn"))

    def follows(self, before: str) -> None:
        self.page.wait_for_function(
            "([lab, before]) => document.querySelector(lab).dataset.drawn !== before",
            arg=[LAB, before],
            timeout=WAIT,
        )

    def control(self, label: str, kind: str = "input") -> Any:
        return self.page.locator(f"{LAB} label:text-is('{label}') + {kind}")

    def press(self, *keys: str) -> None:
        before = self.drawn()
        for key in keys:
            self.page.keyboard.press(key)
        self.follows(before)

    def text(self, part: str) -> str:
        return str(self.page.inner_text(f"{LAB} {part}"))


def test_costs_are_explored_by_keys_and_a_layer_is_timed(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(IMPORTS, COST, height=1700)
    page, lab = watched.page, Page(watched.page)
    watched.picture("cost-start")
    length = lab.control("Length, in tokens")
    length.focus()
    lab.press("ArrowUp")
    assert length.input_value() == "256"
    assert "8 texts of 256 tokens" in lab.text(".course-lab-summary")
    page.locator(f"{LAB} [data-panel=curve] canvas").focus()
    lab.press("ArrowRight")  # the next point of the curve
    assert length.input_value() == "512"
    page.locator(f"{LAB} [data-panel=roofline] canvas").focus()
    chosen = lab.text("[data-panel=parts] tr.is-chosen th")
    lab.press("ArrowLeft")
    other = lab.text("[data-panel=parts] tr.is-chosen th")
    assert other != chosen
    assert other in lab.text("[data-panel=roofline] .course-lab-readout")
    before = lab.drawn()
    lab.control("Attention", "select").select_option("fused (SDPA)")
    lab.follows(before)
    assert "softmax" not in lab.text("[data-panel=parts] tbody")
    before = lab.drawn()
    length.fill("64")
    lab.follows(before)
    button = page.locator(f"{LAB} [data-press=measure]")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(lab) => document.querySelector(`${lab} [data-panel=measure]`).innerText.includes('Measured:')",
        arg=LAB,
        timeout=WAIT,
    )
    assert button.inner_text() == "Measure this"
    assert "of the peak" in lab.text(".course-lab-summary")
    watched.picture("cost-measured")
    before = lab.drawn()
    length.fill("65536")
    lab.follows(before)
    assert button.get_attribute("aria-disabled") == "true"
    assert "Make the batch or the length smaller" in lab.text("[data-panel=measure]")
    lab.control("heads").fill("7")
    page.wait_for_selector(f"{LAB} [aria-invalid=true]", timeout=WAIT)
    assert lab.control("heads").get_attribute("aria-invalid") == "true"
    assert "not divisible by 7 heads" in lab.text(".course-lab-notice")
    watched.picture("cost-refused")


@pytest.mark.parametrize(("width", "dark"), [(560, False), (1400, True)])
def test_it_fits_a_narrow_and_a_dark_page(
    open_notebook: OpenNotebook, width: int, dark: bool
) -> None:
    watched = open_notebook(IMPORTS, COST, width=width, height=2300, dark=dark)
    lab = Page(watched.page)
    before = lab.drawn()
    lab.control("Pass", "select").select_option("training: and backward")
    lab.follows(before)
    assert "gradients and optimizer" in lab.text("[data-panel=memory]")
    watched.picture(f"cost-{width}")
    box, room = (
        watched.page.locator(selector).first.bounding_box()
        for selector in (f"{LAB} [data-panel=parts]", LAB)
    )
    assert box["x"] + box["width"] <= room["x"] + room["width"] + 1

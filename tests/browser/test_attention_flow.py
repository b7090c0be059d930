"""The flow of the attention lab in a real JupyterLab: chosen, pointed at, of several heads."""

from __future__ import annotations

from typing import Any

import pytest

from course.labs.attention.compute import compute
from course.labs.attention.flow import output_shares
from course.labs.attention.settings import Settings
from tests.browser.conftest import OpenNotebook, at_rest
from tests.browser.test_attention_lab import (
    CELL,
    LAB,
    TEXT,
    canvas,
    drawn,
    pixels,
    readout,
    wait_beyond,
)
from tests.browser.test_axe import faults
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def press(page: Any, key: str) -> None:
    """Press a key and wait for Python's answer."""
    number = drawn(page)
    page.keyboard.press(key)
    wait_beyond(page, number)


def place(page: Any, panel: str, across: float, down: float) -> None:
    """Point at a place of a canvas, in shares of its size, or in pixels where above 1."""
    box = canvas(page, panel).bounding_box()
    x = across if across > 1 else across * box["width"]
    page.mouse.move(box["x"] + x, box["y"] + (down if down > 1 else down * box["height"]))


def chips(page: Any) -> list[int]:
    """The heads whose chips are pressed."""
    pressed = page.locator(f"{LAB} .course-lab-chip[aria-pressed=true]")
    return [int(text) for text in pressed.all_inner_texts()]


def test_keys_in_the_flow_move_matrix_row_and_readout(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page, weights = watched.page, compute(Settings(TEXT)).weights[1, 3]
    drawn(page)
    before = at_rest(page, lambda: [pixels(page, name) for name in ("flow", "weights")])
    canvas(page, "flow").focus()
    press(page, "ArrowUp")  # from query 8 and key 1
    press(page, "ArrowRight")
    assert readout(page, "flow") == (
        f"query 7 “helped” gives key 2 “thanked” about {weights[7, 2]:.2f} of its weight"
    )
    assert readout(page, "weights").startswith("query 7 “helped”, key 2 “thanked”: ")
    row = page.inner_text(f"{LAB} [data-panel=row] tbody tr.is-chosen").split("\t")
    assert (row[0], row[4]) == ("thanked", f"{weights[7, 2]:.3f}")
    assert "“helped”" in page.inner_text(f"{LAB} [data-panel=row] figcaption")
    label = canvas(page, "flow").get_attribute("aria-label")
    assert label.endswith(readout(page, "flow"))
    now = [pixels(page, name) for name in ("flow", "weights")]
    assert all(after != earlier for after, earlier in zip(now, before, strict=True))
    canvas(page, "weights").focus()
    press(page, "ArrowDown")
    assert readout(page, "flow").startswith("query 8 “her” gives key 2 “thanked” ")
    # A click on a word chooses it, on its own side.
    box, number = canvas(page, "flow").bounding_box(), drawn(page)
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 20 + 1.5 * 20)
    wait_beyond(page, number)
    assert readout(page, "weights").startswith("query 8 “her”, key 1 “anna”: ")


def test_chips_draw_more_heads(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL, "lab.settings['flow']")
    page = watched.page
    drawn(page)
    one = at_rest(page, lambda: pixels(page, "flow"))
    assert chips(page) == [3]
    page.locator(f"{LAB} .course-lab-chip[aria-label='head 5']").focus()
    press(page, "Space")
    assert chips(page) == [3, 5]
    assert "in head 3; about" in readout(page, "flow")
    assert "heads 3, 5:" in page.inner_text(f"{LAB} [data-panel=flow] figcaption")
    two = pixels(page, "flow")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.textContent") == "6"
    press(page, "Enter")
    assert chips(page) == [3, 5, 6]
    assert len({one, two, pixels(page, "flow")}) == 3
    page.click(f"{LAB} button:text-is('all')")
    page.wait_for_function(
        f"() => document.querySelectorAll('{LAB} [aria-pressed=true].course-lab-chip').length === 12"
    )
    watched.picture("flow-all-heads")
    number = drawn(page)
    page.click(f"{LAB} button:text-is('this head')")
    wait_beyond(page, number)
    assert chips(page) == [3]
    # The chosen head's lines follow it.
    number = drawn(page)
    page.locator(f"{LAB} label:text-is('Head') + select").select_option("4")
    wait_beyond(page, number)
    assert chips(page) == [4]


def test_what_is_pointed_at_is_shown_in_the_other_panels(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page = watched.page
    drawn(page)
    rest = at_rest(page, lambda: [pixels(page, name) for name in ("flow", "weights")])
    sent = watched.sent
    place(page, "flow", 30, 20 + 3.5 * 20)  # the fourth query
    assert readout(page, "flow").startswith("query 3 “peter” looks most at key 0 “[CLS]” (")
    pointed = [pixels(page, name) for name in ("flow", "weights")]
    assert all(now != before for now, before in zip(pointed, rest, strict=True))
    watched.picture("flow-pointed")
    box = canvas(page, "flow").bounding_box()
    place(page, "flow", box["width"] - 30, 20 + 4.5 * 20)  # the fifth key
    assert readout(page, "flow").startswith("key 4 “because” gets most from query ")
    marked = page.locator(f"{LAB} [data-panel=row] tbody tr.is-pointed")
    assert marked.inner_text().startswith("because\t")
    place(page, "weights", 0.5, 0.5)
    query, key = readout(page, "weights").removeprefix("query ").split(", key ")
    assert readout(page, "flow").startswith(f"query {query} gives key {key.split(': ')[0]} about")
    assert marked.count() == 1
    page.hover(f"{LAB} [data-panel=row] tbody tr:nth-child(2)")
    assert readout(page, "flow").startswith("key 1 “anna” gets most from ")
    page.mouse.move(5, 5)
    assert [pixels(page, name) for name in ("flow", "weights")] == rest
    assert marked.count() == 0
    assert watched.sent == sent


def test_lines_show_what_the_values_add(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page, arrays = watched.page, compute(Settings(TEXT))
    number = drawn(page)
    plain = at_rest(page, lambda: pixels(page, "flow"))
    page.locator(f"{LAB} label:text-is('colour lines by what the value adds')").click()
    wait_beyond(page, number)
    told = float(readout(page, "flow").split("makes up ")[1].split(" of")[0].replace("−", "-"))
    shares = output_shares(arrays.weights[1, 3:4], arrays.value[1, 3:4])[0]
    assert told == pytest.approx(shares[8, 1], abs=0.012)  # of 8 bits, and two digits
    assert pixels(page, "flow") != plain
    watched.picture("flow-shares")


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_axe_finds_nothing_in_the_chips_and_the_flow(
    open_notebook: OpenNotebook, dark: bool
) -> None:
    watched = open_notebook(
        "from course import labs\nlabs.AttentionLab(flow=(1, 3, 9, 11), shares=True)",
        dark=dark,
        height=4000,
    )
    page = watched.page
    drawn(page)
    page.click(f"{LAB} button:text-is('Numbers as tables')")
    lines = page.locator(f"{LAB} [data-panel=flow] .course-lab-behind tbody tr").count()
    assert lines == 4 * 12 * 12
    assert faults(page) == []
    watched.picture(f"flow-axe-{'dark' if dark else 'light'}")

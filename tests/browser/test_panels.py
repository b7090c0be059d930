"""Plots and texts in pieces in a real browser: drawn, chosen by key and mouse, read, in a table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook, at_rest
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=panels]"
CELL = "from tests.labs.panel_lab import PanelLab\nPanelLab()"
SLOW = """
import time
from course import labs
from tests.labs.panel_lab import PanelLab

class Slow:
    def apply(self, changes):
        time.sleep(0.15)
        super().apply(changes)

class SlowPanels(Slow, PanelLab): pass
class SlowAttention(Slow, labs.AttentionLab): pass
"""
WAIT = 60_000


def readout(page: Any, panel: str) -> str:
    return str(page.inner_text(f"{LAB} [data-panel={panel}] .course-lab-readout"))


def canvas(page: Any, panel: str) -> Any:
    return page.locator(f"{LAB} [data-panel={panel}] canvas")


def press(page: Any, panel: str, *keys: str) -> None:
    canvas(page, panel).focus()
    for key in keys:
        page.keyboard.press(key)


def wait_for_summary(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} .course-lab-summary:text('{words}')", timeout=WAIT)


def pixels(page: Any, panel: str) -> str:
    return str(canvas(page, panel).evaluate("(node) => node.toDataURL()"))


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_panels_are_drawn_chosen_and_read(open_notebook: OpenNotebook, dark: bool) -> None:
    watched = open_notebook(CELL, height=1300, dark=dark)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    watched.picture(f"panels-{'dark' if dark else 'light'}")
    # A line: along it, to the other line, to its ends. What lies aside is passed over.
    assert readout(page, "lines") == "power: 10 gives 100"
    press(page, "lines", "ArrowRight")
    wait_for_summary(page, "line 0 point 3")
    assert readout(page, "lines") == "power: 100 gives 10000"
    press(page, "lines", "ArrowDown")
    wait_for_summary(page, "line 1 point 3")
    assert readout(page, "lines") == "root: 100 gives 10"
    press(page, "lines", "ArrowDown", "ArrowRight", "Home")
    wait_for_summary(page, "line 1 point 0")
    # A map: to the next point in a direction; what is sent is the point's label.
    press(page, "map", "ArrowRight", "ArrowUp")
    wait_for_summary(page, "word Berlin")
    assert readout(page, "map") == "“Berlin” at 1.1, 1.1"
    # A text: along, up and down its lines, to its end.
    press(page, "text", "ArrowRight")
    wait_for_summary(page, "piece 2")
    assert readout(page, "text") == "2: “##believ” is 26767; continues the word"
    press(page, "text", "ArrowDown", "ArrowUp", "End")
    wait_for_summary(page, "piece 45")
    assert readout(page, "text") == "45: “[SEP]” is 102; special token"
    # Nobody chooses here, but keys read.
    press(page, "shaded", "ArrowRight")
    assert readout(page, "shaded") == "1: “w1”, number −0.50"


def test_the_mouse_reads_and_chooses(open_notebook: OpenNotebook) -> None:
    page = open_notebook(CELL, height=1300).page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    before = at_rest(page, lambda: pixels(page, "map"))
    box = canvas(page, "map").bounding_box()
    left_top = (box["x"] + box["width"] * 0.18, box["y"] + 50)
    page.mouse.move(*left_top)
    assert readout(page, "map").startswith("“Paris” at 0.1, 1")
    assert pixels(page, "map") != before
    page.mouse.move(box["x"] - 5, box["y"] - 5)
    page.wait_for_function(
        "([lab]) => document.querySelector(`${lab} [data-panel=map] .course-lab-readout`)"
        ".textContent.includes('king')",
        arg=[LAB],
    )
    assert pixels(page, "map") == before
    page.mouse.click(*left_top)
    wait_for_summary(page, "word Paris")
    text = canvas(page, "text").bounding_box()
    page.mouse.click(text["x"] + 20, text["y"] + 12)
    wait_for_summary(page, "piece 0")
    # New numbers, new lines.
    lines = pixels(page, "lines")
    page.locator(f"{LAB} input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([query, before]) => document.querySelector(query).toDataURL() !== before",
        arg=[f"{LAB} [data-panel=lines] canvas", lines],
        timeout=WAIT,
    )
    assert readout(page, "lines") == "power: 10 gives 1000"


def test_every_picture_has_a_table_and_a_name(open_notebook: OpenNotebook) -> None:
    page = open_notebook(CELL, height=1300).page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    page.click(f"{LAB} button:text-is('Numbers as tables')")
    tables = page.locator(f"{LAB} .course-lab-behind:visible table")
    assert tables.count() == page.locator(f"{LAB} canvas").count() == 4
    lines, places, text = (
        page.locator(f"{LAB} [data-panel={name}] tbody tr").all_inner_texts()
        for name in ("lines", "map", "text")
    )
    assert len(lines) == 5 + 4  # what lies aside is only orientation
    assert places[1].split("\t") == ["words queen", "1", "0.2"]
    assert text[2].split("\t") == ["##believ", "26767", "continues the word"]
    for name in ("lines", "map", "text"):
        assert canvas(page, name).get_attribute("aria-label")
        assert canvas(page, name).get_attribute("data-lm-suppress-shortcuts") == "true"
    assert canvas(page, "map").get_attribute("aria-roledescription") == "plot"


def test_keys_that_are_faster_than_the_answers_are_all_counted(open_notebook: OpenNotebook) -> None:
    page = open_notebook(SLOW + "SlowPanels()", height=1300).page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    press(page, "text", *["ArrowRight"] * 20)
    assert readout(page, "text").startswith("21: ")
    wait_for_summary(page, "piece 21")
    assert readout(page, "text").startswith("21: ")
    press(page, "map", "ArrowRight", "ArrowUp", "ArrowLeft")
    wait_for_summary(page, "word Paris")
    # A line, of which Python is told too, and back and forth along it.
    press(
        page,
        "lines",
        "ArrowDown",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowRight",
        "ArrowRight",
        "ArrowRight",
    )
    wait_for_summary(page, "line 1 point 3")
    assert readout(page, "lines") == "root: 100 gives 10"


def test_keys_that_are_faster_than_the_answers_are_counted_in_a_matrix(
    open_notebook: OpenNotebook,
) -> None:
    cell = SLOW + "SlowAttention(encoder='fresh', heads=4, d_model=32, query=0, key=0)"
    page = open_notebook(cell).page
    lab = "[data-lab=attention]"
    page.wait_for_selector(f"{lab}[data-drawn]", timeout=WAIT)
    page.locator(f"{lab} [data-panel=weights] canvas").focus()
    for key in ["ArrowDown"] * 6 + ["ArrowRight"] * 5:
        page.keyboard.press(key)
    page.wait_for_function(
        "([query, key]) => document.querySelector(`${query} select[id=${key}]`).selectedIndex === 5",
        arg=[lab, page.locator(f"{lab} label:text-is('Key') + select").get_attribute("id")],
        timeout=WAIT,
    )
    page.wait_for_selector(f"{lab} .course-lab-summary:text('(position 6)')", timeout=WAIT)
    said = page.inner_text(f"{lab} [data-panel=weights] .course-lab-readout")
    assert said.startswith("query 6 “")
    assert ", key 5 “" in said

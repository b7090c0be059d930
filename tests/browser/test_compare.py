"""Before and after: in every lab, what follows is drawn and told as difference until it is released."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook, at_rest
from tests.browser.everything import IMPORTS, LAB_CELLS, LAB_NAMES
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
BOTH = re.compile(r"was −?[\d.]+")
# By lab: the control that a key moves, the key, and how the line names the change.
MOVED = {
    "attention": ("input[type=range]", "ArrowLeft", "Temperature 1.00 → 0.95"),
    "tokenizer": ("input[type=text]", "End+x", "Text “"),
    "embedding": ("input[type=text]", "End+s", "Word “"),
    "position": ("label:text-is('base') + input", "ArrowLeft", "base 10,000 → "),
    "feed-forward": ("label:text-is('Neurons') + input", "ArrowRight", "Neurons "),
    "stack": ("label:text-is('Layers') + input", "ArrowRight", "Layers "),
    "shapes": ("input[type=text]", "End+x", "Text 1 “"),
    "search": ("input[type=text]", "End+s", "Question “"),
    "decoding": ("label:text-is('Temperature') + input", "ArrowLeft", "Temperature 1.0 → 0.9"),
    "translation": ("input[type=text]", "End+x", "English phrase “"),
    "cost": ("label:text-is('Texts in a batch') + input", "ArrowUp", "Texts in a batch 8 → 16"),
    "vision": ("label:text-is('Example') + input", "ArrowUp", "Example 0 → 1"),
    "speech": ("label:text-is('Speed') + input", "ArrowLeft", "Speed 1.00 → 0.98"),
}
# What the panels say then: in the line under a picture, in the line above it, in a table's cells.
SAID = {
    "attention": ("weights", "heads", "row"),
    "tokenizer": ("counts", "pieces", None),
    "embedding": (None, "near", "near"),
    "position": ("similarity", "table", None),
    "feed-forward": ("loss", "curve", None),
    "stack": ("norms", "cosines", None),
    "shapes": (None, "pieces", None),
    "search": (None, "by_meaning", None),
    "decoding": (None, "next", "next"),
    "translation": (None, "next", "next"),
    "cost": ("curve", "memory", "parts"),
    "vision": ("effect", "sketch", "answer"),
    "speech": (None, "sound", None),
}


def drawn(page: Any, lab: str) -> str:
    return str(page.get_attribute(f"[data-lab={lab}]", "data-drawn"))


def type_keys(page: Any, lab: str) -> None:
    """Move the lab's control by keyboard, and wait for the new picture."""
    where, keys, _ = MOVED[lab]
    before = drawn(page, lab)
    page.locator(f"[data-lab={lab}] {where}").first.focus()
    for key in keys.split("+"):
        page.keyboard.press(key)
    page.wait_for_function(
        "([lab, before]) => document.querySelector(`[data-lab=${lab}]`).dataset.drawn !== before",
        arg=[lab, before],
    )


def press(page: Any, lab: str) -> None:
    """Press the button of the comparison by keyboard."""
    page.locator(f"[data-lab={lab}] button:text-is('Compare with this')").focus()
    page.keyboard.press("Space")


def words(page: Any, lab: str) -> str:
    """All text of the lab, with the words of its tables and pictures."""
    return str(page.inner_text(f"[data-lab={lab}]"))


@pytest.mark.parametrize(("width", "dark"), by_day([(700, True), (1400, False)], 1))
def test_compare_in_every_lab(open_notebook: OpenNotebook, width: int, dark: bool) -> None:
    watched = open_notebook(IMPORTS, *LAB_CELLS, width=width, height=9000, dark=dark)
    page = watched.page
    for lab in LAB_NAMES:
        page.wait_for_selector(f"[data-lab={lab}][data-drawn]", timeout=WAIT)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    for lab in LAB_NAMES:
        at_rest(page, lambda lab=lab: words(page, lab))
        press(page, lab)
        assert "All settings are as they were" in words(page, lab)
        type_keys(page, lab)
        line = page.inner_text(f"[data-lab={lab}] .course-lab-differs")
        assert MOVED[lab][2] in line
        below, above, table = SAID[lab]
        panel = f"[data-lab={lab}] [data-panel="
        if below:
            assert BOTH.search(page.inner_text(f"{panel}{below}] .course-lab-readout"))
        assert page.inner_text(f"{panel}{above}] .course-lab-compared")
        reach = "(node) => node.scrollWidth - node.clientWidth"
        assert page.locator(f"[data-lab={lab}]").evaluate(reach) <= 1
        if table:
            cells = page.inner_text(f"{panel}{table}] tbody")
            assert re.search(r"\([+−][\d.]+\)|\(new\)", cells.replace("\u2007", ""))
        page.locator(f"[data-lab={lab}] button:text-is('Numbers as tables')").click()
        watched.picture(f"compare-{lab}-{width}", f"[data-lab={lab}]")
        page.locator(f"[data-lab={lab}] button:text-is('Numbers as tables')").click()
        press(page, lab)
        assert page.locator(f"[data-lab={lab}] .course-lab-differs").is_hidden()
        assert page.locator(f"[data-lab={lab}] .course-lab-compared:visible").count() == 0
        assert not BOTH.search(words(page, lab))

"""Random keys, clicks, texts, restarts and reruns over all labs: nothing breaks, nothing is left over.

Twelve seconds of actions each time, a minute at night; COURSE_MONKEY="600 7" makes it ten minutes with seed 7.
"""

from __future__ import annotations

import os
import random
import re
import time
from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import EVERY_CELL, IMPORTS, QUESTIONS
from tests.browser.more import open_more
from tests.sampled import NIGHT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 120_000
SECONDS, SEED = map(int, os.environ.get("COURSE_MONKEY", "60 1" if NIGHT else "12 1").split())
KEYS = (
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageDown", " ", "Enter"),
    *("Shift+ArrowRight", "Shift+ ", "Backspace", "Delete", "a", "b", "x", "5", "-", "."),
)
TEXTS = (
    "",
    " ",
    "she",
    "Anna thanked Peter because he had helped her.",
    "<b>bold</b> & <script>alert(1)</script>",
    "我喜欢学习语言。",
    "שלום עולם مرحبا",
    "e\u0301 \u200b\u0000\u0007\ufffe \ud83d",
    "a" * 400,
    "word " * 300,
    "-1",
    "1e9",
    "NaN",
)
PARTS = ".course-lab :is(input, select, button, canvas, [tabindex='0']), .course-quiz button"
ALL_THERE = "(count) => document.querySelectorAll('.course-live').length === count"


class Monkey:
    """Does something at random; it never leaves the labs and the questions."""

    def __init__(self, page: Any, seed: int) -> None:
        self.page, self.dice = page, random.Random(seed)
        self.done: list[str] = []  # for the report of a failure

    def act(self) -> None:
        """Do one thing to one part that can be seen."""
        parts = self.page.locator(PARTS)
        count = parts.count()
        part = parts.nth(self.dice.randrange(count)) if count else None
        if part is None or not part.is_visible() or not part.is_enabled():
            return
        part.scroll_into_view_if_needed(timeout=WAIT)
        kind = part.evaluate("(node) => node.tagName + (node.type ?? '')")
        name = part.evaluate("(node) => node.outerHTML.slice(0, 90)")
        self.done.append(f"{kind} {name}")
        if kind.startswith("INPUT") and kind not in ("INPUTrange", "INPUTcheckbox"):
            self._type(part, kind)
        elif kind.startswith("SELECT"):
            options = part.locator("option").count()
            part.select_option(index=self.dice.randrange(options)) if options else None
        elif self.dice.random() < 0.5:
            self._click(part)
        else:
            self._press(part)

    def _type(self, part: Any, kind: str) -> None:
        text = self.dice.choice(TEXTS)
        if kind == "INPUTnumber":
            text = str(self.dice.choice((-1, 0, 1, 2, 3, 7, 12, 16, 48, 500, 10**9)))
        # A lone surrogate can't be typed through the driver; the page can be given one.
        part.evaluate(
            "(node, text) => { node.value = text;"
            " node.dispatchEvent(new Event('input', { bubbles: true }));"
            " node.dispatchEvent(new Event('change', { bubbles: true })); }",
            text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        )

    def _click(self, part: Any) -> None:
        box = part.bounding_box()
        if box is not None:
            at = {side: self.dice.random() * (box[side] - 1) for side in ("width", "height")}
            place = {"x": at["width"], "y": at["height"]}
            part.click(position=place, force=True, timeout=WAIT)

    def _press(self, part: Any) -> None:
        part.focus()
        for _ in range(self.dice.randrange(1, 12)):
            inside = self.page.evaluate(
                "() => document.activeElement?.closest('.course-live') !== null"
            )
            if not inside:  # the key would be a command of JupyterLab's
                return
            self.page.keyboard.press(self.dice.choice(KEYS))


def run_all(page: Any, restart: bool) -> None:
    """Run all cells, in a fresh kernel where that is asked for."""
    if restart:
        page.click("#jp-MainMenu >> text=Kernel")
        page.click('[data-command="kernelmenu:restart"]')
        page.click(".jp-Dialog .jp-mod-accept")
        page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    page.click("#jp-MainMenu >> text=Run")
    page.click('[data-command="runmenu:run-all"]')


def answer(lab: Any, named: str) -> None:
    """Change something that another picture follows from."""
    if named == "theatre":
        lab.get_by_label("logarithmic axis").click()
        return
    words = lab.locator("input[type=text]")
    if words.count():
        for text in ("king", "queen") if named == "embedding" else ("A man sings.", "Dogs bark."):
            words.first.fill(text)
        return
    number = lab.locator("input[type=number]:visible").first
    number.fill("3")
    number.fill("4")


def test_a_monkey_breaks_nothing(open_notebook: OpenNotebook) -> None:
    cells = (IMPORTS, *QUESTIONS, *EVERY_CELL)
    page = open_notebook(*cells, height=1200).page
    page.wait_for_function(ALL_THERE, arg=len(cells) - 1, timeout=WAIT)
    monkey = Monkey(page, SEED)
    until, again = time.monotonic() + SECONDS, SECONDS / 3
    rerun = time.monotonic() + again
    while time.monotonic() < until:
        monkey.act()
        if time.monotonic() > rerun:
            run_all(page, restart=monkey.dice.random() < 0.5)
            rerun = time.monotonic() + again
    # At rest no lab says that it waits, and each answers.
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    run_all(page, restart=False)
    page.wait_for_timeout(3000)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    page.wait_for_function(ALL_THERE, arg=len(cells) - 1, timeout=WAIT)
    labs = page.locator(".course-lab")
    for i in range(labs.count()):
        lab = labs.nth(i)
        named = lab.get_attribute("data-lab")
        notice = lab.locator(".course-lab-notice")
        said = notice.inner_text() if notice.is_visible() else ""
        assert "Waiting for Python" not in said, (named, monkey.done[-20:])
        fault = re.search("(lab|theatre) failed with", said)  # a training may, of wild settings
        assert not fault, (named, said, monkey.done[-20:])
        assert "stopped or was restarted" not in said, (named, monkey.done[-20:])
        open_more(page, str(named))  # the monkey may have folded it
        before = lab.get_attribute("data-drawn")
        answer(lab, str(named))
        page.wait_for_function(
            "([name, drawn]) => document.querySelector(`[data-lab=${name}]`).dataset.drawn !== drawn",
            arg=[named, before],
            timeout=WAIT,
        )

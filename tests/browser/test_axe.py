"""axe finds no fault in what the course shows: labs, questions, reports, hints, comparisons."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import EVERY_CELL, EVERY_NAME, IMPORTS, PREDICTION, QUESTIONS
from tests.browser.more import open_more
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
WRONG = """\
def softmax(x, dim):
    return torch.softmax(x, dim).float()
check("attention.softmax", softmax)"""
SIDEWAYS = """\
def scores(query, key):
    return query @ key.transpose(-2, -1)
check("attention.scores", scores)"""
CELLS = (
    IMPORTS,
    *QUESTIONS,
    f"explain({PREDICTION.id!r})",
    *EVERY_CELL,
    WRONG,
    SIDEWAYS,
    "hint('attention.softmax')",
    "compare('attention.scores', scores)",
)


# Parts that take keys and leave them to JupyterLab, where "x" cuts the cell and "d d" deletes it.
LEAVE_KEYS = """() => [...document.querySelectorAll(".course-live :is(select, button, canvas, [tabindex])")]
  .filter((node) => node.getAttribute("data-lm-suppress-shortcuts") !== "true")
  .map((node) => node.outerHTML.slice(0, 120))"""


# Words whose colour hardly differs from what lies behind them: axe doesn't look at forced colours.
UNSEEN = """() => {
  const parts = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => colour.map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const [red, green, blue, opacity = 1] = parts(getComputedStyle(node).backgroundColor);
      if (opacity > 0.5) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll(".jp-Cell-outputWrapper *")]
    .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.nodeValue.trim()))
    .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .filter((node) => {
      const ink = light(parts(getComputedStyle(node).color).slice(0, 3)), ground = light(behind(node));
      return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05) < 4.5;
    })
    .map((node) => node.outerHTML.slice(0, 120));
}"""


def faults(page: Any) -> list[str]:
    """What axe finds in the outputs: the rule, and the element it is about."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate(
        "() => axe.run({ include: [['.jp-Cell-outputWrapper']] }, { resultTypes: ['violations'] })"
    )
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("dark", by_day([False, True], 1))
def test_axe_finds_nothing(open_notebook: OpenNotebook, dark: bool) -> None:
    page = open_notebook(*CELLS, height=9000, dark=dark, more=False).page
    page.wait_for_function(
        "(count) => document.querySelectorAll('.course-live').length === count",
        arg=len(QUESTIONS) + 1 + len(EVERY_CELL),
        timeout=WAIT,
    )
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    page.get_by_role("button", name="Numbers as tables").first.click()
    assert faults(page) == []
    for compare in page.get_by_role("button", name="Compare with this").all():
        compare.click()
    for lab in EVERY_NAME:
        open_more(page, lab)
    temperature = page.locator("[data-lab=attention]").get_by_label("Temperature")
    temperature.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".course-lab-differs:has-text('Temperature')")
    assert page.evaluate(LEAVE_KEYS) == []
    assert faults(page) == []
    for scheme in ("light", "dark"):
        page.emulate_media(forced_colors="active", color_scheme=scheme)
        assert page.evaluate(UNSEEN) == [], scheme
    page.emulate_media(forced_colors="null", color_scheme="null")

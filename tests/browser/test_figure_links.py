"""A box of the encoder's figure leads to the tracer's section, in a real JupyterLab."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook, at_rest
from tests.browser.desk import IDLE
from tests.browser.server import ROOT, JupyterLab
from tests.browser.test_axe import faults

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = "04_stacking.ipynb"
IN_SIGHT = """() => [...document.querySelectorAll(".jp-Notebook h2")].some((heading) => {
    if (!heading.textContent.startsWith("13 The whole way") || !heading.offsetParent) return false;
    const { top } = heading.getBoundingClientRect();
    return top > 0 && top < window.innerHeight;
})"""


def test_a_box_leads_to_the_tracers_section(
    server: JupyterLab, open_notebook: OpenNotebook
) -> None:
    shutil.copy(ROOT / "chapters" / NOTEBOOK, server.folder)
    watched = open_notebook("from course import figures\nfigures.encoder()", width=1280, height=900)
    page: Any = watched.page
    page.wait_for_selector(".jp-OutputArea a[title^=attention]", timeout=60_000)
    watched.picture("figure-links")
    assert faults(page) == []
    link = page.locator(".jp-OutputArea a[title^=attention]")
    over = link.bounding_box()  # it lies over a box of the drawing
    boxes = page.locator(".jp-OutputArea svg rect").evaluate_all(
        "(all) => all.map((box) => box.getBoundingClientRect().toJSON())"
    )
    assert any(abs(b["x"] - over["x"]) < 2 and abs(b["y"] - over["y"]) < 2 for b in boxes)
    link.click()
    heading = page.locator(".jp-Notebook h2").filter(has_text="13 The whole way")
    heading.wait_for(state="attached", timeout=180_000)  # a whole chapter is opened
    page.wait_for_selector(IDLE, timeout=120_000)
    at_rest(
        page, heading.bounding_box
    )  # what is laid out later would push the section out of sight again
    # JupyterLab opens a notebook at its top; in an open one a link leads to the section.
    page.click(".lm-TabBar-tab >> text=test_a_box_leads")
    link.click()
    page.wait_for_function(IN_SIGHT, timeout=60_000)
    watched.picture("figure-linked")

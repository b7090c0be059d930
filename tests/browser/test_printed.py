"""An export that is printed, to PDF for instance, cuts nothing off: on paper nobody scrolls."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from course import figures, labs
from course.figures.still import draw
from course.system.outputs import with_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAPER = {"width": 680, "height": 960}  # A4 with its margins, in pixels
# What is wider than its place on the page.
CUT = """() => [...document.querySelectorAll(".jp-OutputArea-output, .jp-InputArea-editor, .highlight, pre")]
    .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.className + " " + part.scrollWidth + " > " + part.clientWidth)"""


nbconvert: Any = pytest.importorskip("nbconvert")
v4: Any = pytest.importorskip("nbformat").v4  # their types are not known


def exported() -> str:
    """A page with a lab's picture, a wide figure, long lines, and a drawing of letters."""
    lab = with_page(labs.AttentionLab().still())
    wide = draw(figures.heads(torch.rand(12, 9, 9), title="twelve heads").to_dict())
    code = v4.new_code_cell("names = [" + ", ".join(["'a name'"] * 20) + "]")
    code.outputs = [
        v4.new_output("stream", text="a long line " * 30),
        v4.new_output("display_data", {"text/html": lab["text/html"]}),
        v4.new_output("display_data", {"image/svg+xml": wide}),
    ]
    drawing = v4.new_markdown_cell("```\n" + "│" + " " * 78 + "│\n```")
    page, _ = nbconvert.HTMLExporter().from_notebook_node(v4.new_notebook(cells=[code, drawing]))
    return str(page)


def test_a_printed_export_is_whole(browser: Any) -> None:
    page = browser.new_page(viewport=PAPER)
    page.route("**", lambda route: route.abort())  # its scripts come from elsewhere
    page.set_content(exported(), wait_until="domcontentloaded")
    assert page.evaluate(CUT) != [], "on the screen one scrolls"
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == []
    drawing = page.locator(".jp-RenderedMarkdown pre")
    assert drawing.bounding_box()["height"] < 30, "it is one line still"
    page.close()

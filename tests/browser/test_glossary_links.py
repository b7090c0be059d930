"""A link to a term leads to its heading in the glossary, in a real JupyterLab in a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from course.press import glossary
from tests.browser.desk import Watched
from tests.browser.server import ROOT, JupyterLab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = ".jp-MarkdownViewer:visible"
HEADING = f"{SHOWN} [data-jupyter-id='%s']"


def write_chapter(path: Path, *anchors: str) -> None:
    """A notebook with one link to the glossary for each term, and a heading named as a term is."""
    links = [f"[{anchor}](glossary.md#{anchor})" for anchor in anchors]
    cell = {
        "cell_type": "markdown",
        "id": "links",
        "metadata": {},
        "source": "\n\n".join([f"# {anchors[-1].replace('-', ' ')}", *links]),
    }
    spec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    page = {"cells": [cell], "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(page), encoding="utf-8")


def wait_for_heading_at_the_top(page: Any, anchor: str) -> None:
    page.locator(HEADING % anchor).wait_for(timeout=30_000)
    page.wait_for_function(  # asked for anew each time: JupyterLab renders the page more than once
        """(selector) => {
            const found = [...document.querySelectorAll(selector)];
            const heading = found.find((node) => node.offsetParent !== null);
            const viewer = heading?.closest(".jp-MarkdownViewer")?.getBoundingClientRect();
            if (!viewer) return false;
            const above = heading.getBoundingClientRect().top - viewer.top;
            return above > -1 && above < 60;
        }""",
        arg=f".jp-MarkdownViewer [data-jupyter-id='{anchor}']",
        timeout=30_000,
    )


def test_a_link_to_a_term_leads_to_it(server: JupyterLab, browser: Any) -> None:
    text = (ROOT / "chapters" / glossary.PAGE).read_text(encoding="utf-8")
    (server.folder / glossary.PAGE).write_text(text, encoding="utf-8")
    write_chapter(server.folder / "linked.ipynb", "attention-sink", "softmax", "GELU")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    watched = Watched(context.new_page())
    page = watched.page
    page.goto(server.address("linked.ipynb"))
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=120_000)
    for anchor in ("attention-sink", "softmax"):  # the first opens the glossary
        page.click(".lm-TabBar-tab >> text=linked.ipynb")
        page.click(f".jp-RenderedMarkdown a:text-is('{anchor}')")
        wait_for_heading_at_the_top(page, anchor)
    # The glossary's own indexes lead to its headings, not to one of the same name elsewhere.
    page.click(f"{SHOWN} a:text-is('高斯误差线性单元')")
    wait_for_heading_at_the_top(page, "GELU")
    ids = page.locator(f"{SHOWN} h3").evaluate_all("(all) => all.map((h) => h.dataset.jupyterId)")
    assert ids == [term.anchor for term in glossary.terms()]
    assert page.evaluate("() => document.getSelection().isCollapsed")
    # Opened from the files, it is rendered too.
    page.goto(server.address(glossary.PAGE))
    page.locator(HEADING % "softmax").wait_for(timeout=60_000)
    context.close()
    assert watched.errors == []

"""The figures' titles and plotly's toolbar, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest
import torch

from course import figures

pytestmark = [pytest.mark.browser, pytest.mark.slow]

X = [1.0, 2.0, 3.0]
LONG = "A title that reaches from the left edge to where the toolbar stands on the right"
SERIES = {f"a curve with a name of its own, {number}": X for number in range(6)}
FIGURES: dict[str, Callable[[], go.Figure]] = {
    "product": lambda: figures.product(torch.ones(2, 3), torch.ones(3, 8), 3 * torch.ones(2, 8)),
    "product-title": lambda: figures.product([[1.0]], [[2.0]], [[2.0]], title=LONG),
    "heads": lambda: figures.heads(torch.rand(8, 4, 4)),
    "heads-title": lambda: figures.heads(torch.rand(2, 4, 4), title=LONG),
    "heatmap": lambda: figures.heatmap(torch.rand(3, 3), title=LONG, numbers=True),
    "by-head": lambda: figures.by_head(torch.rand(6, 12), title=LONG),
    "lines": lambda: figures.lines(X, SERIES),
    "lines-title": lambda: figures.lines(X, SERIES, title=LONG),
    "points": lambda: figures.points([[0.0, 1.0], [1.0, 0.0]], ["a", "b"], ["c", "d"], title=LONG),
    "bars": lambda: figures.bars(["a", "b"], {"one": [1.0, 2.0], "two": [2.0, 1.0]}),
    "bars-title": lambda: figures.bars(["a"], {"one": [1.0]}, title=LONG),
}
COVERED = """() => {
    const bar = document.querySelector(".modebar").getBoundingClientRect();
    const texts = document.querySelectorAll(
        ".gtitle, .annotation-text, .legendtext, .heatmap-label text, .xtick text, .ytick text");
    const covered = [...texts].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.left < bar.right && box.right > bar.left
            && box.top < bar.bottom && box.bottom > bar.top;
    });
    return [bar.height, texts.length, covered.map((text) => text.textContent)];
}"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", FIGURES)
def test_the_toolbar_covers_no_text(page: Any, name: str) -> None:
    page.set_content(FIGURES[name]().to_html(include_plotlyjs=True, include_mathjax=False))
    page.hover(".plotly-graph-div")
    page.wait_for_selector(".modebar-btn", timeout=30_000)
    height, texts, covered = page.evaluate(COVERED)
    assert height > 10
    assert texts > 0
    assert covered == []


def test_a_number_has_the_colour_that_is_set(page: Any) -> None:
    figure = figures.heatmap([[0.0, 0.5, 1.0]], numbers=True)
    page.set_content(figure.to_html(include_plotlyjs=True, include_mathjax=False))
    page.wait_for_selector(".heatmap-label", timeout=30_000)
    fills = page.locator(".heatmap-label tspan").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).fill)"
    )
    sizes = page.locator(".heatmap-label text").evaluate_all(
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert sizes == [12.0] * 3
    assert fills == ["rgb(255, 255, 255)", "rgb(0, 0, 0)", "rgb(0, 0, 0)"]

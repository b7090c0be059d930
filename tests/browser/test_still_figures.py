"""A figure's output holds a still picture beside plotly's: JupyterLab shows the live one, fresh and reopened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from course import figures
from course.figures.still import draw
from tests.browser.conftest import OpenNotebook
from tests.browser.server import JupyterLab, notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
CELL = "from course import figures\nfigures.heatmap([[0.0, 0.5, 1.0]], ['<s>'], title='live', numbers=True)"
LIVE, STILL = "application/vnd.plotly.v1+json", "image/svg+xml"


def shows_the_live_figure_alone(page: Any) -> None:
    page.wait_for_selector(".jp-Cell .js-plotly-plot .main-svg >> nth=0", timeout=WAIT)
    page.wait_for_timeout(500)
    assert page.locator(".jp-Cell .js-plotly-plot").count() == 1
    assert page.locator(".jp-RenderedSVG").count() == 0


def test_the_live_figure_is_shown_and_the_still_one_is_saved(
    open_notebook: OpenNotebook, server: JupyterLab
) -> None:
    watched = open_notebook(CELL, afresh=True)
    page = watched.page
    shows_the_live_figure_alone(page)
    assert page.locator(".ytick text").text_content() == "<s>", "a token, and no tag"
    page.keyboard.press("Control+s")
    page.wait_for_selector("#jp-main-dock-panel .lm-TabBar-tab:not(.jp-mod-dirty)", timeout=WAIT)
    name = page.url.partition("/tree/")[2].partition("?")[0]
    kept = json.loads((server.folder / name).read_text("utf-8"))["cells"][0]["outputs"]
    assert [sorted(set(output["data"]) & {LIVE, STILL}) for output in kept] == [[LIVE, STILL]]
    page.goto("about:blank")
    server.shut_kernels()
    page.goto(server.address(name))
    # plotly's extension has saved a PNG too, and shows that until the live figure is drawn over it.
    shown = page.locator(".jp-Cell .plot-img, .jp-Cell .plot-container").filter(visible=True)
    shown.first.wait_for(timeout=WAIT)
    assert page.locator(".jp-RenderedSVG").count() == 0


@pytest.mark.parametrize("live", [True, False])
def test_a_notebook_from_elsewhere_shows_the_live_figure_if_there_is_one(
    browser: Any, server: JupyterLab, tmp_path: Path, live: bool
) -> None:
    """JupyterLab trusts no notebook that it has not run itself."""
    figure = figures.heatmap([[0.0, 0.5, 1.0]], title="from elsewhere").to_dict()
    data = {STILL: draw(figure), **({LIVE: json.loads(json.dumps(figure))} if live else {})}
    foreign = notebook(CELL)
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    foreign["cells"][0]["outputs"] = [output]
    name = f"foreign-{live}.ipynb"
    (server.folder / name).write_text(json.dumps(foreign), encoding="utf-8")
    page = browser.new_page()
    page.goto(server.address(name))
    if live:
        shows_the_live_figure_alone(page)
    else:  # until it is run, as an untrusted picture could hold a script
        page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
        assert page.locator(".js-plotly-plot, .jp-RenderedSVG").count() == 0
    page.close()
    server.shut_kernels()


@pytest.mark.parametrize("dark", [False, True])
def test_the_still_picture_stands_alone(browser: Any, dark: bool) -> None:
    """Within `<img>`, as in an export, nothing of the page reaches it, and it has its own ground."""
    page = browser.new_page(color_scheme="dark" if dark else "light")
    svg = draw(figures.heatmap([[0.0, 0.5, 1.0]], title="still", numbers=True).to_dict())
    page.set_content("<body style='background:#111'><img></body>")
    drawn = page.evaluate(
        """async (svg) => {
            const image = document.querySelector("img");
            image.src = "data:image/svg+xml;base64," + btoa(unescape(encodeURIComponent(svg)));
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return [canvas.width, canvas.height, [...context.getImageData(2, 2, 1, 1).data]];
        }""",
        svg,
    )
    assert drawn[0] > 200
    assert drawn[1] > 150
    assert drawn[2] == [255, 255, 255, 255]
    page.close()

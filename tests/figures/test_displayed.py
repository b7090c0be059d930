"""What a notebook keeps of a figure: plotly's JSON and a still picture, which an export shows."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from course import figures
from course.figures import displayed
from tests.browser.server import ROOT, notebook

LIVE, STILL = "application/vnd.plotly.v1+json", "image/svg+xml"
CELLS = (
    "from course import figures\nfigures.heatmap([[0.0, 1.0]], title='A <title> & more')",
    "import plotly.graph_objects as go\ngo.Figure(go.Pie(values=[1, 2]))",
)


def test_outside_of_a_notebook_nothing_is_added() -> None:
    figures.heatmap([[0.0, 1.0]])
    renderers = pytest.importorskip("plotly.io").renderers
    assert displayed._NAME not in renderers


def test_a_still_picture_that_fails_leaves_the_live_one(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = displayed._renderer()
    figure = figures.heatmap([[0.0, 1.0]]).to_dict()
    assert list(renderer.to_mimebundle(figure)) == [STILL]
    assert renderer.to_mimebundle({"data": [{"type": "heatmap"}], "layout": {}}) == {}


@pytest.mark.slow
@pytest.mark.parametrize("renderer", [None, "colab"])
def test_a_notebook_keeps_both_and_an_export_shows_the_still_one(
    tmp_path: Path, renderer: str | None
) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PLOTLY_RENDERER"},
        **({"PLOTLY_RENDERER": renderer} if renderer else {}),
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    executed = nbformat.from_dict(notebook(*CELLS))  # type: ignore[no-untyped-call]
    NotebookClient(executed, kernel_name="python3").execute(env=environment, cwd=str(tmp_path))
    cells = executed.cells
    ours, theirs = ({mime for out in cell["outputs"] for mime in out["data"]} for cell in cells)
    if renderer:  # it shows figures in its own way, and is left alone
        assert STILL not in ours | theirs
        return
    assert {LIVE, STILL} <= ours
    assert STILL not in theirs, "a pie is not known"
    (output,) = (out for out in cells[0]["outputs"] if STILL in out["data"])
    svg = output["data"][STILL]
    assert "A &lt;title&gt; &amp; more" in svg
    page, _ = HTMLExporter().from_notebook_node(executed)  # type: ignore[no-untyped-call]
    assert base64.b64encode(svg.encode()).decode() in page.replace("\n", "")

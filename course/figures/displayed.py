"""Has every plotly figure that a notebook shows carry a still picture beside the live one.

A notebook keeps a figure as plotly's JSON, which JupyterLab draws; GitHub, nbconvert and a PDF can't.
The still picture is what they show. JupyterLab prefers the JSON, and its extension for plotly saves a
PNG as well; a notebook that was run anywhere else has no picture but this one.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["add_still_pictures"]

_NAME = "course_still"
_JOINED = {
    "plotly_mimetype",
    "jupyterlab",
}  # Colab, Kaggle and others show figures in ways of their own


def add_still_pictures() -> None:
    """Add the still picture to what plotly sends; nothing where no notebook is, or plotly sends a page.

    It is called where a figure is made, because plotly loads its renderers only to show one, and
    importing the figures should not have to. Whoever sets `plotly.io.renderers.default` afterwards has the last word.
    """
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return
    from plotly.io import renderers

    if _NAME in renderers:
        return
    renderers[_NAME] = _renderer()
    if _JOINED & set((renderers.default or "").split("+")):
        renderers.default += f"+{_NAME}"


def _renderer() -> Any:
    from plotly.io.base_renderers import MimetypeRenderer

    from course.figures.still import still

    class StillRenderer(MimetypeRenderer):  # type: ignore[misc]
        """Sends the still picture alone; plotly joins it with what its own renderers send."""

        def to_mimebundle(self, fig_dict: dict[str, Any]) -> dict[str, str]:
            try:
                drawn = still(fig_dict)
            except Exception:  # whatever is strange in a figure of one's own, the live one is shown
                return {}
            return {"image/svg+xml": drawn} if drawn else {}

    return StillRenderer()

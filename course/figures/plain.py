"""Names in a figure as they are written: plotly takes `<s>` for a tag, and `&lt;` for what it stands for."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go

__all__ = ["write_plainly"]


def write_plainly(figure: go.Figure) -> None:
    """Escape all titles and names of a figure; the texts of a heat map's cells keep their tags."""
    for trace in figure.data:
        trace.name, trace.customdata = _plain(trace.name), _plain(trace.customdata)
        if trace.type != "heatmap":
            trace.text = _plain(trace.text)
    for note in figure.layout.annotations:  # titles of parts
        note.text = _plain(note.text)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.title.text, axis.ticktext = _plain(axis.title.text), _plain(axis.ticktext)
    figure.layout.title.text = _plain(figure.layout.title.text)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return html.escape(value, quote=False)
    if value is None or isinstance(value, (int, float)):
        return value
    return [_plain(each) for each in value]

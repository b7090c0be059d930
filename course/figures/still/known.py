"""What a still picture can draw of a plotly figure; a figure with anything else gets none.

A picture that leaves out what it does not know would be wrong without saying so. So each part of a
figure is compared with the settings that the drawing reads, or that change nothing in a still picture.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Unknown", "check", "colour", "merged", "values"]


class Unknown(Exception):
    """The figure has something that a still picture can't show."""


_SILENT = {  # seen only under the mouse, or nowhere
    "customdata", "hoverinfo", "hoverlabel", "hoverongaps", "hovertemplate", "hovertext", "ids",
    "legendgroup", "meta", "uid", "name", "showlegend", "type", "xaxis", "yaxis", "alignmentgroup",
    "offsetgroup",
}  # fmt: skip
_TRACES = {
    "heatmap": {
        "z", "zmin", "zmax", "colorscale", "colorbar", "showscale", "text", "texttemplate", "textfont",
        "xgap", "ygap",
    },
    "scatter": {"x", "y", "mode", "line", "marker", "text", "textposition", "orientation"},
    "bar": {"x", "y", "marker", "orientation"},
}  # fmt: skip
_AXIS = {
    "anchor", "autorange", "domain", "dtick", "exponentformat", "gridcolor", "linecolor", "nticks",
    "range", "scaleanchor", "scaleratio", "showgrid", "showticklabels", "tickangle", "tickmode",
    "ticktext", "tickvals", "title", "type", "visible", "zeroline", "automargin", "ticks",
    "zerolinecolor", "zerolinewidth",
}  # fmt: skip
_PARTS = {
    "layout": {
        "annotations", "barmode", "font", "height", "legend", "margin", "paper_bgcolor",
        "plot_bgcolor", "shapes", "showlegend", "template", "title", "width", "hovermode",
    },
    "annotation": {
        "font", "showarrow", "text", "x", "xanchor", "xref", "y", "yanchor", "yref",
    },
    "shape": {"line", "type", "x0", "x1", "xref", "y0", "y1", "yref"},
    "colorbar": {"len", "nticks", "thickness", "outlinewidth", "ticks"},
    "legend": {"orientation", "x", "y", "yanchor", "xanchor", "tracegroupgap"},
    "title": {"font", "text", "x", "xanchor", "y", "yanchor", "standoff"},
    "margin": {"b", "l", "r", "t"},
    "font": {"size", "color"},
    "line": {"color", "dash", "width"},
    "scatter marker": {"color", "size", "symbol"},
    "bar marker": {"color", "pattern"},
    "pattern": {"shape"},
}  # fmt: skip
_VALUES = {
    "mode": {"lines", "markers", "text"},
    "orientation": {"v"},
    "barmode": {"group", "relative"},  # `relative` is what plotly express writes; see `check`
}
_COLOUR = re.compile(r"#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6}|[a-zA-Z]+|rgba?\([\d., %]+\)")


def check(figure: Mapping[str, Any]) -> None:
    """Raise `Unknown` where the figure has a trace or a setting that is not known."""
    bars = 0
    for trace in figure["data"]:
        kind = trace.get("type", "scatter")
        if kind not in _TRACES:
            raise Unknown(f"a trace of type {kind!r}")
        _only(trace, _TRACES[kind] | _SILENT, f"a {kind}")
        _some(trace)
        _parts(trace, {"line": "line", "marker": f"{kind} marker", "colorbar": "colorbar"})
        _parts(trace, {"textfont": "font"})
        _parts(trace.get("marker", {}), {"pattern": "pattern"})
        bars += kind == "bar"
    layout = figure["layout"]
    axes = {name for name in layout if re.fullmatch(r"[xy]axis\d*", name)}
    _only(layout, _PARTS["layout"] | axes, "the layout")
    _some(layout)
    if layout.get("barmode", "group") != "group" and bars > 1:
        raise Unknown("bars on top of one another")
    for name in axes:
        _only(layout[name], _AXIS, name)
        _parts(layout[name], {"title": "title"})
    _parts(layout, {name: name for name in ("legend", "title", "margin", "font")})
    for name in ("annotation", "shape"):
        for part in layout.get(f"{name}s", ()):
            _only(part, _PARTS[name], f"the {name}")
            _parts(part, {"line": "line", "font": "font"})
            if part.get("showarrow", name == "annotation") and name == "annotation":
                raise Unknown("an arrow")
            if name == "shape" and part.get("type") != "line":
                raise Unknown(f"a shape of type {part.get('type')!r}")


def _only(part: Mapping[str, Any], known: set[str], where: str) -> None:
    strange = [name for name in part if name not in known]
    if strange:
        raise Unknown(f"{', '.join(strange)} of {where}")


def _some(part: Mapping[str, Any]) -> None:
    for name in _VALUES:
        for value in str(part.get(name, "")).split("+"):
            if value and value not in _VALUES[name]:
                raise Unknown(f"{name} {value!r}")


def _parts(part: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Check the parts of a part, each against the settings of its kind."""
    for name, kind in names.items():
        inner = part.get(name)
        if isinstance(inner, Mapping):
            _only(inner, _PARTS[kind], f"the {kind}")
            if isinstance(inner.get("font"), Mapping):
                _only(inner["font"], _PARTS["font"], "the font")


def merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given settings, and the template's where none is given, part by part."""
    both = dict(defaults)
    for name, value in given.items():
        inner = both.get(name)
        parts = isinstance(inner, Mapping) and isinstance(value, Mapping)
        both[name] = merged(inner, value) if parts else value  # type: ignore[arg-type]
    return both


def values(given: Any) -> list[Any]:
    """An array of a figure as a list: of a list, numpy's, or the base64 that plotly 6 writes."""
    if isinstance(given, Mapping):
        array = np.frombuffer(base64.b64decode(given["bdata"]), dtype=given["dtype"])
        shape = [int(size) for size in str(given.get("shape", len(array))).split(",")]
        return list(array.reshape(shape).tolist())
    if given is None:
        return []
    return list(given.tolist() if isinstance(given, np.ndarray) else given)


def colour(given: Any) -> str:
    """A colour as SVG takes it; an array of colours, or anything else, is not known."""
    if not isinstance(given, str) or not _COLOUR.fullmatch(given):
        raise Unknown(f"colour {given!r}")
    return given

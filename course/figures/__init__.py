"""Arrays to plotly figures: small pictures for the prose, the same in every chapter.

A figure is always a plain `go.Figure` (about 8 KB in a notebook), never a widget, and is made only
with what plotly 5.24 knows too. In a notebook a still SVG picture goes along (`still`), for GitHub and for
exports. Colours are told apart by colour-blind people: cividis for amounts,
blue-white-orange where a sign matters (Nuñez et al. 2018), Okabe and Ito's palette for lines, which
differ in dash and marker as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from course.figures.displayed import add_still_pictures
from course.figures.encoder_diagram import encoder
from course.figures.handover import handover
from course.figures.ink import ink
from course.figures.names import sides
from course.figures.plain import write_plainly

__all__ = [
    "bars",
    "by_head",
    "encoder",
    "handover",
    "heads",
    "heatmap",
    "lines",
    "points",
    "product",
]

AMOUNTS = "Cividis"
SIGNED = [
    [0.0, "#1b4f8f"],
    [0.25, "#92c5de"],
    [0.5, "#f7f7f7"],
    [0.75, "#fdb863"],
    [1.0, "#9a4a06"],
]
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")

_TOOLBAR = 22  # pixels at the top in which plotly's toolbar covers nothing
_LEGIBLE = 8  # pixels of a cell that a number can be read in
_MOST = 576  # a matrix's cells are at most so many pixels wide, and high, all together

Numbers = Tensor | Sequence[Any]


def heatmap(
    values: Numbers,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    *,
    title: str = "",
    row_title: str = "",
    column_title: str = "",
    signed: bool = False,
    numbers: bool = False,
    decimals: int = 2,
    top: float | None = None,
) -> go.Figure:
    """A matrix as coloured cells, the first row at the top.

    Args:
        values: (N, M), of finite numbers; infinite ones and NaN are left white.
        rows: N names; their places where not given. The same name may stand twice.
        columns: M names.
        title: what the picture shows.
        row_title: what the rows are ("queries").
        column_title: what the columns are ("keys").
        signed: blue below zero, white at zero, orange above; else the colours begin at 0, or at the lowest number
            where that is below.
        numbers: write each number into its cell, where it has room.
        decimals: with how many places.
        top: the number that gets the strongest colour; the largest of `values` where not given.

    Raises:
        ValueError: `values` is not a matrix, or the names don't fit it.
    """
    table = _matrix(values)
    row_names, column_names = (
        _names(rows, len(table), "rows"),
        _names(columns, len(table[0]), "columns"),
    )
    # A cell's size: at least a pixel.
    across, down = (
        max(1, min(most, _MOST // count)) for most, count in ((30, len(table[0])), (23, len(table)))
    )
    room = min(across, down) >= _LEGIBLE
    figure = go.Figure(
        _cells(
            table,
            row_names,
            column_names,
            signed=signed,
            decimals=decimals if numbers and room else None,
            top=_top(table, top) if signed else _largest(table, top),
            cell=(across, down),
        )
    )
    _name_axes(figure, row_names, column_names)
    figure.update_xaxes(title=column_title)
    figure.update_yaxes(title=row_title)
    if min(across, down) < 16:  # too small for lines between them, and for a number beside each
        figure.update_traces(xgap=0, ygap=0)
        figure.update_xaxes(tickmode="auto" if columns is None else "array")
        figure.update_yaxes(tickmode="auto" if rows is None else "array")
    width = 180 + across * len(table[0]) + _beside(row_names)
    return _finish(figure, title, width=width, height=150 + down * len(table))


def product(
    left: Numbers,
    right: Numbers,
    result: Numbers,
    names: Sequence[str] = ("A", "B", "A B"),
    *,
    title: str = "",
) -> go.Figure:
    """A matrix product drawn to scale, with its numbers: (N, K) times (K, M) gives (N, M).

    Raises:
        ValueError: the shapes don't belong to one product.
    """
    tables = [_matrix(part) for part in (left, right, result)]
    shapes = [(len(table), len(table[0])) for table in tables]
    if shapes[0][1] != shapes[1][0] or shapes[2] != (shapes[0][0], shapes[1][1]):
        raise ValueError(f"{shapes[0]} times {shapes[1]} does not give {shapes[2]}")
    labels = [f"{name} {shape}" for name, shape in zip(names, shapes, strict=True)]
    widths = [float(shape[1]) for shape in shapes]
    figure = make_subplots(
        cols=3, column_widths=widths, subplot_titles=labels, horizontal_spacing=0.08
    )
    top = _top([row for table in tables for row in table], None)
    most = max(shape[0] for shape in shapes)
    for place, table in enumerate(tables, start=1):
        names_of_rows = _names(None, len(table), "rows")
        cells = _cells(
            table,
            names_of_rows,
            _names(None, len(table[0]), "columns"),
            signed=True,
            decimals=2,
            top=top,
            cell=(40, 30),
        )
        figure.add_trace(cells.update(showscale=False), row=1, col=place)
        spare = (most - len(table)) / 2  # the same height for every cell in all three
        figure.update_yaxes(range=[len(table) - 0.5 + spare, -0.5 - spare], row=1, col=place)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return _finish(figure, title, width=int(160 + 52 * sum(widths)), height=130 + 34 * most)


def heads(
    weights: Tensor,
    names: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    *,
    title: str = "",
    per_row: int = 6,
) -> go.Figure:
    """Several heads' weights side by side, on one scale from 0 to 1.

    A few tokens are named at the sides; of many, hover tells the names.

    Args:
        weights: (H, L, S).
        names: the tokens, where queries and keys are the same.
        titles: a title for each head; "head 0" and so on where not given.
        title: what the picture shows.
        per_row: pictures in a row.

    Raises:
        ValueError: `weights` has not three axes or is empty, or the names don't fit.
    """
    if weights.dim() != 3:
        raise ValueError(f"weights should be (H, L, S); they are {tuple(weights.shape)}")
    if not len(weights) or per_row < 1:
        raise ValueError(
            f"{len(weights)} heads, {per_row} in a row: at least one of each is needed"
        )
    count = len(weights)
    columns = min(per_row, count)
    rows = -(-count // columns)
    labels = _names(titles, count, "titles") if titles else [f"head {i}" for i in range(count)]
    few = names is not None and rows == 1 and len(names) <= 8
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=labels,
        horizontal_spacing=0.015,
        vertical_spacing=0.25 / rows,
    )
    for place, head in enumerate(weights):
        table = _matrix(head)
        row_names, column_names = (
            _names(names, len(table), "names"),
            _names(names, len(table[0]), "names"),
        )
        cells = _cells(table, row_names, column_names, top=1.0, gap=1 if few else 0)
        figure.add_trace(
            cells.update(showscale=place == count - 1),
            row=place // columns + 1,
            col=place % columns + 1,
        )
    figure.update_annotations(font_size=13)  # or neighbouring titles run into one another
    figure.update_xaxes(visible=few)
    figure.update_yaxes(visible=False, autorange="reversed")
    if few and names is not None:
        _name_axes(figure, list(names), list(names))
        figure.update_yaxes(visible=True, col=1)
    width, height = 110 + 140 * columns, 70 + 160 * rows
    return _finish(figure, title, width=width, height=height + (30 if few else 0))


def by_head(
    values: Tensor, *, title: str = "", decimals: int = 2, top: float | None = None
) -> go.Figure:
    """One number for each head of a model, (layers, H), written into its cell.

    Raises:
        ValueError: `values` is not a matrix.
    """
    rows = [f"layer {layer}" for layer in range(len(values))]
    return heatmap(
        values, rows, column_title="head", numbers=True, decimals=decimals, top=top, title=title
    )


def lines(
    x: Numbers,
    series: Mapping[str, Numbers],
    *,
    title: str = "",
    x_title: str = "",
    y_title: str = "",
    log_x: bool = False,
    log_y: bool = False,
) -> go.Figure:
    """One curve for each name in `series`, told apart by colour, dash and marker.

    Raises:
        ValueError: a curve has not as many points as `x`.
    """
    places = _list(x)
    figure = go.Figure()
    for number, (name, values) in enumerate(series.items()):
        points = _list(values)
        if len(points) != len(places):
            raise ValueError(f"{name!r} has {len(points)} points; x has {len(places)}")
        look = number % len(PALETTE)
        figure.add_trace(
            go.Scatter(
                x=places,
                y=points,
                name=name,
                mode="lines+markers" if len(places) <= 40 else "lines",
                line={"color": PALETTE[look], "dash": DASHES[look], "width": 2},
                marker={"symbol": MARKERS[look], "size": 7},
            )
        )
    figure.update_xaxes(title=x_title, type="log" if log_x else "linear")
    figure.update_yaxes(title=y_title, type="log" if log_y else "linear")
    if log_x and len(places) <= 12:
        figure.update_xaxes(tickvals=places)
    if log_y:
        figure.update_yaxes(exponentformat="power", dtick=_decades(series))
    return _finish(figure, title, width=640, height=340)


def points(
    xy: Numbers,
    names: Sequence[str],
    groups: Sequence[str] | None = None,
    *,
    title: str = "",
    x_title: str = "",
    y_title: str = "",
) -> go.Figure:
    """A map: each point with its name beside it; groups told apart by colour and marker.

    Args:
        xy: (N, 2). Both axes have one scale, so that distances can be compared.
        names: N names.
        groups: N names of groups, in any order; one group where not given.
        title: what the map shows.
        x_title: what the first of the two numbers is.
        y_title: what the second is.

    Raises:
        ValueError: `xy` is not (N, 2), or there are not as many names or groups as points.
    """
    table = _matrix(xy)
    if len(table[0]) != 2:
        raise ValueError(f"a map needs two numbers a point; {len(table[0])} came")
    names = _names(names, len(table), "names")
    groups = _names(groups or [""] * len(table), len(table), "groups")
    beside = sides(table, names, room=(640, 380))
    figure = go.Figure()
    for number, group in enumerate(dict.fromkeys(groups)):
        inside = [place for place, name in enumerate(groups) if name == group]
        figure.add_trace(
            go.Scatter(
                x=[table[place][0] for place in inside],
                y=[table[place][1] for place in inside],
                text=[names[place] for place in inside],
                name=group,
                mode="markers+text",
                textposition=[beside[place] for place in inside],
                showlegend=bool(group),
                marker={
                    "color": PALETTE[number % len(PALETTE)],
                    "symbol": MARKERS[number % len(MARKERS)],
                    "size": 8,
                },
            )
        )
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title, scaleanchor="x", scaleratio=1)
    return _finish(figure, title, width=760, height=560)


def bars(
    names: Sequence[str],
    series: Mapping[str, Numbers],
    *,
    title: str = "",
    y_title: str = "",
) -> go.Figure:
    """A group of bars for each name, one bar for each of `series`.

    Raises:
        ValueError: a series has not as many numbers as there are names, or there are none.
    """
    if not len(names):
        raise ValueError("no names came: bars need at least one")
    places = list(range(len(names)))  # a token may stand twice, so bars stand at places
    figure = go.Figure()
    for number, (name, values) in enumerate(series.items()):
        heights = _list(values)
        if len(heights) != len(names):
            raise ValueError(f"{name!r} has {len(heights)} numbers; there are {len(names)} names")
        pattern = {"shape": ("", "/", ".", "x")[number % 4]}
        figure.add_trace(
            go.Bar(
                x=places,
                y=heights,
                name=name,
                customdata=list(names),
                hovertemplate="%{customdata}: %{y:.3f}",
                marker={"color": PALETTE[number % len(PALETTE)], "pattern": pattern},
            )
        )
    width = max(420, 160 + 34 * len(names) * max(1, len(series) // 2))
    angle = _angle(names, (width - 80) / len(names))
    figure.update_xaxes(tickvals=places, ticktext=list(names), tickangle=angle)
    figure.update_yaxes(title=y_title)
    return _finish(figure, title, width=width, height=320)


# ------------------------------------------------------------------------------------------------ parts


def _cells(
    table: list[list[float]],
    rows: list[str],
    columns: list[str],
    *,
    signed: bool = False,
    decimals: int | None = None,
    top: float = 1.0,
    gap: int = 1,
    cell: tuple[int, int] = (30, 23),
) -> go.Heatmap:
    """The coloured cells; names go along in `customdata`, because a name may stand twice."""
    finite = [[cell if math.isfinite(cell) else None for cell in row] for row in table]
    scale: Any = SIGNED if signed else AMOUNTS
    lowest = min((cell for row in finite for cell in row if cell is not None), default=0.0)
    bottom = -top if signed else min(0.0, lowest)
    written = None
    if decimals is not None:
        written = [
            [
                f'<span style="color:{ink(cell, bottom, top, scale)}">'
                f"{f'{cell:z.{decimals}f}'.replace('inf', '∞')}</span>"
                for cell in row
            ]
            for row in table
        ]
    return go.Heatmap(
        z=finite,
        customdata=[[[row, column] for column in columns] for row in rows],
        hovertemplate="%{customdata[0]} → %{customdata[1]}: %{z:.3f}<extra></extra>",
        colorscale=scale,
        zmin=bottom,
        zmax=top,
        text=written,
        texttemplate="%{text}" if written else None,
        textfont={"size": _letters(table, decimals, cell)} if written else None,
        xgap=gap,
        ygap=gap,
        hoverongaps=True,
        colorbar={"thickness": 10, "len": 0.9, "nticks": 3 if len(table) < 6 else 6},
    )


def _letters(table: list[list[float]], decimals: int | None, cell: tuple[int, int]) -> int:
    """The size of numbers that fit into a cell; plotly would count the tags of their colours too."""
    longest = max(len(f"{number:z.{decimals}f}") for row in table for number in row)
    return max(6, min(12, int(cell[0] / (0.58 * longest)), int(cell[1] / 1.2)))


def _name_axes(figure: go.Figure, rows: list[str], columns: list[str]) -> None:
    angle = _angle(columns, 30)
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, tickangle=angle)
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows, autorange="reversed")


def _beside(names: Sequence[str]) -> int:
    """How much wider a picture must be for these names of rows; plotly would cut them off."""
    return max(0, 7 * max(len(str(name)) for name in names) - 60)


def _angle(names: Sequence[str], room: float) -> int:
    """Names stand upright where each has room, and lean where they would run into one another."""
    return 0 if 8 * max(len(str(name)) for name in names) <= room else -60


def _finish(figure: go.Figure, title: str, *, width: int, height: int) -> go.Figure:
    """One look for all; a long title and a legend of several rows get the room they need."""
    add_still_pictures()
    beside = max(0, 8 * len(title) + 20 - width)  # plotly would cut the title off
    above = _TOOLBAR + 19 * (_legend_rows(figure, width) - 1)  # or it is written over the title
    figure.update_layout(
        template="plotly_white",
        title={
            "text": title,
            "font": {"size": 14},
            "x": 0.01,
            "xanchor": "left",
            "y": 1 - (35 + _TOOLBAR) / (height + above),
            "yanchor": "middle",
        },
        width=width + beside,
        height=height + above,
        margin={"l": 60, "r": 20 + beside, "t": (70 if title else 40) + above, "b": 60},
        font={"size": 12},
        legend={"orientation": "h", "x": 0.0, "y": 1.0, "yanchor": "bottom"},
    )
    write_plainly(figure)
    return figure


def _legend_rows(figure: go.Figure, width: int) -> int:
    """In how many rows plotly sets the legend: its columns are as wide as the longest name."""
    names = [str(trace.name) for trace in figure.data if trace.name]
    if len(names) < 2:
        return 1
    columns = max(1, (width - 80) // (7 * max(map(len, names)) + 45))
    return -(-len(names) // columns)


def _decades(series: Mapping[str, Numbers]) -> int:
    """How many powers of ten to put between two marks of a logarithmic axis, for at most eight."""
    heights = [
        height for values in series.values() for height in _list(values) if 0 < height < math.inf
    ]
    span = math.log10(max(heights) / min(heights)) if heights else 1.0
    return max(1, math.ceil(span / 8))


def _matrix(values: Numbers) -> list[list[float]]:
    table = (
        values.detach().cpu().tolist()
        if isinstance(values, Tensor)
        else [list(row) for row in values]
    )
    if not table or not isinstance(table[0], list) or not table[0] or isinstance(table[0][0], list):
        raise ValueError("a picture of this kind needs a matrix: two axes, no more, neither empty")
    if len(lengths := {len(row) for row in table}) > 1:
        raise ValueError(f"a matrix has rows of one length; these have {sorted(lengths)}")
    return [[float(cell) for cell in row] for row in table]


def _list(values: Numbers) -> list[float]:
    return values.detach().cpu().tolist() if isinstance(values, Tensor) else list(values)


def _names(given: Sequence[str] | None, count: int, what: str) -> list[str]:
    names = [str(i) for i in range(count)] if given is None else list(given)
    if len(names) != count:
        raise ValueError(f"{len(names)} {what} came for {count} places")
    return names


def _top(table: list[list[float]], top: float | None) -> float:
    if top is not None:
        return top
    sizes = (abs(cell) for row in table for cell in row if math.isfinite(cell))
    return max(sizes, default=1.0) or 1.0


def _largest(table: list[list[float]], top: float | None) -> float:
    """Where a scale without a sign ends: 0 is on it."""
    if top is not None:
        return top
    finite = [cell for row in table for cell in row if math.isfinite(cell)]
    if any(finite):  # where all is below 0, it is the end
        return max(0.0, *finite)
    return 1.0

"""A figure's still picture: the numbers, colours and names of the live one, in an SVG that stands alone."""

from __future__ import annotations

import base64
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from plotly.colors import hex_to_rgb, sample_colorscale, unlabel_rgb

from course import figures
from course.figures.still import draw, still
from course.figures.still.axes import linear_step, marks
from course.figures.still.known import Unknown
from course.figures.still.words import plain, width

SVG = "{http://www.w3.org/2000/svg}"
ODD = [
    "<script>alert(1)</script>", "a & b", 'say "it"', "</svg>", "<s>", "שלום עולם", "编码器", "\x07\ud800",
    "<b>bold", "{x}", "]]>", "",
]  # fmt: skip
N = len(ODD)
SERIES = {name: [0.5] * 3 for name in ODD}
ANY: dict[str, Callable[[], go.Figure]] = {
    "heatmap": lambda: figures.heatmap(
        torch.randn(N, N), ODD, ODD, title=ODD[0], row_title=ODD[3], column_title=ODD[4],
        signed=True, numbers=True,
    ),
    "pixels": lambda: figures.heatmap(torch.rand(64, 64), title=ODD[1]),
    "product": lambda: figures.product(torch.ones(2, 3), torch.ones(3, 2), torch.ones(2, 2), ODD[:3]),
    "heads": lambda: figures.heads(torch.rand(N, 4, 4), titles=ODD, title=ODD[3]),
    "named heads": lambda: figures.heads(torch.rand(2, 4, 4), ODD[:4]),
    "by_head": lambda: figures.by_head(torch.rand(6, 12), title=ODD[5]),
    "lines": lambda: figures.lines([1, 2, 3], SERIES, title=ODD[0], x_title=ODD[1], y_title=ODD[2]),
    "logs": lambda: figures.lines([1, 10, 1000], {"a": [1e-9, 0.0, 2.0]}, log_x=True, log_y=True),
    "points": lambda: figures.points(torch.randn(N, 2), ODD, ODD[::-1], title=ODD[0]),
    "bars": lambda: figures.bars(ODD, {name: range(N) for name in ODD[:5]}, y_title=ODD[0]),
    "one bar": lambda: figures.bars(["a"], {"one": [0.0]}),
}  # fmt: skip


def parsed(figure: go.Figure) -> ElementTree.Element:
    return ElementTree.fromstring(draw(figure.to_dict()))


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", ANY)
def test_every_figure_has_a_well_formed_picture(name: str) -> None:
    figure = ANY[name]()
    root = parsed(figure)
    assert (root.get("role"), root.get("direction")) == ("img", "ltr")
    assert str(root[0].tag) == f"{SVG}title"
    assert root[0].text
    assert (root[1].tag, root[1].get("fill")) == (f"{SVG}rect", "white")
    assert (root[1].get("width"), root[1].get("height")) == (root.get("width"), root.get("height"))
    allowed = {"svg", "title", "rect", "path", "text", "tspan", "image", "g"}
    assert {str(part.tag).removeprefix(SVG) for part in root.iter()} <= allowed
    names = {attribute for part in root.iter() for attribute in part.attrib}
    assert not {name for name in names if name.startswith("on") or name == "id"}, (
        "no scripts; ids may clash"
    )
    said = draw(figure.to_dict())
    assert "nan" not in re.sub(r"base64,[^\"]*", "", said)
    assert len(said.encode()) < 30_000
    assert still(figure) == said == still(figure), "the same figure has the same bytes"


def test_names_and_numbers_stand_in_the_picture() -> None:
    table = [[0.25, -1.5], [3.0, float("-inf")]]
    root = parsed(
        figures.heatmap(
            table, ["she", "saw"], ["she", "it"], numbers=True, title="Scores", row_title="queries",
            column_title="keys", top=3.0,
        )
    )  # fmt: skip
    written = texts(root)
    for text in ("0.25", "-1.50", "3.00", "-∞", "saw", "it", "Scores", "queries", "keys"):
        assert written.count(text) == 1, text
    assert written.count("she") == 2
    assert {"0", "2"} <= set(written), "the colour bar's marks, from -1.5 to 3"
    assert root[0].text == "Scores. Heat map: queries by keys."
    inks = {"".join(text.itertext()): text.get("fill") for text in root.iter(f"{SVG}text")}
    assert (inks["0.25"], inks["3.00"]) == ("#ffffff", "#000000")


def test_markup_in_labels_is_text_and_known_tags_are_style() -> None:
    figure = figures.bars(ODD, {"x": range(N)}, title="a title")
    figure.update_layout(title_text="<b>bold</b> &lt; <img src=x onerror=y>")  # as plotly reads it
    root = parsed(figure)
    written = texts(root)
    assert "<script>alert(1)</script>" in written
    assert "</svg>" in written
    assert "<s>" in written
    assert "bold < <img src=x onerror=y>" in written
    assert [span.text for span in root.iter(f"{SVG}tspan") if span.get("font-weight")] == ["bold"]
    assert plain("10<sup>3</sup><br>next") == "103 next"
    assert plain("<b><i>crossed</b></i>") == "<b>crossed</b>"
    assert width("编码", 10) > width("ab", 10) > width("il", 10)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("count", [3, 12, 20])
def test_cells_have_the_colours_of_the_scale(signed: bool, count: int) -> None:
    values = torch.linspace(-1.0 if signed else 0.0, 1.0, count * count).reshape(count, count)
    figure = figures.heatmap(values, signed=signed)
    trace = figure.data[0]
    shares = ((values - trace.zmin) / (trace.zmax - trace.zmin)).flatten().tolist()
    wanted = [
        unlabel_rgb(one) for one in sample_colorscale(list(map(list, trace.colorscale)), shares)
    ]
    found = boxes(figure) if count == 3 else pixels(figure)
    # Many colours are brought to 255 of the scale, half a step away at most: below 2 of 255 levels.
    np.testing.assert_allclose(found, wanted, atol=0.51 if count < 16 else 2)


def boxes(figure: go.Figure) -> list[tuple[int, ...]]:
    """The colours of cells drawn as boxes, in reading order."""
    found = [
        (float(y), float(x), hex_to_rgb(str(path.get("fill"))))
        for path in parsed(figure).findall(f"{SVG}path")
        for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", str(path.get("d")))
    ]
    return [colour for _, _, colour in sorted(found)]


def pixels(figure: go.Figure) -> list[tuple[int, ...]]:
    """The colours of the picture in pixels, in reading order."""
    (image,) = parsed(figure).iter(f"{SVG}image")
    assert image.get("image-rendering") == "pixelated"
    data = base64.b64decode(str(image.get("href")).removeprefix("data:image/png;base64,"))
    chunks, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks[kind], at = data[at + 8 : at + 8 + size], at + size + 12
    across, down = struct.unpack(">II", chunks[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(down, across + 1)
    places = np.cumsum(
        lines[:, 1:], axis=0, dtype=np.uint8
    )  # filter 2: differences to the line above
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    return [tuple(colour) for colour in palette[places].reshape(-1, 3).tolist()]


def test_equal_cells_without_gaps_are_one_box_and_missing_ones_none() -> None:
    figure = figures.heatmap([[0.0, 0.0, 1.0, float("-inf")]])
    figure.update_traces(xgap=0, ygap=0, showscale=False)
    paths = [str(path.get("d")) for path in parsed(figure).iter(f"{SVG}path")]
    assert sorted(path.count("M") for path in paths) == [1, 1]
    sizes = sorted(float(re.findall(r"h([\d.]+)", path)[0]) for path in paths)
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=0.2)


def test_a_picture_in_pixels_has_white_for_missing_cells() -> None:
    values = torch.zeros(12, 12)
    values[3, 5] = float("-inf")
    assert [
        place for place, one in enumerate(pixels(figures.heatmap(values))) if one == (255,) * 3
    ] == [41]


def test_curves_break_where_a_point_is_missing() -> None:
    root = parsed(figures.lines([1, 2, 3, 4], {"a": [1.0, float("nan"), 2.0, 3.0]}))
    curve = next(path for path in root.iter(f"{SVG}path") if path.get("stroke") == "#0072b2")
    assert re.sub(r"[\d. ]", "", str(curve.get("d"))) == "MML"


def test_a_long_curve_keeps_its_extremes_in_few_bytes() -> None:
    values = torch.randn(5000)
    values[1234], values[2345], values[3000] = 9.0, -9.0, float("nan")
    root = parsed(figures.lines(range(5000), {"a": values}))
    curve = next(path for path in root.iter(f"{SVG}path") if path.get("stroke") == "#0072b2")
    path = str(curve.get("d"))
    ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
    marked = {
        text.text: text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"
    }
    top, bottom = (float(str(marked[text].get("y"))) for text in ("5", "−5"))
    unit = (bottom - top) / 10  # pixels
    assert max(ys) - min(ys) == pytest.approx(18 * unit, abs=0.4)
    assert path.count("M") == 2, "broken where a point is missing"
    assert len(path) < 30_000


LITTLE: dict[str, Callable[[], go.Figure]] = {
    "no series": lambda: figures.lines([], {}),
    "no points": lambda: figures.lines([], {"a": []}),
    "all missing": lambda: figures.lines([1, 2], {"a": [float("nan")] * 2}),
    "constant": lambda: figures.lines([1, 2], {"a": [3, 3]}),
    "logs": lambda: figures.lines([0, 1], {"a": [0, float("inf")]}, log_x=True, log_y=True),
    "huge": lambda: figures.lines([1, 2], {"a": [1e300, -1e300]}),
    "bars": lambda: figures.bars(["a", "b"], {"x": [float("nan"), 0]}),
    "one place": lambda: figures.points([[1, 1], [1, 1]], ["a", "b"]),
    "blocked": lambda: figures.heatmap([[float("-inf")]], numbers=True),
    "zero": lambda: figures.heatmap([[0.0]]),
}


@pytest.mark.parametrize("name", LITTLE)
def test_figures_of_little_or_nothing_have_a_picture(name: str) -> None:
    said = draw(LITTLE[name]().to_dict())
    ElementTree.fromstring(said)
    assert not re.search(r"\b(nan|inf)\b", said)


def test_large_marks_are_short() -> None:
    figure = figures.lines([1e3, 2e6, 1e9], {"a": [1, 2, 3]}, log_x=True)
    assert {"1000", "2M", "1B"} <= set(texts(parsed(figure)))


def test_places_follow_the_axes() -> None:
    root = parsed(figures.lines([1, 10, 100], {"a": [4.0, 5.0, 6.0]}, log_x=True))
    curve = next(path for path in root.iter(f"{SVG}path") if path.get("stroke") == "#0072b2")
    numbers = [float(one) for one in re.findall(r"[\d.]+", str(curve.get("d")))]
    xs, ys = numbers[::2], numbers[1::2]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    marked = {text.text: float(str(text.get("x"))) for text in root.iter(f"{SVG}text")}
    assert [marked[name] for name in ("1", "10", "100")] == pytest.approx(xs, abs=0.1)


def test_marks_are_where_plotly_has_them() -> None:
    assert linear_step(0, 1, 6) == 0.2
    assert [text for _, text in marks(-1, 1, 0.5)] == ["−1", "−0.5", "0", "0.5", "1"]
    assert [text for _, text in marks(0, 30_000, 10_000)] == ["0", "10k", "20k", "30k"]
    assert [text for _, text in marks(0, 2000, 1000)] == ["0", "1000", "2000"]
    with pytest.raises(Unknown, match="marks every"):
        marks(0, 1e9, 1.0)


def test_every_series_is_named_in_the_legend() -> None:
    root = parsed(figures.bars(["a"], {"one": [1.0], "two": [2.0]}))
    assert {"one", "two"} <= set(texts(root))
    assert str(root[0].text) == "Bar chart. one, two."
    assert "one" not in texts(parsed(figures.bars(["a"], {"one": [1.0]}))), "one alone needs none"


def test_notes_and_lines_over_a_heat_map_are_drawn() -> None:
    figure = figures.heatmap(torch.rand(4, 8))
    figure.add_vline(x=3, line={"color": "#d55e00", "width": 3})
    figure.add_annotation(x=3, y=1, yref="paper", yanchor="bottom", text="word", showarrow=False)
    root = parsed(figure)
    (line,) = [path for path in root.iter(f"{SVG}path") if path.get("stroke") == "#d55e00"]
    (word,) = [text for text in root.iter(f"{SVG}text") if text.text == "word"]
    assert str(line.get("d")).startswith(f"M{word.get('x')} ")


@pytest.mark.parametrize(
    "figure",
    [
        go.Figure(go.Pie(values=[1, 2])),
        go.Figure(go.Histogram(x=[1, 2])),
        go.Figure(go.Scatter(x=[1, 2], y=[1, 2], fill="tozeroy")),
        go.Figure(go.Scatter(x=[1, 2], y=[1, 2], line={"shape": "hv"})),
        go.Figure(go.Scatter(x=["2020-01-01"], y=[1])),
        go.Figure(go.Scatter(x=[1, 2], y=[1, 2], marker={"color": [1, 2]})),
        go.Figure(go.Scatter(x=[1], y=[1], marker={"symbol": "pentagon"})),
        go.Figure(go.Bar(x=[1], y=[1], orientation="h")),
        go.Figure([go.Bar(x=[1], y=[1]), go.Bar(x=[1], y=[1])], {"barmode": "stack"}),
        go.Figure(go.Heatmap(z=[[1, 2]], x=[0, 5])),
        go.Figure(go.Scatter(x=[1], y=[1]), {"yaxis": {"side": "right"}}),
        go.Figure(go.Scatter(x=[1], y=[1]), {"images": [{"source": "x"}]}),
        go.Figure(go.Scatter(x=[1], y=[1]), {"annotations": [{"x": 1, "y": 1, "text": "a"}]}),
        go.Figure(go.Scatter(x=[1], y=[1]), {"shapes": [{"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1}]}),
    ],
)  # fmt: skip
def test_what_is_not_known_has_no_picture(figure: go.Figure) -> None:
    assert still(figure) is None


def test_figures_of_ones_own_have_a_picture() -> None:
    figure = go.Figure(go.Scatter(x=np.arange(3), y=np.array([1.0, 2.0, 3.0]), name="mine"))
    figure.update_layout(title="Mine", template="plotly_white")
    assert "Mine" in texts(parsed(figure))
    assert "b" in texts(parsed(go.Figure(go.Bar(x=["a", "b"], y=[1, 2]))))

"""Arrays to figures: the numbers drawn are the numbers given, in forms that plotly 5.24 knows."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import plotly.graph_objects as go
import pytest
import torch
from plotly.colors import hex_to_rgb, sample_colorscale, unlabel_rgb

from course import figures
from course.figures.ink import contrast
from course.figures.names import sides

MATRIX = torch.tensor([[0.1, -0.5, 2.0], [1.0, float("-inf"), 0.0]])


def drawn(figure: go.Figure) -> dict:
    """What reaches the browser."""
    return json.loads(figure.to_json())


def written(cells: dict) -> list[list[str]]:
    """The numbers in a heatmap's cells, without their colours."""
    return [[re.sub(r"<[^>]*>", "", text) for text in row] for row in cells["text"]]


def test_a_heatmap_shows_the_matrix_with_its_first_row_on_top() -> None:
    figure = drawn(
        figures.heatmap(MATRIX, ["she", "she"], ["a", "b", "c"], numbers=True, decimals=1)
    )
    cells = figure["data"][0]
    assert cells["z"] == [[pytest.approx(0.1), -0.5, 2.0], [1.0, None, 0.0]]
    assert written(cells) == [["0.1", "-0.5", "2.0"], ["1.0", "-∞", "0.0"]]
    assert cells["zmax"] == 2.0
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"
    assert figure["layout"]["yaxis"]["ticktext"] == ["she", "she"], "a token may stand twice"
    assert figure["layout"]["yaxis"]["tickvals"] == [0, 1]


def test_a_signed_heatmap_has_zero_in_the_middle_of_its_colours() -> None:
    cells = drawn(figures.heatmap(MATRIX, signed=True))["data"][0]
    assert cells["zmin"] == -cells["zmax"] == -2.0


@pytest.mark.parametrize("signed", [False, True])
def test_a_number_stands_out_from_its_cell(signed: bool) -> None:
    values = torch.linspace(-1.0 if signed else 0.0, 1.0, 105).reshape(5, 21)
    cells = drawn(figures.heatmap(values, signed=signed, numbers=True))["data"][0]
    colours = sample_colorscale(cells["colorscale"], torch.linspace(0, 1, 105).tolist())
    texts = [text for row in cells["text"] for text in row]
    for colour, text in zip(colours, texts, strict=True):
        ink = re.search(r"color:(#\w{6})", text)
        assert ink is not None
        assert contrast(hex_to_rgb(ink[1]), unlabel_rgb(colour)) >= 4.5, (colour, text)
    white = drawn(figures.heatmap([[1.0, float("-inf")]], numbers=True))["data"][0]["text"][0][1]
    assert "color:#000000" in white


def test_numbers_fit_into_their_cells() -> None:
    """Left to itself, plotly counts the tags of the colours and writes numbers of one pixel."""
    for values, least in ((torch.rand(6, 12), 11), (torch.randn(4, 6), 9), (torch.rand(4, 40), 6)):
        figure = drawn(figures.heatmap(values, numbers=True))
        size = figure["data"][0]["textfont"]["size"]
        longest = max(len(text) for row in written(figure["data"][0]) for text in row)
        assert least <= size <= 12
        assert 0.56 * size * longest <= 30 or size == 6


def test_a_matrix_of_zeros_has_a_scale_too() -> None:
    assert drawn(figures.heatmap(torch.zeros(2, 2)))["data"][0]["zmax"] == 1.0


@pytest.mark.parametrize("bad", [torch.zeros(3), torch.zeros(2, 2, 2), torch.zeros(0, 3)])
def test_what_is_no_matrix_is_refused(bad: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="two axes"):
        figures.heatmap(bad)


def test_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1 rows came for 2 places"):
        figures.heatmap(MATRIX, ["one"])


def test_a_product_is_drawn_with_its_shapes() -> None:
    left, right = torch.ones(2, 3), torch.ones(3, 4)
    figure = drawn(figures.product(left, right, left @ right, ("A", "B", "C")))
    assert [len(trace["z"]) for trace in figure["data"]] == [2, 3, 2]
    assert [a["text"] for a in figure["layout"]["annotations"]] == [
        "A (2, 3)",
        "B (3, 4)",
        "C (2, 4)",
    ]
    assert written(figure["data"][2])[0][0] == "3.00"
    with pytest.raises(ValueError, match="does not give"):
        figures.product(left, right, right)


def test_heads_share_one_scale() -> None:
    figure = drawn(figures.heads(torch.rand(7, 3, 3), ["a", "b", "c"], per_row=3))
    assert len(figure["data"]) == 7
    assert {(trace["zmin"], trace["zmax"]) for trace in figure["data"]} == {(0.0, 1.0)}
    assert sum(trace["showscale"] for trace in figure["data"]) == 1
    with pytest.raises(ValueError, match=r"\(H, L, S\)"):
        figures.heads(torch.rand(3, 3))


@pytest.mark.parametrize(("count", "named"), [(3, True), (12, False)])
def test_heads_name_a_few_tokens_at_their_sides(count: int, named: bool) -> None:
    names = [f"token {place}" for place in range(count)]
    layout = drawn(figures.heads(torch.rand(2, count, count), names))["layout"]
    for axis in ("yaxis", "xaxis", "xaxis2"):
        assert layout[axis]["visible"] is named
        assert layout[axis].get("ticktext") == (names if named else None)
    assert layout["yaxis2"]["visible"] is False


def test_a_heatmap_is_as_wide_as_its_names_and_its_cells() -> None:
    widths = {
        length: drawn(figures.heatmap(MATRIX, ["x" * length, "y"]))["layout"]["width"]
        for length in (1, 50)
    }
    assert widths[50] - widths[1] >= 50 * 7 - 60


def test_a_large_matrix_fits_beside_the_prompt_and_onto_the_screen() -> None:
    layout = drawn(figures.heatmap(torch.rand(48, 64)))["layout"]
    assert layout["width"] <= 800
    assert layout["height"] <= 800
    assert layout["xaxis"]["tickmode"] == layout["yaxis"]["tickmode"] == "auto"
    named = drawn(figures.heatmap(torch.rand(2, 48), columns=list(map(str, range(48)))))["layout"]
    assert named["xaxis"]["tickmode"] == "array", "names that were given are all written"


def test_names_on_a_map_turn_aside_for_one_another() -> None:
    close = [[0.0, 0.0], [0.01, 0.0], [0.0, 0.01], [1.0, 1.0]]
    names = ["valueerror", "typeerror", "exception", "alone"]
    trace = drawn(figures.points(close, names))["data"][0]
    assert trace["text"] == names
    assert len(set(trace["textposition"][:3])) == 3
    assert trace["textposition"][3] == "top center"


def test_names_on_a_map_are_placed_for_the_room_between_its_margins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Plotly draws no point at the very edge of the axes: it adds a margin to their ranges."""
    rooms = []

    def noted(xy: Any, names: Any, room: tuple[int, int]) -> list[str]:
        rooms.append(room)
        return sides(xy, names, room)

    monkeypatch.setattr(figures, "sides", noted)
    layout = drawn(figures.points([[0.0, 0.0], [1.0, 1.0]], ["one", "two"], title="map"))["layout"]
    margin = layout["margin"]
    wide = layout["width"] - margin["l"] - margin["r"]
    high = layout["height"] - margin["t"] - margin["b"]
    [room] = rooms
    assert 0.8 * wide < room[0] < 0.95 * wide
    assert 0.8 * high < room[1] < 0.95 * high


def test_a_number_for_each_head() -> None:
    figure = drawn(figures.by_head(torch.arange(6.0).reshape(2, 3), decimals=0))
    assert figure["layout"]["yaxis"]["ticktext"] == ["layer 0", "layer 1"]
    assert written(figure["data"][0]) == [["0", "1", "2"], ["3", "4", "5"]]


def test_lines_differ_in_more_than_colour() -> None:
    figure = drawn(
        figures.lines([1, 10, 100], {"a": [1, 2, 3], "b": torch.ones(3)}, log_x=True, log_y=True)
    )
    first, second = figure["data"]
    assert first["line"]["dash"] != second["line"]["dash"]
    assert first["marker"]["symbol"] != second["marker"]["symbol"]
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"
    with pytest.raises(ValueError, match="'a' has 2 points; x has 3"):
        figures.lines([1, 2, 3], {"a": [1, 2]})


def test_a_logarithmic_axis_has_at_most_eight_marks() -> None:
    heights = [10.0**-power for power in range(30)]
    step = drawn(figures.lines(range(30), {"a": heights}, log_y=True))["layout"]["yaxis"]["dtick"]
    assert 29 / step <= 8


@pytest.mark.parametrize("length", [10, 80])
def test_a_title_is_not_cut_off_and_takes_no_room_from_the_picture(length: int) -> None:
    narrow, titled = (
        drawn(figures.heatmap(torch.rand(2, 2), title=title))["layout"]
        for title in ("short", "m" * length)
    )
    assert titled["width"] >= 8 * length
    for name, side in (("width", "r"), ("height", "t")):
        room = [layout[name] - layout["margin"][side] for layout in (narrow, titled)]
        assert room[0] == room[1]


def test_a_legend_of_several_rows_stands_below_the_title() -> None:
    names = {f"a rather long name, {number}": [1, 2] for number in range(5)}
    layout = drawn(figures.lines([1, 2], names, title="A title"))["layout"]
    columns = (layout["width"] - 80) // 170  # the least that plotly gives to such a name
    rows = -(-len(names) // columns)
    title = (1 - layout["title"]["y"]) * layout["height"]
    assert layout["margin"]["t"] - 19 * rows >= title + 14


def test_short_names_stand_upright_and_long_ones_lean() -> None:
    for names, upright in ((["0", "1"], True), (["because", "although"], False)):
        axis = drawn(figures.heatmap(torch.rand(2, 2), columns=names))["layout"]["xaxis"]
        assert (axis["tickangle"] == 0) == upright


def test_bars_keep_the_order_and_the_repeats_of_their_names() -> None:
    figure = drawn(figures.bars(["the", "cat", "the"], {"x": [1, 2, 3], "y": torch.zeros(3)}))
    assert figure["data"][0]["x"] == [0, 1, 2]
    assert figure["layout"]["xaxis"]["ticktext"] == ["the", "cat", "the"]
    patterns = [trace["marker"]["pattern"]["shape"] for trace in figure["data"]]
    assert len(set(patterns)) == 2
    with pytest.raises(ValueError, match="'x' has 1 numbers; there are 3 names"):
        figures.bars(["a", "b", "c"], {"x": [1]})


def test_every_figure_is_plain_and_small() -> None:
    for figure in (
        figures.heatmap(torch.rand(16, 16)),
        figures.lines(range(5), {"a": range(5)}),
        figures.bars(["a"], {"x": [1.0]}),
        figures.by_head(torch.rand(6, 12)),
    ):
        assert type(figure) is go.Figure
        text = figure.to_json()
        assert len(text) < 60_000
        assert "bdata" not in text, "plotly 5.24 doesn't know it"
        assert not any(
            isinstance(v, float) and math.isnan(v) for v in figure.layout.to_plotly_json().values()
        )

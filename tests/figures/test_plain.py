"""Names stand in a figure as they are written, though plotly reads tags in them."""

from __future__ import annotations

import html
import math

import pytest
import torch

from course import figures
from course.figures.still import draw
from tests.figures.test_still import ANY, ODD, parsed, texts

NAMES = ["<s>", "a & b", "x < 3"]
WRITTEN = ["&lt;s&gt;", "a &amp; b", "x &lt; 3"]


def test_tokens_that_look_like_tags_are_named_on_axes_and_on_hover() -> None:
    figure = figures.heatmap(torch.eye(3), NAMES, NAMES, title=NAMES[0], row_title=NAMES[1])
    assert list(figure.layout.xaxis.ticktext) == list(figure.layout.yaxis.ticktext) == WRITTEN
    assert list(figure.data[0].customdata[2][0]) == [WRITTEN[2], WRITTEN[0]]
    assert figure.layout.title.text == WRITTEN[0]
    assert figure.layout.yaxis.title.text == WRITTEN[1]
    assert [text for text in texts(parsed(figure)) if text in NAMES] == NAMES * 2 + [
        NAMES[1],
        NAMES[0],
    ]


def test_series_points_and_parts_are_named() -> None:
    series = {name: [1.0, 2.0, 3.0] for name in NAMES}
    assert [trace.name for trace in figures.lines([1, 2, 3], series).data] == WRITTEN
    bars = figures.bars(NAMES, series)
    assert [trace.name for trace in bars.data] == list(bars.data[0].customdata) == WRITTEN
    points = figures.points([[0, 0], [1, 1], [2, 0]], NAMES, NAMES)
    assert [trace.name for trace in points.data] == WRITTEN
    assert [name for trace in points.data for name in trace.text] == WRITTEN
    heads = figures.heads(torch.rand(3, 2, 2), titles=NAMES)
    assert [note.text for note in heads.layout.annotations] == WRITTEN


def test_the_colours_of_numbers_are_still_tags() -> None:
    figure = figures.heatmap([[0.5]], ["<s>"], numbers=True)
    assert figure.data[0].text[0][0].startswith("<span style=")


@pytest.mark.parametrize("name", ANY)
def test_no_figure_has_a_tag_of_a_name(name: str) -> None:
    written = str(ANY[name]().to_dict())
    assert not any(odd in written for odd in ODD if html.escape(odd, quote=False) != odd)


def test_a_number_that_is_none_takes_no_part_in_the_scale() -> None:
    figure = figures.heatmap([[math.nan, -math.inf], [0.5, 2.0]])
    assert figure.data[0].zmax == 2.0
    assert "2" in draw(figure.to_dict())


def test_a_product_of_zeros_and_a_matrix_wider_than_the_screen_are_drawn() -> None:
    zeros = figures.product(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 1))
    assert [(trace.zmin, trace.zmax) for trace in zeros.data] == [(-1.0, 1.0)] * 3
    assert figures.heatmap(torch.rand(400, 700)).layout.width > 700


def test_a_number_stands_in_a_cell_where_it_can_be_read() -> None:
    assert figures.heatmap(torch.rand(8, 70), numbers=True).data[0].text is not None
    wide = figures.heatmap(torch.rand(100, 80), numbers=True)
    assert wide.data[0].text is None
    assert len(draw(wide.to_dict())) < 2**21


def test_numbers_below_zero_have_colours_of_their_own() -> None:
    cells = figures.heatmap([[-3.0, -1.0, -2.0]]).data[0]
    assert (cells.zmin, cells.zmax) == (-3.0, 0.0)
    assert figures.heatmap([[-3.0, 1.0]]).data[0].zmax == 1.0
    assert figures.heatmap([[0.5, 1.0]]).data[0].zmin == 0.0


@pytest.mark.parametrize(
    ("draws", "says"),
    [
        (lambda: figures.heatmap([[]]), "neither empty"),
        (lambda: figures.heatmap([]), "neither empty"),
        (lambda: figures.heatmap([[1, 2], [3]]), r"these have \[1, 2\]"),
        (lambda: figures.bars([], {}), "at least one"),
        (lambda: figures.heads(torch.rand(0, 2, 2)), "0 heads"),
        (lambda: figures.heads(torch.rand(2, 2, 2), per_row=0), "0 in a row"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(draws, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        draws()


def test_a_gap_in_a_curve_and_a_bar_that_is_missing_are_drawn() -> None:
    assert list(figures.lines([1, 2, 3], {"a": [1.0, None, 3.0]}).data[0].y) == [1.0, None, 3.0]
    assert list(figures.bars(["a", "b"], {"x": [None, 1.0]}).data[0].y) == [None, 1.0]

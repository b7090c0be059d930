"""What plots and texts in pieces are sent."""

from __future__ import annotations

import numpy as np
import pytest

from course.labs.colours import COLOURS
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from tests.labs.front import Front
from tests.labs.panel_lab import PIECES, PLACES, WORDS, PanelLab


def test_numbers_of_a_plot_lie_series_after_series() -> None:
    front = Front(PanelLab()).ready()
    numbers = np.frombuffer(front.data["map"]["numbers"], "<f4")
    np.testing.assert_array_equal(numbers, np.concatenate([PLACES[:, 0], PLACES[:, 1]]))
    assert front.panels["map"]["series"][0]["labels"] == WORDS
    lines = np.frombuffer(front.data["lines"]["numbers"], "<f4")
    assert [one["count"] for one in front.panels["lines"]["series"]] == [5, 4, 5]
    np.testing.assert_array_equal(lines[:10], [0, 1, 10, 100, 1000, 0, 1, 100, 1e4, 1e6])
    assert len(lines) == 2 * (5 + 4 + 5)


def test_choosing_sends_no_numbers_again() -> None:
    front = Front(PanelLab()).ready()
    front.move(line=1, point=3)
    assert front.drawn() == ["lines"]
    assert "data" not in front.last["panels"][0]
    assert front.messages[-1][1] == []
    front.move(power=3)
    assert len(front.messages[-1][1]) == 1


def test_pieces_carry_their_marks() -> None:
    front = Front(PanelLab()).ready()
    marks = list(front.data["text"]["marks"])
    assert marks[:6] == [1, 0, 4, 4, 2, 0]
    assert front.panels["text"]["pieces"] == [piece.text for piece in PIECES]
    assert list(front.data["shaded"]["shades"]) == [0, 64, 127, 191, 254, 255]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        plot_panel("p", [Series("s", [1, 2], [1, 2, 3])], 0)
    with pytest.raises(ValueError, match="1 labels for 2 points"):
        plot_panel("p", [Series("s", [1, 2], [1, 2], labels=["a"])], 0)
    with pytest.raises(ValueError, match="1 shades for 2 pieces"):
        tokens_panel("t", [Piece("a"), Piece("b")], 0, shades=[0.5])


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("page", "paper", "ink"), [("light", "#ffffff", "#212121"), ("dark", "#111111", "#e0e0e0")]
)
def test_colours_can_be_seen_on_the_page(page: str, paper: str, ink: str) -> None:
    assert all(contrast(colour, paper) >= 4.5 for colour in COLOURS[page]["series"])
    assert all(contrast(tint, ink) >= 7 for tint in COLOURS[page]["tints"])

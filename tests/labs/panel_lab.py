"""A small lab of one plot and one row of pieces, for tests of the front end's panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.labs.drawing import Drawing, PanelData
from course.labs.lab import Lab
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel

WORDS = ["king", "queen", "Paris", "Berlin"]
PLACES = np.array([[0.0, 0.0], [1.0, 0.2], [0.1, 1.0], [1.1, 1.1]], np.float32)
PIECES = [
    Piece("[CLS]", 101, special=True),
    Piece("un", 4895),
    Piece("##believ", 26767, continues=True),
    Piece("##able", 3085, continues=True),
    Piece("☃", 100, unknown=True),
    *(Piece(f"word{i}", 2000 + i) for i in range(40)),
    Piece("[SEP]", 102, special=True),
]


class PanelLab(Lab):
    """Two lines on logarithmic paper, a map of four words, a text in pieces."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"line": 0, "point": 2, "word": "king", "piece": 1, "power": 2}
        super().__init__()

    def form(self) -> dict[str, Any]:
        return {
            "lab": "panels",
            "title": "Panels",
            "groups": [
                {
                    "label": "Lines",
                    "controls": [
                        {
                            "name": "power",
                            "kind": "range",
                            "label": "power",
                            "least": 1,
                            "most": 4,
                            "step": 1,
                            "digits": 0,
                        }
                    ],
                }
            ],
            "panels": [
                {
                    "name": "lines",
                    "kind": "plot",
                    "label": "Powers",
                    "x": {"label": "number", "log": True},
                    "y": {"label": "its power", "log": True},
                    "tells": "{series}: {x} gives {y}",
                    "chooses": ["line", "point"],
                },
                {
                    "name": "map",
                    "kind": "plot",
                    "column": 1,
                    "label": "Map",
                    "x": {"label": "first"},
                    "y": {"label": "second"},
                    "equal": True,
                    "height": 260,
                    "tells": "“{label}” at {x}, {y}",
                    "sends": "word",
                },
                {
                    "name": "text",
                    "kind": "tokens",
                    "column": 1,
                    "label": "Pieces",
                    "number": "id",
                    "tells": "{i}: “{piece}” is {value}",
                    "chooses": "piece",
                },
                {
                    "name": "shaded",
                    "kind": "tokens",
                    "label": "Pieces by size",
                    "digits": 2,
                },
            ],
        }

    def apply(self, changes: Mapping[str, Any]) -> None:
        self.state.update(changes)

    def drawing(self) -> Drawing:
        state = self.state
        return Drawing(
            values=state,
            panels=[self._lines(), self._map(), self._text(), self._shaded()],
            summary=f"line {state['line']} point {state['point']} word {state['word']} "
            f"piece {state['piece']}",
        )

    def _lines(self) -> PanelData:
        x = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
        power = self.state["power"]
        lines = [
            Series("power", x, x**power),
            Series("root", x[:4], np.sqrt(x[:4]), draws="both"),
            Series("", x, np.full(5, 30.0), faint=True, aside=True),
        ]
        chosen = (self.state["line"], self.state["point"])
        return plot_panel(
            "lines", lines, power, chosen, marks=[{"axis": "x", "at": 50, "label": "fifty"}]
        )

    def _map(self) -> PanelData:
        words = Series("words", PLACES[:, 0], PLACES[:, 1], "points", WORDS)
        return plot_panel("map", [words], 0, (0, WORDS.index(self.state["word"])))

    def _text(self) -> PanelData:
        return tokens_panel("text", PIECES, 0, self.state["piece"])

    def _shaded(self) -> PanelData:
        numbers = [-1.0, -0.5, 0.0, 0.5, 1.0, float("nan")]
        pieces = [Piece(f"w{i}", number) for i, number in enumerate(numbers)]
        return tokens_panel("shaded", pieces, 0, shades=numbers, scale="signed")

    def still(self) -> dict[str, str]:
        return {"text/plain": "PanelLab()"}

"""What a decoder gets of a source at each step: one vector, or its looks at all tokens.

    figures.handover(source, target, {"one vector": None, "attention": weights})

A still picture, drawn as SVG, with a text form. A line is as strong as the weight that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from course.figures.svg import line, rectangle, text
from course.system.markup import escape

__all__ = ["HandoverFigure", "handover"]

_CELL, _HEIGHT, _GAP = 30, 26, 104  # a token's width and height; between the two rows
_LEFT, _TOP, _PANEL = 16, 56, 230  # of the first row; a panel's height
_LEAST = 0.05  # weights below it are not drawn
_LOOK, _VECTOR = "#0072b2", "#b45309"
_NARROW = 66  # columns of the text form


def handover(
    source: Sequence[str],
    target: Sequence[str],
    looks: Mapping[str, Tensor | None],
    *,
    title: str = "",
) -> HandoverFigure:
    """Draw a panel for each name in `looks`, the source's tokens above and the target's below.

    Args:
        source: S tokens.
        target: T tokens.
        looks: name -> weights `(T, S)`; None where the decoder gets one vector.
        title: what the picture shows.

    Raises:
        ValueError: weights of another shape.
    """
    panels: dict[str, list[list[float]] | None] = {}
    for name, weights in looks.items():
        if weights is not None and tuple(weights.shape) != (len(target), len(source)):
            raise ValueError(
                f"{name!r}: weights should be (T, S) = ({len(target)}, {len(source)}); "
                f"they are {tuple(weights.shape)}"
            )
        panels[name] = None if weights is None else weights.tolist()
    return HandoverFigure(tuple(source), tuple(target), panels, title)


@dataclass(frozen=True)
class HandoverFigure:
    """The picture; see `handover`."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    panels: Mapping[str, list[list[float]] | None]
    title: str

    def __repr__(self) -> str:
        lines = [self.title] if self.title else []
        for name, weights in self.panels.items():
            if weights is None:
                lines += [f"{name}:", f"  all {len(self.target)} steps get the same vector"]
                continue
            lines.append(f"{name}, the strongest look of each step:")
            said = [self._strongest(*pair) for pair in zip(self.target, weights, strict=True)]
            lines += _wrapped(said)
        return "\n".join(lines)

    def _strongest(self, token: str, weights: list[float]) -> str:
        place = max(range(len(weights)), key=weights.__getitem__)
        return f"{token} ← {self.source[place].strip() or 'space'} {weights[place]:.2f}"

    def _repr_svg_(self) -> str:
        width = 2 * _LEFT + _CELL * max(len(self.source), len(self.target))
        height = 34 * bool(self.title) + _PANEL * len(self.panels)
        drawn = [rectangle(0, 0, width, height, "#ffffff", "#ffffff", 0)]
        if self.title:
            drawn.append(text(_LEFT, 24, self.title, 17, "#111111", "start", bold=True))
        for number, (name, weights) in enumerate(self.panels.items()):
            top = 34 * bool(self.title) + _PANEL * number
            drawn += self._panel(top, width, name, weights)
        said = escape(" ".join(repr(self).split()))
        return (
            f'<svg role="img" aria-label="{said}" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" style="max-width: 100%; height: auto; font-family: sans-serif" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(drawn)}</svg>'
        )

    def _panel(
        self, top: int, width: int, name: str, weights: list[list[float]] | None
    ) -> list[str]:
        high, low = top + _TOP, top + _TOP + _HEIGHT + _GAP  # of the two rows
        above = [(x, high + _HEIGHT) for x in _places(self.source, width)]
        below = [(x, low) for x in _places(self.target, width)]
        drawn = [text(_LEFT, top + 34, name, 15, "#111111", "start", bold=True)]
        if weights is None:
            middle = (width // 2, high + _HEIGHT + _GAP // 2)
            drawn += [line(place, middle, _VECTOR, 1, 0.5) for place in above]
            drawn += [line(middle, place, _VECTOR, 1, 0.5) for place in below]
            drawn += [
                rectangle(middle[0] - 56, middle[1] - 14, 112, 28, "#fff8ee", _VECTOR, 3),
                text(middle[0], middle[1] + 5, "one vector", 14, "#111111"),
            ]
        else:
            drawn += [
                line(start, end, _LOOK, 0.6 + 3.4 * weight, 0.25 + 0.75 * weight)
                for end, row in zip(below, weights, strict=True)
                for start, weight in zip(above, row, strict=True)
                if weight >= _LEAST
            ]
        for tokens, y in ((self.source, high), (self.target, low)):
            for token, x in zip(tokens, _places(tokens, width), strict=True):
                drawn.append(
                    rectangle(x - _CELL / 2 + 1, y, _CELL - 2, _HEIGHT, "#f3f4f6", "#9ca3af", 1)
                )
                size = 15 if len(token) == 1 else 10
                drawn.append(text(x, y + 18, token.replace(" ", "␣"), size, "#111111"))
        return drawn


def _places(tokens: Sequence[str], width: int) -> list[float]:
    """The middle of each token in a row that is centred."""
    first = (width - _CELL * len(tokens)) / 2
    return [first + _CELL * (number + 0.5) for number in range(len(tokens))]


def _wrapped(parts: Sequence[str]) -> list[str]:
    """Lines of several parts each, with two spaces before."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 3 <= _NARROW:
            lines[-1] += f" · {part}"
        else:
            lines.append(f"  {part}")
    return lines

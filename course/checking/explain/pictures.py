"""Small pictures of tensors for reports: an SVG, and the same numbers as text."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise.wording import digits_apart, few

LARGEST = 12  # rows and columns that a picture shows
LONGEST = 60  # characters of a text that are shown

# Cividis at nine points (Nunez, Anderton & Renslow 2018), and blue-white-orange for a difference.
CIVIDIS = (
    "#00204d",
    "#05366e",
    "#3b496c",
    "#575d6d",
    "#6f7173",
    "#8a8678",
    "#a69d75",
    "#c5b56c",
    "#ffea46",
)
DIVERGING = (
    "#2166ac",
    "#4393c3",
    "#92c5de",
    "#d1e5f0",
    "#f7f7f7",
    "#fddbc7",
    "#f4a582",
    "#e08214",
    "#b35806",
)


@dataclass
class Shown:
    """A row of matrices that share a caption: expected, yours, difference."""

    caption: str
    matrices: list[tuple[str, Tensor]]
    rows: str = ""
    columns: str = ""

    def text(self) -> str:
        """The numbers, for a reader without pictures."""
        parts, digits = [self.caption], self._significant()
        for title, matrix in self.matrices:
            few = 4 if title == "difference" else digits
            parts.append(f"  {title}:\n{_indented(numbers(matrix, few), 4)}")
        return "\n".join(parts)

    def _significant(self) -> int:
        """Digits that show the difference between the first two matrices, four at least."""
        first, *more = (matrix.double() for _, matrix in self.matrices)
        if not any(title == "difference" for title, _ in self.matrices):
            return 4
        return digits_apart(first.flatten().tolist(), more[0].flatten().tolist(), 4)

    def _repr_html_(self) -> str:
        figures = "".join(self._figure(title, matrix) for title, matrix in self.matrices)
        text = html.escape(self.text())
        return (
            f'<p style="margin:0.5em 0 0.2em">{html.escape(self.caption)}</p>'
            f'<div style="display:flex;flex-wrap:wrap;gap:1.2em">{figures}</div>'
            f"<details><summary>The same as numbers</summary><pre>{text}</pre></details>"
        )

    def _digits(self) -> int:
        """Places after the point: as many as show a difference, where there is one, two at least."""
        gaps = [m.double() for title, m in self.matrices if title == "difference" and m.numel()]
        sizes = [float(gap[gap.isfinite()].abs().max()) for gap in gaps if gap.isfinite().any()]
        largest = max(sizes, default=0.0)
        return 2 if largest == 0 else min(12, max(2, math.ceil(-math.log10(largest / 2))))

    def _figure(self, title: str, matrix: Tensor) -> str:
        label = f"{title}: {tuple(matrix.shape)} numbers" + (
            f", rows {self.rows}, columns {self.columns}" if self.rows else ""
        )
        return (
            f'<figure style="margin:0"><figcaption style="font-size:90%">{html.escape(title)}</figcaption>'
            f"{self._drawn(matrix, title == 'difference', label)}</figure>"
        )

    def _drawn(self, matrix: Tensor, signed: bool, label: str) -> str:
        if matrix.numel() == 0:
            return f'<p style="margin:0.2em 0">empty, {tuple(matrix.shape)}</p>'
        return svg(matrix, signed, label, self._digits())


def matrix_of(tensor: Tensor, place: tuple[int, ...] = ()) -> Tensor:
    """The (rows, columns) slice of a tensor to draw, `LARGEST` each at most, that holds an index."""
    tensor = tensor.detach().cpu()
    while tensor.dim() < 2:
        tensor = tensor.unsqueeze(0)
    if tensor.numel() == 0:
        return tensor.flatten(0, -2)
    *leading, _, _ = place = (0,) * (tensor.dim() - len(place)) + place
    row, column = first_shown(tensor.shape, place)
    return tensor[tuple(leading)][row : row + LARGEST, column : column + LARGEST]


def first_shown(shape: Sequence[int], place: tuple[int, ...]) -> tuple[int, int]:
    """The row and column with which a picture begins so that it shows an index; the first if it can.

    >>> first_shown((70, 70), (3, 68)), first_shown((4, 30), (1, 15))
    ((0, 58), (0, 9))
    """
    row, column = (
        0 if at < LARGEST else min(at - LARGEST // 2, size - LARGEST)
        for size, at in zip((1, *shape)[-2:], (0, *place)[-2:], strict=True)
    )
    return row, column


def svg(matrix: Tensor, signed: bool, label: str, digits: int = 2) -> str:
    """An SVG heatmap: a colour for each number, the number itself, in full on hover."""
    values = matrix.double()
    finite = values[values.isfinite()]
    low, high = (finite.min().item(), finite.max().item()) if finite.numel() else (0.0, 1.0)
    if signed:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    side = 34 if max(values.shape) <= 8 else 22
    width = side + 6 * (digits - 2)
    rows, columns = values.shape
    cells = []
    for i in range(rows):
        for j in range(columns):
            fill, ink = _colours(values[i, j].item(), low, high, signed)
            cells.append(_cell(values[i, j].item(), i, j, (width, side), fill, ink, digits))
    return (
        f'<svg role="img" aria-label="{html.escape(label)}" width="{columns * width}" height="{rows * side}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="{10 if side > 30 else 7}">'
        + "".join(cells)
        + "</svg>"
    )


def _colours(value: float, low: float, high: float, signed: bool) -> tuple[str, str]:
    """What a number's cell is filled with, and what can be read on it."""
    if not math.isfinite(value):
        return "#ff00ff" if math.isnan(value) else "#000000", "#ffffff"
    share = (value - low) / (high - low) if high > low else 0.5
    scale = DIVERGING if signed else CIVIDIS
    step = round(share * (len(scale) - 1))
    dark = step in (0, 8) if signed else step < 5
    return scale[step], "#ffffff" if dark else "#000000"


def _cell(
    value: float, i: int, j: int, size: tuple[int, int], fill: str, ink: str, digits: int
) -> str:
    width, height = size
    x, y = j * width, i * height
    return (
        f'<g><title>[{i}, {j}] {value:.6g}</title><rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'
        f'<text x="{x + width / 2}" y="{y + height / 2 + 3}" text-anchor="middle" fill="{ink}">{_short(value, digits)}</text></g>'
    )


def _short(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{digits}f}"
    return text if len(text) <= digits + 3 else f"{value:.0e}"


def numbers(value: Any, digits: int = 4) -> str:
    """A value as text: small tensors in full with few digits, large ones cut."""
    if isinstance(value, Tensor):
        cut = value.detach().cpu()
        for axis in range(cut.dim()):
            cut = cut.narrow(axis, 0, min(cut.shape[axis], LARGEST if axis >= cut.dim() - 2 else 2))
        text = _rows(cut, digits)
        return (
            text if cut.shape == value.shape else f"{text}\n(the beginning of {tuple(value.shape)})"
        )
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]!r}... ({len(value)} characters)"
    if isinstance(value, set | frozenset):  # in an order that is the same each time
        return "{" + ", ".join(sorted(map(repr, value))) + "}" if value else "set()"
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + " ..."


def beside(want: Any, came: Any) -> tuple[str, str]:
    """Two plain results as text; long lists around the first entry in which they differ."""
    lists = isinstance(want, list) and isinstance(came, list)
    if not lists or max(len(want), len(came)) <= LARGEST:
        return numbers(want), numbers(came)
    pairs = enumerate(zip(want, came, strict=False))
    shorter = min(len(want), len(came))
    at = next((i for i, (one, other) in pairs if one != other), shorter)
    first = max(0, at - 2)
    return few(want, first), few(came, first)


def _rows(tensor: Tensor, digits: int) -> str:
    if tensor.numel() == 0:
        return f"empty, {tuple(tensor.shape)}"
    if tensor.dim() == 0:
        return _number(tensor, digits)
    if tensor.dim() == 1:
        return "[" + ", ".join(_number(part, digits) for part in tensor) + "]"
    inner = [_rows(part, digits) for part in tensor]
    return "[" + ",\n".join(inner).replace("\n", "\n ") + "]"


def _number(tensor: Tensor, digits: int) -> str:
    value = tensor.item()
    if isinstance(value, float):
        plain = tensor.dtype is not torch.float64 or abs(value) < 10**digits
        return f"{value:.{digits}g}" if plain else f"{value:.{digits - 1}e}"
    return str(value)


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())

"""The parts of drawings that are written as SVG by hand."""

from __future__ import annotations

from course.system.markup import escape

__all__ = ["line", "rectangle", "text"]


def rectangle(
    left: float, top: float, width: float, height: float, fill: str, edge: str, weight: int
) -> str:
    """A box with round corners."""
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="6" '
        f'fill="{fill}" stroke="{edge}" stroke-width="{weight}"/>'
    )


def text(
    x: float,
    y: float,
    words: str,
    size: int,
    ink: str,
    anchor: str = "middle",
    *,
    bold: bool = False,
) -> str:
    """Words with their foot at y."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{ink}"{weight}>'
        f"{escape(words)}</text>"
    )


def line(
    start: tuple[float, float],
    end: tuple[float, float],
    ink: str,
    weight: float,
    opacity: float = 1.0,
) -> str:
    """A straight line."""
    return (
        f'<line x1="{start[0]:g}" y1="{start[1]:g}" x2="{end[0]:g}" y2="{end[1]:g}" stroke="{ink}" '
        f'stroke-width="{weight:.3g}" opacity="{opacity:.3g}"/>'
    )

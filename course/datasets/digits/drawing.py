"""Small images side by side, in characters and for a notebook. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["drawn", "printed"]

_INK = " .:-=+*#%@"
_PER_ROW = 5  # images in a row of characters, 16 columns each
_PIXEL = 6

Named = tuple[str, list[list[float]]]  # a title, and rows of pixels from 0 (paper) to 1 (ink)


def printed(images: Sequence[Named]) -> str:
    """Draw images in characters, two a pixel, with their titles above."""
    lines: list[str] = []
    for start in range(0, len(images), _PER_ROW):
        row = images[start : start + _PER_ROW]
        lines.append("  ".join(f"{title:16}" for title, _ in row).rstrip())
        for y in range(max(len(pixels) for _, pixels in row)):
            lines.append("  ".join("".join(map(_twice, pixels[y])) for _, pixels in row).rstrip())
        lines.append("")
    return "\n".join(lines)


def _twice(pixel: float) -> str:
    return 2 * _INK[round(min(max(pixel, 0), 1) * (len(_INK) - 1))]


def drawn(images: Sequence[Named]) -> str:
    """Draw images as one HTML row of SVG pictures, black on white, with their titles below."""
    pictures = "".join(
        f'<figure style="margin: 4px; display: inline-block; text-align: center">{_svg(title, pixels)}'
        f"<figcaption>{title}</figcaption></figure>"
        for title, pixels in images
    )
    return f"<div>{pictures}</div>"


def _svg(title: str, pixels: list[list[float]]) -> str:
    height, width = len(pixels), len(pixels[0])
    cells = "".join(
        f'<rect x="{x}" y="{y}" width="1.05" height="1.05" fill-opacity="{ink:.2f}"/>'
        for y, row in enumerate(pixels)
        for x, ink in enumerate(row)
        if ink > 0
    )
    size = f'width="{_PIXEL * width}" height="{_PIXEL * height}" viewBox="0 0 {width} {height}"'
    return f'<svg {size} role="img" aria-label="{title}" style="background: #fff">{cells}</svg>'

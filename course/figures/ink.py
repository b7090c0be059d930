"""The colour of a number in a coloured cell: black or white, whichever stands out more.

plotly's own choice is a dark grey, whose contrast on the middle tones is below 4.5 to 1.
Source: W3C, "Web Content Accessibility Guidelines 2.2", relative luminance and contrast ratio.
"""

from __future__ import annotations

import math

from plotly.colors import sample_colorscale, unlabel_rgb

__all__ = ["contrast", "ink"]

BLACK, WHITE = "#000000", "#ffffff"


def ink(value: float, low: float, high: float, scale: object) -> str:
    """Black or white for a number whose cell is coloured by a plotly colour scale.

    Args:
        value: the number; one that is not finite has no colour, and stands on white.
        low: the number with the scale's first colour.
        high: the number with its last.
        scale: as plotly takes it, a name or pairs.
    """
    if not math.isfinite(value) or high <= low:
        return BLACK
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    (colour,) = sample_colorscale(scale, [share])
    rgb = unlabel_rgb(colour)
    return max((BLACK, WHITE), key=lambda name: contrast(_LEVELS[name], rgb))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The contrast ratio of two colours, (red, green, blue) from 0 to 255.

    >>> contrast((0, 0, 0), (255, 255, 255))
    21.0
    """
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


_LEVELS = {BLACK: (0, 0, 0), WHITE: (255, 255, 255)}


def _luminance(colour: tuple[float, ...]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""Colours that colour-blind people can tell apart, for the live labs and for their still pictures.

`WEIGHTS` is cividis (Nuñez, Anderton and Renslow 2018, "Optimizing colormaps with consideration for
color vision deficiency"), for amounts; `SIGNED` is blue-white-orange, for numbers with a sign.
Between the anchors, which are evenly spaced, colours are interpolated linearly.
"""

from __future__ import annotations

WEIGHTS = (
    "#00224e",
    "#123570",
    "#3b496c",
    "#575d6d",
    "#707173",
    "#8a8678",
    "#a59c74",
    "#c3b369",
    "#e1cc55",
    "#fee838",
)
SIGNED = (
    "#1b4f8f",
    "#4393c3",
    "#92c5de",
    "#d1e5f0",
    "#f7f7f7",
    "#fee0b6",
    "#fdb863",
    "#e08214",
    "#9a4a06",
)
SCALES = {"weights": list(WEIGHTS), "signed": list(SIGNED)}
BLOCKED = (196, 196, 196)  # on paper; the live labs draw a transparent grey


def palette(anchors: tuple[str, ...], count: int = 256) -> list[tuple[int, int, int]]:
    """Interpolate between anchors.

    Args:
        anchors: colours as `#rrggbb`, evenly spaced, at least two.
        count: how many colours to make, at least two.

    Returns:
        `count` colours as `(red, green, blue)`, 0 to 255.

    >>> palette(("#000000", "#ffffff"), 3)
    [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    """
    colours = [tuple(int(text[i : i + 2], 16) for i in (1, 3, 5)) for text in anchors]
    result = []
    for i in range(count):
        at = i / (count - 1) * (len(colours) - 1)
        low = min(int(at), len(colours) - 2)
        mixed = [
            int(a + (at - low) * (b - a) + 0.5)
            for a, b in zip(colours[low], colours[low + 1], strict=True)
        ]
        result.append((mixed[0], mixed[1], mixed[2]))
    return result

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

# On a light page and on a dark one: `series` for lines and points, each at least 3 to 1 against the
# page; `tints` behind text, which only tell neighbours apart. Never alone: lines have dashes too,
# points markers, pieces of text borders. `heads` are lines of several heads, with numbers, dashed from
# the ninth head on: any two are at least 0.1 apart in OKLab, also as a colour-blind reader sees them
# (Machado, Oliveira and Fernandes 2009, severity 1). `signed` are lines from negative to positive.
COLOURS = {
    "light": {
        "series": ["#0060a8", "#c04a00", "#00735a", "#9a2f86", "#6b5600", "#4a4a4a"],
        "heads": [
            *("#1a1083", "#d64e2f", "#1a8587", "#680a0a"),
            *("#a64df5", "#0c5772", "#a5251b", "#8313bf"),
        ],
        "signed": ["#0d3a70", "#1f6aa8", "#4393c3", "#7a7a7a", "#c27510", "#a85a08", "#7a3804"],
        "tints": ["#d3e6f7", "#fbe1c4", "#d5eedd", "#eedcf2"],
    },
    "dark": {
        "series": ["#62b6f2", "#ffa046", "#4fd3a6", "#ef8cd6", "#e0cb55", "#c8c8c8"],
        "heads": [
            *("#78c0f7", "#f426ab", "#e2fa10", "#a18308"),
            *("#95fef0", "#7479f6", "#f690a6", "#aec705"),
        ],
        "signed": ["#c3e2f5", "#7fbde0", "#4393c3", "#8a8a8a", "#c97a1c", "#f0a04a", "#ffd9a8"],
        "tints": ["#173d5e", "#5a3512", "#17472f", "#4a2752"],
    },
}
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

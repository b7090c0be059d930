"""Texts in a still picture: plotly's few tags, how wide a text is, and a text as SVG."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass, replace

from course.system.markup import escape

__all__ = ["BELOW", "INK", "NEAR", "TEXT", "TITLE", "number", "plain", "room", "width", "written"]

INK = "#2a3f5f"  # plotly's colour for texts
TITLE, TEXT = 14.0, 12.0  # sizes of letters: of an axis's title, of everything else
NEAR, BELOW = 4.0, 1.0  # pixels between an axis and its marks' texts, beside it and below it
LINE = 1.3  # a line's height, in sizes of its letters
_TAG = re.compile(r"(<[^<>]*>)")
_KNOWN = re.compile(r"<(/?)(b|i|em|sup|sub|span|a|br)(\s[^<>]*)?/?>", re.IGNORECASE)
_COLOUR = re.compile(r"[\"';]\s*color:\s*(#[0-9a-fA-F]{3,6}|[a-zA-Z]+|rgb\([\d, ]+\))")


@dataclass(frozen=True)
class Piece:
    """A part of a line in one style."""

    text: str = ""
    bold: bool = False
    italic: bool = False
    script: int = 0  # 1 above the line, -1 below
    colour: str = ""


def written(
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    colour: str = INK,
    anchor: str = "middle",
    angle: float = 0,
    bold: bool = False,
) -> str:
    """A text as SVG, its lines centred at the height y; turned by `angle` degrees around (x, y)."""
    lines = _lines(text)
    if not any(piece.text for line in lines for piece in line):
        return ""
    turn = f' transform="rotate({number(angle)} {number(x)} {number(y)})"' if angle else ""
    first = y + 0.35 * size - (len(lines) - 1) / 2 * LINE * size
    weight = ' font-weight="bold"' if bold else ""
    return "".join(
        f'<text x="{number(x)}" y="{number(first + place * LINE * size)}" '
        f'font-size="{number(size)}" fill="{_ink(line, colour)}"{_anchor(anchor)}{weight}{turn}>'
        f"{_spans(line, size)}</text>"
        for place, line in enumerate(lines)
    )


def _anchor(anchor: str) -> str:
    return "" if anchor == "start" else f' text-anchor="{anchor}"'


def _ink(line: list[Piece], colour: str) -> str:
    """A line in one colour says so once."""
    inks = {piece.colour for piece in line}
    return next(iter(inks)) or colour if len(inks) == 1 else colour


def _spans(line: list[Piece], size: float) -> str:
    parts, height = [], 0.0
    one = len({piece.colour for piece in line}) == 1
    for piece in line:
        moved = -0.4 * size * piece.script - height
        height += moved
        style = "".join(
            (
                f' dy="{number(moved)}"' if moved else "",
                f' font-size="{number(0.7 * size)}"' if piece.script else "",
                ' font-weight="bold"' if piece.bold else "",
                ' font-style="italic"' if piece.italic else "",
                f' fill="{piece.colour}"' if piece.colour and not one else "",
            )
        )
        said = escape(piece.text)
        parts.append(f"<tspan{style}>{said}</tspan>" if style else said)
    return "".join(parts)


def _lines(text: str) -> list[list[Piece]]:
    """Lines of pieces. A tag that plotly doesn't know, or that has no partner, is text."""
    parts = _TAG.split(str(text))
    partners = _partners(parts)
    lines: list[list[Piece]] = [[]]
    styles = [Piece()]
    for place, part in enumerate(parts):
        found = _KNOWN.fullmatch(part)
        if found and found[2].lower() == "br":
            lines.append([])
        elif found and place in partners:
            if found[1]:
                styles.pop()
            else:
                styles.append(_styled(styles[-1], found[2].lower(), found[3] or ""))
        elif part:
            lines[-1].append(replace(styles[-1], text=html.unescape(part)))
    return lines


def _partners(parts: list[str]) -> set[int]:
    """Places of tags that are opened and closed, one inside another."""
    found: set[int] = set()
    opened: list[tuple[str, int]] = []
    for place, part in enumerate(parts):
        tag = _KNOWN.fullmatch(part)
        if tag is None or tag[2].lower() == "br":
            continue
        if not tag[1]:
            opened.append((tag[2].lower(), place))
        elif opened and opened[-1][0] == tag[2].lower():
            found |= {opened.pop()[1], place}
    return found


def _styled(style: Piece, tag: str, attributes: str) -> Piece:
    if tag == "span":
        colour = _COLOUR.search(attributes)
        return replace(style, colour=colour[1]) if colour else style
    return replace(
        style,
        bold=style.bold or tag == "b",
        italic=style.italic or tag in ("i", "em"),
        script={"sup": 1, "sub": -1}.get(tag, style.script),
    )


def plain(text: str) -> str:
    """The text without its tags, on one line."""
    return " ".join("".join(piece.text for piece in line) for line in _lines(text)).strip()


def width(text: str, size: float) -> float:
    """About how many pixels a text is wide: of its widest line."""
    return max(
        sum(size * (0.7 if piece.script else 1) * sum(map(_letter, piece.text)) for piece in line)
        for line in _lines(text)
    )


def room(text: str, size: float) -> float:
    """How many pixels a text is high."""
    return size * LINE * len(_lines(text))


def _letter(letter: str) -> float:
    """A letter's width in sizes, as in Verdana, DejaVu Sans or a narrower font."""
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in "iljtfr.,:;'|!()[] I":
        return 0.37
    return 0.85 if letter in "mwMWO@%" else 0.62


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 1e5 else f"{value:.0f}"

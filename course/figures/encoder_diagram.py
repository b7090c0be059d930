"""The whole encoder in one picture; each chapter lights up the part that it is about.

    figures.encoder()                       all of it
    figures.encoder("attention")            a chapter's part
    figures.encoder("positions")            one part

Drawn as SVG by hand, because it is always the same few boxes: nothing is loaded to show it. What is
lit differs in colour, in the weight of its frame and in its text, and the text form says it too.
Over each box lies a link to the notebook section that walks through it. The links are HTML: JupyterLab
opens notebooks only from those.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from course.figures.svg import rectangle, text
from course.system.markup import escape

__all__ = ["PARTS", "EncoderFigure", "encoder"]


@dataclass(frozen=True)
class Part:
    """A box of the picture: what is written in it, its chapter, and what comes out of it."""

    name: str
    lines: tuple[str, ...]
    chapter: str
    gives: str  # the shape of its result
    left: int
    top: int = 98
    width: int = 84
    height: int = 76


PARTS = (
    Part("tokens", ("cut into", "tokens"), "01", "ids (S)", 72),
    Part("embedding", ("a vector", "for each", "token"), "01", "(S, D)", 172),
    Part("positions", ("its place", "added"), "01", "(S, D)", 272),
    Part("attention", ("self-", "attention"), "02", "(S, D)", 396, width=92),
    Part("residual", ("add &", "normalise"), "04", "(S, D)", 508, width=92),
    Part("feed_forward", ("feed-", "forward", "network"), "03", "(S, D)", 620, width=92),
    Part("residual", ("add &", "normalise"), "04", "(S, D)", 732, width=92),
    Part("hidden", ("hidden", "represen-", "tations"), "04", "(S, D)", 864, width=92),
)
_ROLES = {
    "tokens": "the text is cut into S tokens",
    "embedding": "each token becomes a vector of D numbers",
    "positions": "each place adds its mark, or the order would be lost",
    "attention": "each token gathers from the others what it needs",
    "residual": "what came in is added, and the numbers are brought to one scale",
    "feed_forward": "each token is worked on by itself",
    "stack": "the layer is repeated N times",
    "hidden": "out comes a vector for each token, in the light of the whole text",
}
_OF_CHAPTER = {
    "embeddings": ("tokens", "embedding", "positions"),
    "attention": ("attention",),
    "feed_forward": ("feed_forward",),
    "stacking": ("residual", "stack", "hidden"),
}
_LIT, _DIM = ("#fdd9a8", "#9a4a06", "#000000"), ("#f3f4f6", "#8a94a0", "#4b5563")
_WIDTH, _HEIGHT = 1066, 252
_WALK = "04_stacking.ipynb#13-The-whole-way"  # where labs.ShapeTracer is shown
_FRAME = (378, 58, 464, 160)  # left, top, width, height of the layer


class EncoderFigure:
    """The picture, as SVG in a notebook and as text everywhere else."""

    def __init__(self, lit: frozenset[str], title: str) -> None:
        self.lit, self.title = lit, title

    def __repr__(self) -> str:
        lines = [self.title]
        for name, role in _ROLES.items():
            chapters = sorted({part.chapter for part in PARTS if part.name == name}) or ["04"]
            mark = "->" if name in self.lit and len(self.lit) < len(_ROLES) else "  "
            lines.append(f" {mark} {name:<13} chapter {chapters[0]}: {role}")
        return "\n".join([*lines, f"Walk a text through it: {self.walk}"])

    def _repr_html_(self) -> str:
        links = "" if "google.colab" in sys.modules else "".join(_link(part) for part in PARTS)
        walk = f"<p>Walk a text through it: <code>{escape(self.walk)}</code></p>"
        page = f'<div style="position: relative; max-width: {_WIDTH}px">{self.svg()}{links}</div>'
        return page + walk

    @property
    def walk(self) -> str:
        """The lab in which a text goes this way, from the first lit part on."""
        first = next((part.name for part in PARTS if part.name in self.lit), "tokens")
        at = "" if len(self.lit) == len(_ROLES) else f'station="{first}"'
        return f"labs.ShapeTracer({at})"

    def svg(self) -> str:
        """The picture as inline SVG with a text for screen readers."""
        said = escape(" ".join(repr(self).split()))
        drawn = [
            rectangle(0, 0, _WIDTH, _HEIGHT, "#ffffff", "#ffffff", 0),
            text(16, 30, self.title, 17, "#111111", "start", bold=True),
            *self._frame(),
            *(_arrow(x, 136) for x in (62, 164, 264, 367, 498, 610, 722, 853, 966)),
            *(_residual(left, right) for left, right in ((387, 554), (608, 778))),
            text(30, 130, "your", 13, "#111111"),
            text(30, 148, "text", 13, "#111111"),
            text(1018, 130, "what you", 13, "#111111"),
            text(1018, 148, "build on it", 13, "#111111"),
            text(1018, 166, "05 – 10", 12, "#4b5563"),
            *(line for part in PARTS for line in self._part(part)),
        ]
        return (
            f'<svg role="img" aria-label="{said}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'style="display: block; width: 100%; max-width: {_WIDTH}px; font-family: sans-serif" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(drawn)}</svg>'
        )

    def _frame(self) -> list[str]:
        """The layer, which is repeated."""
        left, top, width, height = _FRAME
        lit = "stack" in self.lit
        _, edge, ink = _LIT if lit else _DIM
        return [
            rectangle(
                left, top, width, height, "#fff8ee" if lit else "#ffffff", edge, 3 if lit else 1
            ),
            text(
                left + width - 10, top + height + 20, "one layer, N times", 13, ink, "end", bold=lit
            ),
        ]

    def _part(self, part: Part) -> list[str]:
        """A box, its words, its chapter, and the shape that leaves it."""
        lit = part.name in self.lit
        fill, edge, ink = _LIT if lit else _DIM
        middle = part.left + part.width // 2
        first = part.top + part.height // 2 + 5 - 9 * (len(part.lines) - 1)
        drawn = [
            rectangle(part.left, part.top, part.width, part.height, fill, edge, 3 if lit else 1),
            *(
                text(middle, first + 18 * row, line, 13, ink, bold=lit)
                for row, line in enumerate(part.lines)
            ),
            text(middle, part.top + part.height + 17, part.gives, 12, "#4b5563"),
            text(middle, part.top + part.height + 34, f"chapter {part.chapter}", 12, ink, bold=lit),
        ]
        return drawn


def encoder(highlight: str | None = None) -> EncoderFigure:
    """The whole encoder, with the part lit up that a chapter is about.

    Args:
        highlight: a chapter ("embeddings", "attention", "feed_forward", "stacking"), one part
            ("tokens", "embedding", "positions", "residual", "stack", "hidden"), or None for all.

    Raises:
        ValueError: there is no such part.

    >>> print(repr(encoder("attention")).splitlines()[4])
     -> attention     chapter 02: each token gathers from the others what it needs
    """
    if highlight is None:
        return EncoderFigure(frozenset(_ROLES), "A Transformer encoder, from text to vectors")
    parts = _OF_CHAPTER.get(highlight, (highlight,))
    if not set(parts) <= set(_ROLES):
        known = ", ".join(sorted({*_OF_CHAPTER, *_ROLES}))
        raise ValueError(f"there is no part {highlight!r}; choose one of {known}")
    return EncoderFigure(frozenset(parts), "Where we are in the encoder")


def _link(part: Part) -> str:
    """A link that lies over a part. Colab has none: there it would lead out of the notebook."""
    title = escape(f"{part.name}: {_ROLES[part.name]}; walk through it in chapter 04, section 13")
    place = (
        f"left: {100 * part.left / _WIDTH:.2f}%; top: {100 * part.top / _HEIGHT:.2f}%; "
        f"width: {100 * part.width / _WIDTH:.2f}%; height: {100 * part.height / _HEIGHT:.2f}%"
    )
    return (
        f'<a href="{_WALK}" title="{title}" aria-label="{title}" '
        f'style="position: absolute; {place}"></a>'
    )


def _arrow(x: int, y: int) -> str:
    """A short arrow to the right, its point at x + 9."""
    return (
        f'<path d="M{x - 4} {y}h7m-4 -4l5 4l-5 4" fill="none" stroke="#333333" stroke-width="1.6"/>'
    )


def _residual(left: int, right: int) -> str:
    """The way around a sublayer: what came in is added to what came out."""
    return (
        f'<path d="M{left} 136V76H{right}V96m-4 -5l4 6l4 -6" fill="none" stroke="#333333" '
        'stroke-width="1.6" stroke-dasharray="4 3"/>'
    )

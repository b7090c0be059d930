"""A text cut into pieces, each with a number below: what a `tokens` panel is sent."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.labs.drawing import PanelData
from course.labs.packing import pack_floats, signed_codes, weight_codes

# The bits of a piece's mark, as `front/tokens.js` reads them.
SPECIAL, UNKNOWN, CONTINUES, STARTS_LINE, RIGHTWARDS = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Piece:
    """One piece of a text.

    Attributes:
        text: what is written on it.
        number: what is written below, such as its id or an activation; NaN for nothing.
        special: a special token, such as [CLS]: dashed.
        unknown: not in the vocabulary: hatched.
        continues: belongs to the word of the piece before: touches it.
        starts_line: stands at the beginning of a line.
        rightwards: in a text from right to left, stands from left to right with its neighbours.
    """

    text: str
    number: float = float("nan")
    special: bool = False
    unknown: bool = False
    continues: bool = False
    starts_line: bool = False
    rightwards: bool = False

    @property
    def mark(self) -> int:
        """The bits that the front end reads."""
        known = SPECIAL * self.special | UNKNOWN * self.unknown
        place = CONTINUES * self.continues | STARTS_LINE * self.starts_line
        return known | place | RIGHTWARDS * self.rightwards


def tokens_panel(
    name: str,
    pieces: Sequence[Piece],
    key: Hashable,
    chosen: int | None = None,
    shades: ArrayLike | None = None,
    scale: str = "weights",
    limit: float = 1.0,
    **description: Any,
) -> PanelData:
    r"""A `tokens` panel as it should look now.

    Args:
        name: the panel's name in the form.
        pieces: the text's pieces, in order.
        key: changes whenever the pieces, their numbers or their shades do.
        chosen: which piece is chosen; None leaves the front end's own.
        shades: a number a piece that its colour stands for; None colours words in turn, which
            only tells them apart. NaN has no colour.
        scale: the shades' scale: `"weights"` from 0 to `limit`, or `"signed"` around 0.
        limit: the number at the scale's end.
        **description: `caption`, `direction` (`"rtl"` for a text from right to left), and the like.

    Raises:
        ValueError: not as many shades as pieces.

    >>> panel = tokens_panel("text", [Piece("[CLS]", 101, special=True), Piece("cat", 4937)], key=1)
    >>> panel.meta["pieces"], panel.data()["marks"]
    (['[CLS]', 'cat'], b'\x01\x00')
    """
    meta: dict[str, Any] = {"scale": scale, "limit": limit, **description}
    meta["pieces"] = [piece.text for piece in pieces]
    if chosen is not None:
        meta["chosen"] = [0, chosen]
    codes = None if shades is None else _codes(np.asarray(shades, np.float32), scale, limit)
    if codes is not None and len(codes) != len(pieces):
        raise ValueError(f"{len(codes)} shades for {len(pieces)} pieces; give each one.")

    def data() -> dict[str, bytes]:
        numbers = np.array([piece.number for piece in pieces], np.float32)
        marks = bytes(piece.mark for piece in pieces)
        sent = {"numbers": pack_floats(numbers), "marks": marks}
        return sent if codes is None else {**sent, "shades": codes.tobytes()}

    return PanelData(name, meta, (key, tuple(meta["pieces"])), data)


def _codes(shades: NDArray[np.float32], scale: str, limit: float) -> NDArray[np.uint8]:
    """8-bit codes; 255 where there is no number."""
    if scale == "signed":
        codes = signed_codes(shades, limit).astype(np.uint8)
    else:
        codes = weight_codes(shades / limit, None, 8).astype(np.uint8)
    codes[np.isnan(shades)] = 255
    return codes

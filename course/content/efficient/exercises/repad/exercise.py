"""efficient.repad: packed tokens back at their places in a batch, zeros at padding."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags
from course.checking.exercise.cases import FLAT, holding
from course.checking.exercise.draw import Draw
from course.content.efficient.exercises.repad import search

_OF_SIZES = {
    "a single text": "B = 1",
    "texts of one place": "S = 1",
    "as many texts as places": "B = S",
    "a width of 1": "D = 1",
    "a single token": "N = 1",
    "no token": "N = 0",
}


def _case(
    draw: Draw, says: str, rows: Sequence[str], width: int, *names: str, order: int = 0, **more: Any
) -> Case:
    """A row is written as "xx..": x is a real token, a point is padding. `order` shuffles the tokens."""
    real = torch.tensor([place == "x" for row in rows for place in row])
    indices = real.nonzero().flatten()
    if order:
        indices = indices.flip(0)
    batch, length = len(rows), len(rows[0])
    packed = draw.normal(len(indices), width)
    sizes = {"B": batch, "S": length, "D": width, "N": len(indices)}
    names = (*names, *holding(_OF_SIZES, sizes))
    names = (*names, "no padding" if bool(real.all()) else "padding")
    if not len(indices):
        more = FLAT | more  # nothing that a gradient could flow back to
    elif any("x" not in row for row in rows):
        names = (*names, "a text that is all padding")
    if any(".x" in row for row in rows):
        names = (*names, "padding before a token")
    return Case((packed, indices, batch, length), says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    return [
        case("two texts of 2 and 1 tokens", ["xx", "x."], 3),
        case("3 texts of 5, 1 and 3 tokens", ["xxxxx", "x....", "xxx.."], 4),
        case("2 texts of 2 and 6 tokens", ["xx....", "xxxxxx"], 3),
        case("4 texts, none of full length", ["xxx..", "xx...", "x....", "xxxx."], 2),
        case("nothing padded", ["xxxx", "xxxx", "xxxx"], 5),
        case("one text", ["xxx."], 2),
        case("one token in all", ["...", "x.."], 4),
        case("one token, in a width of 1", [".x", ".."], 1),
        case("a text that is all padding in the middle", ["xx.", "...", "xxx"], 4),
        case("the last text is all padding", ["xx..", "x...", "...."], 3),
        case("no token", ["...", "..."], 4),
        case("padding at the left", ["..xx", "...x", "xxxx"], 5),
        case("padding in the middle", ["x.xx.", "xx..x"], 3),
        case("texts of one place", ["x", ".", "x", "x"], 3),
        case("as many texts as places", ["xx.", "x..", "xxx"], 4),
        case("as many texts, places and numbers", ["xx.", "x..", "xxx"], 3),
        case("a width of 1", ["xx..", "xxx."], 1),
        case("7 texts of up to 9 tokens", ["xxxxxxxxx", "xx.......", "xxxxx....", "xxxxxxx..", "x........",
             "xxxx.....", "xxxxxxxx."], 6),
    ]  # fmt: skip


def _placed(packed: Tensor, indices: Tensor, batch: int, length: int) -> Tensor:
    flat = packed.new_zeros(batch * length, packed.shape[-1])
    return flat.index_copy(0, indices, packed)


def _elsewhere(result: Tensor, expected: Tensor) -> bool:
    return not torch.equal(result, expected)


EXERCISE = Exercise(
    id="efficient.repad",
    signature="(packed, indices, batch, length)",
    minutes=8,
    difficulty=1,
    cases=_cases,
    finds=search.search,
    landmarks=(
        Landmark(
            "the tokens at their places, and ones at the padding",
            lambda p, i, b, n: (_placed(p, i, b, n) + (1 - _placed(torch.ones_like(p), i, b, n)))
            .reshape(b, n, -1),
        ),
        Landmark(
            "the tokens one after the other from the first place on: the indices were not used",
            lambda p, i, b, n: _placed(p, torch.arange(len(p)), b, n).reshape(b, n, -1),
        ),
        Landmark(
            "nothing but zeros: no token was written",
            lambda p, i, b, n: p.new_zeros(b, n, p.shape[-1]),
        ),
    ),
    axes=(("B", "S", "D"),),
    remarks=(
        Remark(
            "relies-on-the-order",
            _case(Draw(0), "tokens that stand in another order", ["xx.", "x.."], 2, order=1),
            _elsewhere,
            "It is right as long as the indices rise, as those of `unpad` do. Where the tokens stand in another order, "
            "as in a packing that sorts texts by length, they land at each other's places: a mask made of the indices "
            "has lost their order. Write packed[i] to place indices[i].",
        ),
    ),
)  # fmt: skip

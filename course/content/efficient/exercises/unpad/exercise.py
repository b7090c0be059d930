"""efficient.unpad: the real tokens of a batch laid end to end, and where each stood."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import FLAT, holding
from course.checking.exercise.draw import Draw
from course.content.efficient.exercises.unpad import search

_OF_SIZES = {
    "a single text": "B = 1",
    "texts of one place": "S = 1",
    "as many texts as places": "B = S",
    "a width of 1": "D = 1",
    "a single real token": "N = 1",
    "nothing but padding": "N = 0",
}


def _case(draw: Draw, says: str, rows: Sequence[str], width: int, *names: str, **more: Any) -> Case:
    """A row is written as "xx..": x is a real token, a point is padding."""
    padding = torch.tensor([[place == "." for place in row] for row in rows])
    x = draw.normal(*padding.shape, width)
    sizes = {"B": len(rows), "S": len(rows[0]), "D": width, "N": int((~padding).sum())}
    names = (*names, *holding(_OF_SIZES, sizes))
    names = (*names, "padding" if bool(padding.any()) else "no padding")
    if not sizes["N"]:
        more = FLAT | more  # nothing that a gradient could flow back from
    if any("x" not in row for row in rows) and sizes["N"]:
        names = (*names, "a text that is all padding")
    if any(".x" in row for row in rows):
        names = (*names, "padding before a real token")
    if bool(padding.any()):
        other = (x.masked_fill(padding.unsqueeze(-1), 9.0), padding)
        more["same"] = [("the vectors at the padding were changed", other)]
    return Case((x, padding), says, sizes, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    return [
        case("two texts of 2 and 1 tokens", ["xx", "x."], 3),
        case("3 texts of 5, 1 and 3 tokens", ["xxxxx", "x....", "xxx.."], 4),
        case("2 texts of 2 and 6 tokens", ["xx....", "xxxxxx"], 3),
        case("4 texts, none of full length", ["xxx..", "xx...", "x....", "xxxx."], 2),
        case("nothing padded", ["xxx", "xxx"], 5),
        case("one text", ["xxx."], 2),
        case("one real token in all", ["...", "x.."], 4),
        case("one real token, in a width of 1", ["x.", ".."], 1),
        case("a text that is all padding in the middle", ["xx.", "...", "xxx"], 4),
        case("a text that is all padding first", ["....", "xx..", "x..."], 3),
        case("everything padded", ["...", "..."], 4),
        case("padding at the left", ["..xx", "...x", "xxxx"], 5),
        case("padding in the middle", ["x.xx.", "xx..x"], 3),
        case("texts of one place", ["x", ".", "x", "x"], 3),
        case("as many texts as places", ["xx.", "x..", "xxx"], 4),
        case("a width of 1", ["xx..", "xxx."], 1),
        case("7 texts of up to 9 tokens", ["xxxxxxxxx", "xx.......", "xxxxx....", "xxxxxxx..", "x........",
             "xxxx.....", "xxxxxxxx."], 6),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="efficient.unpad",
    signature="(x, padding_mask)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    finds=search.search,
    results=("tokens", "indices"),
    landmarks=(
        Landmark("the padding's vectors, not the real tokens'", lambda x, mask: x[mask]),
        Landmark("the padding's places", lambda x, mask: mask.flatten().nonzero().squeeze(-1)),
        Landmark("each token's place within its own text", lambda x, mask: (~mask).nonzero()[:, 1]),
        Landmark("each token's text", lambda x, mask: (~mask).nonzero()[:, 0]),
        Landmark(
            "the real tokens place by place, not text by text",
            lambda x, mask: x.transpose(0, 1)[(~mask).T],
        ),
        Landmark(
            "the places in a batch that is read place by place, not text by text",
            lambda x, mask: (~mask).T.flatten().nonzero().squeeze(-1),
        ),
        Landmark("the numbers 0, 1, 2, ...", lambda x, mask: torch.arange(int((~mask).sum()))),
    ),
    axes=(("N", "D"), ("N",)),
    remarks=(
        Remark(
            "nan-from-padding",
            Case(
                (
                    torch.tensor([[[1.0], [float("nan")]]], dtype=torch.float64),
                    torch.tensor([[False, True]]),
                ),
                "one text whose padding holds NaN",
            ),
            traps.not_finite,
            "The real tokens are right as long as the padding holds finite numbers. Where the padding holds NaN, as it "
            "may where a buffer was never written, it gets into the result: the tokens are multiplied or summed, and 0 "
            "times NaN is NaN. Select them by their indices.",
        ),
    ),
)  # fmt: skip

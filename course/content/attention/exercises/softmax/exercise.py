"""attention.softmax: softmax that neither overflows nor makes NaN."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.cases import DOUBLE, FLAT, FULL, holding
from course.checking.exercise.draw import Draw
from course.content.attention.exercises import shares

INF = float("inf")


_OF_SIZES = {
    "dim=0": "dim = 0; axes > 1",
    "dim=1 of three": "dim = 1; axes = 3",
    "the last of three axes": "dim = 2; axes = 3",
    "a negative dim other than -1": "dim < -1",
    "an axis of size 1": "smallest = 1",
}


def _case(says: str, x: Tensor, dim: int, *names: str, **more: Any) -> Case:
    sizes = {"dim": dim, "axes": x.dim(), "smallest": min(x.shape)}
    return Case((x, dim), says, tags=tags(*names, *holding(_OF_SIZES, sizes)), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    blocked = draw.normal(3, 4).masked_fill(draw.mask(3, 4), -INF)
    row = draw.normal(2, 3, 4)
    row[1, 2] = -INF
    column = draw.normal(3, 4)
    column[:, 1] = -INF
    far = draw.normal(3, 5) + torch.tensor([[0.0], [800.0], [-800.0]], dtype=torch.float64)
    low = draw.normal(2, 3) - 800.0
    wide = draw.normal(2, 3) + torch.tensor([-800.0, 0.0, 800.0], dtype=torch.float64)
    apart = torch.tensor([[1e5], [-1e5]], dtype=torch.float64)
    lowest = draw.normal(2, 4) - 200000.0
    lowest[0, 1] = -INF
    full, large, idle = FLAT | FULL, "large numbers", "a row of -inf"
    idle_row = {"row that is -inf throughout": (row == -INF).all(-1, keepdim=True)}
    idle_column = {"column that is -inf throughout": (column == -INF).all(0, keepdim=True)}
    return [
        _case("two rows of three numbers", draw.normal(2, 3), -1, sizes={"rows": 2, "columns": 3}),
        _case("three rows, softmax down the columns (dim=0)", draw.normal(3, 4), 0),
        _case("a (2, 3, 5) tensor along its middle axis", draw.normal(2, 3, 5), 1),
        _case("a (2, 3, 4, 5) tensor, dim=-2", draw.normal(2, 3, 4, 5), -2),
        _case("a (3, 2, 4, 5) tensor, dim=-3", draw.normal(3, 2, 4, 5), -3),
        _case("one row of seven numbers", draw.normal(7), 0, sizes={"columns": 7}),
        _case("a (2, 3, 4) tensor, dim=2", draw.normal(2, 3, 4), 2),
        _case("a single row", draw.normal(1, 4), -1),
        _case("rows of a single number", draw.normal(3, 1), -1),
        _case("rows near 100000 and near -100000", draw.normal(2, 3) + apart, -1, large, **DOUBLE),
        _case("rows near -200000, with an entry of -inf", lowest, -1, "entries of -inf", **DOUBLE),
        _case("rows whose numbers are all near -800", low, -1, "large negative numbers", **full),
        _case("rows near 0, near 800 and near -800", far, -1, large, **full),
        _case("rows that reach from -800 to 800", wide, -1, large, **full),
        _case("some entries -inf", blocked, -1, "entries of -inf"),
        _case("one row is -inf throughout", row, -1, idle, regions=idle_row, **FLAT),
        _case("one column is -inf throughout, dim=0", column, 0, idle, regions=idle_column, **FLAT),
    ]


EXERCISE = Exercise(
    id="attention.softmax",
    signature="(x, dim)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=shares.finds,
    landmarks=(
        Landmark(
            "the exponentials, not yet divided by their sum",
            lambda x, dim: torch.exp(x - x.amax(dim, True)),
        ),
        Landmark(
            "the log-softmax: the logarithm of what is asked",
            lambda x, dim: torch.log_softmax(x, dim),
        ),
        Landmark(
            "a softmax along another axis",
            lambda x, dim: torch.softmax(x, 0 if dim % x.dim() else -1),
        ),
        Landmark(
            "one softmax over all numbers together",
            lambda x, dim: torch.softmax(x.flatten(), 0).view_as(x),
        ),
        Landmark(
            "the softmin: the smallest number gets the largest share",
            lambda x, dim: torch.softmax(-x, dim),
        ),
        Landmark("a sigmoid of each number by itself", lambda x, dim: torch.sigmoid(x)),
        Landmark(
            "each number divided by the length of its row",
            lambda x, dim: torch.nn.functional.normalize(x, dim=dim),
        ),
        Landmark(
            "the same share for every entry", lambda x, dim: torch.full_like(x, 1 / x.shape[dim])
        ),
        Landmark(
            "a softmax of the softmax", lambda x, dim: torch.softmax(torch.softmax(x, dim), dim)
        ),
        Landmark("the input, unchanged", lambda x, dim: x),
    ),
    axes=(("rows", "columns"),),
    rows_sum_to_one=0,
    weights_axis=lambda x, dim: dim,
    remarks=(
        Remark(
            "nan-gradient-at-a-row-of-inf",
            Case(
                (torch.tensor([[0.0, 1.0], [-INF, -INF]], dtype=torch.float64), -1),
                "one row is -inf throughout",
            ),
            traps.not_finite,
            "For a row of -inf it returns zeros, but the gradient that flows back into that row is NaN: the NaN "
            "is replaced after the softmax, and the backward pass still meets it. `masked_fill` on the scores "
            "stops it there; with a mask that is added to the scores, as torch.nn adds float masks, one query "
            "that may look at nothing makes the gradients of all queries and keys NaN, and after the next step "
            "the weights behind them. Replace what makes the NaN before the softmax or the division.",
            mode="gradient",
        ),
    ),
)

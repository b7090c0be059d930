"""attention.softmax: softmax that neither overflows nor makes NaN."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags, traps
from course.checking.exercise.draw import Draw
from course.content.attention.exercises import shares

INF = float("inf")


def _softmax_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    blocked = draw.normal(3, 4).masked_fill(draw.mask(3, 4), -INF)
    row = draw.normal(2, 3, 4)
    row[1, 2] = -INF
    column = draw.normal(3, 4)
    column[:, 1] = -INF
    far = draw.normal(3, 5) + torch.tensor([[0.0], [800.0], [-800.0]], dtype=torch.float64)
    low = draw.normal(2, 3) - 800.0
    wide = draw.normal(2, 3) + torch.tensor([-800.0, 0.0, 800.0], dtype=torch.float64)
    return [
        Case((draw.normal(2, 3), -1), "two rows of three numbers", {"rows": 2, "columns": 3}),
        Case(
            (draw.normal(3, 4), 0),
            "three rows, softmax down the columns (dim=0)",
            tags=tags("dim=0"),
        ),
        Case(
            (draw.normal(2, 3, 5), 1),
            "a (2, 3, 5) tensor along its middle axis",
            tags=tags("dim=1 of three"),
        ),
        Case(
            (draw.normal(2, 3, 4, 5), -2),
            "a (2, 3, 4, 5) tensor, dim=-2",
            tags=tags("a negative dim other than -1"),
        ),
        Case(
            (draw.normal(3, 2, 4, 5), -3),
            "a (3, 2, 4, 5) tensor, dim=-3",
            tags=tags("a negative dim other than -1"),
        ),
        Case((draw.normal(7), 0), "one row of seven numbers", {"columns": 7}),
        Case(
            (draw.normal(2, 3, 4), 2),
            "a (2, 3, 4) tensor, dim=2",
            tags=tags("the last of three axes"),
        ),
        Case((draw.normal(1, 4), -1), "a single row", tags=tags("an axis of size 1")),
        Case((draw.normal(3, 1), -1), "rows of a single number", tags=tags("an axis of size 1")),
        Case(
            (draw.normal(2, 3) + torch.tensor([[1e5], [-1e5]], dtype=torch.float64), -1),
            "rows near 100000 and near -100000",
            tags=tags("large numbers"),
            dtypes=("float64",),
            differentiable=False,
        ),
        Case(
            (low, -1),
            "rows whose numbers are all near -800",
            tags=tags("large negative numbers"),
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        Case(
            (far, -1),
            "rows near 0, near 800 and near -800",
            tags=tags("large numbers"),
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        Case(
            (wide, -1),
            "rows that reach from -800 to 800",
            tags=tags("large numbers"),
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        Case((blocked, -1), "some entries -inf", tags=tags("entries of -inf")),
        Case(
            (row, -1),
            "one row is -inf throughout",
            tags=tags("a row of -inf"),
            differentiable=False,
            regions={"row that is -inf throughout": (row == -INF).all(-1, keepdim=True)},
        ),
        Case(
            (column, 0),
            "one column is -inf throughout, dim=0",
            tags=tags("a row of -inf", "dim=0"),
            differentiable=False,
            regions={"column that is -inf throughout": (column == -INF).all(0, keepdim=True)},
        ),
    ]


EXERCISE = Exercise(
    id="attention.softmax",
    signature="(x, dim)",
    minutes=15,
    difficulty=2,
    cases=_softmax_cases,
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

"""attention.softmax: softmax that neither overflows nor makes NaN."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Landmark, Mistake, Remark, tags, traps
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
    mistakes=(
        Mistake(
            "overflow",
            (("torch.exp(x - largest)", "torch.exp(x)"),),
            "The exponential is taken of the numbers as they are. exp(89) is already infinite in float32, and "
            "inf / inf is NaN.",
            "Softmax does not change when the same number is taken from every entry of a row. Which number makes "
            "the largest exponent 0?",
        ),
        Mistake(
            "nan-when-all-blocked",
            (('largest.masked_fill(largest == float("-inf"), 0.0)', "largest"),),
            "A row that is -inf throughout becomes NaN: its maximum is -inf, and -inf - (-inf) is NaN (or its "
            "exponentials sum to 0, and 0 / 0 is NaN).",
            "What should a query that may attend to nothing receive, and which two steps need protecting for it?",
        ),
        Mistake(
            "uniform-when-all-blocked",
            (
                (
                    "largest = x.amax(dim=dim, keepdim=True)",
                    "x = x.clamp(min=-1e30)\n    largest = x.amax(dim=dim, keepdim=True)",
                ),
            ),
            "A row that is -inf throughout gets equal weights and not zeros. A large finite number in place of -inf does that, since all numbers of such a row are then the same.",
            "How can you tell, after the exponentials, that a row had nothing in it?",
        ),
        Mistake(
            "one-maximum-for-all",
            (("x.amax(dim=dim, keepdim=True)", "x.amax()"),),
            "One maximum is taken of the whole tensor. Rows that lie far below it underflow to zeros.",
            "Whose maximum has to be subtracted from a row, so that its largest exponent is 0?",
        ),
        Mistake(
            "absolute-maximum",
            (("x.amax(dim=dim, keepdim=True)", "x.abs().amax(dim=dim, keepdim=True)"),),
            "The largest absolute value is subtracted. In a row of large negative numbers that moves them further "
            "down, and every exponential underflows to 0.",
            "For the row [-800, -801], which number must be subtracted so that the largest becomes 0?",
        ),
        Mistake(
            "minimum",
            (("x.amax(dim=dim, keepdim=True)", "x.amin(dim=dim, keepdim=True)"),),
            "The minimum is subtracted, so that the exponents are positive and can still overflow (and with -inf "
            "in a row the minimum is -inf).",
            "Which exponents are safe: those above 0 or those below?",
        ),
        Mistake(
            "mean",
            (("x.amax(dim=dim, keepdim=True)", "x.mean(dim=dim, keepdim=True)"),),
            "The mean is subtracted instead of the maximum. One -inf in a row makes its mean -inf.",
            "Which number of a row bounds all its exponents from above?",
        ),
        Mistake(
            "axis-not-kept",
            ((", keepdim=True", ""),),
            "The maximum and the sum lose the axis along which they were taken, so that they no longer line up with x.",
            "Which argument of `amax` and `sum` keeps the axis, with size 1?",
        ),
        Mistake(
            "always-last-axis",
            (("dim=dim", "dim=-1"),),
            "The softmax runs along the last axis, whatever `dim` says.",
            "Where in your code does the argument `dim` appear?",
        ),
        Mistake(
            "always-first-axis",
            (("dim=dim", "dim=0"),),
            "The softmax runs along the first axis, whatever `dim` says.",
            "Where in your code does the argument `dim` appear?",
        ),
        Mistake(
            "sum-along-last-axis",
            (
                (
                    "exponentials.sum(dim=dim, keepdim=True)",
                    "exponentials.sum(dim=-1, keepdim=True)",
                ),
            ),
            "The exponentials are summed along the last axis and not along `dim`.",
            "Which numbers must sum to 1 in the end?",
        ),
        Mistake(
            "sum-of-everything",
            (("exponentials.sum(dim=dim, keepdim=True)", "exponentials.sum()"),),
            "The exponentials are divided by the sum of the whole tensor, so that everything together sums to 1.",
            "How many sums does a (2, 3) tensor need along its last axis?",
        ),
        Mistake(
            "not-divided",
            (("exponentials / total.masked_fill(total == 0, 1.0)", "exponentials"),),
            "The exponentials are returned without dividing by their sum.",
            "What should each row add up to?",
        ),
        Mistake(
            "log-softmax",
            (
                (
                    "exponentials / total.masked_fill(total == 0, 1.0)",
                    "torch.log(exponentials / total.masked_fill(total == 0, 1.0))",
                ),
            ),
            "This is the logarithm of the softmax.",
            "Can a weight be negative?",
        ),
        Mistake(
            "without-exponential",
            (("torch.exp(x - largest)", "(x - largest)"),),
            "The numbers are divided by their sum without taking the exponential.",
            "What makes negative scores into positive weights?",
        ),
        Mistake(
            "powers-of-two",
            (("torch.exp(", "torch.exp2("),),
            "The powers are of 2 and not of e.",
            "Which base has the exponential function in the formula?",
        ),
        Mistake(
            "softmin",
            (
                (
                    "largest = x.amax(dim=dim, keepdim=True)",
                    "x = torch.where(x == float('-inf'), x, -x)\n    largest = x.amax(dim=dim, keepdim=True)",
                ),
            ),
            "The sign is turned round: the smallest number gets the largest share.",
            "Should exp(x - max) or exp(max - x) be largest for the largest x?",
        ),
        Mistake(
            "epsilon-in-the-sum",
            (("total.masked_fill(total == 0, 1.0)", "(total + 1e-5)"),),
            "A small number is added to every sum to avoid 0 / 0, so that no row sums to 1 exactly.",
            "In which rows alone does the sum need help?",
        ),
        Mistake(
            "sigmoid",
            (("exponentials / total.masked_fill(total == 0, 1.0)", "torch.sigmoid(x)"),),
            "This is a sigmoid: each number by itself, with no competition between them.",
            "If one number of a row grows, what must happen to the shares of the others?",
        ),
        Mistake(
            "changes-its-input",
            (
                (
                    "exponentials = torch.exp(x - largest)",
                    "x -= largest\n    exponentials = torch.exp(x)",
                ),
            ),
            "`x -= ...` (or a method that ends in _) changes the caller's own tensor.",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "cut-from-the-gradient",
            (
                (
                    "largest = x.amax(dim=dim, keepdim=True)",
                    "x = x.detach()\n    largest = x.amax(dim=dim, keepdim=True)",
                ),
            ),
            "The result is cut off from x (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "float32-only",
            (
                (
                    "largest = x.amax(dim=dim, keepdim=True)",
                    "x = x.float()\n    largest = x.amax(dim=dim, keepdim=True)",
                ),
            ),
            "The result is float32 whatever the dtype of the input is.",
            "Which dtype should the result of a float64 (or bfloat16) input have?",
        ),
    ),
    hints=(
        "Exponentials make all numbers positive, dividing by their sum makes them shares. Two things can go wrong: "
        "a large number overflows, and a row that is -inf throughout leaves nothing to divide.",
        "With x (2, 3) and dim=-1 the maximum and the sum are (2, 1): keepdim=True keeps the axis, so that they "
        "broadcast against x.",
        "m  <- largest entry along dim, 0 where that is -inf\ne  <- exp(x - m)\ns  <- sum of e along dim, 1 where that is 0\nreturn e / s",
        'largest = largest.masked_fill(largest == float("-inf"), 0.0)   # and total.masked_fill(total == 0, 1.0)',
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

"""feed_forward.dropout: inverted dropout, judged by its distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw

TOLERANCE = 0.05  # what chance alone moves is set back to its expected value beforehand
SIGMAS = 6.0


def repeating(dropout: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: the submission, called `times` times where asked."""

    def run(x: Tensor, p: float, training: bool, times: int = 1) -> Any:
        if times == 1:
            return dropout(x, p, training)
        return torch.stack([dropout(x.clone(), p, training) for _ in range(times)])  # (times, ...)

    return run


def statistics(
    value: Tensor, x: Tensor, p: float, training: bool, times: int = 1
) -> dict[str, float]:
    """What can be told of one random result, by name.

    A statistic that differs from its expectation by less than `SIGMAS` standard deviations is given
    as the expectation, so that two answers of one kind agree whatever they drew. How many draws
    there are is found out first: a mask that repeats along an axis has fewer.
    """
    value, x = value.detach().double(), x.detach().double()
    zero, x = value == 0, x.expand_as(value)
    factors = (value / x)[~zero].abs()
    one_draw = factors.numel() == 0 or (
        not zero.any() and bool(((factors * (1 - p) - 1).abs() < 0.02).all())
    )
    varied = one_draw or bool(zero.any())
    repeats = [
        axis for axis in range(x.dim()) if varied and bool((zero == zero.narrow(axis, 0, 1)).all())
    ]
    drawn = zero
    for axis in repeats:
        drawn = drawn.narrow(axis, 0, 1)
    some = factors.numel() > 0
    found = {
        "share of zeros": _share(drawn, p),
        "what is left over x, on average": float(factors.mean()) if some else 1 / (1 - p),
        "what is left over x, its spread": float(factors.std()) if factors.numel() > 1 else 0.0,
    }
    for axis in range(x.dim()):
        if x.shape[axis] > 1:
            found[_together(axis, x.dim())] = float(axis in repeats)
    found["zeros in a row, spread against independent draws"] = _spread(drawn, p)
    found["zeros, correlation with x"] = _correlation(zero, x) if not repeats else 0.0
    return found


def nearness(value: Tensor, x: Tensor, p: float, training: bool) -> dict[str, float]:
    """How near a result is to x, where x itself is asked for.

    In numbers that two answers share that both drop here, whatever they drew. In half precision a
    draw is 0 every now and then: with p = 0, `draw > p` drops there what `draw >= p` keeps. Both
    are right, so that these few zeros don't count.
    """
    coarse = value.dtype in (torch.float16, torch.bfloat16)
    value, x = value.detach().double(), x.detach().double()
    zero = value == 0
    if coarse and p == 0 and zero.double().mean() < 2 / 256:  # bfloat16 draws in 256ths
        value, x = value[~zero], x[~zero]
        zero = zero[~zero]
    left = (value / x)[~zero].abs()
    return {
        "share of zeros": float(zero.double().mean()),
        "what is left over x, on average": float(left.mean()) if left.numel() else 1.0,
        "largest distance from x": float((value - x).abs().max()),
    }


def _together(axis: int, axes: int) -> str:
    names = {-1: "whole rows fall together", -2: "every row has the same zeros"}
    return names.get(axis - axes, f"the same zeros all along axis {axis}")


def _share(drawn: Tensor, p: float) -> float:
    share = float(drawn.double().mean())
    chance = math.sqrt(p * (1 - p) / drawn.numel())
    return p if abs(share - p) <= SIGMAS * chance + 1 / 256 else share  # bfloat16 draws in 256ths


def _spread(drawn: Tensor, p: float) -> float:
    """How far the zeros of rows differ in number, as a share of what independent draws would do."""
    if drawn.dim() < 2 or drawn.shape[-1] == 1 or drawn.numel() == drawn.shape[-1]:
        return 1.0
    counts = drawn.double().sum(dim=-1).flatten()
    share = float(drawn.double().mean())
    if not 0 < share < 1:
        return 1.0
    ratio = float(counts.std()) / math.sqrt(drawn.shape[-1] * share * (1 - share))
    return 1.0 if abs(ratio - 1) <= SIGMAS / math.sqrt(2 * len(counts)) else ratio


def _correlation(zero: Tensor, x: Tensor) -> float:
    pair = torch.stack([zero.double().flatten(), x.flatten()])
    if zero.all() or not zero.any():
        return 0.0
    found = float(torch.corrcoef(pair)[0, 1])
    return 0.0 if abs(found) <= SIGMAS / math.sqrt(x.numel()) else found


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def numbers(*shape: int) -> Tensor:
        x = draw.normal(*shape)
        # None near 0, for a zero was made by dropout; all of one size, for the gradient's factors.
        return x.sign() + 0.1 * x.tanh() + 0.01

    def chance(says: str, shape: tuple[int, ...], p: float, *names: str) -> Case:
        return Case(
            (numbers(*shape), p, True),
            says,
            tags=tags("training", *names),
            summary=statistics,
            tolerance=TOLERANCE,
        )

    def certain(says: str, p: float, training: bool, *names: str, **more: Any) -> Case:
        return Case((numbers(3, 4), p, training), says, tags=tags(*names), **more)

    def kept(says: str, p: float, training: bool, *names: str) -> Case:
        return Case(
            (numbers(60, 70), p, training),
            says,
            tags=tags(*names),
            summary=nearness,
            tolerance=TOLERANCE,
            differentiable=p < 1,
        )

    refused: dict[str, Any] = {"raises": ValueError, "differentiable": False}
    return [
        chance("p = 0.3, 40 sentences of 30 tokens of width 32", (40, 30, 32), 0.3),
        chance("p = 0.1, a matrix", (150, 160), 0.1, "a matrix"),
        chance("p = 0.75, 10000 numbers in one row", (10000,), 0.75, "one axis"),
        chance("p = 0.5, four axes", (20, 24, 20, 4), 0.5, "p = 0.5", "four axes"),
        Case(
            (numbers(16), 0.5, True, 600),
            "p = 0.5, 16 numbers in one row, 600 calls one after the other",
            tags=tags("training", "many calls"),
            summary=statistics,
            tolerance=TOLERANCE,
            differentiable=False,
        ),
        kept("p = 0.3, not training", 0.3, False, "not training"),
        kept("p = 0.75, not training", 0.75, False, "not training"),
        kept("p = 0, training", 0.0, True, "p = 0"),
        certain("p = 1, training", 1.0, True, "p = 1", differentiable=False),
        kept("p = 1, not training", 1.0, False, "p = 1", "not training"),
        kept("p = 0, not training", 0.0, False, "p = 0", "not training"),
        certain("p = 1.5, training", 1.5, True, "p outside of [0, 1]", **refused),
        certain("p = -0.1, training", -0.1, True, "p outside of [0, 1]", **refused),
        certain("p = 1.5, not training", 1.5, False, "p outside of [0, 1]", **refused),
        certain("p = -0.1, not training", -0.1, False, "p outside of [0, 1]", **refused),
    ]


_CHECK = """if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, from 0 to 1; it is {p}")
    """
_REST = """if not training:
        return x
    """
_DRAW = "torch.rand_like(x)"
_SCALE = "1 / (1 - p) if p < 1 else 0.0"
_RESULT = "return x.masked_fill(dropped, 0.0) * scale"

EXERCISE = Exercise(
    id="feed_forward.dropout",
    signature="(x, p, training)",
    minutes=20,
    difficulty=3,
    cases=_cases,
    random=True,
    harness=repeating,
    landmarks=(
        Landmark("zeros throughout", lambda x, p, training, times=1: torch.zeros_like(x)),
        Landmark("the input, unchanged", lambda x, p, training, times=1: x),
        Landmark("the input times 1 - p", lambda x, p, training, times=1: x * (1 - p)),
        Landmark(
            "the input over 1 - p", lambda x, p, training, times=1: x / (1 - p) if p < 1 else x
        ),
    ),
    mistakes=(
        Mistake(
            "not-scaled",
            ((_RESULT, "return x.masked_fill(dropped, 0.0)"),),
            "What is left is not divided by 1 - p, so that in training less arrives, on average, than later.",
            "What is the mean of a number that is kept with probability 1 - p and 0 otherwise?",
        ),
        Mistake(
            "multiplied-by-what-is-kept",
            ((_SCALE, "1 - p"),),
            "What is left is multiplied by 1 - p instead of divided by it.",
            "Some numbers fall away. Must the others grow or shrink for the mean to stay?",
        ),
        Mistake(
            "divided-by-p",
            ((_RESULT, "return x.masked_fill(dropped, 0.0) / p"),),
            "What is left is divided by p and not by 1 - p.",
            "Which share of the numbers is left: p or 1 - p?",
        ),
        Mistake(
            "one-over-p",
            ((_SCALE, "1 / p"),),
            "What is left is divided by p and not by 1 - p (and for p = 0 that can't be done).",
            "Which share of the numbers is left: p or 1 - p?",
        ),
        Mistake(
            "scaled-by-p",
            ((_SCALE, "p"),),
            "What is left is multiplied by p.",
            "By which number must what is left be divided for the mean to stay?",
        ),
        Mistake(
            "scaled-up-by-one-plus-p",
            ((_SCALE, "1 + p"),),
            "What is left is multiplied by 1 + p, which is near 1 / (1 - p) for a small p alone.",
            "How large must what is left become when only a quarter of it is left?",
        ),
        Mistake(
            "root-of-the-factor",
            ((_SCALE, "1 / math.sqrt(1 - p) if p < 1 else 0.0"),),
            "What is left is divided by the root of 1 - p. That keeps the spread; dropout keeps the mean.",
            "What is the mean of a number that is kept with probability 1 - p and 0 otherwise?",
        ),
        Mistake(
            "zeros-scaled-by-their-count",
            (
                (
                    _RESULT,
                    "left = x.masked_fill(dropped, 0.0)\n    return left * (dropped.numel() / (~dropped).sum().clamp(min=1))",
                ),
            ),
            "What is left is scaled by the share that happened to be left this time. Asked is division by 1 - p, whatever was drawn.",
            "Does the factor in the definition depend on what was drawn?",
        ),
        Mistake(
            "p-and-one-minus-p-swapped",
            (("< p  #", ">= p  #"),),
            "Each number is kept with probability p and dropped with 1 - p: the comparison is turned round, or the mask is used the wrong way.",
            "A number drawn evenly from [0, 1) is below p how often?",
        ),
        Mistake(
            "p-is-what-is-kept",
            (
                ("< p  #", ">= p  #"),
                (_RESULT, "return x.masked_fill(dropped, 0.0) / p if p > 0 else x * 0"),
            ),
            "p is taken for the probability of being kept (as in old TensorFlow). Here it is that of being dropped.",
            "What should p = 0 give: everything or nothing?",
        ),
        Mistake(
            "always-on",
            ((_REST, ""),),
            "It drops when not training, too.",
            "What should come out when `training` is False?",
        ),
        Mistake(
            "on-when-not-training",
            (("if not training:", "if training:"),),
            "It drops when not training and leaves training alone: the condition is turned round.",
            "What should come out when `training` is False?",
        ),
        Mistake(
            "never-on",
            (("if not training:\n        return x", "return x"),),
            "Nothing is ever dropped.",
            "What happens to the numbers when `training` is True?",
        ),
        Mistake(
            "classic-dropout",
            (
                ("        return x\n", "        return x * (1 - p)\n"),
                (_RESULT, "return x.masked_fill(dropped, 0.0)"),
            ),
            "Nothing is divided in training, and everything multiplied by 1 - p later. That is dropout as it was first "
            "published; the inverted one divides in training and leaves x alone afterwards.",
            "What should come out when `training` is False?",
        ),
        Mistake(
            "scaled-in-both-modes",
            (("        return x\n", "        return x * (1 - p)\n"),),
            "What is left is divided by 1 - p in training, and when not training x is multiplied by 1 - p as well.",
            "What should come out when `training` is False?",
        ),
        Mistake(
            "scaled-up-when-not-training",
            (("        return x\n", "        return x / (1 - p) if p < 1 else x\n"),),
            "x is divided by 1 - p when not training too, though nothing fell away.",
            "What should come out when `training` is False?",
        ),
        Mistake(
            "drops-rows",
            ((_DRAW, "torch.rand(*x.shape[:-1], 1, dtype=x.dtype, device=x.device)"),),
            "Whole rows fall together: one draw for each token and not for each of its numbers.",
            "How many independent draws does a tensor of 2 rows and 3 columns need?",
        ),
        Mistake(
            "same-mask-for-every-row",
            ((_DRAW, "torch.rand(x.shape[-1], dtype=x.dtype, device=x.device)"),),
            "The same columns fall in every row: one draw for each column and not for each number.",
            "How many independent draws does a tensor of 2 rows and 3 columns need?",
        ),
        Mistake(
            "same-mask-for-every-sentence",
            (
                (
                    _DRAW,
                    "torch.rand(x.shape[1:], dtype=x.dtype, device=x.device)",
                ),
            ),
            "Every sentence of a batch has the same zeros: the draws are made for one and used for all.",
            "How many independent draws does a batch need?",
        ),
        Mistake(
            "drops-sentences",
            (
                (
                    _DRAW,
                    "torch.rand(x.shape[0], *[1] * (x.dim() - 1), dtype=x.dtype, device=x.device)",
                ),
            ),
            "What stands together along the first axis falls together: whole sentences of a batch.",
            "How many independent draws does a tensor of 2 rows and 3 columns need?",
        ),
        Mistake(
            "same-for-all-tokens",
            (
                (
                    _DRAW,
                    "torch.rand(*[n if i in (0, x.dim() - 1) else 1 for i, n in enumerate(x.shape)], dtype=x.dtype, device=x.device)",
                ),
            ),
            "Within a sentence every token has the same zeros (one draw for each sentence and column).",
            "How many independent draws does a batch need?",
        ),
        Mistake(
            "one-draw-for-all",
            ((_DRAW, "torch.rand((), dtype=x.dtype, device=x.device)"),),
            "There is one draw for everything: all of it stays or all of it falls.",
            "How many independent draws does a tensor of 2 rows and 3 columns need?",
        ),
        Mistake(
            "normal-draws",
            ((_DRAW, "torch.randn_like(x)"),),
            "The draws come from a normal distribution (`randn`), which is below p more often than p says.",
            "Which function draws evenly from [0, 1)?",
        ),
        Mistake(
            "a-coin",
            (("< p  #", "< 0.5  #"),),
            "Half of the numbers fall, whatever p is.",
            "Where does p decide about the mask?",
        ),
        Mistake(
            "by-size-not-by-chance",
            ((_DRAW, "x"),),
            "The numbers themselves are compared with p: what falls is not left to chance.",
            "What does the same input give when you call your function twice?",
        ),
        Mistake(
            "an-exact-number-in-each-row",
            (
                (
                    "torch.rand_like(x) < p",
                    "torch.rand_like(x).argsort(dim=-1).argsort(dim=-1) < int(p * x.shape[-1])",
                ),
            ),
            "In each row exactly the share p falls. Each number should be drawn by itself, so that the count varies.",
            "Can all numbers of a row fall when each is drawn by itself?",
        ),
        Mistake(
            "an-exact-number-in-all",
            (
                (
                    "torch.rand_like(x) < p",
                    "(torch.randperm(x.numel(), device=x.device) < int(p * x.numel())).reshape(x.shape)",
                ),
            ),
            "Exactly the share p of all numbers falls, on every call. Each number should be drawn by itself, so that "
            "the count varies.",
            "Can all numbers fall when each is drawn by itself?",
        ),
        Mistake(
            "noise",
            ((_RESULT, "return x * (1 + math.sqrt(p) * torch.randn_like(x))"),),
            "Noise is multiplied in and nothing becomes 0.",
            "Which share of the result should be exactly 0?",
        ),
        Mistake(
            "numpys-generator",
            (
                (_DRAW, '__import__("numpy").random.rand(*x.shape)'),
                ("< p  #", "< p; dropped = torch.as_tensor(dropped, device=x.device)  #"),
            ),
            "The draws come from numpy's generator (or Python's), so that `torch.manual_seed` doesn't repeat them.",
            "Which function of torch draws evenly from [0, 1)?",
        ),
        Mistake(
            "a-generator-of-its-own",
            (
                (
                    _DRAW,
                    "torch.rand(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype).to(x.device)",
                ),
            ),
            "The same places fall in every call: a generator of your own is seeded anew each time, or a mask is kept from "
            "the first call.",
            "What does the same input give when you call your function twice?",
        ),
        Mistake(
            "seeds-on-every-call",
            (("dropped = ", "torch.manual_seed(0)\n    dropped = "),),
            "torch's generator is seeded in each call: the same places fall every time, and all other draws repeat too.",
            "Who should decide about the seed: the function or its caller?",
        ),
        Mistake(
            "takes-any-p",
            ((_CHECK, ""),),
            "A p outside of 0 to 1 is taken without a word.",
            "What should your function do with p = 1.5?",
        ),
        Mistake(
            "takes-any-p-when-not-training",
            ((_CHECK + _REST, _REST + _CHECK),),
            "p is looked at in training only: when not training, a p outside of 0 to 1 is taken without a word.",
            "Which of the two comes first in your function: the look at p or the look at training?",
        ),
        Mistake(
            "takes-negative-p",
            (("not 0 <= p <= 1", "p > 1"),),
            "A p below 0 is taken without a word.",
            "Between which two numbers must a probability lie?",
        ),
        Mistake(
            "takes-p-above-one",
            (("not 0 <= p <= 1", "p < 0"),),
            "A p above 1 is taken without a word.",
            "Between which two numbers must a probability lie?",
        ),
        Mistake(
            "refuses-the-ends",
            (("0 <= p <= 1", "0 < p < 1"),),
            "p = 0 and p = 1 are refused, though both are probabilities.",
            "Which numbers belong to [0, 1]?",
        ),
        Mistake(
            "refuses-one",
            (("0 <= p <= 1", "0 <= p < 1"),),
            "p = 1 is refused, though it is a probability: all is dropped then.",
            "Which numbers belong to [0, 1]?",
        ),
        Mistake(
            "refuses-zero",
            (("0 <= p <= 1", "0 < p <= 1"),),
            "p = 0 is refused, though it is a probability: nothing is dropped then.",
            "Which numbers belong to [0, 1]?",
        ),
        Mistake(
            "asserts",
            (
                (
                    'raise ValueError(f"p is a probability, from 0 to 1; it is {p}")',
                    "raise AssertionError(p)",
                ),
            ),
            "For a p outside of [0, 1] it raises AssertionError (an `assert` does). Asked is ValueError.",
            "Which exception does the exercise name?",
        ),
        Mistake(
            "nan-at-one",
            ((_RESULT, "return x.masked_fill(dropped, 0.0) / (1 - p)"),),
            "For p = 1 all that is left, zeros, is divided by 0, which gives NaN.",
            "What should p = 1 give, and what is 0 / 0?",
        ),
        Mistake(
            "division-by-zero-at-one",
            ((_SCALE, "1 / (1 - p)"),),
            "For p = 1 it divides by 0.",
            "What should p = 1 give, and what is 1 - p then?",
        ),
        Mistake(
            "unchanged-at-one",
            ((_REST, "if not training or p == 1:\n        return x\n    "),),
            "For p = 1 x comes back unchanged instead of zeros.",
            "What is left when each number is dropped with probability 1?",
        ),
        Mistake(
            "zeros-at-one-when-not-training",
            ((_REST, "if p == 1:\n        return x * 0.0\n    " + _REST),),
            "For p = 1 everything is dropped even when not training.",
            "Which of the two comes first in your function: the look at p = 1 or the look at training?",
        ),
        Mistake(
            "changes-its-input",
            ((_RESULT, "return x.detach().masked_fill_(dropped, 0.0) * scale + 0 * x"),),
            "It changes the caller's own tensor (a method that ends in _ does, and `x[dropped] = 0`, and `x *= ...`).",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "changes-its-input-and-fails-with-gradients",
            ((_RESULT, "x[dropped] = 0.0\n    return x * scale"),),
            "`x[...] = 0` (or a method that ends in _) changes the caller's own tensor, which fails where a gradient is asked for.",
            "Which operation makes a new tensor with zeros in these places?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_RESULT, "return x.detach().masked_fill(dropped, 0.0) * scale"),),
            "The result is cut off from x (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "mask-on-the-cpu",
            ((_DRAW, "torch.rand(x.shape)"),),
            "The draws are made on the CPU, wherever x is: on a GPU that fails.",
            "Which functions of torch make a tensor that is *like* another one?",
        ),
    ),
    hints=(
        "In training a coin with the probability p is tossed for every number by itself. What falls becomes 0; what "
        "is left grows, so that the mean stays. Otherwise nothing happens at all.",
        "A boolean mask in the shape of x, with a draw of its own for every number. Four cases to think of: p "
        "outside of [0, 1], not training, p = 1, and the usual one.",
        "if p is no probability: ValueError\nif not training: return x\ndropped <- evenly drawn numbers in the shape of x are below p\n"
        "return x, 0 where dropped, divided by 1 - p; with p = 1 return zeros, as 0 / 0 is NaN",
        "dropped = torch.rand_like(x) < p   # then x.masked_fill(dropped, 0.0) / (1 - p), and p = 1 by itself",
    ),
)

"""stacking.residual: the residual connection, with the norm before or after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises import sums


def _sublayer(x: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    """Not linear and not odd, so that no two ways of putting it together agree by chance."""
    return torch.tanh(x @ weight) + shift


def _norm(x: Tensor, scale: Tensor) -> Tensor:
    """A norm whose second use would change its first one's result."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 0.1).sqrt() * scale + 0.25


def _harness(residual: Callable[..., Any]) -> Callable[..., Any]:
    """What a submission makes of a sub-layer and a norm, and how often it calls each."""

    def run(
        x: Tensor, of_sublayer: list[Tensor], of_norm: Tensor, norm_first: bool
    ) -> tuple[Any, int, int]:
        calls = {"sublayer": 0, "norm": 0}

        def sublayer(h: Tensor) -> Tensor:
            calls["sublayer"] += 1
            return _sublayer(h, *of_sublayer)

        def norm(h: Tensor) -> Tensor:
            calls["norm"] += 1
            return _norm(h, of_norm)

        return residual(x, sublayer, norm, norm_first), calls["sublayer"], calls["norm"]

    return run


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    made = []
    for norm_first in (True, False):
        name = "pre-norm" if norm_first else "post-norm"
        for says, shape in (
            ("1 sentence of 2 tokens, D = 3", (1, 2, 3)),
            ("2 sentences of 3 tokens, D = 4", (2, 3, 4)),
            ("one vector, D = 5", (5,)),
            ("four axes (2, 3, 2, 4)", (2, 3, 2, 4)),
        ):
            d_model = shape[-1]
            args = (
                draw.normal(*shape),
                [draw.normal(d_model, d_model), draw.normal(d_model)],
                draw.normal(d_model) + 2.0,
                norm_first,
            )
            sizes = dict(zip(("B", "S", "D")[-len(shape) :], shape, strict=False))
            made.append(Case(args, f"{name}, {says}", sizes, tags(name)))
    return made


def _landmark(says: str, compute: Callable[..., Tensor]) -> Landmark:
    """A quantity made of x, the sub-layer and the norm."""

    def computed(x: Tensor, of_sublayer: list[Tensor], of_norm: Tensor, norm_first: bool) -> Tensor:
        return compute(x, lambda h: _sublayer(h, *of_sublayer), lambda h: _norm(h, of_norm))

    return Landmark(says, computed)


_PRE, _POST = "return x + sublayer(norm(x))", "return norm(x + sublayer(x))"


def _both(pre: str, post: str) -> tuple[tuple[str, str], ...]:
    return ((_PRE, pre), (_POST, post))


EXERCISE = Exercise(
    id="stacking.residual",
    signature="(x, sublayer, norm, norm_first)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    harness=_harness,
    shown={
        "sublayer": "a function with weights of its own, from (..., D) to (..., D)",
        "norm": "a function that centres and scales each vector, from (..., D) to (..., D)",
    },
    finds=sums.finds,
    results=("result", "number of calls of sublayer", "number of calls of norm"),
    landmarks=(
        _landmark("x + sublayer(x): the norm was not used", lambda x, f, n: x + f(x)),
        _landmark("sublayer(x) alone", lambda x, f, n: f(x)),
        _landmark("norm(x) alone", lambda x, f, n: n(x)),
        _landmark("sublayer(norm(x)): x was not added", lambda x, f, n: f(n(x))),
        _landmark("norm(sublayer(x)): x was not added", lambda x, f, n: n(f(x))),
        _landmark(
            "sublayer(norm(x)) + norm(x): the normalised x was added",
            lambda x, f, n: f(n(x)) + n(x),
        ),
        _landmark(
            "x + norm(sublayer(x)): the norm reaches the sub-layer's output only",
            lambda x, f, n: x + n(f(x)),
        ),
        _landmark("norm(x) + sublayer(x)", lambda x, f, n: n(x) + f(x)),
        _landmark("pre-norm, x + sublayer(norm(x))", lambda x, f, n: x + f(n(x))),
        _landmark("post-norm, norm(x + sublayer(x))", lambda x, f, n: n(x + f(x))),
    ),
    mistakes=(
        Mistake(
            "exchanged",
            (("if norm_first:", "if not norm_first:"),),
            "Pre-norm and post-norm are exchanged.",
            "Where does the norm stand when it comes first: before the sub-layer or after the sum?",
        ),
        Mistake(
            "always-post-norm",
            (("if norm_first:", "if False:"),),
            "It is post-norm whatever `norm_first` says.",
            "Where does `norm_first` enter?",
        ),
        Mistake(
            "always-pre-norm",
            (("if norm_first:", "if True:"),),
            "It is pre-norm whatever `norm_first` says.",
            "Where does `norm_first` enter?",
        ),
        Mistake(
            "pre-norm-without-x",
            ((_PRE, "return sublayer(norm(x))"),),
            "In pre-norm x is not added to what the sub-layer makes.",
            "Which path leads from the last layer to the first without any sub-layer in it?",
        ),
        Mistake(
            "post-norm-without-x",
            ((_POST, "return norm(sublayer(x))"),),
            "In post-norm x is not added to what the sub-layer makes.",
            "Which two terms does the norm get?",
        ),
        Mistake(
            "without-x",
            _both("return sublayer(norm(x))", "return norm(sublayer(x))"),
            "x is not added to what the sub-layer makes, in neither form.",
            "Which part of the formula is the residual connection?",
        ),
        Mistake(
            "normalised-x-added",
            ((_PRE, "x = norm(x)\n        return x + sublayer(x)"),),
            "In pre-norm it is the normalised x that is added: the norm stands on the main path too.",
            "Which x is added in x + sublayer(norm(x))?",
        ),
        Mistake(
            "normalised-twice",
            ((_PRE, "return norm(x) + sublayer(norm(x))"),),
            "In pre-norm it is the normalised x that is added, and the norm is computed twice.",
            "Which x is added in x + sublayer(norm(x))?",
        ),
        Mistake(
            "norm-of-the-output",
            ((_POST, "return x + norm(sublayer(x))"),),
            "In post-norm the norm is taken of the sub-layer's output alone, before x is added.",
            "What stands inside of the norm's brackets?",
        ),
        Mistake(
            "norm-of-x-only",
            ((_POST, "return norm(x) + sublayer(x)"),),
            "In post-norm the norm is taken of x alone, and the sub-layer's output is added after it.",
            "What stands inside of the norm's brackets?",
        ),
        Mistake(
            "norm-before-and-after",
            ((_PRE, "return norm(x + sublayer(norm(x)))"),),
            "In pre-norm the norm is used twice, before the sub-layer and after the sum.",
            "How often is the norm called in x + sublayer(norm(x))?",
        ),
        Mistake(
            "norm-first-in-post-norm",
            ((_POST, "return norm(x + sublayer(norm(x)))"),),
            "In post-norm the sub-layer gets the normalised x as well.",
            "What does the sub-layer get in norm(x + sublayer(x))?",
        ),
        Mistake(
            "without-norm",
            _both("return x + sublayer(x)", "return x + sublayer(x)"),
            "The norm is not used at all.",
            "What should stand around, or inside of, x + sublayer(x)?",
        ),
        Mistake(
            "pre-norm-without-norm",
            ((_PRE, "return x + sublayer(x)"),),
            "In pre-norm the norm is not used.",
            "What does the sub-layer get in pre-norm?",
        ),
        Mistake(
            "post-norm-without-norm",
            ((_POST, "return x + sublayer(x)"),),
            "In post-norm the norm is not used.",
            "What happens to the sum in post-norm?",
        ),
        Mistake(
            "multiplied",
            _both("return x * sublayer(norm(x))", "return norm(x * sublayer(x))"),
            "x is multiplied with the sub-layer's output and not added.",
            "Which operation lets a gradient pass unchanged?",
        ),
        Mistake(
            "subtracted",
            _both("return x - sublayer(norm(x))", "return norm(x - sublayer(x))"),
            "The sub-layer's output is subtracted.",
            "Which sign stands in the formula?",
        ),
        Mistake(
            "x-added-twice",
            _both("return x + x + sublayer(norm(x))", "return norm(x + x + sublayer(x))"),
            "x is added twice.",
            "Does the sub-layer add x itself?",
        ),
        Mistake(
            "averaged",
            _both("return (x + sublayer(norm(x))) / 2", "return norm((x + sublayer(x)) / 2)"),
            "The sum is halved.",
            "Is there a factor in the formula?",
        ),
        Mistake(
            "both-computed",
            (
                ("if norm_first:", "post = norm(x + sublayer(x))\n    if norm_first:"),
                (_POST, "return post"),
            ),
            "Both forms are computed and one is thrown away. The sub-layer is the expensive part, and its dropout would draw twice.",
            "How often may each be called?",
        ),
        Mistake(
            "norm-called-in-vain",
            (
                ("if norm_first:", "before = norm(x)\n    if norm_first:"),
                (_PRE, "return x + sublayer(before)"),
            ),
            "norm(x) is computed in post-norm too, where nobody uses it.",
            "How often may the norm be called in norm(x + sublayer(x))?",
        ),
        Mistake(
            "norm-inside-the-sublayer",
            ((_PRE, "return x + norm(sublayer(norm(x)))"),),
            "In pre-norm the norm is taken of the sub-layer's output too.",
            "How often is the norm called in x + sublayer(norm(x))?",
        ),
        Mistake(
            "sublayer-before-the-norm",
            ((_PRE, "return x + norm(sublayer(x))"),),
            "In pre-norm the norm comes after the sub-layer and not before it.",
            "Which of the two gets x itself in x + sublayer(norm(x))?",
        ),
        Mistake(
            "changes-its-input",
            (
                (_PRE, "x += sublayer(norm(x))\n        return x"),
                (_POST, "x += sublayer(x)\n    return norm(x)"),
            ),
            "`x += ...` writes into the caller's tensor.",
            "What is the difference between x = x + y and x += y?",
        ),
        Mistake(
            "skip-cut-off",
            _both("return x.detach() + sublayer(norm(x))", "return norm(x.detach() + sublayer(x))"),
            "The x that is added is cut off from the gradient, which takes away the very path that the residual is for.",
            "Along which of the two terms does the gradient come back undamped?",
        ),
    ),
    hints=(
        "A residual connection adds x to what the sub-layer makes of it. The norm stands either before the sub-layer or "
        "around the sum.",
        "Everything is (..., D): x, norm(x), what the sub-layer returns, and the result.",
        "if norm_first: return x + (the sub-layer of the normalised x)\notherwise: return the norm of (x + the sub-layer of x)",
        "return x + sublayer(norm(x))   # pre-norm: nothing stands between x and the sum",
    ),
    axes=(("B", "S", "D"),),
)

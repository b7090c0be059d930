"""feed_forward.gelu: the exact GELU."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.feed_forward.exercises.gelu import search

# In half precision the tolerance is a share of the largest number, so that there must be one above 0:
# below it 1 + erf loses its digits, in right answers too.
FULL = ("float64", "float32")


def _gelu_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    zero = draw.normal(3, 4)
    zero[1] = 0.0
    return [
        Case((draw.normal(5),), "five numbers", dtypes=FULL),
        Case((draw.normal(2, 3, 4),), "a (2, 3, 4) tensor", tags=tags("three axes")),
        Case((draw.normal(4, 7) * 3,), "numbers that are spread wider", tags=tags("wide numbers")),
        Case((draw.normal(6) * 10,), "large numbers of both signs", tags=tags("large numbers")),
        Case((draw.normal(3, 5).abs() + 0.1,), "positive numbers", tags=tags("positive numbers")),
        Case(
            (-draw.normal(3, 5).abs() - 0.1,),
            "negative numbers",
            tags=tags("negative numbers"),
            dtypes=FULL,
        ),
        Case((zero,), "some numbers are 0", tags=tags("zeros")),
        Case(
            (draw.normal(1)[0],), "a single number, without axes", tags=tags("no axis"), dtypes=FULL
        ),
        Case((draw.normal(2, 1, 3, 1, 2),), "five axes", tags=tags("more axes")),
    ]


def _phi(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


_BELOW = "(1 + torch.erf(x / math.sqrt(2))) / 2"

EXERCISE = Exercise(
    id="feed_forward.gelu",
    signature="(x)",
    minutes=10,
    difficulty=1,
    cases=_gelu_cases,
    finds=search.finds,
    landmarks=(
        Landmark("the derivative of the GELU", lambda x: torch.special.ndtr(x) + x * _phi(x)),
        Landmark("an ELU", lambda x: F.elu(x)),
        Landmark("a SELU", lambda x: F.selu(x)),
        Landmark("a softplus", lambda x: F.softplus(x)),
        Landmark("a Mish", lambda x: F.mish(x)),
        Landmark("a hard swish", lambda x: F.hardswish(x)),
        Landmark("a leaky ReLU", lambda x: F.leaky_relu(x)),
        Landmark("a sigmoid", lambda x: torch.sigmoid(x)),
        Landmark("a tanh", lambda x: torch.tanh(x)),
        Landmark("erf(x) alone", lambda x: torch.erf(x)),
        Landmark("the GELU of the GELU", lambda x: F.gelu(F.gelu(x))),
        Landmark("the positive part of the GELU", lambda x: F.gelu(x).relu()),
        Landmark("the input, unchanged", lambda x: x),
    ),
    mistakes=(
        Mistake(
            "tanh-approximation",
            (
                (
                    _BELOW,
                    "(1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2",
                ),
            ),
            "This is the approximation with a tanh (that of GPT-2). It is off by up to 0.0005; asked is the exact GELU.",
            "Which function gives the normal distribution exactly?",
        ),
        Mistake(
            "tanh-without-the-cube",
            ((_BELOW, "(1 + torch.tanh(math.sqrt(2 / math.pi) * x)) / 2"),),
            "This is the approximation with a tanh, and without its term in x³.",
            "Which function gives the normal distribution exactly?",
        ),
        Mistake(
            "sigmoid-approximation",
            ((_BELOW, "torch.sigmoid(1.702 * x)"),),
            "This is the approximation x · sigmoid(1.702 x). Asked is the exact GELU.",
            "Which function gives the normal distribution exactly?",
        ),
        Mistake(
            "silu",
            ((_BELOW, "torch.sigmoid(x)"),),
            "This is x · sigmoid(x), the SiLU (or Swish): a sigmoid stands where the normal distribution should.",
            "Whose distribution function is the Φ in x Φ(x)?",
        ),
        Mistake(
            "relu",
            ((_BELOW, "(x > 0).to(x)"),),
            "This is max(0, x): every number is either kept or set to 0.",
            "What share of a standard normal's numbers lies below -1?",
        ),
        Mistake(
            "without-the-root",
            (("x / math.sqrt(2)", "x"),),
            "x is not divided by the root of 2 before the erf.",
            "How does Φ(x) follow from erf, and what stands in its brackets?",
        ),
        Mistake(
            "times-the-root",
            (("x / math.sqrt(2)", "x * math.sqrt(2)"),),
            "x is multiplied by the root of 2 instead of divided.",
            "How does Φ(x) follow from erf, and what stands in its brackets?",
        ),
        Mistake(
            "divided-by-two",
            (("x / math.sqrt(2)", "x / 2"),),
            "Within the erf x is divided by 2 and not by the root of 2.",
            "How does Φ(x) follow from erf, and what stands in its brackets?",
        ),
        Mistake(
            "root-of-two-pi",
            (("x / math.sqrt(2)", "x / math.sqrt(2 * math.pi)"),),
            "Within the erf x is divided by the root of 2π. That root belongs to the density of the normal, not here.",
            "How does Φ(x) follow from erf, and what stands in its brackets?",
        ),
        Mistake(
            "not-halved",
            ((_BELOW, "(1 + torch.erf(x / math.sqrt(2)))"),),
            "The result is twice too large: 1 + erf runs from 0 to 2, and a chance from 0 to 1.",
            "What should the result be near for x = 10?",
        ),
        Mistake(
            "without-the-one",
            (("(1 + torch.erf(x / math.sqrt(2)))", "torch.erf(x / math.sqrt(2))"),),
            "The 1 is missing: erf runs from -1 to 1, and a chance from 0 to 1.",
            "What should the result be near for x = -10?",
        ),
        Mistake(
            "half-of-the-erf-alone",
            (("(1 + torch.erf(x / math.sqrt(2))) / 2", "(1 + torch.erf(x / math.sqrt(2)) / 2)"),),
            "Only the erf is halved, not 1 + erf.",
            "Between which two numbers should the chance run?",
        ),
        Mistake(
            "one-minus",
            (("1 + torch.erf", "1 - torch.erf"),),
            "The sign is turned round: this is the chance of being above x.",
            "What should the result be near for x = 10: 10 or 0?",
        ),
        Mistake(
            "chance-alone",
            (("return x * below", "return below"),),
            "This is Φ(x) alone: the chance, not yet multiplied with x.",
            "Which number is it that is kept with this chance?",
        ),
        Mistake(
            "added-not-multiplied",
            (("x * below", "x + below"),),
            "The chance is added to x and not multiplied with it.",
            "What should the result be near for x = -10?",
        ),
        Mistake(
            "density",
            ((_BELOW, "torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)"),),
            "x is multiplied with the density of the normal and not with its distribution function.",
            "What should the result be near for x = 10?",
        ),
        Mistake(
            "x-squared",
            (("return x * below", "return x * x * below"),),
            "x is multiplied in twice.",
            "What should the result be near for x = 10?",
        ),
        Mistake(
            "bent-first",
            (("return x * below", "return x.clamp(min=0) * below"),),
            "Negative numbers become 0: a max(0, ·) is applied too.",
            "What is -1 times the share of a standard normal's numbers that lie below -1?",
        ),
        Mistake(
            "spread-of-the-input",
            ((_BELOW, "(1 + torch.erf((x - x.mean()) / (x.std() + 1e-6) / math.sqrt(2))) / 2"),),
            "The normal is fitted to the input, with its mean and its spread. In the GELU it is the standard normal, for every input the same.",
            "Does the GELU of one number depend on the others?",
        ),
        Mistake(
            "rounded-constant",
            (("math.sqrt(2)", "1.41"),),
            "The root of 2 is rounded to 1.41, so that the result is off in the third place.",
            "Which function gives the root of 2 to all places?",
        ),
        Mistake(
            "number-by-number",
            (
                (
                    _BELOW,
                    "torch.tensor([0.5 * (1 + math.erf(n / math.sqrt(2))) for n in x], dtype=x.dtype, device=x.device)",
                ),
            ),
            "It goes through the first axis with a loop, which works for a tensor with one axis alone (and cuts the gradient).",
            "Which function of torch takes the erf of every number at once?",
        ),
        Mistake(
            "changes-its-input",
            (
                ("below = ", "x += 0\n    x -= 0.25\n    below = "),
                ("(x / math", "((x + 0.25) / math"),
                ("x * below", "(x + 0.25) * below"),
            ),
            "It changes the caller's own tensor (a method that ends in _ does, and `*=`, and `x[...] = ...`).",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "cut-from-the-gradient",
            (("below = ", "x = x.detach()\n    below = "),),
            "The result is cut off from x (`detach`, `.data`, `no_grad` or numpy), so nothing before it can learn.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "chance-cut-from-the-gradient",
            (("return x * below", "return x * below.detach()"),),
            "The chance Φ(x) is cut off from x (`detach`, `no_grad`), so that a part of the slope is missing.",
            "Does Φ(x) change when x does?",
        ),
        Mistake(
            "float32-only",
            (("below = ", "x = x.float()\n    below = "),),
            "The result is float32 whatever the dtype of the input is.",
            "Which dtype should the result of a float64 (or bfloat16) input have?",
        ),
    ),
    hints=(
        "Where ReLU asks whether x is above 0, GELU asks how much of a standard normal's numbers lie below x, and "
        "keeps that share of x.",
        "Every number by itself: the result has the shape of x, whatever that is.",
        "below  <- (1 + erf(x / root of 2)) / 2, the share below x\nreturn x times below",
        "x * (1 + torch.erf(x / math.sqrt(2))) / 2",
    ),
)

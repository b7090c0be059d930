"""stacking.layer_norm: layer normalisation over the last axis."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises.layer_norm import search


def _case(draw: Draw, says: str, shape: tuple[int, ...], *names: str, **more: Any) -> Case:
    """Tokens of unit scale around 0.5, with a weight and a bias that are neither 1 nor 0."""
    eps = more.pop("eps", None)
    x = more.pop("x", None)
    x = draw.normal(*shape) + 0.5 if x is None else x
    args = (x, draw.normal(shape[-1]) + 2.0, draw.normal(shape[-1]))
    sizes = dict(zip(("B", "S", "D")[-len(shape) :], shape, strict=False))
    return Case(
        args if eps is None else (*args, eps), says, sizes, tags("x of unit scale", *names), **more
    )


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    constant = torch.full(
        (2, 3, 4), 2**-5, dtype=torch.float64
    )  # small: rounding grows by 1 / sqrt(eps)
    constant[1] = draw.normal(3, 4)
    return [
        _case(draw, "1 sentence of 2 tokens, D = 3", (1, 2, 3), "the batch in front"),
        _case(draw, "2 sentences of 3 tokens, D = 5", (2, 3, 5), "the batch in front"),
        _case(draw, "as many tokens as features, without a batch", (4, 4), "a square x"),
        _case(draw, "a batch in which all sizes are 3", (3, 3, 3), "a square x"),
        _case(draw, "one vector, D = 6", (6,), "a single vector"),
        _case(draw, "four axes (2, 3, 4, 5)", (2, 3, 4, 5), "more leading axes"),
        _case(draw, "eps = 0.5", (2, 3, 4), "a large eps", eps=0.5),
        _case(
            draw,
            "vectors of the size 0.01, where eps counts",
            (2, 3, 4),
            "small vectors",
            x=draw.normal(2, 3, 4) * 0.01,
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        _case(
            draw,
            "a sentence whose tokens are constant vectors",
            (2, 3, 4),
            "constant vectors",
            x=constant,
            differentiable=False,
        ),
        _case(draw, "a single feature, D = 1", (2, 3, 1), "a single feature", differentiable=False),
        _case(
            draw,
            "vectors whose mean is 8 and whose variance is 1",
            (2, 3, 7),
            "a mean far from 0",
            x=draw.normal(2, 3, 7) + 8.0,
            dtypes=("float64", "float32"),
        ),
        _case(
            draw,
            "vectors of the size 20",
            (2, 3, 6),
            "large vectors",
            x=draw.normal(2, 3, 6) * 20,
            dtypes=("float64", "float32"),
        ),
        _case(draw, "2 sentences of 5 tokens, D = 16", (2, 5, 16), "D of 16", dtypes=("float32",)),
        _case(
            draw,
            "vectors whose mean is 200000 and whose variance is 1",
            (2, 3, 8),
            "a mean far beyond the spread",
            # Multiples of 1/4096, so that a mean of 8 of them is exact and their squares are not.
            x=(draw.normal(2, 3, 8) * 4096).round() / 4096 + 2e5,
            dtypes=("float64",),
            differentiable=False,
        ),
    ]


_MEAN = "mean = x.mean(dim=-1, keepdim=True)"
_VARIANCE = "variance = (x - mean).square().mean(dim=-1, keepdim=True)"
_NORMALISED = "normalised = (x - mean) / torch.sqrt(variance + eps)"
_RETURN = "return normalised * weight + bias"


def _over(axes: str) -> tuple[tuple[str, str], ...]:
    """The statistics along other axes."""
    return ((_MEAN, _MEAN.replace("dim=-1", axes)), (_VARIANCE, _VARIANCE.replace("dim=-1", axes)))


EXERCISE = Exercise(
    id="stacking.layer_norm",
    signature="(x, weight, bias, eps=1e-5)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    finds=search.finds,
    landmarks=(
        Landmark(
            "the normalised vector, before weight and bias",
            lambda x, w, b, eps=1e-5: F.layer_norm(x, x.shape[-1:], eps=eps),
        ),
        Landmark(
            "RMS normalisation: x over the root of its mean square",
            lambda x, w, b, eps=1e-5: x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * w + b,
        ),
        Landmark(
            "batch normalisation: each feature over all tokens",
            lambda x, w, b, eps=1e-5: F.batch_norm(
                x.reshape(-1, x.shape[-1]), None, None, w, b, True, 0.1, eps
            ).reshape(x.shape),
        ),
        Landmark(
            "what comes when x is scaled and shifted first, and normalised after that",
            lambda x, w, b, eps=1e-5: F.layer_norm(x * w + b, x.shape[-1:], eps=eps),
        ),
        Landmark(
            "x without its mean, scaled and shifted: it was not divided",
            lambda x, w, b, eps=1e-5: (x - x.mean(-1, keepdim=True)) * w + b,
        ),
        Landmark("x itself, scaled and shifted", lambda x, w, b, eps=1e-5: x * w + b),
        Landmark(
            "x scaled to length 1 (`F.normalize`)",
            lambda x, w, b, eps=1e-5: F.normalize(x, dim=-1) * w + b,
        ),
        Landmark(
            "a softmax of x, scaled and shifted",
            lambda x, w, b, eps=1e-5: torch.softmax(x, -1) * w + b,
        ),
    ),
    mistakes=(
        Mistake(
            "unbiased-variance",
            ((_VARIANCE, "variance = x.var(dim=-1, keepdim=True)"),),
            "The variance is divided by D - 1, as torch.var and torch.std do unless they are told otherwise. "
            "Layer normalisation divides by D.",
            "Which argument of torch.var turns Bessel's correction off, and what does it give for D = 1?",
        ),
        Mistake(
            "epsilon-outside-the-root",
            (("torch.sqrt(variance + eps)", "(torch.sqrt(variance) + eps)"),),
            "eps is added to the standard deviation, outside of the root. It belongs to the variance, inside.",
            "By what is a constant vector divided in each of the two: eps, or its root?",
        ),
        Mistake(
            "mean-not-squared",
            ((_VARIANCE, "variance = x.square().mean(dim=-1, keepdim=True) - mean"),),
            "The variance is the mean of the squares minus the square of the mean; here the mean itself is taken off.",
            "What is the variance of a vector whose numbers are all 3?",
        ),
        Mistake(
            "mean-of-squares-minus-squared-mean",
            (
                (
                    _VARIANCE,
                    "variance = x.square().mean(dim=-1, keepdim=True) - mean.square()",
                ),
            ),
            "The algebra is right: the mean of the squares minus the square of the mean is the variance. But digits "
            "are lost: where the mean is large beside the spread the two are nearly equal and most of their digits "
            "cancel, in half precision soon all of them. Subtract the mean from x first, then square.",
            "Which digits are left of 40000000001 - 40000000000 when only eight of them are kept?",
        ),
        Mistake(
            "epsilon-as-a-floor",
            ((_NORMALISED, "normalised = (x - mean) / torch.sqrt(variance).clamp(min=eps)"),),
            "eps is the least that the standard deviation may be. The formula adds it to the variance, inside of the root.",
            "Where does eps stand in the formula?",
        ),
        Mistake(
            "without-epsilon",
            (("torch.sqrt(variance + eps)", "torch.sqrt(variance)"),),
            "eps is missing, so that a constant vector is divided by 0.",
            "What is the variance of a vector whose numbers are all the same?",
        ),
        Mistake(
            "epsilon-fixed",
            (("variance + eps", "variance + 1e-5"),),
            "eps is written into the code as 1e-5; the one that comes as argument is ignored.",
            "MiniLM's eps is 1e-12: what would it get from this function?",
        ),
        Mistake(
            "another-default-epsilon",
            (("eps: float = 1e-5", "eps: float = 1e-12"),),
            "Told no eps it takes 1e-12 (BERT's) or another small one. Its default is 1e-5, as the signature says.",
            "What does your function take for eps when it is called with x, weight and bias alone?",
        ),
        Mistake(
            "epsilon-squared",
            (("variance + eps", "variance + eps**2"),),
            "The square of eps is added to the variance.",
            "What stands beside the variance under the root?",
        ),
        Mistake(
            "divided-by-the-variance",
            (("torch.sqrt(variance + eps)", "(variance + eps)"),),
            "It divides by the variance and not by its root, the standard deviation.",
            "When x becomes twice as large, by what factor does its variance grow?",
        ),
        Mistake(
            "mean-not-subtracted",
            ((_NORMALISED, "normalised = x / torch.sqrt(variance + eps)"),),
            "The mean is not subtracted from x.",
            "What should the mean of each normalised vector be?",
        ),
        Mistake(
            "root-mean-square",
            (
                (_VARIANCE, "variance = x.square().mean(dim=-1, keepdim=True)"),
                (_NORMALISED, "normalised = x / torch.sqrt(variance + eps)"),
            ),
            "This is RMS normalisation: the mean is not taken off. It is used in some newer models, and is not what "
            "is asked for here.",
            "Which of the two sets the mean of each vector to 0?",
        ),
        Mistake(
            "variance-around-zero",
            ((_VARIANCE, "variance = x.square().mean(dim=-1, keepdim=True)"),),
            "The variance is the mean of x squared: the mean was not taken off before squaring.",
            "Around which point does a variance measure the spread?",
        ),
        Mistake(
            "over-the-tokens",
            _over("dim=-2"),
            "Mean and variance run over the tokens, for each feature, and not over the features of each token.",
            "A token's output should not depend on its neighbours: along which axis do its own numbers lie?",
        ),
        Mistake(
            "over-the-batch",
            _over("dim=0"),
            "Mean and variance run over the first axis: that is batch normalisation, in which a sentence depends on "
            "those that share its batch.",
            "Along which axis do the numbers of one token lie?",
        ),
        Mistake(
            "over-everything",
            ((_MEAN, "mean = x.mean()"), (_VARIANCE, "variance = (x - mean).square().mean()")),
            "There is one mean and one variance for the whole tensor.",
            "How many means do 2 sentences of 3 tokens have?",
        ),
        Mistake(
            "over-the-sentence",
            _over("dim=(-2, -1)"),
            "Mean and variance run over a whole sentence, its tokens and features together.",
            "How many means does one sentence of 3 tokens have?",
        ),
        Mistake(
            "over-batch-and-tokens",
            _over("dim=tuple(range(x.dim() - 1))"),
            "Mean and variance run over all axes but the last: this is batch normalisation.",
            "Along which axis do the numbers of one token lie?",
        ),
        Mistake(
            "axis-lost",
            (
                (_MEAN, "mean = x.mean(dim=-1)"),
                (_VARIANCE, "variance = x.var(dim=-1, correction=0)"),
            ),
            "The mean and the variance lose their last axis (no `keepdim`), so they don't line up with x: an error, "
            "or, where the sizes happen to fit, a wrong result.",
            "What shape must the mean have to be subtracted from (..., D)?",
        ),
        Mistake(
            "without-weight",
            ((_RETURN, "return normalised + bias"),),
            "The weight is not used.",
            "What are the two learned parameters of a layer norm for?",
        ),
        Mistake(
            "without-bias",
            ((_RETURN, "return normalised * weight"),),
            "The bias is not used.",
            "What are the two learned parameters of a layer norm for?",
        ),
        Mistake(
            "without-weight-and-bias",
            ((_RETURN, "return normalised"),),
            "Neither the weight nor the bias is used.",
            "What are the two learned parameters of a layer norm for?",
        ),
        Mistake(
            "bias-before-weight",
            ((_RETURN, "return (normalised + bias) * weight"),),
            "The bias is added before the weight multiplies, so that it is scaled too.",
            "In which order does a linear map treat its factor and its bias?",
        ),
        Mistake(
            "weight-and-bias-exchanged",
            ((_RETURN, "return normalised * bias + weight"),),
            "Weight and bias are exchanged.",
            "Which of the two multiplies?",
        ),
        Mistake(
            "divided-by-the-weight",
            ((_RETURN, "return normalised / weight + bias"),),
            "It divides by the weight instead of multiplying with it.",
            "With which weight should a feature come out twice as large?",
        ),
        Mistake(
            "one-plus-weight",
            ((_RETURN, "return normalised * (1 + weight) + bias"),),
            "1 is added to the weight.",
            "Which weight should leave the normalised vector as it is: 0 or 1?",
        ),
        Mistake(
            "sum-of-squares",
            ((_VARIANCE, "variance = (x - mean).square().sum(dim=-1, keepdim=True)"),),
            "The squares are summed and not averaged: the vector gets length 1 instead of variance 1.",
            "Should the result depend on how many features there are?",
        ),
        Mistake(
            "mean-deviation",
            ((_VARIANCE, "variance = (x - mean).abs().mean(dim=-1, keepdim=True).square()"),),
            "It divides by the mean absolute deviation and not by the standard deviation.",
            "Which mean is under the root of a standard deviation?",
        ),
        Mistake(
            "between-zero-and-one",
            (
                (
                    _NORMALISED,
                    "low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)\n"
                    "    normalised = (x - low) / (high - low + eps)",
                ),
            ),
            "Each vector is brought between 0 and 1 by its smallest and largest number.",
            "Which mean and which variance should a normalised vector have?",
        ),
        Mistake(
            "bias-subtracted",
            ((_RETURN, "return normalised * weight - bias"),),
            "The bias is subtracted.",
            "With which sign does a bias enter?",
        ),
        Mistake(
            "epsilon-subtracted",
            (("variance + eps", "variance - eps"),),
            "eps is subtracted from the variance, which makes a small variance negative and its root NaN.",
            "What is eps there to prevent?",
        ),
        Mistake(
            "epsilon-in-the-numerator",
            ((_NORMALISED, "normalised = (x - mean + eps) / torch.sqrt(variance + eps)"),),
            "eps is added to the vector as well.",
            "Which of the two, above or below the fraction's line, must not become 0?",
        ),
        Mistake(
            "statistics-cut-off",
            (
                (_MEAN, _MEAN + ".detach()"),
                (_VARIANCE, _VARIANCE + ".detach()"),
            ),
            "Mean and variance are cut off from the gradient (`detach`, `no_grad`), as if they did not depend on x.",
            "When one number of x grows, what else in the formula changes?",
        ),
        Mistake(
            "changes-its-input",
            ((_NORMALISED, "x -= mean\n    normalised = x / torch.sqrt(variance + eps)"),),
            "It writes into its input (`-=` on a tensor does), which the residual connection still needs.",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "in-float32",
            (("mean = x.mean", "x = x.float()\n    mean = x.mean"),),
            "x is turned into float32, so that the result has another dtype or fewer digits than the input.",
            "Which dtype should come out when float64 or bfloat16 goes in?",
        ),
    ),
    hints=(
        "Each token's vector by itself: take off its mean, divide by its standard deviation, then stretch and shift "
        "every feature by a learned number.",
        "x (..., D) -> mean and variance (..., 1), with keepdim=True; weight and bias (D,) line up with the last axis by "
        "themselves.",
        "m <- mean of x over the last axis\nv <- mean of (x - m) squared over the last axis\n"
        "return (x - m) / root(v + eps) * weight + bias",
        "variance = (x - mean).square().mean(dim=-1, keepdim=True)   # divided by D, not D - 1",
    ),
    axes=(("B", "S", "D"),),
)

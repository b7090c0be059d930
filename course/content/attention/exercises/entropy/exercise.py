"""attention.entropy: the entropy of the weights."""

from __future__ import annotations

import math

import torch

from course.checking.exercise import Case, Exercise, Landmark, Mistake, Remark, tags, traps
from course.checking.exercise.draw import Draw


def _entropy_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    zeros = draw.weights(2, 3, 5, zeros=0.4)
    idle = draw.weights(2, 3, 4)
    idle[1, 2] = 0.0
    one = torch.eye(4, dtype=torch.float64)
    return [
        Case((draw.weights(1, 1, 4),), "a single query", {"L": 1, "S": 4}, tags("a single query")),
        Case((draw.weights(2, 3),), "two queries, three keys", {"L": 2, "S": 3}),
        Case(
            (draw.weights(2, 3, 4, 6),),
            "a batch, heads, four queries, six keys",
            {"L": 4, "S": 6},
            tags("a batch and heads"),
        ),
        Case((draw.weights(3, 2, 5),), "a batch of 3", {"L": 2, "S": 5}, tags("a batch axis")),
        Case(
            (torch.full((3, 7), 1 / 7, dtype=torch.float64),),
            "equal weights over seven keys",
            {"L": 3, "S": 7},
            tags("equal weights"),
        ),
        Case(
            (
                torch.tensor(
                    [[1e-5, 0.25, 0.75 - 1e-5], [0.5, 1e-7, 0.5 - 1e-7]], dtype=torch.float64
                ),
            ),
            "some weights are tiny",
            {"L": 2, "S": 3},
            tags("tiny weights"),
            dtypes=("float64", "float32"),
        ),
        Case(
            (zeros,),
            "some weights are 0",
            {"L": 3, "S": 5},
            tags("weights of 0"),
            differentiable=False,
        ),
        Case(
            (one,),
            "all the weight on one key",
            {"L": 4, "S": 4},
            tags("weights of 0", "all the weight on one key"),
            differentiable=False,
        ),
        Case(
            (idle,),
            "one query has no weights at all",
            {"L": 3, "S": 4},
            tags("weights of 0", "a query without weights"),
            differentiable=False,
            regions={"queries without weights": (idle == 0).all(-1)},
        ),
    ]


EXERCISE = Exercise(
    id="attention.entropy",
    signature="(weights)",
    minutes=10,
    difficulty=2,
    cases=_entropy_cases,
    landmarks=(
        Landmark(
            "the perplexity, the exponential of the entropy",
            lambda w: torch.special.entr(w).sum(-1).exp(),
        ),
        Landmark(
            "log S minus the entropy: the distance from equal weights",
            lambda w: math.log(w.shape[-1]) - torch.special.entr(w).sum(-1),
        ),
        Landmark(
            "the entropy without the last key's term",
            lambda w: torch.special.entr(w[..., :-1]).sum(-1),
        ),
        Landmark(
            "the entropy without the first key's term",
            lambda w: torch.special.entr(w[..., 1:]).sum(-1),
        ),
        Landmark("-log of the largest weight", lambda w: -w.amax(-1).log()),
        Landmark(
            "-log of the sum of squares (the Renyi entropy of order 2)",
            lambda w: -(w * w).sum(-1).log(),
        ),
        Landmark(
            "the sum of the entropies of each weight against the rest (w against 1 - w)",
            lambda w: (torch.special.entr(w) + torch.special.entr(1 - w)).sum(-1),
        ),
        Landmark("the sum of -w log(1 - w)", lambda w: -(w * torch.log1p(-w)).sum(-1)),
        Landmark(
            "the cross-entropy of the weights with a softmax of them (`F.cross_entropy` takes scores)",
            lambda w: -(w * torch.log_softmax(w, -1)).sum(-1),
        ),
        Landmark("the largest weight of each query", lambda w: w.amax(-1)),
        Landmark("1 minus the sum of squares (the Gini impurity)", lambda w: 1 - (w * w).sum(-1)),
        Landmark("the terms -w log w, not yet summed", lambda w: torch.special.entr(w)),
        Landmark(
            "the entropy of the weights' mean over the queries",
            lambda w: torch.special.entr(w.mean(-2)).sum(-1),
        ),
    ),
    mistakes=(
        Mistake(
            "nan-at-zero",
            (("weights.masked_fill(weights == 0, 1.0)", "weights"),),
            "Where a weight is 0 the result is NaN: log 0 is -inf, and 0 * -inf is NaN.",
            "What is the limit of w log w when w goes to 0?",
        ),
        Mistake(
            "nan-replaced-after-the-sum",
            (
                ("weights.masked_fill(weights == 0, 1.0)", "weights"),
                (".sum(dim=-1)", ".sum(dim=-1).nan_to_num(0.0)"),
            ),
            "NaN is replaced after the sum: a single weight of 0 makes NaN of the whole row's sum, and so 0 of its "
            "entropy.",
            "Which terms of the sum are NaN, and what should each of them be?",
        ),
        Mistake(
            "wrong-sign",
            (("return -(", "return ("),),
            "The minus is missing: the entropy comes out negative.",
            "Is the logarithm of a number below 1 positive or negative?",
        ),
        Mistake(
            "bits",
            (("torch.log(", "torch.log2("),),
            "The logarithm is to the base 2: these are bits and not nats.",
            "Which logarithm gives nats?",
        ),
        Mistake(
            "base-ten",
            (("torch.log(", "torch.log10("),),
            "The logarithm is to the base 10.",
            "Which logarithm gives nats?",
        ),
        Mistake(
            "mean-instead-of-sum",
            ((".sum(dim=-1)", ".mean(dim=-1)"),),
            "The terms are averaged and not summed.",
            "What is the entropy of two equal weights: log 2, or half of it?",
        ),
        Mistake(
            "over-the-queries",
            (("dim=-1", "dim=-2"),),
            "The sum runs over the queries and not over the keys.",
            "Along which axis do the weights sum to 1?",
        ),
        Mistake(
            "over-everything",
            ((".sum(dim=-1)", ".sum()"),),
            "Everything is summed to a single number.",
            "How many entropies has a weight matrix with L rows?",
        ),
        Mistake(
            "keeps-the-axis",
            (("dim=-1)", "dim=-1, keepdim=True)"),),
            "The summed axis is kept with size 1.",
            "Which shape is asked for?",
        ),
        Mistake(
            "without-weights",
            (("(weights * torch.log(safe))", "(torch.log(safe))"),),
            "The logarithms are summed without being weighted.",
            "The entropy is a mean of -log w. With which weights is it taken?",
        ),
        Mistake(
            "epsilon-in-the-log",
            (("weights.masked_fill(weights == 0, 1.0)", "weights + 1e-6"),),
            "A small number is added to every weight before the logarithm, which moves all results a little.",
            "Which weights alone need protecting?",
        ),
        Mistake(
            "epsilon-too-small-for-float16",
            (("weights.masked_fill(weights == 0, 1.0)", "weights.clamp(min=1e-12)"),),
            "The small number that protects the logarithm is itself 0 in float16 (everything below 6e-8 is), so that there log 0 comes back and with it NaN.",
            "How can weights of 0 be kept away from the logarithm without any small number?",
        ),
        Mistake(
            "normalised",
            ((".sum(dim=-1)", ".sum(dim=-1) / math.log(weights.shape[-1])"),),
            "The entropy is divided by log S, its largest possible value.",
            "What is the entropy of seven equal weights: 1 or log 7?",
        ),
        Mistake(
            "perplexity",
            (
                (
                    "return -(weights * torch.log(safe)).sum(dim=-1)",
                    "return torch.exp(-(weights * torch.log(safe)).sum(dim=-1))",
                ),
            ),
            "This is the exponential of the entropy, the perplexity.",
            "Which is asked for: the number of keys that count, or its logarithm?",
        ),
        Mistake(
            "log-of-one-plus",
            (("torch.log(safe)", "torch.log1p(weights)"),),
            "log1p(w) is log(1 + w) and not log w.",
            "What is the logarithm of a weight of 1?",
        ),
        Mistake(
            "softmax-first",
            (("safe = weights", "weights = torch.softmax(weights, dim=-1)\n    safe = weights"),),
            "A softmax is taken of what are weights already.",
            "What does the function get: scores or weights?",
        ),
        Mistake(
            "changes-its-input",
            (
                (
                    "safe = weights.masked_fill(weights == 0, 1.0)",
                    "safe = weights.masked_fill_(weights == 0, 1.0)",
                ),
            ),
            "It changes the caller's own tensor (a method that ends in _ does, and `weights[...] = ...`).",
            "What does the caller find in weights after the call?",
        ),
        Mistake(
            "cut-from-the-gradient",
            (("safe = weights", "weights = weights.detach()\n    safe = weights"),),
            "The result is cut off from the weights (`detach`, `.data`, `no_grad` or numpy).",
            "Which line leaves PyTorch's record of the computation?",
        ),
    ),
    hints=(
        "The entropy is the mean of -log w under the weights themselves: 0 when one key has everything, log S when all are equal.",
        "(..., L, S) -> (..., L): the sum runs over the keys, the last axis.",
        "t <- -w log w, and 0 where w is 0\nreturn the sum of t over the last axis",
        "safe = weights.masked_fill(weights == 0, 1.0)   # log 1 = 0, and 0 times 0 is 0",
    ),
    axes=(("L",),),
    remarks=(
        Remark(
            "no-gradient-at-zero",
            Case(
                (torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64),),
                "one weight is 0",
            ),
            traps.not_finite,
            "Where a weight is 0 the result is right, but the gradient there is NaN or inf: the 0 still goes into "
            "the logarithm, and only what comes out is replaced. A blocked key has the weight 0, so a loss "
            "that contains this entropy makes the gradients of all queries and keys NaN, and after the next "
            "step the weights behind them. Replace the 0 before the logarithm.",
            mode="gradient",
        ),
    ),
)

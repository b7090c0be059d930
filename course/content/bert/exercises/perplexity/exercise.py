"""bert.perplexity: the exponential of the mean loss at the labelled places."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import DOUBLE, FULL
from course.content.bert.exercises import labelled


def _cases(seed: int) -> list[Case]:
    equal = torch.zeros(1, 4, 8, dtype=torch.float64)
    labels = torch.tensor([[3, -100, 0, 7]])
    even = Case(
        (equal, labels),
        "all 8 words equally likely",
        {"B": 1, "S": 4, "V": 8},
        tags("equal logits"),
    )
    # In half precision a loss of 4 has steps of 0.016 to 0.03, and its exponential is 3 % off.
    usual = [
        case if case.sizes["V"] <= 8 else replace(case, **FULL)
        for case in labelled.cases(seed)
        if "large logits" not in case.tags
    ]
    large = [case for case in labelled.cases(seed) if "large logits" in case.tags]
    loud = [
        Case(
            (case.args[0] / 10, case.args[1]), "logits in the tens", case.sizes, case.tags, **DOUBLE
        )
        for case in large
    ]
    return [usual[0], even, *usual[1:], *loud]


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")


def _count(labels: Tensor) -> Tensor:
    return (labels != -100).sum().clamp(min=1)


def _mean(logits: Tensor, labels: Tensor) -> Tensor:
    return _losses(logits, labels).sum() / _count(labels)


EXERCISE = Exercise(
    id="bert.perplexity",
    signature="(logits, labels)",
    minutes=5,
    difficulty=1,
    cases=_cases,
    landmarks=(
        Landmark("the mean loss: the exponential is missing", _mean),
        Landmark(
            "the exponential of the loss with its sign turned: 1 over the perplexity",
            lambda x, y: (-_mean(x, y)).exp(),
        ),
        Landmark(
            "2 to the power of the mean loss, which is in nats", lambda x, y: 2 ** _mean(x, y)
        ),
        Landmark(
            "the mean of the exponentials of the losses, and not the exponential of their mean",
            lambda x, y: (_losses(x, y).exp() * (y != -100)).sum() / _count(y),
        ),
        Landmark(
            "the exponential of the sum of the losses", lambda x, y: _losses(x, y).sum().exp()
        ),
        Landmark(
            "the exponential of the mean over all places", lambda x, y: _losses(x, y).mean().exp()
        ),
        Landmark(
            "the exponential of the predictions' own entropy: how unsure the model is, whatever was right",
            lambda x, y: (
                (torch.special.entr(x.softmax(-1)).sum(-1) * (y != -100)).sum() / _count(y)
            ).exp(),
        ),
        Landmark(
            "1 over the mean probability of the labels",
            lambda x, y: _count(y) / ((-_losses(x, y)).exp() * (y != -100)).sum(),
        ),
        Landmark(
            "the mean of the sentences' perplexities",
            lambda x, y: (_losses(x, y).sum(1) / (y != -100).sum(1).clamp(min=1)).exp().mean(),
        ),
    ),
    axes=((),),
)

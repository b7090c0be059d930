"""bert.masked_lm_loss: the cross entropy at the chosen places alone."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Exercise, Landmark
from course.content.bert.exercises import labelled


def _each(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss at each place, 0 without a label, (B, S)."""
    return F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")


def _sentences(logits: Tensor, labels: Tensor) -> Tensor:
    counts = labels != -100
    return (_each(logits, labels).sum(1) / counts.sum(1).clamp(min=1)).mean()


EXERCISE = Exercise(
    id="bert.masked_lm_loss",
    signature="(logits, labels)",
    minutes=15,
    difficulty=2,
    cases=labelled.cases,
    landmarks=(
        Landmark(
            "the sum over the labelled places, not their mean", lambda x, y: _each(x, y).sum()
        ),
        Landmark(
            "the mean over all places, those without a label included",
            lambda x, y: _each(x, y).mean(),
        ),
        Landmark(
            "the mean of the sentences' means: a label in a sentence with few of them counts more",
            _sentences,
        ),
        Landmark(
            "the sum divided by the number of sentences", lambda x, y: _each(x, y).sum() / len(y)
        ),
        Landmark(
            "the mean of the log probabilities, with its sign unchanged",
            lambda x, y: -_each(x, y).sum() / (y != -100).sum().clamp(min=1),
        ),
        Landmark(
            "the exponential of the mean loss, the perplexity",
            lambda x, y: (_each(x, y).sum() / (y != -100).sum().clamp(min=1)).exp(),
        ),
        Landmark(
            "the mean probability of the labels",
            lambda x, y: (
                ((-_each(x, y)).exp() * (y != -100)).sum() / (y != -100).sum().clamp(min=1)
            ),
        ),
        Landmark(
            "the mean of the labels' logits with a minus: no softmax was taken",
            lambda x, y: (
                -(x.gather(-1, y.clamp(min=0)[..., None])[..., 0] * (y != -100)).sum()
                / (y != -100).sum().clamp(min=1)
            ),
        ),
        Landmark(
            "the loss of a softmax of the softmax (`F.cross_entropy` takes logits, not probabilities)",
            lambda x, y: _each(x.softmax(-1), y).sum() / (y != -100).sum().clamp(min=1),
        ),
    ),
    axes=((),),
)

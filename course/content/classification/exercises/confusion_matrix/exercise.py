"""classification.confusion_matrix: how often each class was taken for each."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import holding
from course.content.classification.exercises.labels import OF_LABELS, drawn, whole


def _cases(seed: int) -> list[Case]:
    def case(says: str, predicted: Tensor, actual: Tensor, classes: int) -> Case:
        sizes = {"N": len(actual), "classes": classes}
        missing = {
            "unpredicted": int(classes > len(set(predicted.tolist()))),
            "unseen": int(classes > len(set(actual.tolist()))),
            "last": int(max([-1, *predicted.tolist(), *actual.tolist()]) < classes - 1),
        }
        return Case(
            (predicted, actual, classes),
            says,
            sizes,
            tags(*holding(OF_LABELS, sizes | missing)),
        )

    return [
        case("three examples of two classes", whole([0, 1, 1]), whole([0, 0, 1]), 2),
        case(
            "six examples of three classes",
            whole([0, 1, 2, 2, 2, 1]),
            whole([0, 1, 1, 2, 2, 2]),
            3,
        ),
        case("a class that is never predicted", whole([0, 2, 2, 0, 0]), whole([0, 1, 2, 1, 2]), 3),
        case("a class without examples", whole([1, 0, 1, 0]), whole([2, 0, 2, 0]), 3),
        case("the last class is in neither", whole([1, 0, 1]), whole([0, 0, 1]), 4),
        case("all are right", whole([2, 0, 1, 2]), whole([2, 0, 1, 2]), 3),
        case("wrong predictions alone", whole([1, 2, 0, 1, 1]), whole([0, 1, 1, 0, 0]), 3),
        case("a single class", whole([0, 0, 0]), whole([0, 0, 0]), 1),
        case("a single example", whole([3]), whole([1]), 5),
        case("no example", whole([]), whole([]), 3),
        case("as many examples as classes", whole([1, 0, 1, 3]), whole([0, 0, 2, 3]), 4),
        case("60 drawn examples of 5 classes", *drawn(seed, 60, 5), 5),
        case("2,000 drawn examples of 12 classes", *drawn(seed + 1, 2000, 12), 12),
    ]


def _square(predicted: Tensor, actual: Tensor, classes: int) -> Tensor:
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    ones = torch.ones_like(actual)
    return counts.index_put((actual, predicted), ones, accumulate=True)


EXERCISE = Exercise(
    id="classification.confusion_matrix",
    signature="(predicted, actual, classes)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    axes=(("actual class", "predicted class"),),
    landmarks=(
        Landmark(
            "the shares of all examples",
            lambda p, a, c: _square(p, a, c).float() / max(len(p), 1),
        ),
        Landmark(
            "the right ones alone, each on the diagonal",
            lambda p, a, c: _square(p, a, c).diagonal().diag(),
        ),
        Landmark(
            "the wrong ones alone", lambda p, a, c: _square(p, a, c) * (1 - torch.eye(c).long())
        ),
        Landmark(
            "the counts of both directions together, a symmetric matrix",
            lambda p, a, c: _square(p, a, c) + _square(a, p, c),
        ),
        Landmark(
            "how many were predicted as each class, in every row",
            lambda p, a, c: _square(p, a, c).sum(0).expand(c, c),
        ),
    ),
)

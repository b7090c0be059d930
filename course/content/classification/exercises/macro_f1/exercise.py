"""classification.macro_f1: the mean of all classes' F1."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import holding
from course.content.classification.exercises.labels import OF_LABELS, drawn, whole

_MORE = {
    "a class in neither": "neither = 1",
    "as many predicted as actual of each class": "level = 1",
}


def _cases(seed: int) -> list[Case]:
    def case(says: str, predicted: Tensor, actual: Tensor, classes: int) -> Case:
        given = torch.bincount(predicted, minlength=classes)
        there = torch.bincount(actual, minlength=classes)
        sizes = {"N": len(actual), "classes": classes}
        neither = int(((given + there) == 0).any())
        missing = {
            "unpredicted": int((given == 0).any()) - neither,
            "unseen": int((there == 0).any()) - neither,
            "neither": neither,
            "level": int(torch.equal(given, there)),
        }
        conditions = OF_LABELS | _MORE
        args = (predicted, actual, classes)
        return Case(args, says, sizes, tags(*holding(conditions, sizes | missing)))

    many, few = [0] * 8 + [1] * 3, [0] * 9 + [1] * 2
    return [
        case("three examples of two classes", whole([0, 1, 1]), whole([0, 0, 1]), 2),
        case(
            "six examples of three classes",
            whole([0, 1, 2, 2, 2, 1]),
            whole([0, 1, 1, 2, 2, 2]),
            3,
        ),
        case("a class that is never predicted", whole([0, 2, 2, 0, 0]), whole([0, 1, 2, 1, 2]), 3),
        case("a class without examples", whole([1, 0, 2, 0]), whole([1, 0, 1, 0]), 3),
        case("a class in neither", whole([1, 0, 1]), whole([0, 0, 1]), 3),
        case("all are right", whole([2, 0, 1, 2]), whole([2, 0, 1, 2]), 3),
        case("wrong predictions alone", whole([1, 2, 0, 1, 1]), whole([0, 1, 1, 0, 0]), 3),
        case("a single class", whole([0, 0, 0]), whole([0, 0, 0]), 1),
        case("one large and one small class", whole(many), whole(few), 2),
        case(
            "as many predicted as actual of each class", whole([1, 0, 1, 0]), whole([0, 1, 1, 0]), 2
        ),
        case("60 drawn examples of 5 classes", *drawn(seed, 60, 5), 5),
        case("90 drawn examples of 7 classes, two in neither", *drawn(seed + 1, 90, 5), 7),
    ]


def _parts(
    predicted: Tensor, actual: Tensor, classes: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Right, predicted, actual, and F1, `(C,)` each."""
    right = torch.bincount(actual[predicted == actual], minlength=classes).double()
    given = torch.bincount(predicted, minlength=classes).double()
    there = torch.bincount(actual, minlength=classes).double()
    return right, given, there, 2 * right / (given + there).clamp(min=1)


def _of_the_means(predicted: Tensor, actual: Tensor, classes: int) -> float:
    right, given, there, _ = _parts(predicted, actual, classes)
    precision = (right / given.clamp(min=1)).mean()
    recall = (right / there.clamp(min=1)).mean()
    return float(2 * precision * recall / (precision + recall).clamp(min=1e-12))


EXERCISE = Exercise(
    id="classification.macro_f1",
    signature="(predicted, actual, classes)",
    minutes=10,
    difficulty=2,
    cases=_cases,
    landmarks=(
        Landmark("F1 of the mean precision and the mean recall", _of_the_means),
        Landmark("the sum of all classes' F1", lambda p, a, c: float(_parts(p, a, c)[3].sum())),
        Landmark("the smallest F1 of all classes", lambda p, a, c: float(_parts(p, a, c)[3].min())),
        Landmark("the largest F1 of all classes", lambda p, a, c: float(_parts(p, a, c)[3].max())),
        Landmark("F1 of the first class", lambda p, a, c: float(_parts(p, a, c)[3][0])),
        Landmark("F1 of the last class", lambda p, a, c: float(_parts(p, a, c)[3][-1])),
        Landmark(
            "the median of all classes' F1", lambda p, a, c: float(_parts(p, a, c)[3].median())
        ),
        Landmark(
            "the mean over the classes of right / (predicted + actual - right), the Jaccard index",
            lambda p, a, c: float(
                (
                    _parts(p, a, c)[0] / (sum(_parts(p, a, c)[1:3]) - _parts(p, a, c)[0]).clamp(1)
                ).mean()
            ),
        ),
        Landmark("the error rate", lambda p, a, c: float((p != a).double().mean())),
    ),
)

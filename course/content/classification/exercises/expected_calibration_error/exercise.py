"""classification.expected_calibration_error: how far confidence and accuracy are apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import DOUBLE, holding

_OF_SIZES = {
    "a single bin": "bins = 1",
    "a single example": "N = 1",
    "an empty bin": "empty = 1",
    "confidences of 1": "sure = 1",
    "more than two classes": "C > 2",
    "as many bins as examples": "bins = N; N > 1",
}


def _rows(confidences: list[float], classes: int, places: list[int]) -> Tensor:
    """(N, C) float64: the largest probability at the place named, the rest spread unevenly."""
    rows = []
    for confidence, place in zip(confidences, places, strict=True):
        shares = torch.arange(2, classes + 1).double()
        others = (1 - confidence) * shares / shares.sum()
        rows.append(
            torch.cat([others[:place], torch.tensor([confidence]).double(), others[place:]])
        )
    return torch.stack(rows)


def _case(says: str, confidences: list[float], right: list[bool], classes: int, bins: int) -> Case:
    """Each example's predicted class differs from the one before; a wrong one has the next class."""
    places = [(3 * i + 1) % classes for i in range(len(confidences))]
    labels = [
        place if good else (place + 1) % classes for place, good in zip(places, right, strict=True)
    ]
    sizes = {"N": len(labels), "C": classes, "bins": bins}
    used = {math.ceil(c * bins) for c in confidences}
    more = {"empty": int(len(used) < bins), "sure": int(1.0 in confidences)}
    args = (_rows(confidences, classes, places), torch.tensor(labels), bins)
    return Case(args, says, sizes, tags(*holding(_OF_SIZES, sizes | more)), **DOUBLE)


def _drawn(seed: int, count: int, classes: int, bins: int) -> tuple[list[float], list[bool]]:
    """Confidences away from the bins' borders, and whether each prediction is right."""
    generator = torch.Generator().manual_seed(7919 * seed + 41)
    low = math.ceil(bins * max(0.55, 1.2 / classes))  # the first bin that is used
    place = torch.randint(low, bins, (count,), generator=generator)
    within = 0.1 + 0.8 * torch.rand(count, generator=generator).double()
    confidence = (place + within) / bins
    right = torch.rand(count, generator=generator).double() < confidence - 0.15
    return confidence.tolist(), right.tolist()


def _cases(seed: int) -> list[Case]:
    yes, no = True, False
    return [
        _case("four examples in two bins", [0.9, 0.7, 0.8, 0.4], [yes, yes, no, yes], 3, 2),
        _case("two classes, five bins", [0.95, 0.85, 0.55, 0.65], [yes, no, yes, no], 2, 5),
        _case("a single bin", [0.9, 0.6, 0.75], [yes, no, no], 3, 1),
        _case("a single example that is wrong", [0.77], [no], 4, 10),
        _case("a single example that is right", [0.77], [yes], 4, 10),
        _case("confidences of 1", [1.0, 1.0, 0.73, 0.52], [yes, no, yes, no], 3, 4),
        _case("gaps of both signs", [0.62, 0.64, 0.93, 0.97], [yes, yes, no, no], 2, 10),
        _case("gaps of both signs in one bin", [0.91, 0.96, 0.92], [yes, no, yes], 2, 10),
        _case("all right and not sure", [0.45, 0.52, 0.61, 0.44], [yes] * 4, 3, 10),
        _case("bins of 1, 2 and 5 examples", *_uneven(), 3, 3),
        _case("40 drawn examples", *_drawn(seed, 40, 4, 15), 4, 15),
        _case("200 drawn examples of 6 classes", *_drawn(seed + 1, 200, 6, 10), 6, 10),
    ]


def _uneven() -> tuple[list[float], list[bool]]:
    confidences = [0.94, 0.55, 0.62, 0.71, 0.83, 0.9, 0.97, 0.6]
    return confidences, [True, False, True, False, True, False, True, False]


def _binned(probabilities: Tensor, labels: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    """The signed gap and the number of examples of each bin that is not empty."""
    confidence, predicted = probabilities.max(-1)
    right = (predicted == labels).double()
    place = (confidence * bins).ceil() - 1
    inside = [place == b for b in range(bins) if (place == b).any()]
    gaps = [right[one].mean() - confidence[one].mean() for one in inside]
    return torch.stack(gaps), torch.stack([one.sum() for one in inside]).double()


EXERCISE = Exercise(
    id="classification.expected_calibration_error",
    signature="(probabilities, labels, bins)",
    minutes=20,
    difficulty=3,
    cases=_cases,
    landmarks=(
        Landmark("the accuracy", lambda p, y, b: float((p.argmax(-1) == y).double().mean())),
        Landmark("the mean confidence", lambda p, y, b: float(p.amax(-1).mean())),
        Landmark("the largest gap of all bins", lambda p, y, b: float(_binned(p, y, b)[0].amax())),
        Landmark("the sum of the gaps", lambda p, y, b: float(_binned(p, y, b)[0].abs().sum())),
        Landmark(
            "the mean gap of the bins that are not empty, each counted once",
            lambda p, y, b: float(_binned(p, y, b)[0].abs().mean()),
        ),
        Landmark(
            "the sum of (1 or 0, minus the confidence) squared over N: the Brier score of the prediction",
            lambda p, y, b: float(((p.argmax(-1) == y).double() - p.amax(-1)).square().mean()),
        ),
        Landmark(
            "the root of the mean squared gap",
            lambda p, y, b: float(
                (_binned(p, y, b)[0].square() * _binned(p, y, b)[1] / len(y)).sum().sqrt()
            ),
        ),
    ),
)

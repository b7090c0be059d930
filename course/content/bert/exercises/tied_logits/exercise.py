"""bert.tied_logits: the embedding table as output projection."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import SINGLE, holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {"as many words as features": "V = D", "a single place": "S = 1"}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, batch: int, length: int, width: int, words: int, **more: object) -> Case:
        sizes = {"B": batch, "S": length, "D": width, "V": words}
        hidden, weight = draw.normal(batch, length, width), draw.normal(words, width)
        names = tags(*holding(_OF_SIZES, sizes))
        return Case((hidden, weight, draw.normal(words)), says, sizes, names, **more)  # type: ignore[arg-type]

    return [
        case("1 sentence of 2 tokens, D = 3, V = 4", 1, 2, 3, 4),
        case("2 sentences of 3 tokens, D = 4, V = 6", 2, 3, 4, 6),
        case("as many words as features", 2, 4, 5, 5),
        case("fewer words than features", 3, 2, 7, 4),
        case("as many tokens as words", 2, 6, 4, 6),
        case("a single place", 3, 1, 4, 5),
        case("2 sentences of 5 tokens, D = 24, V = 100", 2, 5, 24, 100, **SINGLE),
    ]


def _scores(hidden: Tensor, weight: Tensor) -> Tensor:
    return hidden @ weight.mT


EXERCISE = Exercise(
    id="bert.tied_logits",
    signature="(hidden, embedding_weight, bias)",
    minutes=5,
    difficulty=1,
    cases=_cases,
    landmarks=(
        Landmark("the scores without the bias", lambda h, w, b: _scores(h, w)),
        Landmark(
            "the logarithm of the softmax of the logits",
            lambda h, w, b: (_scores(h, w) + b).log_softmax(-1),
        ),
        Landmark(
            "the softmax of the logits, probabilities",
            lambda h, w, b: (_scores(h, w) + b).softmax(-1),
        ),
        Landmark(
            "the logits, divided by the root of D",
            lambda h, w, b: _scores(h, w) / w.shape[1] ** 0.5 + b,
        ),
        Landmark(
            "cosines, with both sides brought to length 1",
            lambda h, w, b: (
                _scores(
                    torch.nn.functional.normalize(h, dim=-1),
                    torch.nn.functional.normalize(w, dim=-1),
                )
                + b
            ),
        ),
        Landmark(
            "minus the squared distance of each token to each row of the table",
            lambda h, w, b: -torch.cdist(h, w.expand(len(h), -1, -1)).square() + b,
        ),
    ),
    axes=(("B", "S", "V"),),
)

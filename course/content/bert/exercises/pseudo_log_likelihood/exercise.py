"""bert.pseudo_log_likelihood: how likely a model for masked words finds a whole sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import FLAT, FULL
from course.checking.exercise.draw import Draw

MASK = 2


def small_model(table: Tensor) -> Callable[[Tensor], Tensor]:
    """A model (N, S) -> (N, S, V) whose logits at each place depend on all places and their order."""

    def model(ids: Tensor) -> Tensor:
        if ids.dim() != 2:
            raise ValueError(f"model takes ids (N, S), and got the shape {tuple(ids.shape)}")
        x = table[ids]  # (N, S, D)
        x = x + 0.9 * x.roll(1, dims=1) - 0.6 * x.roll(-1, dims=1) + 0.5 * x.mean(1, keepdim=True)
        return torch.tanh(x) @ table.mT  # (N, S, V)

    return model


def with_a_model(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: a table (V, D) is made a model."""

    def run(ids: Tensor, special: Tensor, mask_id: int, table: Tensor) -> Any:
        return function(ids, special, mask_id, small_model(table))

    return run


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        says: str, ids: list[int], special: list[int], words: int, *names: str, **more: Any
    ) -> Case:
        sentence = torch.tensor(ids)
        blocked = torch.zeros(len(ids), dtype=torch.bool)
        blocked[special] = True
        sizes = {"S": len(ids), "V": words, "N": int((~blocked).sum())}
        names = (*names, "special tokens" if special else "no special token")
        names = (*names, *(["a single token to score"] if sizes["N"] == 1 else []))
        args = (sentence, blocked, MASK, draw.normal(words, 6))
        return Case(args, says, sizes, tags(*names), **FULL | more)

    return [
        case("one token between [CLS] and [SEP]", [0, 5, 1], [0, 2], 7),
        case("two tokens between [CLS] and [SEP]", [0, 5, 4, 1], [0, 3], 8),
        case("four tokens without special ones", [4, 3, 6, 5], [], 9),
        case(
            "a word that stands twice", [0, 4, 6, 4, 5, 1], [0, 5], 10, "a word that stands twice"
        ),
        case(
            "special tokens in between",
            [0, 5, 7, 1, 6, 4, 3, 1],
            [0, 3, 7],
            8,
            "special tokens in between",
        ),
        case(
            "a token that is mask_id itself",
            [0, 4, MASK, 6, 1],
            [0, 4],
            7,
            "a token that is mask_id",
        ),
        case(
            "nothing but special tokens",
            [0, 1, 1],
            [0, 1, 2],
            5,
            "nothing but special tokens",
            **FLAT,
        ),
        case("a sentence of 12 tokens", [0, *range(3, 13), 1], [0, 11], 20),
    ]


def _places(special: Tensor) -> Tensor:
    return (~special).nonzero()[:, 0]


def _scores(ids: Tensor, special: Tensor, mask_id: int, table: Tensor) -> Tensor:
    """The log p of each token that counts, (N,), each masked in turn."""
    places = _places(special)
    rows = torch.arange(len(places))
    copies = ids.repeat(len(places), 1)
    copies[rows, places] = mask_id
    return small_model(table)(copies).log_softmax(-1)[rows, places, ids[places]]


def _unmasked(ids: Tensor, special: Tensor, mask_id: int, table: Tensor) -> Tensor:
    log_p = small_model(table)(ids[None])[0].log_softmax(-1)
    return log_p[torch.arange(len(ids)), ids][~special].sum()


def _all_masked(ids: Tensor, special: Tensor, mask_id: int, table: Tensor) -> Tensor:
    log_p = small_model(table)(ids.masked_fill(~special, mask_id)[None])[0].log_softmax(-1)
    return log_p[torch.arange(len(ids)), ids][~special].sum()


EXERCISE = Exercise(
    id="bert.pseudo_log_likelihood",
    signature="(ids, special, mask_id, model)",
    minutes=15,
    difficulty=3,
    cases=_cases,
    landmarks=(
        Landmark("the mean over the tokens and not the sum", lambda *a: _scores(*a).mean()),
        Landmark(
            "the same with its sign turned: the losses, summed", lambda *a: -_scores(*a).sum()
        ),
        Landmark(
            "the score of the sentence with nothing masked: each token is in sight", _unmasked
        ),
        Landmark("the score with all tokens masked at once: no word is in sight", _all_masked),
        Landmark(
            "the pseudo-perplexity, exp of minus the mean", lambda *a: (-_scores(*a).mean()).exp()
        ),
        Landmark(
            "the product of the probabilities; the logarithm is missing",
            lambda *a: _scores(*a).sum().exp(),
        ),
    ),
    axes=((),),
    harness=with_a_model,
    shown={"model": "a small model, (N, S) -> (N, S, V)"},
)

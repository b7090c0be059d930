"""generation.cached_step: causal self-attention of one new token, with the keys and values of those before it."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Undone, tags
from course.checking.exercise.cases import DOUBLE, SINGLE, holding
from course.checking.exercise.draw import Draw
from course.content.generation.exercises import projected

_OF_SIZES = {
    "a single head": "H = 1",
    "nothing in the cache yet": "T = 0",
    "one token in the cache": "T = 1",
}


def _case(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int],
    *names: str,
    far: float = 1.0,
    **more: Any,
) -> Case:
    batch, past, nhead, d_head = sizes
    d_model = nhead * d_head
    w_in, b_in, w_out, b_out = projected.weights(draw, d_model)
    w_in = torch.cat([w_in[: 2 * d_model] * far, w_in[2 * d_model :]])
    x = draw.normal(batch, 1, d_model)
    key, value = (draw.normal(batch, nhead, past, d_head) for _ in range(2))
    named = {"B": batch, "T": past, "H": nhead, "Dh": d_head, "D": d_model}
    names = (*names, *holding(_OF_SIZES, named))
    return Case((x, key, value, w_in, b_in, w_out, b_out, nhead), says, named, tags(*names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    return [
        case("one text, 2 tokens in the cache, 2 heads of width 1", (1, 2, 2, 1)),
        case("2 texts, 3 tokens in the cache, 2 heads of width 4", (2, 3, 2, 4)),
        case("3 texts, 5 tokens in the cache, 2 heads of width 9", (3, 5, 2, 9)),
        case("the first token: nothing in the cache", (2, 0, 2, 4)),
        case("one token in the cache, 3 heads", (2, 1, 3, 4)),
        case("a single head of width 9", (2, 4, 1, 9)),
        case("as many texts as heads and tokens", (3, 3, 3, 4), "sizes that are all the same"),
        case("30 tokens in the cache", (2, 30, 2, 4)),
        case("scores in the thousands", (2, 4, 2, 4), "scores far apart", far=3000.0, **DOUBLE),
        case("5 heads of width 3", (2, 4, 5, 3), **SINGLE),
    ]


def _parts(x: Tensor, w_in: Tensor, b_in: Tensor, nhead: int) -> list[Tensor]:
    pairs = zip(w_in.chunk(3), b_in.chunk(3), strict=True)
    return [projected.heads(x, weight, bias, nhead) for weight, bias in pairs]


def _attended(x: Tensor, past_key: Tensor, past_value: Tensor, *rest: Any) -> Tensor:
    """The heads' joined output (B, 1, D) with this cache and the new token."""
    w_in, b_in, _, _, nhead = rest
    query, key, value = _parts(x, w_in, b_in, nhead)
    key, value = torch.cat([past_key, key], 2), torch.cat([past_value, value], 2)
    weights = torch.softmax(query @ key.mT / math.sqrt(key.shape[-1]), -1)
    return projected.joined(weights @ value)


def _forgotten(x: Tensor, past_key: Tensor, past_value: Tensor, *rest: Any) -> Tensor:
    whole: Tensor = (
        _attended(x, past_key[:, :, :0], past_value[:, :, :0], *rest) @ rest[2].T + rest[3]
    )
    return whole


def _old_alone(x: Tensor, past_key: Tensor, past_value: Tensor, *rest: Any) -> Tensor:
    w_in, b_in, w_out, b_out, nhead = rest
    query = _parts(x, w_in, b_in, nhead)[0]
    weights = torch.softmax(query @ past_key.mT / math.sqrt(past_key.shape[-1]), -1)
    whole: Tensor = projected.joined(weights @ past_value) @ w_out.T + b_out
    return whole


def _before_the_projection(result: Tensor, *args: Any) -> Tensor:
    w_out, b_out, nhead = args[5:]
    joined: Tensor = torch.linalg.solve(w_out, (result - b_out).mT).mT  # (B, 1, D)
    return projected.cut(joined, nhead)


EXERCISE = Exercise(
    id="generation.cached_step",
    signature="(x, past_key, past_value, w_in, b_in, w_out, b_out, nhead)",
    minutes=20,
    difficulty=3,
    cases=_cases,
    results=("output", "keys", "values"),
    landmarks=(
        Landmark("what comes with an empty cache: the tokens before are not looked at", _forgotten),
        Landmark("what comes without the new token: it doesn't look at itself", _old_alone),
        Landmark("the heads' joined output, before the output projection", _attended),
    ),
    axes=(("B", "1", "D"), ("B", "H", "T + 1", "Dh"), ("B", "H", "T + 1", "Dh")),
    undone=(
        Undone(
            "before the output projection, head by head",
            _before_the_projection,
            ("B", "H", "1", "Dh"),
        ),
    ),
)

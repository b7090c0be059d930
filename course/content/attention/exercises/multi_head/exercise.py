"""attention.multi_head: multi-head self-attention."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, Undone, tags, traps
from course.checking.exercise.cases import DOUBLE, FLAT, SINGLE, holding
from course.checking.exercise.draw import Draw
from course.content.attention.exercises.scaled_dot_product.exercise import NOTHING, plain_attention

Args = tuple[Any, ...]
_ONE_QUERY = "one query may look at nothing"
_OF_SIZES = {"a single head": "H = 1", "a single token": "S = 1"}


def _case(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int],
    mask: Tensor | None,
    *names: str,
    change: Callable[[Args], Args] | None = None,
    **more: Any,
) -> Case:
    batch, length, nhead, d_head = sizes
    d_model = nhead * d_head
    small = 1 / math.sqrt(d_model)  # so that what is projected has unit scale again
    args: Args = (
        draw.normal(batch, length, d_model),
        draw.normal(3 * d_model, d_model) * small,
        draw.normal(3 * d_model) * 0.5,
        draw.normal(d_model, d_model) * small,
        draw.normal(d_model) * 0.5,
        nhead,
    )
    args = change(args) if change else args
    named = {"B": batch, "S": length, "H": nhead, "Dh": d_head, "D": d_model}
    names = (*names, *holding(_OF_SIZES, named))
    if mask is None:
        return Case(args, says, named, tags("no mask", *names), **more)
    idle = torch.broadcast_to(mask, (batch, nhead, length, length)).all(-1)  # (B, H, S)
    if idle.any():
        names = (*names, "a query that may look at nothing")
        more = FLAT | more
    everywhere = idle.all(1).unsqueeze(-1)  # (B, S, 1)
    if everywhere.any():
        more["regions"] = {"rows of queries that may look at nothing": everywhere}
    return Case((*args, mask), says, named, tags("a mask", *names), **more)


def _scaled(query: float, key: float, bias: float = 1.0) -> Callable[[Args], Args]:
    """Factors for what makes queries and keys, and for all biases."""

    def change(args: Args) -> Args:
        x, w_in, b_in, w_out, b_out, nhead = args
        thirds = torch.tensor([query, key, 1.0], dtype=w_in.dtype)
        thirds = thirds.repeat_interleave(x.shape[-1])  # (3D,)
        return x, w_in * thirds[:, None], b_in * thirds * bias, w_out, b_out * bias, nhead

    return change


def _identity_out(args: Args) -> Args:
    x, w_in, b_in, w_out, b_out, nhead = args
    return x, w_in, b_in, torch.eye(x.shape[-1], dtype=w_out.dtype), b_out * 0, nhead


def _before_the_projection(result: Tensor, *args: Any) -> Tensor:
    """The heads' outputs (B, H, S, Dh) from which w_out and b_out make this result."""
    _, _, _, w_out, b_out, nhead, *_ = args
    joined: Tensor = torch.linalg.solve(w_out, (result - b_out).mT).mT  # (B, S, D)
    return joined.reshape(*joined.shape[:2], nhead, -1).transpose(1, 2)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    padding = torch.arange(4) >= torch.tensor([4, 2, 1]).reshape(3, 1, 1, 1)
    blocked = draw.mask(2, 3, 4, 4)
    blocked[1, :, 2] = True  # in every head
    one_head = draw.mask(2, 3, 4, 4)
    one_head[0, 1, 3] = True  # in one head of three
    own, fewer, apart = "a mask for every head", "a mask with fewer axes", "scores far apart"
    flat, far, plain = _scaled(0, 1), _scaled(60, 60), _scaled(1, 1, bias=0)
    same, large = "equal scores", "weights so large that the scores are in the thousands"
    identity = "an identity as output projection"
    of_9 = "a padding mask (B, 1, 1, S), 2 heads of width 9"
    square = "a mask (S, S) with as many tokens as sentences"
    without = "queries of 0, so that all keys get the same weight"
    both = "scores in the thousands, and a mask"
    return [
        case("1 sentence of 2 tokens, 2 heads of width 1", (1, 2, 2, 1), None),
        case("2 sentences of 3 tokens, 2 heads of width 4", (2, 3, 2, 4), None),
        case("a causal mask (S, S), 3 heads", (2, 5, 3, 4), causal, "a causal mask"),
        case(of_9, (3, 4, 2, 9), padding, "a padding mask"),
        case("another mask for every head", (2, 6, 3, 4), draw.mask(2, 3, 6, 6), own),
        case("a single head of width 9", (2, 4, 1, 9), None),
        case("a mask (H, S, S)", (2, 4, 3, 4), draw.mask(3, 4, 4), fewer),
        case(square, (3, 3, 2, 4), draw.mask(3, 3), fewer),
        case("a single token", (2, 1, 2, 4), None),
        case("all biases are 0", (2, 3, 2, 4), None, "biases of 0", change=plain),
        case(without, (2, 3, 2, 4), None, same, change=flat),
        case(identity, (2, 3, 2, 4), None, identity, change=_identity_out),
        case("one query may look at nothing in every head", (2, 4, 3, 4), blocked),
        case("one query may look at nothing in one head", (2, 4, 3, 4), one_head),
        case(large, (2, 4, 2, 4), None, apart, change=far, **DOUBLE),
        case(both, (3, 5, 2, 4), draw.mask(3, 1, 5, 5), apart, change=far, **DOUBLE),
        case("5 heads of width 3", (2, 4, 5, 3), None, **SINGLE),
    ]


EXERCISE = Exercise(
    id="attention.multi_head",
    signature="(x, w_in, b_in, w_out, b_out, nhead, mask=None)",
    minutes=25,
    difficulty=3,
    cases=_cases,
    landmarks=(
        Landmark(
            "the result after a layer normalisation",
            lambda *args: torch.nn.functional.layer_norm(_whole(*args), args[0].shape[-1:]),
        ),
        Landmark(
            "the result with its negative numbers cut off", lambda *args: _whole(*args).relu()
        ),
        Landmark(
            "the heads' joined output, before the output projection",
            lambda x, wi, bi, wo, bo, n, mask=None: _heads(x, wi, bi, n, mask),
        ),
        Landmark(
            "attention with one head as wide as the model",
            lambda x, wi, bi, wo, bo, n, mask=None: (
                _heads(
                    x,
                    wi,
                    bi,
                    1,
                    None if mask is None or (mask.dim() > 2 and mask.shape[1] > 1) else mask,
                )
                @ wo.T
                + bo
            ),
        ),
        Landmark(
            "what comes without the mask",
            lambda x, wi, bi, wo, bo, n, mask=None: _heads(x, wi, bi, n, None) @ wo.T + bo,
        ),
        Landmark(
            "the values' projection alone, without attention",
            lambda x, wi, bi, wo, bo, n, mask=None: (x @ wi.T + bi).chunk(3, -1)[2] @ wo.T + bo,
        ),
        Landmark(
            "what comes without any bias",
            lambda x, wi, bi, wo, bo, n, mask=None: _heads(x, wi, bi * 0, n, mask) @ wo.T,
        ),
    ),
    axes=(("B", "S", "D"),),
    undone=(
        Undone(
            "before the output projection, head by head",
            _before_the_projection,
            ("B", "H", "S", "Dh"),
        ),
    ),
    remarks=(
        Remark(
            traps.IDLE_QUERY,
            _case(Draw(0), _ONE_QUERY, (1, 2, 1, 2), NOTHING, differentiable=True),
            traps.not_finite,
            traps.SAYS_OF_IDLE_QUERY,
            mode="gradient",
        ),
    ),
)


def _heads(x: Tensor, w_in: Tensor, b_in: Tensor, nhead: int, mask: Tensor | None) -> Tensor:
    batch, length, d_model = x.shape
    parts = (x @ w_in.T + b_in).chunk(3, -1)
    query, key, value = (
        part.reshape(batch, length, nhead, -1).transpose(1, 2) for part in parts
    )  # (B, H, S, Dh)
    return (
        plain_attention(query, key, value, mask)[0].transpose(1, 2).reshape(batch, length, d_model)
    )  # (B, S, D)


def _whole(
    x: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    nhead: int,
    mask: Tensor | None = None,
) -> Tensor:
    return _heads(x, w_in, b_in, nhead, mask) @ w_out.T + b_out

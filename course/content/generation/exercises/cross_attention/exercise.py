"""generation.cross_attention: the text that is being written looks at the text that was read."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, Undone, tags, traps
from course.checking.exercise.cases import DOUBLE, FLAT, SINGLE, holding
from course.checking.exercise.draw import Draw
from course.content.generation.exercises import projected

_OF_SIZES = {
    "a single head": "H = 1",
    "a single target token": "T = 1",
    "a memory of one token": "S = 1",
    "as long a memory as the target": "S = T",
}


def _case(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int, int],
    lengths: list[int] | None,
    *names: str,
    far: float = 1.0,
    first: bool = False,
    **more: Any,
) -> Case:
    batch, target, source, nhead, d_head = sizes
    d_model = nhead * d_head
    w_in, b_in, w_out, b_out = projected.weights(draw, d_model)
    reads, memory = draw.normal(batch, target, d_model), draw.normal(batch, source, d_model)
    w_in = torch.cat([w_in[: 2 * d_model] * far, w_in[2 * d_model :]])
    args: tuple[Any, ...] = (reads, memory, w_in, b_in, w_out, b_out, nhead)
    named = {"B": batch, "T": target, "S": source, "H": nhead, "Dh": d_head, "D": d_model}
    names = (*names, *holding(_OF_SIZES, named))
    if lengths is None:
        return Case(args, says, named, tags("no mask", *names), **more)
    real = torch.arange(source) < torch.tensor(lengths).unsqueeze(1)  # (B, S)
    padding = ~(real.flip(1) if first else real)
    other = (reads, memory.masked_fill(padding.unsqueeze(-1), 4.0), *args[2:], padding)
    more["same"] = [("the memory at its padding was changed", other)]
    empty = padding.all(dim=1)[:, None, None]  # (B, 1, 1)
    if empty.any():
        names = (*names, "a memory that is all padding")
        more = {**FLAT, "regions": {"texts whose memory is all padding": empty}, **more}
    return Case((*args, padding), says, named, tags("padding in the memory", *names), **more)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    apart = "scores far apart"
    return [
        case("one text, 2 target tokens, a memory of 3, 2 heads of width 1", (1, 2, 3, 2, 1), None),
        case("2 texts, 3 target tokens, a memory of 5, 2 heads of width 4", (2, 3, 5, 2, 4), None),
        case("a memory shorter than the target, 3 heads", (2, 6, 4, 3, 4), None),
        case("padding at the end of the memory", (3, 4, 5, 2, 9), [5, 3, 1]),
        case(
            "padding at the beginning of the memory", (2, 3, 6, 3, 4), [4, 2], "padding first", first=True
        ),
        case("as many target as memory tokens, with padding", (2, 4, 4, 2, 4), [4, 2]),
        case("as many texts as tokens and heads", (3, 3, 3, 3, 4), [1, 3, 2], "sizes that are all the same"),
        case("a mask without any padding", (2, 3, 4, 2, 4), [4, 4], "a mask without padding"),
        case("one memory is all padding", (3, 2, 4, 2, 4), [4, 0, 3]),
        case("a single head of width 9", (2, 3, 4, 1, 9), [4, 3]),
        case("one target token, as in writing", (2, 1, 5, 2, 4), [5, 2]),
        case("a memory of one token", (2, 3, 1, 2, 4), None),
        case("scores in the thousands", (2, 3, 4, 2, 4), None, apart, far=60.0, **DOUBLE),
        case("scores in the thousands, and padding", (3, 2, 5, 2, 4), [5, 2, 4], apart, far=60.0, **DOUBLE),
        case("5 heads of width 3", (2, 4, 3, 5, 3), [3, 2], **SINGLE),
    ]  # fmt: skip


def _attended(
    target: Tensor,
    memory: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    nhead: int,
    mask: Tensor | None = None,
) -> Tensor:
    """The heads' joined outputs (B, T, D)."""
    (w_q, w_k, w_v), (b_q, b_k, b_v) = w_in.chunk(3), b_in.chunk(3)
    query = projected.heads(target, w_q, b_q, nhead)
    key, value = (projected.heads(memory, w, b, nhead) for w, b in ((w_k, b_k), (w_v, b_v)))
    scores = query @ key.mT / math.sqrt(key.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(mask[:, None, None], -torch.inf)
    return projected.joined(torch.softmax(scores, -1).nan_to_num(0.0) @ value)


def _whole(*args: Any) -> Tensor:
    target, memory, w_in, b_in, w_out, b_out, nhead, *mask = args
    whole: Tensor = _attended(target, memory, w_in, b_in, nhead, *mask) @ w_out.T + b_out
    return whole


def _before_the_projection(result: Tensor, *args: Any) -> Tensor:
    """The heads' outputs (B, H, T, Dh) from which w_out and b_out make this result."""
    w_out, b_out, nhead = args[4:7]
    joined: Tensor = torch.linalg.solve(w_out, (result - b_out).mT).mT  # (B, T, D)
    return projected.cut(joined, nhead)


EXERCISE = Exercise(
    id="generation.cross_attention",
    signature="(target, memory, w_in, b_in, w_out, b_out, nhead, memory_padding_mask=None)",
    minutes=25,
    difficulty=2,
    cases=_cases,
    landmarks=(
        Landmark(
            "the target's self-attention: the memory was not looked at",
            lambda t, m, wi, bi, wo, bo, n, mask=None: _whole(t, t, wi, bi, wo, bo, n),
        ),
        Landmark(
            "the memory's attention to the target: the two are exchanged",
            lambda t, m, wi, bi, wo, bo, n, mask=None: _whole(m, t, wi, bi, wo, bo, n),
        ),
        Landmark(
            "the heads' joined output, before the output projection",
            lambda t, m, wi, bi, wo, bo, n, mask=None: _attended(
                t, m, wi, bi, n, *(() if mask is None else (mask,))
            ),
        ),
        Landmark("what comes without the mask", lambda *args: _whole(*args[:7])),
        Landmark(
            "what comes without any bias",
            lambda t, m, wi, bi, wo, bo, n, *mask: _whole(t, m, wi, bi * 0, wo, bo * 0, n, *mask),
        ),
        Landmark("the result with the target added", lambda *args: args[0] + _whole(*args)),
    ),
    axes=(("B", "T", "D"),),
    undone=(
        Undone(
            "before the output projection, head by head",
            _before_the_projection,
            ("B", "H", "T", "Dh"),
        ),
    ),
    remarks=(
        Remark(
            traps.IDLE_QUERY,
            _case(
                Draw(0), "one memory is all padding", (2, 2, 2, 1, 2), [2, 0], differentiable=True
            ),
            traps.not_finite,
            "A memory of padding alone gives the right result, but the gradients that flow back to the inputs are "
            "NaN: 0/0 is computed on the way and replaced afterwards. In training, one such text makes NaN of all "
            "weights with the next step. Let no row of scores be -inf throughout.",
            mode="gradient",
        ),
    ),
)

"""Which step of multi-head attention is wrong: each is seen alone, the others made to do nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.draw import Draw
from course.checking.exercise.wording import rows_told_apart, same, times

_SIZES = {"H": 3, "S": 5, "D": 6}

MultiHead = Callable[..., Tensor]


def finds(function: MultiHead, failed: Sequence[Case]) -> list[str]:
    """The first of three steps that goes wrong: what is added at the end, the values, the weights."""
    for step in (_output_bias, _values, _weights):
        told = step(function)
        if told:
            return [told]
    return []


def _output_bias(function: MultiHead) -> str:
    draw = Draw(3)
    nhead, length, width = _SIZES.values()
    x, b_out = draw.normal(1, length, width), draw.normal(width)
    none = torch.zeros(width, width, dtype=x.dtype)
    made = function(x.clone(), none.repeat(3, 1), none[0].repeat(3), none.clone(), b_out, nhead)
    where = "where all matrices and b_in are 0, b_out alone should come back for each token"
    known = {
        "x": x,
        "x + b_out": x + b_out,
        **_normed("b_out", b_out.expand_as(x)),
        **_normed("x + b_out", x + b_out),
        "the positive part of b_out": b_out.relu().expand_as(x),
    }
    return _told(where, made, b_out.expand_as(x), known)


def _values(function: MultiHead) -> str:
    draw = Draw(4)
    nhead, _, width = _SIZES.values()
    x = draw.normal(2, 1, width) + 0.5
    one, none = torch.eye(width, dtype=x.dtype), torch.zeros(width, width, dtype=x.dtype)
    bias = none[0].repeat(3)
    made = function(x.clone(), torch.cat([none, none, one]), bias, one.clone(), none[0], nhead)
    where = (
        "with a single token, identities for the values' and the output's matrix and no bias, x itself "
        "should come back"
    )
    known = {
        **_normed("x", x),
        "the positive part of x": x.relu(),
        "a softmax of x": x.softmax(-1),
        "the mean of the batch": x.mean(0, keepdim=True).expand_as(x),
    }
    return _told(where, made, x, known)


def _weights(function: MultiHead) -> str:
    """One head whose values are a unit matrix: the result is the table of weights."""
    draw = Draw(5)
    width = _SIZES["D"]
    x = torch.eye(width, dtype=torch.float64).unsqueeze(0)
    w_q, w_k = draw.normal(width, width), draw.normal(width, width)
    none, one = torch.zeros(width, dtype=x.dtype), x[0].clone()
    made = function(x.clone(), torch.cat([w_q, w_k, one]), none.repeat(3), one.clone(), none, 1)
    query, key = x @ w_q.T, x @ w_k.T
    root = width**0.5
    scores = query @ key.mT / root
    where = "with one head, and values that show the weights, the softmax of q k^T / sqrt(Dh) should come"
    known = {f"a softmax {name}": table.softmax(-1) for name, table in _scores(query, key).items()}
    known |= {
        "the scores themselves, without a softmax": scores,
        "the positive part of the scores, each row divided by its sum": F.normalize(
            scores.relu(), p=1.0, dim=-1
        ),
        "weights of 1 and 0 (an argmax)": F.one_hot(scores.argmax(-1), width).to(scores),
    }
    return _told(where, made, scores.softmax(-1), known)


def _scores(query: Tensor, key: Tensor) -> dict[str, Tensor]:
    """Scores that people make in the place of q k^T / sqrt(Dh)."""
    root = query.shape[-1] ** 0.5
    scores = query @ key.mT / root
    found = {
        "of the tanh of the scores": scores.tanh(),
        "of the absolute scores": scores.abs(),
        "of the positive part of the scores": scores.relu(),
        "of the squared scores": scores.square(),
        "of distances between q and k": -torch.cdist(query, key),
    }
    for name, change in _CHANGES.items():
        for what, q, k in (
            ("queries and keys", change(query), change(key)),
            ("the queries", change(query), key),
            ("the keys", query, change(key)),
        ):
            found[f"of scores in which {what} are {name}, divided by the root"] = q @ k.mT / root
            found[f"of scores in which {what} are {name}, not divided"] = q @ k.mT
    return found


def _layer_normed(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _of_length_one(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


_CHANGES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "layer-normalised": _layer_normed,
    "scaled to length 1": _of_length_one,
    "put through a softmax": lambda x: x.softmax(-1),
    "put through a ReLU": torch.relu,
    "put through a tanh": torch.tanh,
}


def _normed(name: str, x: Tensor) -> dict[str, Tensor]:
    return {
        f"{name} after a layer normalisation": _layer_normed(x),
        f"{name} scaled to length 1": _of_length_one(x),
    }


def _told(where: str, made: Tensor, wanted: Tensor, known: dict[str, Tensor]) -> str:
    """What came in place of what should; empty where it is right, or has no such shape."""
    if not isinstance(made, Tensor) or made.shape != wanted.shape or same(made, wanted):
        return ""
    often = times(made, wanted, _SIZES)
    if often:
        return f"{where}, and it comes {often}"
    name = next((name for name, tensor in known.items() if same(tensor, made)), "")
    if name:
        return f"{where}, and what comes is {name}"
    gaps = (made - wanted).abs().nan_to_num(nan=math.inf).flatten(0, -2).amax(-1)
    token = int(gaps.argmax())  # where it shows most
    one, other = (some.flatten(0, -2)[token].tolist() for some in (made, wanted))
    came, right = rows_told_apart(one, other)
    return f"{where}: for one token that is ({right}), and ({came}) comes"

"""What an answer does between blocks: the weights that it gives to plain scores, and where it holds too many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.wording import rows_told_apart, same
from course.content.efficient.exercises.blockwise_attention import held

_SCORES = (
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 3.0, 2.0, 1.0),
    (3.0, 0.0, 1.0, 0.0, 2.0),
    (-2000.0, -1000.0, 0.0, 1000.0, 2000.0),
    (2000.0, 1000.0, 0.0, -1000.0, -2000.0),
    (-1000.0, -1000.0, -1000.0, -1000.0, -1000.0),
)
_BLOCK = 2


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """Where too many scores are held, and how the weights of one query leave the right ones."""
    return [*_too_many(function, failed), *_weights(function)]


def _too_many(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The answer's line that makes the tensor of scores that is too large."""
    for case in failed:
        query, key, value, block = case.args
        if key.shape[-2] < held.MANY:
            continue
        scores = held.Scores(query := query.clone(), key := key.clone(), block)
        with held.Kernels() as kernels, scores, torch.no_grad():
            function(query, key, value.clone(), block)
        if kernels.called:
            return [
                f"it calls `{kernels.called}`, a fused kernel; write the loop over the blocks yourself"
            ]
        if scores.found == held.RIGHT:
            return []
        file = getattr(getattr(function, "__code__", None), "co_filename", None)
        lines = [
            f"`{frame.line}` (line {frame.lineno}) "
            for frame in scores.stack
            if frame.filename == file
        ]
        at = lines[-1] if lines else ""
        sizes = f"with L = {query.shape[-2]}, S = {key.shape[-2]} and block = {block}"
        if scores.found == held.KEPT:
            return [
                f"{sizes} it keeps the scores of all blocks: {at}{'is ' if at else ''}where the last ones come to them. "
                "A block's scores are needed until the running sums have taken them up, and no longer"
            ]
        return [
            f"{sizes} {at or 'it '}makes scores of shape {scores.shape}; a tensor of scores may have L * block = "
            f"{query.shape[-2] * block} numbers at most"
        ]
    return []


def _weights(function: Callable[..., Any]) -> list[str]:
    """One query of width 1 whose products with the keys are the scores; the values show the weights."""
    for row in _SCORES:
        scores = torch.tensor(row, dtype=torch.float64)
        identity = torch.eye(len(row), dtype=torch.float64)
        with torch.no_grad():
            came = function(
                torch.ones(1, 1, dtype=torch.float64),
                scores.unsqueeze(-1).clone(),
                identity,
                _BLOCK,
            )
        if not isinstance(came, Tensor) or came.shape != (1, len(row)):
            return []
        found, wanted = came[0], torch.softmax(scores, 0)
        if not same(found, wanted):
            right, yours = rows_told_apart(wanted.tolist(), found.tolist())
            plain = ", ".join(f"{x:g}" for x in row)
            return [
                f"one query whose scores with 5 keys are {plain}, in blocks of {_BLOCK}: the weights should be "
                f"[{right}], and by your output they are [{yours}]{_blame(found, wanted)}"
            ]
    return []


def _blame(found: Tensor, wanted: Tensor) -> str:
    """What the weights show, block by block."""
    pairs = list(zip(torch.split(found, _BLOCK), torch.split(wanted, _BLOCK), strict=True))
    gone = [number for number, (came, _) in enumerate(pairs, 1) if not bool(came.any())]
    if not bool(found.isfinite().all()):
        return ""
    if gone and len(gone) < len(pairs):
        return f"; nothing of block {' and '.join(map(str, gone))} is in it"
    factors = [(came / want) for came, want in pairs]
    if any(not same(factor, factor[:1].expand_as(factor)) for factor in factors):
        return ""
    blocks = [float(factor[0]) for factor in factors]
    if max(blocks) - min(blocks) < 1e-6:
        return f": all of them {blocks[0]:.4g} times as large"
    times = ", ".join(f"{factor:.3g}" for factor in blocks)
    return f": within a block they relate as they should, but block by block they are {times} times what they should be"

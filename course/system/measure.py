"""What a computation costs, in seconds and in multiplications, and what a correlation is worth.

Seconds differ from machine to machine and from run to run: print them, compare them in one run,
conclude nothing from a small difference. Operations are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from course.system.threads import one_thread

__all__ = ["operations", "rank_correlation", "seconds"]


def seconds(function: Callable[..., Any], *args: Any, **kwargs: Any) -> float:
    """How long `function(*args, **kwargs)` takes: the shortest of three runs, after one not counted.

    The shortest, because whatever else the machine does can only add. On one thread, without
    gradient.

    >>> seconds(sum, range(1000)) > 0
    True
    """
    with one_thread(), torch.no_grad():
        function(*args, **kwargs)
        return min(_timed(function, *args, **kwargs) for _ in range(3))


def _timed(function: Callable[..., Any], *args: Any, **kwargs: Any) -> float:
    start = perf_counter()
    function(*args, **kwargs)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter() - start


def operations(function: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """Floating-point operations in the matrix products of a call; a multiply-add counts as 2.

    >>> operations(torch.matmul, torch.ones(2, 3), torch.ones(3, 5))
    60
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        function(*args, **kwargs)
    return int(counter.get_total_flops())


def rank_correlation(one: Tensor, other: Tensor, shuffles: int = 2000) -> tuple[float, float]:
    """How far two numbers go together within the rows, and how often chance alone goes as far.

    The rank correlation of each row, averaged over the rows: 1 where both rise together, -1 where one
    falls as the other rises. Chance: each row of `other` is shuffled, 2000 times over; given is the
    share of the shuffles whose mean is at least as far from 0.

    Args:
        one: (rows, n), n at least 2.
        other: the same shape.
        shuffles: how many.

    >>> row = torch.tensor([[1.0, 5.0, 2.0, 9.0]])
    >>> round(rank_correlation(row, -row)[0], 6)
    -1.0
    """
    ranks = one.argsort(dim=1).argsort(dim=1).double()  # (rows, n)
    others = other.argsort(dim=1).argsort(dim=1).double()
    ranks, others = (x - x.mean(dim=1, keepdim=True) for x in (ranks, others))
    found = _mean_correlation(ranks, others)
    generator = torch.Generator().manual_seed(0)
    order = torch.rand(shuffles, *others.shape, generator=generator).argsort(dim=-1)
    shuffled = others.expand(shuffles, -1, -1).gather(-1, order)  # (shuffles, rows, n)
    as_far = _mean_correlation(ranks, shuffled).abs() >= found.abs() - 1e-9
    return found.item(), as_far.double().mean().item()


def _mean_correlation(ranks: Tensor, others: Tensor) -> Tensor:
    """The mean over the rows of the correlation of centred ranks, (..., rows, n) -> (...)."""
    return ((ranks * others).sum(dim=-1) / ranks.square().sum(dim=-1)).mean(dim=-1)

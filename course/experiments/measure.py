"""What a computation costs: seconds on this machine, and multiplications on any.

Seconds differ from machine to machine and from run to run: print them, compare them in one run,
conclude nothing from a small difference. Operations are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from course.threads import one_thread

__all__ = ["operations", "seconds"]


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

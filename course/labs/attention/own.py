"""The learner's own attention: what it must return, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from course.labs.faults import OwnFailed

Attention = Callable[..., Any]


def check_result(result: Any, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Refuse what is not an output and its weights, in a sentence.

    Returns:
        The output `(1, H, L, Dv)` and the weights `(1, H, L, S)`.

    Raises:
        OwnFailed: another type, number of results, shape, or a NaN.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        what = f"{len(result)} things" if isinstance(result, tuple) else type(result).__name__
        raise OwnFailed(f"Your attention returned {what}; expected two tensors, (output, weights).")
    shapes = {
        "output": (*query.shape[:-1], value.shape[-1]),
        "weights": (*query.shape[:-1], key.shape[-2]),
    }
    for (name, shape), tensor in zip(shapes.items(), result, strict=True):
        if not isinstance(tensor, Tensor):
            raise OwnFailed(
                f"Your attention's {name} are of type {type(tensor).__name__}; expected a tensor."
            )
        if tuple(tensor.shape) != tuple(shape):
            raise OwnFailed(
                f"Your attention's {name} have the shape {tuple(tensor.shape)}; expected "
                f"{tuple(shape)}: batch, heads, queries, then "
                f"{'the width of a head' if name == 'output' else 'keys'}."
            )
        if not bool(tensor.isfinite().all()):
            raise OwnFailed(f"Your attention's {name} hold NaN or infinity.")
    output, weights = result
    return output.to(query.dtype), weights.to(query.dtype)

"""What cases have in common: how exactly they are tried, and tags that follow from their sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# How a case is tried, for `Case(..., **FLAT)`.
FLAT: dict[str, Any] = {"differentiable": False}
FULL: dict[str, Any] = {"dtypes": ("float64", "float32")}  # no half precision
DOUBLE: dict[str, Any] = {**FLAT, "dtypes": ("float64",)}
SINGLE: dict[str, Any] = {"dtypes": ("float32",)}

_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


def holding(conditions: Mapping[str, str], sizes: Mapping[str, int]) -> Iterator[str]:
    """The circumstances whose condition holds: "S = 1", "L = S", "axes > 2"; `; ` joins several.

    A condition on a size that a case does not have does not hold.

    >>> list(holding({"a single key": "S = 1", "as many queries as keys": "L = S"}, {"L": 3, "S": 3}))
    ['as many queries as keys']
    """
    for says, condition in conditions.items():
        if all(_holds(part, sizes) for part in condition.split("; ")):
            yield says


def _holds(condition: str, sizes: Mapping[str, int]) -> bool:
    one, relation, other = condition.split()
    first, second = (sizes.get(side) if side.isalpha() else int(side) for side in (one, other))
    return first is not None and second is not None and _RELATIONS[relation](first, second)

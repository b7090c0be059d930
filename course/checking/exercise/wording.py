"""Words for what the exercises' own searches meet: multiples, and numbers that are nearly the same."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal, but for rounding."""
    if one.shape != other.shape:
        return False
    return bool(torch.allclose(one.double(), other.double(), 1e-6, 1e-7))


def few(entries: Sequence[object], first: int = 0, most: int = 8) -> str:
    """A list as Python writes it, from an index on, with its other entries counted."""
    shown = [repr(entry) for entry in entries[first : first + most]]
    after = len(entries) - first - len(shown)
    before = [f"... {first} before"] if first else []
    return "[" + ", ".join([*before, *shown, *([f"... {after} more"] if after else [])]) + "]"


def told_apart(one: float, other: float, digits: int = 4) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to see that they differ, `digits` at least."""
    ones, others = rows_told_apart([one], [other], digits)
    return ones, others


def rows_told_apart(
    ones: Sequence[float], others: Sequence[float], digits: int = 3, style: str = "g"
) -> tuple[str, str]:
    """Two rows of numbers, with as many digits as show where they differ most."""
    digits = digits_apart(ones, others, digits, style)
    row, other_row = (", ".join(f"{x:.{digits}{style}}" for x in some) for some in (ones, others))
    return row, other_row


def digits_apart(
    ones: Sequence[float], others: Sequence[float], digits: int, style: str = "g"
) -> int:
    """How many digits show that two rows differ, at the place where they differ most."""
    gaps = [abs(one - other) for one, other in zip(ones, others, strict=True)]
    if not gaps:
        return digits
    place = max(range(len(gaps)), key=lambda i: math.inf if math.isnan(gaps[i]) else gaps[i])
    while digits < 17 and format(ones[place], f".{digits}{style}") == format(
        others[place], f".{digits}{style}"
    ):
        digits += 1
    return digits


def times(came: Tensor, wanted: Tensor, sizes: Mapping[str, int]) -> str:
    """The factor between them: "multiplied by F", "multiplied by 3"; empty where it is no multiple.

    The sizes must differ, and so must their products: a factor that is one of them is told by its name.
    """
    if came.shape != wanted.shape or not bool(wanted.any()):
        return ""
    factor = ((came * wanted).sum() / (wanted * wanted).sum()).item()
    if factor == 0 or not same(came, factor * wanted):
        return ""
    named = {name: float(size) for name, size in sizes.items()}
    pairs = itertools.combinations(sizes, 2)
    named |= {f"{one} * {two}": float(sizes[one] * sizes[two]) for one, two in pairs}
    for name, size in named.items():
        for words, value in ((name, size), (f"1/{name}", 1 / size), (f"sqrt({name})", size**0.5)):
            if abs(factor - value) < 1e-6:
                return f"multiplied by {words} ({name} = {size:g})"
    return f"multiplied by {factor:.4g}"

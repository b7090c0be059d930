"""Words for what the exercises' own searches meet: what a result is a multiple of."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal, but for rounding."""
    if one.shape != other.shape:
        return False
    return bool(torch.allclose(one.double(), other.double(), 1e-6, 1e-7))


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

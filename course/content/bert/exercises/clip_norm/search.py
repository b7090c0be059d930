"""What clipping does to two gradients of known lengths: the factor of each, and whether they keep their directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case

Clip = Callable[[list[Tensor], float], list[Tensor]]


def search(function: Clip, failed: Sequence[Case]) -> list[str]:
    """Gradients that are too long first, then some that are not."""
    return list(_search(function))[:2]


def _search(function: Clip) -> Iterator[str]:
    for lengths, allowed in (
        ((300.0, 400.0), 250.0),
        ((300.0, 400.0), 1000.0),
        ((600.0, 800.0), 250.0),
    ):
        first, second = (length * torch.tensor([0.6, 0.8]).double() for length in lengths)
        both = (lengths[0] ** 2 + lengths[1] ** 2) ** 0.5
        wanted = min(1.0, allowed / both)
        came = list(function([first.clone(), second.clone()], allowed))
        if len(came) != 2:
            return
        factors = [
            float((one @ other) / (other @ other))
            for one, other in zip(came, (first, second), strict=True)
        ]
        straight = all(
            torch.allclose(one, factor * other, 1e-5, 1e-6)
            for one, other, factor in zip(came, (first, second), factors, strict=True)
        )
        if straight and all(abs(factor - wanted) < 1e-5 for factor in factors):
            continue
        about = f"of gradients with the lengths {lengths[0]:g} and {lengths[1]:g}, together {both:g}, and max_norm = {allowed:g},"
        if not straight:
            yield f"{about} it changes the direction: all numbers should have one factor"
            continue
        yield f"{about} the first is multiplied by {factors[0]:.4g} and the second by {factors[1]:.4g}; both should be by {wanted:.4g}"

# Exercise: stacking.residual
# Passed:   2026-11-29T06:55:09Z
# Course:   0.1.0
# Your own answer: use("stacking.residual") runs it wherever the course needs it.
# ----------------------------------------
from collections.abc import Callable
from torch import Tensor


def residual(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    norm_first: bool,
) -> Tensor:
    """x + sublayer(norm(x)) or norm(x + sublayer(x)); each is called once."""
    if norm_first:
        return x + sublayer(norm(x))
    return norm(x + sublayer(x))

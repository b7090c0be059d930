# Exercise: stacking.residual
# Passed:   2026-11-29T07:00:08Z
# Course:   0.1.0
# Your own answer: use("stacking.residual") runs it wherever the course needs it.
# ----------------------------------------
from torch import Tensor


def residual_swapped_sum(x: Tensor, sublayer, norm, norm_first: bool) -> Tensor:
    before, after = (norm, lambda h: h) if norm_first else (lambda h: h, norm)
    return after(sublayer(before(x)) + x)


residual = residual_swapped_sum

"""Right answers to stacking.residual in other styles than the model solution's."""

import torch
from torch import Tensor


def residual_expression(x, sublayer, norm, norm_first):
    return x + sublayer(norm(x)) if norm_first else norm(x + sublayer(x))


def residual_steps(x, sublayer, norm, norm_first):
    h = x
    if norm_first:
        h = norm(h)
    h = sublayer(h)
    h = torch.add(x, h)
    if not norm_first:
        h = norm(h)
    return h


def residual_swapped_sum(x: Tensor, sublayer, norm, norm_first: bool) -> Tensor:
    before, after = (norm, lambda h: h) if norm_first else (lambda h: h, norm)
    return after(sublayer(before(x)) + x)


def residual_match(x, sublayer, norm, norm_first):
    match bool(norm_first):
        case True:
            return sublayer(norm(x)).add(x)
        case _:
            return norm(sublayer(x).add(x))


RIGHT = (
    residual_expression,
    residual_steps,
    residual_swapped_sum,
    residual_match,
)

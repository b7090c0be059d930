"""What surrounds every sub-layer: layer normalisation and the residual connection; and clones.

Sources: Ba, Kiros and Hinton 2016, "Layer Normalization", section 3; He et al. 2016, "Deep
Residual Learning for Image Recognition", equation 1; Vaswani et al. 2017, "Attention Is All You
Need", section 3.1 (post-norm); Xiong et al. 2020, "On Layer Normalization in the Transformer
Architecture", figure 1 (pre-norm).
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

# `residual` has its file's name, which would hide the file in the package: it is not listed.
__all__ = ["get_clones", "layer_norm"]


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Bring each vector to mean 0 and variance 1, then scale and shift it. The form to read.

    `F.layer_norm` is the one that runs.

    Args:
        x: `(..., D)`, floating.
        weight: `(D,)`.
        bias: `(D,)`.
        eps: added to the variance, so that a constant vector does not divide by zero.

    Returns:
        `(..., D)`.

    Source: Ba et al. 2016, equation 4; the variance is the biased one, divided by D.

    >>> layer_norm(torch.tensor([[1.0, 3.0]]), torch.ones(2), torch.zeros(2)).round(decimals=3)
    tensor([[-1.,  1.]])
    """
    mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)  # (..., 1)
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias


def residual(
    x: Tensor, sublayer: Callable[[Tensor], Tensor], norm: nn.Module, norm_first: bool
) -> Tensor:
    """Add what a sub-layer makes of x to x, with the normalisation before or after.

    Args:
        x: `(..., D)`.
        sublayer: attention or feed-forward, from `(..., D)` to `(..., D)`; called once.
        norm: the layer normalisation; called once.
        norm_first: pre-norm `x + sublayer(norm(x))`, which leaves a path from the last layer to
            the first that nothing bends; or post-norm `norm(x + sublayer(x))`, the original.

    Returns:
        `(..., D)`.

    Source: Vaswani et al. 2017, section 3.1; Xiong et al. 2020, figure 1.

    >>> residual(torch.ones(2), lambda x: 2 * x, nn.Identity(), norm_first=True)
    tensor([3., 3.])
    """
    if norm_first:
        return x + sublayer(norm(x))
    normed: Tensor = norm(x + sublayer(x))
    return normed


def get_clones(module: nn.Module, count: int) -> nn.ModuleList:
    """Copy a module deeply, `count` times. All copies start with the very same values.

    As in torch.nn, that is what `TransformerEncoder(layer, num_layers)` is made of: layers that
    share nothing but begin alike (pytorch issue 86274). Where each layer should be initialised
    by itself, build them one by one and use `TransformerEncoder.from_layers`.

    Args:
        module: the pattern; it is not one of the copies.
        count: how many, 0 or more.

    Returns:
        A `ModuleList`; values, buffers and `requires_grad` as in `module`, nothing shared.

    Source: the article's `_get_clones`; Rush 2018, "The Annotated Transformer".

    >>> first, second = get_clones(nn.Linear(2, 2), 2)
    >>> torch.equal(first.weight, second.weight), first.weight is second.weight
    (True, False)
    """
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)])

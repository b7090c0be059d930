"""What surrounds every sub-layer: layer normalisation and the residual connection; and clones.

Sources: Ba, Kiros and Hinton 2016, "Layer Normalization", section 3, equation 4; He et al. 2016,
"Deep Residual Learning for Image Recognition", equation 1; Vaswani et al. 2017, "Attention Is All
You Need", section 3.1 (post-norm); Xiong et al. 2020, "On Layer Normalization in the Transformer
Architecture", figure 1 (pre-norm); Rush 2018, "The Annotated Transformer" (clones).
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

# `residual` has its file's name, which would hide the file in the package: it is not listed.
__all__ = ["get_clones", "layer_norm"]


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Bring each vector of `(..., D)` to mean 0 and variance 1, then scale and shift it by `(D,)`.

    The form to read; `F.layer_norm` is the one that runs. `eps` keeps a constant vector from
    dividing by zero; the variance is the biased one, divided by D.

    >>> layer_norm(torch.tensor([[1.0, 3.0]]), torch.ones(2), torch.zeros(2)).round(decimals=3)
    tensor([[-1.,  1.]])
    """
    mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)  # (..., 1)
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias


def residual(
    x: Tensor, sublayer: Callable[[Tensor], Tensor], norm: nn.Module, norm_first: bool
) -> Tensor:
    """Add a sub-layer's output to its input `(..., D)`, with the normalisation before or after.

    The form to read, as both layers write it out. Pre-norm, `x + sublayer(norm(x))`, leaves a path
    from the last layer to the first without a nonlinearity; post-norm, `norm(x + sublayer(x))`, is
    the original.

    >>> residual(torch.ones(2), lambda x: 2 * x, nn.Identity(), norm_first=True)
    tensor([3., 3.])
    """
    if norm_first:
        return x + sublayer(norm(x))
    normed: Tensor = norm(x + sublayer(x))
    return normed


def get_clones(module: nn.Module, count: int) -> nn.ModuleList:
    """Copy a module deeply, `count` times. All copies start with the same values.

    `TransformerEncoder(layer, num_layers)` is made of them, as torch's: layers that share nothing
    but begin alike (pytorch issue 86274). To initialise each layer by itself, build them one by
    one and use `TransformerEncoder.from_layers`.

    >>> first, second = get_clones(nn.Linear(2, 2), 2)
    >>> torch.equal(first.weight, second.weight), first.weight is second.weight
    (True, False)
    """
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)])

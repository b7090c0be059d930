"""The gradient's norm, of a model and of its layers, and clipping.

Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from encoder_core.training.sharding import is_sharded, local_part

__all__ = ["clip_gradients", "layers_of"]


def layers_of(model: nn.Module) -> dict[str, str]:
    """Return the layer of each parameter, by the names of both.

    A layer is a child of the model, or a member of an `nn.ModuleList` in it; modules that hold such a
    list are no layers, their children are. A parameter outside of all layers is one by itself.

    >>> from encoder_core.models.bert import Bert, BertConfig
    >>> list(dict.fromkeys(layers_of(Bert(BertConfig(9, 8, 2, 2, 16, 12))).values()))
    ['embeddings', 'layers.0', 'layers.1']
    """
    layers = list(_layers(model, ""))
    found = {}
    for name, _ in model.named_parameters():
        own = (layer for layer in layers if name.startswith(f"{layer}."))
        found[name] = next(own, name)
    return found


def _layers(module: nn.Module, prefix: str) -> Iterator[str]:
    for name, child in module.named_children():
        holds = any(isinstance(part, nn.ModuleList) for part in child.modules())
        if holds and not isinstance(module, nn.ModuleList):
            yield from _layers(child, f"{prefix}{name}.")
        else:
            yield prefix + name


def clip_gradients(
    model: nn.Module, limit: float | None, layers: dict[str, str] | None = None
) -> tuple[float, dict[str, float]]:
    """Scale the gradient to a norm of at most `limit`; return its norm before that.

    With `layers_of(model)`, return the norm of each layer's gradient too. A gradient whose norm is
    not finite is left as it is.

    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    >>> for p, gradient in zip(model.parameters(), (3.0, 4.0)):
    ...     p.grad = torch.full_like(p, gradient)
    >>> clip_gradients(model, 1.0, layers_of(model))
    (5.0, {'0': 3.0, '1': 4.0})
    >>> round(model[0].weight.grad.item(), 3)
    0.6
    """
    named = [(name, p) for name, p in model.named_parameters() if p.grad is not None]
    if not named:
        return 0.0, {}
    gradients = [local_part(p.grad) for _, p in named if p.grad is not None]
    norms = torch._foreach_norm(gradients)
    together = torch.stack([one.to(norms[0].device) for one in norms])  # (parameters,)
    if any(is_sharded(p) for _, p in named):  # each process has the norms of its own shares
        squares = together.square()
        torch.distributed.all_reduce(squares)
        together = squares.sqrt()
    total = torch.linalg.vector_norm(together)
    norm = float(total)
    if limit is not None and limit < norm + 1e-6 < math.inf:
        nn.utils.clip_grads_with_norm_([p for _, p in named], limit, total)
    return norm, {} if layers is None else _by_layer(together, [layers[name] for name, _ in named])


def _by_layer(norms: Tensor, layers: list[str]) -> dict[str, float]:
    """Join the norms of parameters `(parameters,)` into those of their layers."""
    squares = dict.fromkeys(layers, 0.0)
    for layer, norm in zip(layers, norms.tolist(), strict=True):
        squares[layer] += norm * norm
    return {layer: math.sqrt(square) for layer, square in squares.items()}

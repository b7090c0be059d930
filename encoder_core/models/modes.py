"""Look at a model in eval mode, and leave it in the mode that it had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["evaluating"]


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Put models in eval mode for the block, and each of their modules back after it.

    >>> layer = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    >>> with evaluating(layer):
    ...     layer[0].training
    False
    >>> layer.training, layer[0].training, layer[1].training
    (True, True, False)
    """
    training = [module for model in models for module in model.modules() if module.training]
    if training:  # setting the mode of a whole model takes as long as one of its layers
        for model in models:
            model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True

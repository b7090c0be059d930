"""Undo what a failed update changed before the optimizer's step: gradients and buffers.

Source: Ioffe and Szegedy 2015, "Batch Normalization", algorithm 2 (statistics that every forward
pass in training changes).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Rollback"]


class Rollback:
    """Save a model's buffers (copies) and gradients (references, set to None in the model).

    >>> model = nn.BatchNorm1d(2)
    >>> before = Rollback(model)
    >>> model(torch.full((3, 2), torch.nan)).sum().backward()
    >>> before.restore()
    >>> model.running_mean, int(model.num_batches_tracked), model.weight.grad
    (tensor([0., 0.]), 0, None)
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._gradients = [(p, p.grad) for p in model.parameters()]
        self._buffers: dict[nn.Module, dict[str, Tensor | None]] = {}
        self._values: dict[Tensor, Tensor] = {}  # by identity: a shared buffer is copied once
        for module in model.modules():
            if module._buffers:
                self._buffers[module] = dict(module._buffers)
        for buffers in self._buffers.values():
            for buffer in buffers.values():
                if buffer is not None and buffer not in self._values:
                    self._values[buffer] = buffer.detach().clone()
        for parameter, _ in self._gradients:
            parameter.grad = None

    def restore(self) -> None:
        """Restore what was changed in place, replaced, added or removed."""
        for parameter, gradient in self._gradients:
            parameter.grad = gradient
        for module in self._model.modules():
            before = self._buffers.get(module, {})
            if before or module._buffers:
                module._buffers.clear()
                module._buffers.update(before)
        for buffer, value in self._values.items():
            _write(buffer, value)


def _write(buffer: Tensor, value: Tensor) -> None:
    """Restore a buffer's values, and its shape, dtype and device if those were changed in place."""
    alike = (buffer.shape, buffer.dtype, buffer.device) == (value.shape, value.dtype, value.device)
    if not alike:
        buffer.data = value
    elif not torch.equal(buffer, value):  # an expanded buffer, which is not writable, is equal
        buffer.detach().copy_(value)

"""Compile a model's layers with `torch.compile`, where the machine has what that needs.

Each layer is compiled by itself and in place: layers of one shape share what was compiled for the first, and the
names of parameters, modules and checkpoints stay as they were.

Source: PyTorch's recipe "Reducing torch.compile cold start compilation time with regional compilation".
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

__all__ = ["compile_layers", "list_layers"]


def list_layers(model: nn.Module) -> list[nn.Module]:
    """Return the layers of a model, each once: the members with parameters of its `nn.ModuleList`s.

    >>> from encoder_core.models.bert import Bert, BertConfig
    >>> [type(layer).__name__ for layer in list_layers(Bert(BertConfig(9, 8, 2, 2, 16, 12)))]
    ['TransformerEncoderLayer', 'TransformerEncoderLayer']
    """
    return list(dict.fromkeys(_layers(model)))


def _layers(model: nn.Module) -> Iterator[nn.Module]:
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            yield from (part for part in module if any(True for _ in part.parameters()))


def compile_layers(model: nn.Module, device: torch.device) -> int:
    """Compile each layer of a model in place, and return the number of layers.

    A layer is compiled when it is first called, which takes a minute on a CPU. A function of one line is
    compiled here and now, to find out whether it can be.

    Raises:
        RuntimeError: `torch.compile` does not work on this machine; says why, and what to do.
    """
    try:
        torch.compile(_try)(torch.ones(2, device=device))
    except Exception as error:  # of many kinds: no compiler, no Triton, an unsupported system
        reason = next((line for line in str(error).splitlines() if line.strip()), repr(error))
        needed = (
            "Triton and a C compiler"
            if device.type == "cuda"
            else "a C++ compiler, such as g++ or clang++"
        )
        raise RuntimeError(
            f"torch.compile does not work here on {device.type}: {reason} It needs {needed}. Install that, or train "
            "without compiling: the numbers are the same to rounding."
        ) from error
    layers = list_layers(model)
    for layer in layers:
        layer.compile()
    return len(layers)


def _try(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.gelu(x) + x.sum()

"""Would this run on a GPU? Asked on a machine that has none.

The inputs of a submission are taken to live on another device, and everything that it makes without
saying where lives on the host. Values stay real, so every branch runs; what is followed is where each
tensor would be. Mixing the two is what CUDA refuses, and so is `.numpy()` of a tensor that lives there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# What accepts other arguments on the host: an index; the ids and lengths of CTC, which it moves by itself.
_LENIENT = {Tensor.__getitem__, Tensor.__setitem__, torch.ctc_loss, nn.functional.ctc_loss}
_COPYING = {Tensor.copy_, Tensor.__setitem__, Tensor.set_}
_FACTORIES = {
    torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.logspace, torch.ones,
    torch.rand, torch.randint, torch.randn, torch.randperm, torch.tensor, torch.as_tensor, torch.zeros,
    torch.from_numpy, torch.tril_indices, torch.triu_indices,
}  # fmt: skip


class Elsewhere(TorchFunctionMode):
    """While it is active, follows which tensors would be on the host. `fault` says what would fail."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: str | None = None
        self._host: dict[int, Tensor] = {}  # holds them, so that no id is used twice

    def on_host(self, tensor: Tensor) -> bool:
        """Whether this tensor was made on the host."""
        return id(tensor) in self._host

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        tensors = list(_tensors((*args, *kwargs.values())))
        if func in (Tensor.numpy, Tensor.__array__) and tensors and not self.on_host(tensors[0]):
            self._note("it calls numpy() on a tensor, and numpy cannot read a GPU's memory")
        result = func(*args, **kwargs)
        if (
            getattr(func, "__name__", "") == "__get__"
        ):  # .shape, .dtype, .T, .data: the tensor's own place
            host = bool(tensors) and self.on_host(tensors[0])
        else:
            host = self._place(func, args, kwargs, tensors)
        if isinstance(result, Tensor) and any(result is tensor for tensor in tensors):
            if host == self.on_host(result):
                return result
            result = torch.ops.aten.alias(result)  # .cpu() and .to() return a CPU tensor itself
        for made in _tensors((result,)) if host else ():
            self._host[id(made)] = made
        return result

    def _place(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Tensor]
    ) -> bool:
        name = getattr(func, "__name__", str(func))
        if func is Tensor.cpu or _asks_for_host(name, args, kwargs):
            return True
        if func in _FACTORIES:
            if kwargs.get("device") is not None:
                return False
            return func is not torch.as_tensor or not tensors or self.on_host(tensors[0])
        if name in ("to", "type_as", "cuda", "expand_as", "view_as", "reshape_as") and tensors:
            return self._moved(name, args, kwargs, tensors)
        if func in _LENIENT and tensors:
            return self.on_host(tensors[0])
        hosts = [tensor for tensor in tensors if self.on_host(tensor)]
        if not hosts or func in _COPYING:
            return False
        if len(hosts) == len(tensors):
            return True
        if all(tensor.dim() == 0 for tensor in hosts):  # a single number may come from the host
            return False
        self._note(
            f"it hands {_called(name)} one tensor that is where the inputs are and one that is on the CPU"
        )
        return False

    def _moved(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Tensor]
    ) -> bool:
        if name in ("to", "type_as", "cuda"):
            other = [value for value in (*args[1:], *kwargs.values()) if isinstance(value, Tensor)]
            if name == "to" and not other:
                moves = any(
                    isinstance(value, torch.device) for value in (*args[1:], *kwargs.values())
                )
                return self.on_host(tensors[0]) and not moves
            return bool(other) and self.on_host(other[0])
        return self.on_host(tensors[0])

    def _note(self, fault: str) -> None:
        self.fault = self.fault or fault


def _asks_for_host(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    places = [
        value
        for value in (*(args[1:] if name == "to" else ()), kwargs.get("device"))
        if isinstance(value, str)
    ]
    return any(place.startswith("cpu") for place in places)


def _called(name: str) -> str:
    plain = name.strip("_")
    return {"matmul": "the matrix product", "rmatmul": "the matrix product"}.get(
        plain, f"`{plain}`"
    )


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)

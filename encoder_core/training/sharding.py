"""Share a model's parameters, gradients and optimizer state among processes, by PyTorch's FSDP2.

With one model in each process (`distributed.py`), every process holds all of it: 16 bytes a parameter in float32
with AdamW. Here a process keeps one part in as many of each tensor, cut along the first axis. A layer is put
together before it computes, forward and backward, and taken apart afterwards; its gradients are averaged and cut in
one step. Checkpoints hold whole tensors under the model's own names, so that another number of processes reads them.

Sources: Rajbhandari et al. 2020, "ZeRO", section 5 (stage 3); Zhao et al. 2023, "PyTorch FSDP"; the documentation of
`torch.distributed.fsdp.fully_shard`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from encoder_core.training.compiling import list_layers
from encoder_core.training.distributed import Processes

__all__ = [
    "gather_whole",
    "held_bytes",
    "is_sharded",
    "local_part",
    "require_shardable",
    "reshard",
    "shard_as",
    "shard_model",
]


def shard_model(model: nn.Module, processes: Processes, device: torch.device) -> None:
    """Keep a share of each parameter in each process, in place, and move it to the device.

    The layers (see `compiling.list_layers`) are put together one at a time; what is outside of them, together with
    the first. All processes call this, with the weights of rank 0. The order matters: shard, then make the optimizer.

    Raises:
        ImportError: this torch has no `fully_shard`.
    """
    try:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard
    except ImportError as error:
        raise ImportError(
            f"Sharding needs torch.distributed.fsdp.fully_shard, which torch {torch.__version__} does not have here. "
            "Update torch to 2.6 or later, on a system with torch.distributed, or train without sharding."
        ) from error
    mesh = init_device_mesh(device.type, (processes.count,))
    for module in [*list_layers(model), model]:
        fully_shard(module, mesh=mesh)


def require_shardable(dtype: torch.dtype, optimizer: str) -> None:
    """Raise ValueError for a precision or an optimizer that does not work on shares of tensors.

    >>> require_shardable(torch.float32, "muon")
    Traceback (most recent call last):
    ValueError: Muon works on whole matrices, of which a process has a share here; take 'adamw', or don't shard.
    """
    if optimizer == "muon":
        raise ValueError(
            "Muon works on whole matrices, of which a process has a share here; take 'adamw', or don't shard."
        )
    if dtype == torch.float16:
        raise ValueError(
            "A sharded training takes precision 'bfloat16' or 'float32', which need no scaling; got float16."
        )


def is_sharded(tensor: Tensor) -> bool:
    """Tell whether a tensor is a share of one that several processes hold.

    >>> is_sharded(torch.ones(2))
    False
    """
    return hasattr(tensor, "full_tensor")


def local_part(tensor: Tensor) -> Tensor:
    """Return what this process holds of a tensor, in the same memory; of shape `(rows of its own, ...)`."""
    sharded: Any = tensor
    part: Tensor = sharded.to_local() if is_sharded(tensor) else tensor
    return part


def gather_whole(tensor: Tensor) -> Tensor:
    """Return a tensor put together of its shares, in its shape as a whole.

    All processes call this, in the same order.

    >>> gather_whole(torch.ones(2))
    tensor([1., 1.])
    """
    sharded: Any = tensor
    full: Tensor = sharded.full_tensor() if is_sharded(tensor) else tensor
    return full


def shard_as(full: Tensor, like: Tensor) -> Tensor:
    """Cut a whole tensor as `like`, of the same shape, is cut; return it where `like` is not sharded.

    All processes call this, in the same order.
    """
    if not is_sharded(like):
        return full
    from torch.distributed.tensor import distribute_tensor

    sharded: Any = like
    return distribute_tensor(full.to(like.device), sharded.device_mesh, sharded.placements)


def reshard(model: nn.Module) -> None:
    """Take apart what an evaluation, which has no backward pass, has left together."""
    for module in model.modules():
        if hasattr(module, "reshard"):
            cast(Any, module).reshard()


def held_bytes(model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Return how many bytes of parameters and optimizer state this process holds.

    AdamW has its state, two numbers for each parameter, from its first step on.

    >>> model = nn.Linear(10, 10, bias=False)
    >>> optimizer = torch.optim.AdamW(model.parameters())
    >>> held_bytes(model, optimizer)
    400
    """
    return _bytes(model.parameters()) + sum(
        _bytes(state.values()) for state in optimizer.state.values()
    )


def _bytes(tensors: Iterable[Any]) -> int:
    parts = [local_part(tensor) for tensor in tensors if isinstance(tensor, Tensor)]
    return sum(part.numel() * part.element_size() for part in parts)

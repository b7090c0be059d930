"""Training in many processes, started by `torchrun`: the same weights, each its share of a batch.

torch.distributed serves, since it comes with torch: nothing more to install, and `accelerate`
makes the same calls. Gradients are averaged by one `all_reduce` after the backward pass, which is
short to read and does not mind parameters that a loss leaves out. `DistributedDataParallel` would
begin during the backward pass; on several GPUs that hides some of the time that it takes.

Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.3 and appendix (averaging
over workers equals one large batch).
"""

from __future__ import annotations

import atexit
import importlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Processes", "average_gradients", "join_processes", "same_weights"]


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is.

    Attributes:
        rank: from 0; the process of rank 0 shows and saves.
        count: how many there are.

    >>> Processes().main
    True
    """

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this is the process that shows and saves."""
        return self.rank == 0


def join_processes(device: torch.device) -> Processes:
    """Join the other processes that torchrun started, where it did.

    They part when the process ends, not before, so that it can train more than once.

    Args:
        device: decides what they talk through: NCCL between CUDA devices, Gloo otherwise.

    Returns:
        This process's rank and their number; `Processes(0, 1)` without torchrun.

    >>> join_processes(torch.device("cpu"))
    Processes(rank=0, count=1)
    """
    distributed = torch.distributed
    if not distributed.is_available() or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes()
    if not distributed.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        # This file has the group that is there when it is imported as a default argument. Imported
        # later, as torch's optimizers do, it would keep the group, and so Gloo's threads, alive to
        # the end, where a thread that still runs aborts the process now and then.
        importlib.import_module("torch.distributed.nn.functional")
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(_part)
    return Processes(distributed.get_rank(), distributed.get_world_size())


def _part() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def same_weights(model: nn.Module, processes: Processes) -> None:
    """Give every process the weights and buffers of the first, whatever it began with.

    Args:
        model: changed in place, but for the first process's.
        processes: from `join_processes`.

    >>> same_weights(nn.Linear(2, 2), Processes())
    """
    if processes.count > 1:
        for tensor in [*model.parameters(), *model.buffers()]:
            torch.distributed.broadcast(tensor.detach(), src=0)


def average_gradients(parameters: Iterable[nn.Parameter], processes: Processes) -> None:
    """Replace every gradient by its mean over the processes.

    A parameter that some process left out counts as a gradient of zero there; one that all left
    out keeps none, so that the optimizer passes it over, as it would with one process.

    Args:
        parameters: in the same order in every process.
        processes: from `join_processes`.

    Source: Goyal et al. 2017, section 2.3.

    >>> layer = nn.Linear(1, 1)
    >>> layer(torch.ones(1, 1)).sum().backward()
    >>> average_gradients(layer.parameters(), Processes())
    >>> layer.weight.grad
    tensor([[1.]])
    """
    if processes.count == 1:
        return
    trained = [p for p in parameters if p.requires_grad]
    flags = [p.grad is not None for p in trained]
    used = torch.tensor(flags, dtype=torch.int32, device=trained[0].device)
    torch.distributed.all_reduce(used, op=torch.distributed.ReduceOp.MAX)
    groups: dict[torch.dtype, list[nn.Parameter]] = {}
    for parameter, anywhere in zip(trained, used.tolist(), strict=True):
        if anywhere:
            groups.setdefault(parameter.dtype, []).append(parameter)
    for group in groups.values():
        flat = torch.cat([_gradient(p).flatten() for p in group])  # one message, not one for each
        torch.distributed.all_reduce(flat)
        flat /= processes.count
        parts = torch.split(flat, [p.numel() for p in group])
        for parameter, part in zip(group, parts, strict=True):
            parameter.grad = part.view_as(parameter)


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad

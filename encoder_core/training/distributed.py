"""Data-parallel training in processes started by `torchrun`: one model, a share of each batch.

Gradients are averaged by one `all_reduce` after the backward pass: short to read, and indifferent
to parameters that a loss does not use. `DistributedDataParallel` overlaps the communication with
the backward pass, which saves time on several GPUs.

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
    """The rank of this process, from 0, and the number of processes."""

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this is rank 0, which shows progress and saves."""
        return self.rank == 0


def join_processes(device: torch.device) -> Processes:
    """Join the process group if torchrun started this process; return its rank and the group's size.

    CUDA devices communicate through NCCL, others through Gloo. The group stays until the process ends,
    so that one process can train several times.

    >>> join_processes(torch.device("cpu"))
    Processes(rank=0, count=1)
    """
    distributed = torch.distributed
    if not distributed.is_available() or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes()
    if not distributed.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        # This module binds the current group as a default argument. Imported later, as torch's
        # optimizers do, it would keep the group and Gloo's threads alive until the process exits,
        # where a running thread sometimes aborts it.
        importlib.import_module("torch.distributed.nn.functional")
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(_part)
    return Processes(distributed.get_rank(), distributed.get_world_size())


def _part() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def same_weights(
    model: nn.Module, processes: Processes, device: torch.device | None = None
) -> None:
    """Copy the parameters and buffers of rank 0 to every process.

    `device` is the one that communicates where the model is still elsewhere; it holds one tensor at a time.
    """
    if processes.count > 1:
        for tensor in [*model.parameters(), *model.buffers()]:
            here = tensor.detach()
            there = here.to(device or here.device)
            torch.distributed.broadcast(there, src=0)
            if there is not here:
                here.copy_(there)


def average_gradients(parameters: Iterable[nn.Parameter], processes: Processes) -> None:
    """Replace every gradient by its mean over the processes.

    A parameter without a gradient in some process counts as zero there; without one in all processes
    it keeps None, so that the optimizer skips it as it would with one process. `parameters` must have
    the same order in every process.

    Source: Goyal et al. 2017, section 2.3.
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
        flat = torch.cat([_gradient(p).flatten() for p in group])  # one message for all
        torch.distributed.all_reduce(flat)
        flat /= processes.count
        parts = torch.split(flat, [p.numel() for p in group])
        for parameter, part in zip(group, parts, strict=True):
            parameter.grad = part.view_as(parameter)


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad

"""What this machine can do in each precision, measured once a process; and how much memory is free."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path

import torch

from course.labs.cost.settings import DTYPES
from course.system.forking import field
from encoder_core.inspect.machine import Machine, copy_bandwidth, measure_machine

SECONDS = 0.1  # that each of the rates may take, about
UNKNOWN = 2 << 30  # bytes that count as free where nobody says


@functools.cache
def machine_of(device: str, precision: str, threads: int) -> Machine:
    """Measure one precision; the bandwidth is measured once a device.

    Args:
        device: see `Settings`.
        precision: see `Settings`.
        threads: that torch computes with; what was measured with others counts for nothing.
    """
    return measure_machine(device, DTYPES[precision], SECONDS, _bandwidth(device, threads))


@functools.cache
def _bandwidth(device: str, threads: int) -> float:
    return copy_bandwidth(torch.device(device), seconds=SECONDS)


def free_memory(device: str) -> int:
    """Return the bytes that are free: the GPU's, or the system's within what this container may have."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    found = []
    with contextlib.suppress(OSError, StopIteration, ValueError):
        found.append(1024 * int(field("/proc/meminfo", "MemAvailable:", 1)))
    with contextlib.suppress(OSError, ValueError):  # version 2 of control groups
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        found.append(limit - int((group / "memory.current").read_text()))
    return max(0, min(found, default=UNKNOWN))

"""What a machine can do: operations and bytes a second, and the time that this allows.

Source: Williams, Waterman, Patterson 2009, "Roofline: An Insightful Visual Performance Model for Multicore
Architectures": a part takes at least as long as its operations at the peak rate, and at least as long as its bytes at
the memory's rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from encoder_core.inspect.costs import Cost

__all__ = ["Machine", "copy_bandwidth", "matmul_peak", "measure_machine", "synchronize"]


@dataclass(frozen=True)
class Machine:
    """Two rates, measured or published.

    Attributes:
        peak: operations a second in a large product of matrices.
        bandwidth: bytes a second between the processor and its main memory, reads and writes together.
        name: what was measured.

    >>> machine = Machine(peak=100e9, bandwidth=10e9)
    >>> machine.ridge  # operations per byte from which the peak can be reached
    10.0
    >>> machine.limit(Cost("product", flops=1000, bytes=10)), machine.limit(Cost("sum", 0, 12, elementwise=1))
    ('compute', 'memory')
    """

    peak: float
    bandwidth: float
    name: str = ""

    @property
    def ridge(self) -> float:
        """Operations per byte below which memory is the limit."""
        return self.peak / self.bandwidth

    def seconds(self, cost: Cost) -> float:
        """Return the least time for a part: of its operations or of its bytes, whichever takes longer.

        All operations count at the rate of products; exponentials are slower, so a part may take longer.
        """
        return max(cost.operations / self.peak, cost.bytes / self.bandwidth)

    def limit(self, cost: Cost) -> Literal["compute", "memory"]:
        """Return what the part waits for."""
        longer = cost.operations / self.peak >= cost.bytes / self.bandwidth
        return "compute" if longer else "memory"


def measure_machine(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    seconds: float = 0.2,
    bandwidth: float | None = None,
) -> Machine:
    """Measure both rates with as many threads as torch has now; takes a few times `seconds`.

    A `bandwidth` that is known already is taken as it is; it does not depend on the dtype.

    >>> measure_machine(seconds=0.001).peak > 0
    True
    """
    device = torch.device(device)
    threads = torch.get_num_threads()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    if device.type == "cpu":
        name += f", {threads} thread" + "s" * (threads > 1)
    peak = matmul_peak(device, dtype, _side(device, dtype, seconds))
    if bandwidth is None:
        bandwidth = copy_bandwidth(device, seconds=seconds)
    return Machine(peak, bandwidth, f"{name}, {str(dtype).removeprefix('torch.')}")


def _side(device: torch.device, dtype: torch.dtype, seconds: float) -> int:
    """Return the side of the product that takes about so long in five rounds, a multiple of 64."""
    if device.type == "cuda":
        return 8192  # a small product says little of a GPU's rate
    rate = matmul_peak(device, dtype, size=256, rounds=2)
    side: float = (rate * seconds / 5 / 2) ** (1 / 3)
    return max(256, min(round(side / 64) * 64, 8192))


@torch.no_grad()
def matmul_peak(device: torch.device, dtype: torch.dtype, size: int = 0, rounds: int = 5) -> float:
    """Measure the best rate of a square product, in floating-point operations a second.

    `size` is the side of the matrices; chosen for the device where it is 0.
    """
    size = size or (8192 if device.type == "cuda" else 1536)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / _best(lambda: a @ b, device, rounds)


@torch.no_grad()
def copy_bandwidth(
    device: torch.device, size: int = 0, rounds: int = 5, seconds: float = 0.2
) -> float:
    """Measure how fast an array is copied, in bytes a second; each byte counts twice, read and written.

    `size` is the array's, in bytes; where it is 0, 256 MB on the CPU, which no cache holds, and 1 GB on a GPU, or
    less so that `rounds` copies take no longer than `seconds`.
    """
    if not size:
        size = 2**30 if device.type == "cuda" else 2**28
        probe = 2**25
        size = min(size, max(probe, int(copy_bandwidth(device, probe, 2) * seconds / 2 / rounds)))
    source = torch.ones(size // 4, device=device)
    target = torch.empty_like(source)
    return 2 * 4 * source.numel() / _best(lambda: target.copy_(source), device, rounds)


def _best(run: Callable[[], object], device: torch.device, rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds + 1):  # the first warms up
        synchronize(device)
        began = time.perf_counter()
        run()
        synchronize(device)
        best = min(best, time.perf_counter() - began)
    return best


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given; a GPU works while Python goes on."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()

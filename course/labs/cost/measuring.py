"""One layer with random weights, timed in a thread of its own, so that the kernel stays free meanwhile."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course.labs.cost.compute import memory_of
from course.labs.cost.kinds import OwnBlocks, functions
from course.labs.cost.settings import DTYPES, Settings
from course.labs.cost.units import BYTES, SECONDS, amount
from course.system.threads import end_at_exit
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.inspect.machine import synchronize

LONGEST = 3.0  # seconds that a run of the layer may be predicted to take
FEWEST, MOST = 3, 15  # runs
ENOUGH = 1.0  # seconds of measuring, once there are `FEWEST` runs
TOLD = 0.2  # seconds between two reports of how far it is


@dataclass(frozen=True)
class Measured:
    """What a measurement found.

    Attributes:
        settings: what was measured; the layers are alike, so one of them ran.
        layer_seconds: the median of its runs.
        runs: how many there were, after one to warm up.
    """

    settings: Settings
    layer_seconds: float
    runs: int

    @property
    def seconds(self) -> float:
        """Of all layers."""
        return self.settings.layers * self.layer_seconds


def refusal(settings: Settings, seconds: float, free: int) -> str:
    """Say why a layer is not run, and what to change; "" where it may run.

    Args:
        settings: what would be measured.
        seconds: that one run of the layer is predicted to take.
        free: bytes.

    >>> refusal(Settings(), seconds=0.1, free=2**30)
    ''
    >>> refusal(Settings(), seconds=12, free=2**30)[:50]
    'Not measured: a run of one layer would take 12.0 s'
    """
    smaller = "Make the batch or the length smaller"
    if seconds > LONGEST:
        return (
            f"Not measured: a run of one layer would take {amount(seconds, SECONDS)} or more, and "
            f"{LONGEST:g} s is the limit. {smaller}."
        )
    memory = memory_of(settings, layers=1)
    if memory.total > free / 2:
        other = ", or let attention be fused" if 2 * memory.scores > memory.total else ""
        return (
            f"Not measured: one layer would hold {amount(memory.total, BYTES)}, more than half of the "
            f"{amount(free, BYTES)} that are free. {smaller}{other}."
        )
    return ""


class Measuring:
    """A measurement that is under way.

    Args:
        settings: what is measured.
        threads: that torch computes with.
        told: called from the thread: now and then while it runs, and once at the end.
        own: attention in blocks, in place of the lab's.
    """

    def __init__(
        self,
        settings: Settings,
        threads: int,
        told: Callable[[], None],
        own: OwnBlocks | None = None,
    ) -> None:
        self._own = own
        self.settings, self.times = settings, list[float]()
        self.result: Measured | None = None
        self.failure = ""
        self._threads, self._told = threads, told
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="measuring")

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        end_at_exit(self._thread, self.stop)

    def stop(self) -> None:
        """End after the run that is under way; `result` stays None."""
        self._stopped.set()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    @property
    def running(self) -> bool:
        """Whether it has neither ended nor been stopped."""
        return self.result is None and not self.failure and not self._stopped.is_set()

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(1.0, max(sum(self.times) / ENOUGH, len(self.times) / MOST))

    def _run(self) -> None:
        try:
            if torch.get_num_threads() != self._threads:
                torch.set_num_threads(self._threads)
            self._measure()
        except Exception as error:  # a thread of its own: nobody else would say so
            told = str(error).partition("\n")[0]
            self.failure = f"The measurement failed with {type(error).__name__}: {told}"
        self._told()

    def _measure(self) -> None:
        run = prepared(self.settings, self._own)
        run()  # warms up
        last = time.monotonic()
        while len(self.times) < FEWEST or (sum(self.times) < ENOUGH and len(self.times) < MOST):
            if self._stopped.is_set():
                return
            began = time.perf_counter()
            run()
            self.times.append(time.perf_counter() - began)
            if time.monotonic() - last > TOLD:
                last = time.monotonic()
                self._told()
            time.sleep(0.002)  # the kernel's own thread gets its turn
        median = statistics.median(self.times)
        self.result = Measured(self.settings, median, len(self.times))


def prepared(settings: Settings, own: OwnBlocks | None = None) -> Callable[[], None]:
    """Build a layer and its input, and return what runs it once.

    All numbers are drawn by a generator of their own: the learner's random numbers stay as they are.
    """
    layer = build(settings, own)
    device, dtype = torch.device(settings.device), DTYPES[settings.precision]
    shape = (settings.batch, settings.length, settings.d_model)
    draw = torch.Generator(device).manual_seed(0)
    x = torch.randn(shape, generator=draw, device=device, dtype=dtype)  # (B, S, D)
    if settings.training:
        x.requires_grad_()  # as in the middle of a stack
        ahead = torch.randn(shape, generator=draw, device=device, dtype=dtype)
        return lambda: _update(layer, x, ahead, device)
    return lambda: _forward(layer, x, device)


def build(settings: Settings, own: OwnBlocks | None = None) -> nn.Module:
    """Return a layer of these sizes with small random weights, without dropout."""
    device = torch.device(settings.device)
    draw = torch.Generator(device).manual_seed(1)
    layer = TransformerEncoderLayer(
        settings.d_model, settings.heads, settings.dim_feedforward, dropout=0.0, activation="gelu",
        device="meta", dtype=DTYPES[settings.precision],
    ).to_empty(device=device)  # fmt: skip
    layer.self_attn.attention = functions(own)[settings.attention]
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.02, generator=draw)
            else:
                parameter.fill_(1.0 if name in ("norm1.weight", "norm2.weight") else 0.0)
    return layer.train(settings.training)


def _forward(layer: nn.Module, x: Tensor, device: torch.device) -> None:
    with torch.inference_mode():
        layer(x)
    synchronize(device)


def _update(layer: nn.Module, x: Tensor, ahead: Tensor, device: torch.device) -> None:
    """Run forward and backward; the gradients are let go."""
    with torch.enable_grad():
        layer(x).backward(ahead)
    layer.zero_grad()
    x.grad = None
    synchronize(device)

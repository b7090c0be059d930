"""Faster float32 on CPUs, by one explicit call that says what it found and did.

torch sends float32 products to one library (MKL), although another one that it also carries
(oneDNN) is up to twice as fast on AMD chips, at the same error. A switch sends them there. On
chips with matrix units for bfloat16 (Intel's AMX) the same switch may round to bfloat16 instead.
So products of several shapes are computed both ways and compared with exact ones, and the switch
stays on only where the error stays that of float32 and the products are faster. While it is on,
short texts take the explicit form of attention.

A model's encoder layers are prepacked (see `layouts` and `prepacked`) only where that measures as
the same numbers, sooner.

Source: pytorch issue 125386; `torch.backends.mkldnn.matmul.fp32_precision` in torch's notes.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core import attention
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.fast.layouts import BlockedLinear, Layout, TransposedLinear
from encoder_core.fast.prepacked import can_prepack, prepack, undo_prepack

__all__ = ["FastCpu", "use_fast_cpu"]

# Rows, inner size and columns of the products that an encoder makes: projections and scores.
_SHAPES = [(256, 256, 1024), (512, 768, 768), (37, 384, 1536), (128, 64, 128)]
_LARGEST_ERROR = 1e-5
_LEAST_GAIN = 1.02  # less is not told from chance
_LAYOUTS: tuple[Layout, ...] = (BlockedLinear, TransposedLinear)
_OTHER_LAYERS = 8 << 20  # numbers: 32 MB, more than a core's own caches hold
_FEW_TOKENS, _MANY_TOKENS = (1, 32), (4, 128)  # texts, tokens of each, at which layouts are tried
# Up to how many keys the explicit form of attention is the faster one where products go to oneDNN,
# which is slow at the small ones of the fused kernel, as measured on AMD's Zen 4: 16 keys 10 times,
# 64 keys 3 times, 128 keys 2 times, 256 keys even.
_SHORT = 192
_MKLDNN: Any = torch.backends.mkldnn  # oneDNN's former name; torch's types don't know its switch


@dataclass(frozen=True)
class FastCpu:
    """What `use_fast_cpu` found and did; printed, it is a sentence.

    Attributes:
        enabled: whether float32 products now go to oneDNN.
        reason: what decided it, in words.
        error: the products' largest error, relative to the largest exact value; None where they
            were not tried.
        speedup: how many times faster they were than before; None where they were not tried.
        layers: how many layers of the model now compute from laid-out weights in inference.
        layout: what decided that, in words; None where no model was given.

    >>> print(FastCpu(False, "this torch has no oneDNN"))
    Float32 products stay as they were: this torch has no oneDNN.
    """

    enabled: bool
    reason: str
    error: float | None = None
    speedup: float | None = None
    layers: int = 0
    layout: str | None = None

    def __str__(self) -> str:
        """Say it in a sentence, or two."""
        what = "go to oneDNN now" if self.enabled else "stay as they were"
        said = f"Float32 products {what}: {self.reason}."
        if self.layout is None:
            return said
        return f"{said} Weights laid out for inference in {self.layers} layers: {self.layout}."


def use_fast_cpu(enable: bool = True, model: nn.Module | None = None) -> FastCpu:
    """Send float32 products on the CPU to oneDNN, where that is as exact and faster.

    Holds for the whole process, until called with False. It takes a fraction of a second.

    Args:
        enable: False goes back to torch's own choice, and makes the model's layers plain again.
        model: a model whose `TransformerEncoderLayer`s are prepacked for inference where that
            gives the same numbers faster here. Its state dict, its training and its copies stay
            as they were; it needs the memory of those layers' weights once more, or twice where
            two layouts serve few tokens and many.

    Returns:
        What was found and done. Nothing is raised on any machine.

    >>> print(use_fast_cpu(enable=False))
    Float32 products stay as they were: the switch is off.
    """
    found = _use_onednn(enable)
    if model is None:
        return found
    undo_prepack(model)
    layers, why = _lay_out(model) if enable else (0, "none are any more")
    return replace(found, layers=layers, layout=why)


def _use_onednn(enable: bool) -> FastCpu:
    if not _can_switch():
        return FastCpu(False, "this torch has no oneDNN, or no switch for it")
    _switch(False)
    if not enable:
        return FastCpu(False, "the switch is off")
    before = _seconds()
    _switch(True)
    try:
        error, after = _error(), _seconds()
    except RuntimeError as problem:
        _switch(False)
        return FastCpu(False, f"oneDNN cannot compute them here ({problem})")
    speedup = before / after
    if error > _LARGEST_ERROR:
        _switch(False)
        reason = f"oneDNN rounds them here, to an error of {error:.1e} of the largest value"
        return FastCpu(False, reason, error, speedup)
    if speedup < 1.05:
        _switch(False)
        reason = f"oneDNN is not faster here ({speedup:.2f} times)"
        return FastCpu(False, reason, error, speedup)
    reason = f"{speedup:.1f} times as fast, error {error:.1e} of the largest value"
    return FastCpu(True, reason, error, speedup)


def _can_switch() -> bool:
    matmul = getattr(_MKLDNN, "matmul", None)  # not in older versions of torch
    return bool(_MKLDNN.is_available()) and hasattr(matmul, "fp32_precision")


def _switch(on: bool) -> None:
    # "bf16" allows the rounding, which is why it is tried; where the chip has no unit for it,
    # oneDNN computes in float32.
    _MKLDNN.matmul.fp32_precision = "bf16" if on else "none"
    attention.explicit_is_faster = _is_short if on else None


def _is_short(query: Tensor, key: Tensor) -> bool:
    """Tell whether oneDNN would compute these, and there are few keys."""
    if query.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return query.dtype == torch.float32 and key.shape[-2] <= _SHORT


def _products() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Inputs, weights and biases of a linear layer for each shape, with fixed random numbers."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    return [(draw(rows, size), draw(out, size), draw(out)) for rows, size, out in _SHAPES]


@torch.inference_mode()
def _error() -> float:
    """Return the largest difference from the exact products, relative to their largest value."""
    worst = 0.0
    for x, weight, bias in _products():
        exact = F.linear(x.double(), weight.double(), bias.double())
        error = (F.linear(x, weight, bias).double() - exact).abs().max() / exact.abs().max()
        worst = max(worst, float(error))
    return worst


@torch.inference_mode()
def _seconds() -> float:
    """Return the least time for all products together: other processes only ever lengthen it."""
    products, times = _products(), []
    for _ in range(7):
        start = time.perf_counter()
        for x, weight, bias in products:
            F.linear(x, weight, bias)
        times.append(time.perf_counter() - start)
    return min(times)


def _lay_out(model: nn.Module) -> tuple[int, str]:
    """Let the layers that it helps compute from laid-out weights; say how many and why."""
    first = next((layer for layer in model.modules() if can_prepack(layer)), None)
    if not isinstance(first, TransformerEncoderLayer):
        return 0, "there is none of this package's in float32 on the CPU"
    few, why_few = _best_layout(first, *_FEW_TOKENS)
    many, why_many = _best_layout(first, *_MANY_TOKENS)
    why = f"for few tokens {why_few}; for many {why_many}"
    if few is None and many is None:
        return 0, why
    return prepack(model, few, many), why


def _best_layout(
    layer: TransformerEncoderLayer, texts: int, tokens: int
) -> tuple[Layout | None, str]:
    """Return the fastest layout for batches of that shape, or None; and why, in words."""
    tried = [(*_judge_layout(layer, layout, texts, tokens), layout) for layout in _LAYOUTS]
    # The one that is made of torch's public operations, unless the other is clearly faster: one
    # layer's time tells them apart to a few parts in a hundred only.
    speedup, why, layout = max(tried, key=lambda one: one[0] - 0.03 * (one[2] is BlockedLinear))
    if speedup < _LEAST_GAIN:
        return None, f"none: {why}"
    return layout, f"{layout.name}, {why}"


def _judge_layout(
    layer: TransformerEncoderLayer, layout: Layout, texts: int, tokens: int
) -> tuple[float, str]:
    """Return how many times faster a layout is, 0 where it will not do; and why, in words."""
    try:
        error, speedup = _try_layout(layer, layout, texts, tokens)
    except (RuntimeError, AttributeError) as problem:  # the second: an older torch has it not
        return 0.0, f"oneDNN cannot compute them here ({problem})"
    if not error <= _LARGEST_ERROR:
        return 0.0, f"they give other numbers here, by {error:.1e} of the largest value"
    if speedup < _LEAST_GAIN:
        return speedup, f"they are not faster here ({speedup:.2f} times)"
    return speedup, f"{speedup:.2f} times as fast, off by {error:.1e}"


def _try_layout(
    layer: TransformerEncoderLayer, layout: Layout, texts: int, tokens: int
) -> tuple[float, float]:
    """Compute a layer both ways, by turns: how far apart they are, and how many times faster.

    Before each turn other memory is read: in a model the other layers have been through the
    caches before a layer's next turn.
    """
    plain, fast = copy.deepcopy(layer).eval(), copy.deepcopy(layer).eval()
    prepack(fast, layout, layout)
    x = torch.randn(texts, tokens, layer.d_model, generator=torch.Generator().manual_seed(0))
    times: dict[nn.Module, list[float]] = {plain: [], fast: []}
    outputs, others = [], torch.ones(_OTHER_LAYERS)
    for way in [plain, fast] * 8:
        others.sum()
        start = time.perf_counter()
        with torch.inference_mode():
            outputs.append(way(x))
        times[way].append(time.perf_counter() - start)
    apart = (outputs[1] - outputs[0]).abs().max() / outputs[0].abs().max()
    return float(apart), min(times[plain]) / min(times[fast])

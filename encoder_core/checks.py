"""Checks of the input: a sentence in place of a failure deep inside.

Shapes that do not fit are not always an error in torch: some broadcast to a result that means
nothing. Masks have checks of their own, in `masks.py`.

Source: the shapes in the documentation of `torch.nn.TransformerEncoderLayer` and
`torch.nn.MultiheadAttention`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor

__all__ = [
    "has_values",
    "may_be_kept",
    "read_bool",
    "require_batch_first",
    "require_batch_first_layers",
    "require_sources",
    "require_width",
]


def has_values(x: Tensor) -> bool:
    """Tell whether a tensor of any shape has numbers, and they may decide what is computed.

    There are none on the meta device and in a FakeTensor. While `torch.compile`, `torch.export` or
    a CUDA graph records what is computed, the record must serve other numbers too.

    >>> has_values(torch.ones(2)), has_values(torch.ones(2, device="meta"))
    (True, False)
    """
    if torch.compiler.is_compiling() or x.is_meta or isinstance(x, FakeTensor):
        return False
    return not (x.is_cuda and torch.cuda.is_current_stream_capturing())


def may_be_kept(x: Tensor) -> bool:
    """Tell whether a table computed for this call's input (any shape) may serve later calls.

    False for a FakeTensor, whose table has no numbers, and while `torch.jit` traces.
    """
    return not (isinstance(x, FakeTensor) or torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def read_bool(condition: Tensor) -> bool | None:
    """Read a tensor of one boolean, any shape.

    Returns None where it has no value (see `has_values`), or one for each of the calls that
    `torch.func.vmap` makes at once.

    >>> read_bool(torch.tensor([1, 2]).sum() == 3), read_bool(torch.ones((), device="meta") == 1)
    (True, None)
    """
    if not has_values(condition):
        return None
    try:
        return bool(condition)
    except RuntimeError:  # how vmap and torch's other tracers refuse
        return None


def require_batch_first(batch_first: bool) -> None:
    """Accept `batch_first=True` and answer `False` with a sentence.

    Raises:
        ValueError: `batch_first` is False.
    """
    if not batch_first:
        raise ValueError(
            "encoder_core works batch-first throughout: tensors are (batch, sequence, features). "
            "Leave batch_first out or pass True, and give x.transpose(0, 1) where x is "
            "sequence-first. The weights are the same either way."
        )


def require_batch_first_layers(layers: Iterable[nn.Module]) -> None:
    """Refuse layers of `torch.nn` that read `(S, B, D)`, torch's default.

    They would take the texts of a batch for one text's tokens. Layers of another kind pass.

    Raises:
        ValueError: a `torch.nn` layer with `batch_first=False`.
    """
    for layer in layers:
        torchs = isinstance(layer, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer)
        if torchs and not getattr(layer.self_attn, "batch_first", True):
            raise ValueError(
                f"This torch.nn.{type(layer).__name__} was made with batch_first=False, torch's "
                "default, and reads (sequence, batch, features); this stack's tensors are (batch, "
                "sequence, features). Make the layer with batch_first=True; its weights are the "
                "same either way."
            )


def require_width(name: str, x: Tensor, d_model: int) -> None:
    """Refuse what is not `(S, D)` or `(B, S, D)` with the D that a layer was made for.

    Raises:
        ValueError: another number of axes, or another last size.
    """
    if x.dim() not in (2, 3) or x.shape[-1] != d_model:
        raise ValueError(
            f"{name} must be (batch, sequence, {d_model}) or, unbatched, (sequence, {d_model}), "
            f"since this layer was made with d_model={d_model}; got {tuple(x.shape)}."
        )


def require_sources(query: Tensor, key: Tensor, value: Tensor, d_model: int) -> None:
    """Refuse queries `(B, L, D)`, keys and values `(B, S, D)` that do not belong together.

    All three may be without B.

    Raises:
        ValueError: a width other than D, batches of different sizes, or not one value for a key.
    """
    fit = key.shape == value.shape and query.shape[:-2] == key.shape[:-2]  # () where unbatched
    if not fit or query.dim() not in (2, 3) or not query.shape[-1] == key.shape[-1] == d_model:
        came = ", ".join(str(tuple(x.shape)) for x in (query, key, value))
        raise ValueError(
            f"Attention takes a query (B, L, {d_model}) with a key and a value (B, S, {d_model}), "
            f"all of one batch, or all three without B; got {came}."
        )

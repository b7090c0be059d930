"""What comes in, looked at first: a sentence in place of a failure somewhere deep inside.

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
    """Tell whether a tensor stands for numbers that are there, and may decide what is computed.

    There are none on the meta device and in a FakeTensor. While `torch.compile`, `torch.export` or
    a CUDA graph records what is computed, the record must serve other numbers too.

    Args:
        x: a tensor of any shape.

    Returns:
        False where code that would look into its input has to do without.

    >>> has_values(torch.ones(2)), has_values(torch.ones(2, device="meta"))
    (True, False)
    """
    if torch.compiler.is_compiling() or x.is_meta or isinstance(x, FakeTensor):
        return False
    return not (x.is_cuda and torch.cuda.is_current_stream_capturing())


def may_be_kept(x: Tensor) -> bool:
    """Tell whether a table computed for this call may serve later ones.

    Args:
        x: an input of the call, of any shape.

    Returns:
        False for a FakeTensor, whose table has no numbers, and while `torch.jit` traces.

    >>> may_be_kept(torch.ones(2))
    True
    """
    return not (isinstance(x, FakeTensor) or torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def read_bool(condition: Tensor) -> bool | None:
    """Read what a tensor says, where it can be read.

    Args:
        condition: one boolean, any shape.

    Returns:
        The boolean; None where there is none (see `has_values`), or where `torch.func.vmap` makes
        it one for each of many calls.

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

    Args:
        batch_first: what a caller of `torch.nn` writes.

    Raises:
        ValueError: `batch_first` is False.

    >>> require_batch_first(True)
    """
    if not batch_first:
        raise ValueError(
            "encoder_core works batch-first throughout: tensors are (batch, sequence, features). "
            "Leave batch_first out or pass True, and give x.transpose(0, 1) where x is "
            "sequence-first. The weights are the same either way."
        )


def require_batch_first_layers(layers: Iterable[nn.Module]) -> None:
    """Refuse layers of `torch.nn` that read `(S, B, D)`, as they do unless told otherwise.

    They would take the texts of a batch for one text's tokens.

    Args:
        layers: those of a stack; layers of another kind are not looked at.

    Raises:
        ValueError: a `torch.nn` layer with `batch_first=False`.

    >>> require_batch_first_layers([nn.TransformerEncoderLayer(8, 2, batch_first=True)])
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

    Args:
        name: what the error calls the input.
        x: the input, any shape.
        d_model: D.

    Raises:
        ValueError: another number of axes, or another last size.

    >>> import torch
    >>> require_width("src", torch.ones(2, 3, 4), d_model=4)
    """
    if x.dim() not in (2, 3) or x.shape[-1] != d_model:
        raise ValueError(
            f"{name} must be (batch, sequence, {d_model}) or, unbatched, (sequence, {d_model}), "
            f"since this layer was made with d_model={d_model}; got {tuple(x.shape)}."
        )


def require_sources(query: Tensor, key: Tensor, value: Tensor, d_model: int) -> None:
    """Refuse queries, keys and values that do not belong together.

    Args:
        query: `(B, L, D)`, or `(L, D)`.
        key: `(B, S, D)`, or `(S, D)`.
        value: in the shape of `key`.
        d_model: D.

    Raises:
        ValueError: a width other than D, batches of different sizes, or not one value for a key.

    >>> import torch
    >>> require_sources(torch.ones(2, 5, 4), torch.ones(2, 3, 4), torch.ones(2, 3, 4), d_model=4)
    """
    fit = key.shape == value.shape and query.shape[:-2] == key.shape[:-2]  # () where unbatched
    if not fit or query.dim() not in (2, 3) or not query.shape[-1] == key.shape[-1] == d_model:
        came = ", ".join(str(tuple(x.shape)) for x in (query, key, value))
        raise ValueError(
            f"Attention takes a query (B, L, {d_model}) with a key and a value (B, S, {d_model}), "
            f"all of one batch, or all three without B; got {came}."
        )

"""Masks: who may not look at whom.

Everywhere in this package a boolean mask says what is **blocked**: True means "may not be attended
to" or "is padding", as in `torch.nn.Transformer*`. `F.scaled_dot_product_attention` and Hugging
Face say it the other way round. A floating mask is **added** to the scores: 0 leaves a score as it
is, `-inf` blocks it, anything between lowers it (ALiBi). A floating mask of zeros and ones is
nearly always a boolean mask that lost its dtype; added, it would block nothing, so it is refused.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.3 (the causal mask); Beltagy
et al. 2020, "Longformer", section 3.1 (the window).
"""

from __future__ import annotations

import torch
from torch import Tensor

from encoder_core.checks import read_bool

__all__ = [
    "additive_mask",
    "block_future",
    "blocked_rows",
    "causal_mask",
    "check_mask",
    "drop_empty_padding",
    "join_head_masks",
    "local_mask",
    "match_masks",
    "merge_masks",
    "padding_mask",
]


def causal_mask(length: int, *, device: torch.device | str | None = None) -> Tensor:
    """Block the future, `(L, L)`: query i may look at keys 0 to i.

    >>> causal_mask(3)
    tensor([[False,  True,  True],
            [False, False,  True],
            [False, False, False]])
    """
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)


def padding_mask(lengths: Tensor, max_length: int | None = None) -> Tensor:
    """Block what follows each sequence's end: lengths `(B,)` to `(B, S)`, True at padding.

    `max_length` is S; the longest of `lengths` where not given.

    Raises:
        ValueError: no `max_length`, where the lengths cannot be read (see `checks.read_bool`).

    >>> padding_mask(torch.tensor([1, 3]))
    tensor([[False,  True,  True],
            [False, False, False]])
    """
    if max_length is None:
        max_length = _longest(lengths)
    return torch.arange(max_length, device=lengths.device) >= lengths[..., None]  # (B, S)


def _longest(lengths: Tensor) -> int:
    try:
        return int(lengths.max()) if lengths.numel() else 0
    except RuntimeError as error:
        raise ValueError(
            "The longest of these lengths cannot be read: they have no values here (the meta "
            "device, a FakeTensor), or one for each call that torch.func.vmap makes at once. Pass "
            "max_length, the padded length."
        ) from error


def local_mask(length: int, window: int, *, device: torch.device | str | None = None) -> Tensor:
    """Block what is further away than `window` tokens, on either side: `(L, L)`.

    Raises:
        ValueError: `window` is negative.

    >>> local_mask(3, window=1)
    tensor([[False, False,  True],
            [False, False, False],
            [ True, False, False]])
    """
    if window < 0:
        raise ValueError(f"window must be 0 or more, got {window}.")
    positions = torch.arange(length, device=device)
    return (positions[:, None] - positions[None, :]).abs() > window  # (L, L)


def check_mask(mask: Tensor | None) -> None:
    """Refuse a mask, of any shape, that would silently mean something else (pytorch issue 92554).

    Where its values cannot be read (see `checks.read_bool`), only its dtype is checked.

    Raises:
        TypeError: an integer mask; whether 1 means "blocked" or "kept" cannot be told.
        ValueError: a floating mask of zeros and ones; it would be added, and block nothing.

    >>> check_mask(torch.tensor([[1.0, 0.0]]))
    Traceback (most recent call last):
    ValueError: This floating mask holds only 0 and 1. ...
    """
    if mask is None or mask.dtype == torch.bool:
        return
    if not mask.is_floating_point():
        raise TypeError(
            f"A mask is boolean (True = blocked) or floating (added to the scores), got "
            f"{mask.dtype}. If 1 marks what is blocked, pass mask.bool(); if 1 marks what is kept, "
            "as in Hugging Face's attention_mask, pass mask == 0."
        )
    ones = mask == 1
    if read_bool((ones | (mask == 0)).all()) and read_bool(ones.any()):
        raise ValueError(
            "This floating mask holds only 0 and 1. It would be added to the scores and block "
            "nothing. If 1 marks what is blocked, pass mask.bool(); if 1 marks what is kept, pass "
            "mask == 0; an additive mask has 0 where it allows and -inf where it blocks."
        )


def drop_empty_padding(mask: Tensor | None) -> Tensor | None:
    """Return None in place of a boolean mask of any shape that blocks nothing, which saves its use.

    Only on the CPU, where reading costs microseconds; elsewhere it would wait for the device. A
    mask that cannot be read (see `checks.read_bool`), or that `torch.jit` traces, is returned.

    >>> drop_empty_padding(torch.tensor([[False, False]])) is None
    True
    """
    if mask is None or mask.dtype != torch.bool or mask.device.type != "cpu":
        return mask
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return mask
    return None if read_bool(mask.any()) is False else mask


def additive_mask(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn a mask of any shape into one that is added to the scores, with `-inf` where it blocks.

    The smallest number of a dtype, which some write for `-inf`, is read as `-inf`: in a row that
    holds nothing else it would make the plain mean of all values (transformers PR 17306).

    >>> additive_mask(torch.tensor([False, True]), torch.float32)
    tensor([0., -inf])
    """
    if mask.dtype == torch.bool:
        return torch.zeros_like(mask, dtype=dtype).masked_fill(mask, -torch.inf)
    return mask.masked_fill(mask <= torch.finfo(mask.dtype).min, -torch.inf).to(dtype)


def blocked_rows(mask: Tensor) -> Tensor:
    """Find the queries that may look at nothing: a mask `(..., L, S)` to `(..., L, 1)`.

    >>> blocked_rows(torch.tensor([[True, True], [False, True]]))
    tensor([[ True],
            [False]])
    """
    blocked = mask if mask.dtype == torch.bool else mask == -torch.inf
    return blocked.all(dim=-1, keepdim=True)


def merge_masks(*masks: Tensor | None) -> Tensor | None:
    """Join masks that broadcast: what any of them blocks is blocked, and what they add is summed.

    The result, in their common shape, is boolean where all are, else floating; None of none.

    >>> merge_masks(causal_mask(2), torch.tensor([[True, False]]), None)
    tensor([[ True,  True],
            [ True, False]])
    """
    given = [mask for mask in masks if mask is not None]
    floating = [mask.dtype for mask in given if mask.dtype != torch.bool]
    merged: Tensor | None = None
    for mask in given:
        part = additive_mask(mask, floating[0]) if floating else mask
        if merged is None:
            merged = part
        else:
            merged = merged + part if floating else merged | part
    return merged


def block_future(
    mask: Tensor | None,
    sizes: tuple[int, int],
    device: torch.device | str | None = None,
) -> Tensor:
    """Write `is_causal=True` into a mask, for layers without such a hint or with another reading.

    `torch.nn`'s layers take `is_causal` for a promise about the mask beside it: without a mask
    they raise or block nothing, and another one is dropped (pytorch issue 96941). `mask` is
    `(L, S)`, or has axes before these; `sizes` are L and S.

    Raises:
        TypeError: an integer mask.
        ValueError: a floating mask of zeros and ones; one that does not broadcast to `(L, S)`.

    >>> block_future(torch.tensor([[True, False]]), (2, 2))
    tensor([[ True,  True],
            [ True, False]])
    """
    check_mask(mask)
    if mask is not None:
        last = zip(mask.shape[-2:], sizes[-mask.dim() :], strict=False)
        if any(size not in (1, full) for size, full in last):
            raise ValueError(
                f"mask has shape {tuple(mask.shape)}; expected (L, S) = {sizes}, or that with axes "
                "before it."
            )
    joined = merge_masks(mask, _future(*sizes, device))
    assert joined is not None  # there is the future
    return joined


def match_masks(
    mask: Tensor | None, padding_mask: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """Make both masks, of any shape, floating where one is, as `torch.nn`'s layers want them."""
    if mask is None or padding_mask is None or mask.dtype == padding_mask.dtype:
        return mask, padding_mask
    if mask.dtype == torch.bool:
        return additive_mask(mask, padding_mask.dtype), padding_mask
    return mask, additive_mask(padding_mask, mask.dtype)


def _future(length: int, keys: int, device: torch.device | str | None) -> Tensor:
    """As `causal_mask`, where keys may be more or fewer than queries: `(L, S)`."""
    return causal_mask(max(length, keys), device=device)[:length, :keys]


def join_head_masks(
    sizes: tuple[int, int, int, int],
    key_padding_mask: Tensor | None = None,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    device: torch.device | str | None = None,
) -> Tensor | None:
    """Join the masks of a multi-head attention into one that broadcasts to `(B, H, L, S)`, or None.

    Args:
        sizes: B, H, L, S.
        key_padding_mask: `(B, S)`, True (or `-inf`) at padding.
        attn_mask: `(L, S)`, `(B * H, L, S)`, `(B, L, S)` or what broadcasts to `(B, H, L, S)`.
        is_causal: block the future beside what the masks block. No mask is ever dropped.

    Raises:
        TypeError: an integer mask.
        ValueError: a floating mask of zeros and ones; a mask whose shape does not fit.

    >>> join_head_masks((2, 4, 3, 3), padding_mask(torch.tensor([1, 3])), is_causal=True).shape
    torch.Size([2, 1, 3, 3])
    """
    batch, _, length, keys = sizes
    if key_padding_mask is not None:
        if key_padding_mask.shape != (batch, keys):
            raise ValueError(
                f"key_padding_mask has shape {tuple(key_padding_mask.shape)}; expected "
                f"(B, S) = {(batch, keys)}."
            )
        key_padding_mask = key_padding_mask[:, None, None, :]  # (B, 1, 1, S)
    if attn_mask is not None:
        attn_mask = _spread_over_heads(attn_mask, sizes)
    check_mask(key_padding_mask)
    check_mask(attn_mask)
    future = _future(length, keys, device) if is_causal else None  # (L, S)
    return merge_masks(key_padding_mask, attn_mask, future)


def _spread_over_heads(mask: Tensor, sizes: tuple[int, int, int, int]) -> Tensor:
    """Turn `(B * H, L, S)` or `(B, L, S)` into what broadcasts to `(B, H, L, S)`."""
    batch, nhead, length, keys = sizes
    if mask.dim() == 3 and mask.shape[0] == batch * nhead:
        mask = mask.reshape(batch, nhead, *mask.shape[1:])  # (B, H, L, S)
    elif mask.dim() == 3 and mask.shape[0] == batch:
        mask = mask[:, None]  # (B, 1, L, S)
    last = zip(mask.shape, sizes[4 - mask.dim() :], strict=False)
    if mask.dim() > 4 or any(size not in (1, full) for size, full in last):
        raise ValueError(
            f"attn_mask has shape {tuple(mask.shape)}; expected (L, S) = {(length, keys)}, or what "
            f"broadcasts to (B, H, L, S) = {sizes}."
        )
    return mask

"""Pool the token vectors `(B, S, D)` of each text into one vector: `(B, D)`.

`padding_mask` is `(B, S)` bool, True at padding. Of a row that is all padding, mean and maximum
are zeros.

Sources: Devlin et al. 2019, "BERT", section 3 (the first token); Reimers and Gurevych 2019,
"Sentence-BERT", section 3 (mean and maximum; the mean works best).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

__all__ = ["Pooling", "first_token", "masked_max", "masked_mean", "pooling_function"]

Pooling = Literal["mean", "first", "max"]


def masked_mean(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Average the tokens that are not padding: `(B, S, D)` to `(B, D)`.

    The sum is taken in float32 at least, so that a long text in float16 does not overflow. Raises
    ValueError for a mask of another dtype than bool, or of another shape.

    >>> masked_mean(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[False, False, True]]))
    tensor([[2.]])
    """
    _require_mask(hidden, padding_mask)
    if padding_mask is None:
        return hidden.mean(dim=1)
    blocked = padding_mask.unsqueeze(-1)  # (B, S, 1)
    wide = torch.promote_types(hidden.dtype, torch.float32)
    total = hidden.masked_fill(blocked, 0).sum(dim=1, dtype=wide)  # (B, D); filled: 0 * NaN is NaN
    return (total / (~blocked).sum(dim=1).clamp(min=1)).to(hidden.dtype)  # (B, D) / (B, 1)


def masked_max(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Take the maximum of each feature over the tokens that are not padding: `(B, S, D)` to `(B, D)`.

    Raises ValueError for a mask of another dtype than bool, or of another shape.
    """
    _require_mask(hidden, padding_mask)
    if padding_mask is None:
        return hidden.amax(dim=1)
    blocked = padding_mask.unsqueeze(-1)  # (B, S, 1)
    highest = hidden.masked_fill(blocked, -torch.inf).amax(dim=1)  # (B, D)
    return highest.masked_fill(blocked.all(dim=1), 0)  # (B, D)


def first_token(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Return the first token's vector, `[CLS]` in BERT: `(B, S, D)` to `(B, D)`. The mask is unused."""
    return hidden[:, 0]


def pooling_function(name: Pooling) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Return the pooling, `(B, S, D)` to `(B, D)`, that is called `"mean"`, `"first"` or `"max"`.

    Raises ValueError for another name.
    """
    if name not in get_args(Pooling):
        raise ValueError(f"pooling must be one of {', '.join(get_args(Pooling))}; got {name!r}.")
    return {"mean": masked_mean, "first": first_token, "max": masked_max}[name]


def _require_mask(hidden: Tensor, padding_mask: Tensor | None) -> None:
    if padding_mask is None:
        return
    if padding_mask.dtype != torch.bool or padding_mask.shape != hidden.shape[:2]:
        raise ValueError(
            f"padding_mask must be bool, {tuple(hidden.shape[:2])}, True at padding; got "
            f"{padding_mask.dtype}, {tuple(padding_mask.shape)}. For a mask with 1 at real tokens, "
            "as Hugging Face's attention_mask, pass mask == 0."
        )

"""From one vector for each token to one for the whole text.

Sources: Devlin et al. 2019, "BERT", section 3 (the first token); Reimers and Gurevych 2019,
"Sentence-BERT", section 3 (mean and maximum, and that the mean serves best).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

__all__ = ["Pooling", "first_token", "masked_max", "masked_mean", "pooling_function"]

Pooling = Literal["mean", "first", "max"]


def masked_mean(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Average the real tokens.

    Args:
        hidden: `(B, S, D)`; finite where it is real.
        padding_mask: `(B, S)`, True at padding; None where there is none.

    Returns:
        `(B, D)`; zeros for a row that is all padding.

    Raises:
        ValueError: a mask of another dtype than bool, or of another shape.

    Source: Reimers and Gurevych 2019, section 3.

    >>> masked_mean(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[False, False, True]]))
    tensor([[2.]])
    """
    _require_mask(hidden, padding_mask)
    if padding_mask is None:
        return hidden.mean(dim=1)
    blocked = padding_mask.unsqueeze(-1)  # (B, S, 1)
    total = hidden.masked_fill(blocked, 0).sum(dim=1)  # (B, D); filled, since 0 * NaN is NaN
    return total / (~blocked).sum(dim=1).clamp(min=1)  # (B, D) / (B, 1)


def masked_max(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Take the largest value of each feature among the real tokens.

    Args:
        hidden: `(B, S, D)`; finite where it is real.
        padding_mask: `(B, S)`, True at padding; None where there is none.

    Returns:
        `(B, D)`; zeros for a row that is all padding.

    Raises:
        ValueError: a mask of another dtype than bool, or of another shape.

    Source: Reimers and Gurevych 2019, section 3.

    >>> masked_max(torch.tensor([[[-1.0], [-3.0], [9.0]]]), torch.tensor([[False, False, True]]))
    tensor([[-1.]])
    """
    _require_mask(hidden, padding_mask)
    if padding_mask is None:
        return hidden.amax(dim=1)
    blocked = padding_mask.unsqueeze(-1)  # (B, S, 1)
    highest = hidden.masked_fill(blocked, -torch.inf).amax(dim=1)  # (B, D)
    return highest.masked_fill(blocked.all(dim=1), 0)  # (B, D)


def first_token(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Take the first token's vector: `[CLS]` in a BERT.

    Args:
        hidden: `(B, S, D)`.
        padding_mask: not needed; here so that all poolings are called alike.

    Returns:
        `(B, D)`.

    Source: Devlin et al. 2019, section 3.

    >>> first_token(torch.tensor([[[1.0], [3.0]]]))
    tensor([[1.]])
    """
    return hidden[:, 0]


def pooling_function(name: Pooling) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Turn a name into the function.

    Args:
        name: `"mean"`, `"first"` or `"max"`.

    Returns:
        The function of hidden vectors `(B, S, D)` and padding mask `(B, S)`.

    Raises:
        ValueError: another name.

    >>> pooling_function("mean") is masked_mean
    True
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
            f"{padding_mask.dtype}, {tuple(padding_mask.shape)}. Of a mask in which 1 marks what is "
            "real, as in Hugging Face's attention_mask, pass mask == 0."
        )

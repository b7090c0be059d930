"""Attention: each query takes a weighted mean of the values, weighted by how its key fits.

`scaled_dot_product_attention` is the form to read; it also returns the weights.
`fused_attention` is the form that runs; it never builds the weights. A test holds them equal.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.1, equation 1, and the code
published with it, tensor2tensor (dropout on the weights); Dao et al. 2022, "FlashAttention".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder_core.masks import additive_mask, blocked_rows, check_mask, merge_masks
from encoder_core.second_derivative import allow_second_derivative

__all__ = [
    "AttentionFunction",
    "AttentionStrategy",
    "attend",
    "fused_attention",
    "masked_softmax",
    "merge_heads",
    "scaled_dot_product_attention",
    "scores",
    "split_heads",
]

# For which queries and keys `fused_attention` computes by the explicit form; None: for none. What
# makes that form the faster one sets it, such as `fast.fast_cpu`.
explicit_is_faster: Callable[[Tensor, Tensor], bool] | None = None


class AttentionFunction(Protocol):
    """What a `MultiheadAttention` can compute with in place of its own.

    Called with query `(B, H, L, Dh)`, key `(B, H, S, Dh)`, value `(B, H, S, Dv)` and a mask that
    broadcasts to `(B, H, L, S)`, or None. Returns the output `(B, H, L, Dv)`, or that and the
    weights `(B, H, L, S)`.
    """

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, /
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend."""


# `step(query, key, value, mask, need_weights)`: the output, and the weights or None.
AttentionStep = Callable[
    [Tensor, Tensor, Tensor, Tensor | None, bool], tuple[Tensor, Tensor | None]
]


class AttentionStrategy(Protocol):
    """How a batch is attended to where its rows are not its texts; see `fast.packing.Packing`.

    A `MultiheadAttention` calls `attend` with its own step, and shows the padded form of the heads
    to whoever watches or changes them.
    """

    def attend(
        self,
        step: AttentionStep,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend to heads `(1, H, N, Dh)` by calls of `step` on parts of them.

        Returns heads of the same shape, and the padded batch's weights `(B, H, S, S)` or None.
        """

    def unpack(self, x: Tensor) -> Tensor:
        """Return tokens `(1, N, D)` as a padded batch `(B, S, D)`."""

    def unpack_heads(self, x: Tensor) -> Tensor:
        """Return heads `(1, H, N, Dh)` as those of a padded batch `(B, H, S, Dh)`."""

    def pack_heads(self, x: Tensor) -> Tensor:
        """Undo `unpack_heads`."""


def scores(query: Tensor, key: Tensor) -> Tensor:
    """Score how well each key fits each query: their product over the root of Dh.

    Query `(..., L, Dh)` and key `(..., S, Dh)` to `(..., L, S)`. The query is divided, not the
    product: half precision overflows later that way.

    >>> scores(torch.ones(1, 4), torch.ones(2, 4))
    tensor([[2., 2.]])
    """
    return (query / math.sqrt(query.shape[-1])) @ key.transpose(-2, -1)  # (..., L, S)


def masked_softmax(scores: Tensor) -> Tensor:
    """Turn each row of `(..., S)` into weights that sum to 1; a row of `-inf` alone gives zeros.

    Such a row (a query that may look at nothing) is 0 / 0 in the plain softmax. It is filled with
    zeros before and after, so that neither result nor gradient has a NaN (pytorch issue 41508).

    >>> masked_softmax(torch.tensor([[0.0, 0.0], [0.0, -torch.inf], [-torch.inf, -torch.inf]]))
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000],
            [0.0000, 0.0000]])
    """
    empty = blocked_rows(scores)  # (..., 1)
    return torch.softmax(scores.masked_fill(empty, 0), dim=-1).masked_fill(empty, 0)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Attend step by step: scores, mask, softmax, weighted sum. The form to read.

    Args:
        query: `(..., L, Dh)`.
        key: `(..., S, Dh)`.
        value: `(..., S, Dv)`.
        mask: broadcasts to `(..., L, S)`; boolean: True is blocked, floating: added to the scores.
        dropout_p: pass 0 in eval mode; a function cannot see `module.training`.
        bias: added to the scores, broadcasts to `(..., L, S)`; finite, see `relative`.

    Returns:
        The output `(..., L, Dv)`, and the weights `(..., L, S)` before dropout. A query that may
        look at nothing gets zeros in both, and finite gradients.

    Raises:
        TypeError, ValueError: see `masks.check_mask`.

    >>> query, key = torch.zeros(1, 2), torch.zeros(3, 2)
    >>> value = torch.tensor([[1.0], [2.0], [6.0]])
    >>> scaled_dot_product_attention(query, key, value, torch.tensor([[False, False, True]]))
    (tensor([[1.5000]]), tensor([[0.5000, 0.5000, 0.0000]]))
    """
    check_mask(mask)
    fit = scores(query, key)  # (..., L, S)
    if bias is not None:
        fit = fit + bias
    if mask is not None and mask.dtype == torch.bool:
        fit = fit.masked_fill(mask, -torch.inf)
    elif mask is not None:
        fit = fit + additive_mask(mask, fit.dtype)
    weights = torch.softmax(fit, dim=-1) if mask is None else masked_softmax(fit)  # (..., L, S)
    used = F.dropout(weights, dropout_p) if dropout_p else weights
    return used @ value, weights  # (..., L, S) @ (..., S, Dv) -> (..., L, Dv)


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
    bias: Tensor | None = None,
) -> Tensor:
    """Attend in one fused operation, without building the weights. The form that runs.

    Arguments and errors are those of `scaled_dot_product_attention`, the result `(..., L, Dv)` is
    its first; key and value have the query's leading axes. More or fewer values than keys raise
    ValueError. PyTorch chooses the kernel. Kernels answer a query that may look at nothing
    differently (zeros, NaN, the mean of all values), so such a row is let through unmasked and set
    to zero afterwards.
    """
    if explicit_is_faster is not None and explicit_is_faster(query, key):
        return scaled_dot_product_attention(query, key, value, mask, dropout_p, bias)[0]
    if key.shape[-2] != value.shape[-2]:  # some kernels would read past the end of the values
        raise ValueError(f"{key.shape[-2]} keys came with {value.shape[-2]} values.")
    check_mask(mask)
    if mask is None:
        return _fused(query, key, value, bias, dropout_p)
    mask = mask if mask.dim() > 1 else mask[None]  # (S,) -> (1, S), which the kernels want
    if mask.dtype != torch.bool:
        mask = additive_mask(mask, query.dtype)
    empty = blocked_rows(mask)  # (..., L, 1)
    if mask.dtype != torch.bool:
        keep = mask.masked_fill(empty, 0)  # (..., L, S), added
    elif bias is not None:
        keep = additive_mask(mask & ~empty, query.dtype)  # (..., L, S), added
    else:
        keep = empty | ~mask  # (..., L, S), the other way round
    keep = keep if bias is None else keep + bias
    output = _fused(query, key, value, keep, dropout_p)
    return output.masked_fill(empty, 0)  # (..., L, Dv)


def _fused(
    query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None, dropout_p: float
) -> Tensor:
    """Call the fused operation; `keep` is True where it may look, or added to the scores."""
    if keep is not None and keep.requires_grad and keep.device.type == "cpu":
        # No kernel here has a gradient for what is added.
        return scaled_dot_product_attention(query, key, value, None, dropout_p, keep)[0]
    if keep is not None and keep.dim() == 3 and query.dim() == 4:
        keep = keep[None]  # (H, L, S) -> (1, H, L, S), which the kernels want
    try:
        output = F.scaled_dot_product_attention(query, key, value, keep, dropout_p)
    except NotImplementedError:  # derivatives in forward mode: no kernel has them
        mask = ~keep if keep is not None and keep.dtype == torch.bool else keep
        return scaled_dot_product_attention(query, key, value, mask, dropout_p)[0]
    if dropout_p or not output.requires_grad or torch.compiler.is_compiling():
        return output
    return allow_second_derivative(output)


def attend(
    function: AttentionFunction | None,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    need_weights: bool = False,
    dropout_p: float = 0.0,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Attend in `(B, H, L, Dh)` by a function from outside, or by this file's own where it is None.

    A function from outside knows nothing of dropout: it is applied here to the weights it returns.
    It gets the bias, `(H, L, S)`, added to the mask.

    Returns:
        The output `(B, H, L, Dv)`, and the weights `(B, H, L, S)` or None.

    Raises:
        TypeError: weights are needed and the function returns none.
        ValueError: the function returns another shape.
    """
    if function is None and need_weights:
        return scaled_dot_product_attention(query, key, value, mask, dropout_p, bias)
    if function is None:
        return fused_attention(query, key, value, mask, dropout_p, bias), None
    result = function(query, key, value, merge_masks(bias, mask))
    output, weights = result if isinstance(result, tuple) else (result, None)
    expected = (*query.shape[:-1], value.shape[-1])
    if output.shape != expected:
        raise ValueError(
            f"The attention function returned an output of shape {tuple(output.shape)}; "
            f"expected {tuple(expected)}: one vector for each query."
        )
    if weights is None and (need_weights or dropout_p):
        raise TypeError(
            "The attention function returned the output alone; to record its weights, or to drop "
            "some of them in training, it must return (output, weights)."
        )
    if weights is not None and dropout_p:
        output = F.dropout(weights, dropout_p) @ value  # (B, H, L, Dv)
    return output, weights if need_weights else None


def split_heads(x: Tensor, nhead: int) -> Tensor:
    """Cut the last axis into heads, before the tokens: `(..., S, D)` to `(..., H, S, Dh)`.

    Raises:
        ValueError: D is not divisible by H.

    >>> split_heads(torch.arange(4).reshape(1, 1, 4), nhead=2).tolist()
    [[[[0, 1]], [[2, 3]]]]
    """
    if nhead < 1 or x.shape[-1] % nhead:
        raise ValueError(f"The width {x.shape[-1]} cannot be cut into {nhead} equal heads.")
    x = x.reshape(*x.shape[:-1], nhead, x.shape[-1] // nhead)  # (B, S, H, Dh)
    return x.transpose(-3, -2)  # (B, H, S, Dh)


def merge_heads(x: Tensor) -> Tensor:
    """Undo `split_heads`: `(..., H, S, Dh)` to `(..., S, D)`."""
    return x.transpose(-3, -2).flatten(-2)  # (B, S, H, Dh) -> (B, S, D)

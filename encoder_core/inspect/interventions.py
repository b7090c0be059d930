"""Change a running model: replace its attention function, ablate heads, patch heads.

Each function is a context manager for any model built from this package's `MultiheadAttention`.
After the block the model is unchanged, and a copy or a file made inside the block was never
changed.

Sources: Michel et al. 2019, "Are Sixteen Heads Really Better than One?", section 2.3 (ablating
heads); Vig et al. 2020, "Investigating Gender Bias in Language Models Using Causal Mediation
Analysis", section 3 (patching).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn

from encoder_core.attention import AttentionFunction
from encoder_core.multihead import MultiheadAttention

__all__ = ["ablate", "attention_function", "attentions_of", "patch"]

Head = tuple[int, int]


def attentions_of(model: nn.Module) -> list[tuple[str, MultiheadAttention]]:
    """Return a model's attentions with their names, in module order; a shared module appears once.

    Raises ValueError if there are none.
    """
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, MultiheadAttention)]
    if not found:
        raise ValueError(
            f"{type(model).__name__} has no encoder_core.MultiheadAttention to record or change."
        )
    return found


@contextmanager
def attention_function(model: nn.Module, function: AttentionFunction | None) -> Iterator[None]:
    """Replace the attention function of every layer.

    It is called as `function(query, key, value, mask)`; see `attention.AttentionFunction`. None is the
    package's own. Raises ValueError if the model has no `MultiheadAttention`.

    >>> import torch
    >>> from encoder_core.attention import scaled_dot_product_attention as attend
    >>> def hot(query, key, value, mask=None, temperature=10.0):
    ...     return attend(query / temperature, key, value, mask)
    >>> model, x = MultiheadAttention(8, 2), torch.randn(1, 3, 8)
    >>> with attention_function(model, hot):
    ...     output, _ = model(x, x, x)
    """
    attentions, entry = [attention for _, attention in attentions_of(model)], [function]
    try:
        for attention in attentions:
            attention.functions.append(entry)
        yield
    finally:
        for attention in attentions:
            attention.functions[:] = [one for one in attention.functions if one is not entry]


@contextmanager
def patch(model: nn.Module, heads: Mapping[Head, Tensor | float]) -> Iterator[None]:
    """Replace the outputs of heads.

    `heads` maps `(layer, head)`, both counted from 0, to a number or a tensor that broadcasts to
    `(B, L, Dh)`, such as `recording.heads[layer][:, head]` of another call. Raises ValueError if the
    model has no such layer or head.

    >>> import torch
    >>> model, x = MultiheadAttention(8, 2), torch.randn(1, 3, 8)
    >>> from encoder_core.inspect.recording import record
    >>> with record(model) as recording:
    ...     before, _ = model(x, x, x)
    >>> with patch(model, {(0, 1): recording.heads[0][:, 1]}):
    ...     bool((model(x, x, x)[0] - before).abs().max() < 1e-6)
    True
    """
    attentions = [attention for _, attention in attentions_of(model)]
    for layer, head in heads:
        if not (0 <= layer < len(attentions) and 0 <= head < attentions[layer].num_heads):
            raise ValueError(
                f"There is no head {head} in layer {layer}: this model has {len(attentions)} "
                f"layers of {attentions[0].num_heads} heads, both counted from 0."
            )
    changes = []
    try:
        for (layer, head), replacement in heads.items():
            change = partial(_replace_head, head, replacement)
            attentions[layer].changes.append(change)
            changes.append((attentions[layer], change))
        yield
    finally:
        for attention, change in changes:
            attention.changes.remove(change)


def _replace_head(head: int, replacement: Tensor | float, outputs: Tensor) -> Tensor:
    changed = outputs.clone()  # (B, H, L, Dh)
    changed[:, head] = replacement
    return changed


@contextmanager
def ablate(model: nn.Module, heads: Iterable[Head]) -> Iterator[None]:
    """Set the outputs of heads, pairs `(layer, head)` counted from 0, to zero.

    Raises ValueError if the model has no such layer or head.

    >>> import torch
    >>> model, x = MultiheadAttention(8, 2), torch.randn(1, 3, 8)
    >>> with ablate(model, {(0, 0), (0, 1)}):
    ...     model(x, x, x)[0].abs().sum().item()
    0.0
    """
    with patch(model, dict.fromkeys(heads, 0.0)):
        yield

"""Looking inside: record every layer's attention and hidden states, switch heads off, swap them.

All of it is done from outside, by context managers, on any model that is made of this package's
`MultiheadAttention`. While none is active a model computes exactly as without this file.

Sources: Michel et al. 2019, "Are Sixteen Heads Really Better than One?", section 2.3 (ablating
heads); Vig et al. 2020, "Investigating Gender Bias in Language Models Using Causal Mediation
Analysis" (patching).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn

from encoder_core.attention import AttentionFunction
from encoder_core.multihead import MultiheadAttention
from encoder_core.packing import Packing

__all__ = ["Recording", "ablate", "attention_function", "patch", "record"]

Head = tuple[int, int]


@dataclass
class Recording:
    """What a model computed in its last call within `record`.

    Tensors are as the model made them: on its device, part of the graph where gradients are on.
    Weights are those before dropout. Rows of padding mean nothing.

    Attributes:
        names: the attentions' names in the model, in the order of the lists below.
        attention: each attention's weights, `(B, H, L, S)`.
        heads: each attention's outputs by head, before they are projected back, `(B, H, L, Dh)`.
        hidden_states: what goes into the first layer, then what comes out of each, `(B, S, D)`.
        shapes: with `record(model, shapes=True)`, for each module called: its name, the shape of
            its first argument and that of its result (None where that is no tensor).

    >>> Recording().attention
    []
    """

    names: list[str] = field(default_factory=list)
    attention: list[Tensor] = field(default_factory=list)
    heads: list[Tensor] = field(default_factory=list)
    hidden_states: list[Tensor] = field(default_factory=list)
    shapes: list[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None]] = field(
        default_factory=list
    )

    def clear(self) -> None:
        """Forget everything, ready for the next call.

        >>> Recording(names=["a"]).clear()
        """
        for kept in (self.names, self.attention, self.heads, self.hidden_states, self.shapes):
            kept.clear()


def _attentions(model: nn.Module) -> list[tuple[str, MultiheadAttention]]:
    """List a model's attentions by name, in the order of its modules."""
    found = [(n, m) for n, m in model.named_modules() if isinstance(m, MultiheadAttention)]
    if not found:
        raise ValueError(
            f"{type(model).__name__} has no encoder_core.MultiheadAttention inside; there is "
            "nothing to record or to change."
        )
    return found


def _layers(model: nn.Module) -> Iterable[nn.Module]:
    """Find the first stack of layers: the first module list called `layers`."""
    for name, module in model.named_modules():
        if name.split(".")[-1] == "layers" and isinstance(module, nn.ModuleList):
            return module
    return ()


@contextmanager
def record(model: nn.Module, *, shapes: bool = False) -> Iterator[Recording]:
    """Record a model's calls; the recording holds the last one.

    The weights are built for it by the explicit attention, or by the function that the model
    attends with; outputs agree with those of an unrecorded call to rounding.

    Args:
        model: any model with this package's `MultiheadAttention` inside.
        shapes: whether to note every module's shapes too.

    Yields:
        The `Recording`; it stays readable after the block.

    Raises:
        ValueError: the model has no such attention.
        TypeError: in a call, the attention function returns no weights.

    >>> from encoder_core.pretrained import load_minilm
    >>> model, tokenizer = load_minilm()
    >>> with record(model) as recording:
    ...     hidden = model(tokenizer.batch(["two words"]).ids)
    >>> len(recording.attention), recording.attention[0].shape, len(recording.hidden_states)
    (6, torch.Size([1, 12, 4, 4]), 7)
    """
    recording = Recording()
    handles = [model.register_forward_pre_hook(lambda *_: recording.clear())]
    watchers = []
    for name, attention in _attentions(model):
        watch = partial(_note_attention, recording, name)
        attention.watchers.append(watch)
        watchers.append((attention, watch))
    for layer in _layers(model):
        note = partial(_note_hidden, recording)
        handles.append(layer.register_forward_hook(note, with_kwargs=True))
    for name, module in model.named_modules() if shapes else []:
        handles.append(module.register_forward_hook(partial(_note_shapes, recording, name)))
    try:
        yield recording
    finally:
        for handle in handles:
            handle.remove()
        for attention, watch in watchers:
            attention.watchers.remove(watch)


def _note_attention(recording: Recording, name: str, heads: Tensor, weights: Tensor) -> None:
    recording.names.append(name)
    recording.heads.append(heads)
    recording.attention.append(weights)


def _note_hidden(recording: Recording, _: Any, inputs: Any, named: Any, output: Any) -> None:
    packing = named.get("src_mask")
    for state in (output,) if recording.hidden_states else (inputs[0], output):
        unpacked = packing.unpack(state) if isinstance(packing, Packing) else state
        recording.hidden_states.append(unpacked)


def _note_shapes(recording: Recording, name: str, _: nn.Module, inputs: Any, output: Any) -> None:
    first = output[0] if isinstance(output, tuple) else output
    came = tuple(inputs[0].shape) if inputs and isinstance(inputs[0], Tensor) else None
    left = tuple(first.shape) if isinstance(first, Tensor) else None
    recording.shapes.append((name, came, left))


@contextmanager
def attention_function(model: nn.Module, function: AttentionFunction | None) -> Iterator[None]:
    """Let every layer of a model attend by another function, for a while.

    Args:
        model: any model with this package's `MultiheadAttention` inside.
        function: called as `function(query, key, value, mask)`; see `attention.AttentionFunction`.
            None is the package's own.

    Raises:
        ValueError: the model has no such attention.

    >>> import torch
    >>> from encoder_core.attention import scaled_dot_product_attention as attend
    >>> def hot(query, key, value, mask=None, temperature=10.0):
    ...     return attend(query / temperature, key, value, mask)
    >>> model, x = MultiheadAttention(8, 2), torch.randn(1, 3, 8)
    >>> with attention_function(model, hot), record(model) as recording:
    ...     output, _ = model(x, x, x)
    """
    attentions = [attention for _, attention in _attentions(model)]
    before = [attention.attention for attention in attentions]
    for attention in attentions:
        attention.attention = function
    try:
        yield
    finally:
        for attention, own in zip(attentions, before, strict=True):
            attention.attention = own


@contextmanager
def patch(model: nn.Module, heads: Mapping[Head, Tensor | float]) -> Iterator[None]:
    """Put other outputs in the place of some heads', for a while.

    Args:
        model: any model with this package's `MultiheadAttention` inside.
        heads: for `(layer, head)`, both counted from 0, what the head shall give: a number, or a
            tensor that broadcasts to `(B, L, Dh)`, such as `recording.heads[layer][:, head]` of
            another call.

    Raises:
        ValueError: the model has no such layer or head.

    Source: Vig et al. 2020, section 3.

    >>> import torch
    >>> model, x = MultiheadAttention(8, 2), torch.randn(1, 3, 8)
    >>> with record(model) as recording:
    ...     before, _ = model(x, x, x)
    >>> with patch(model, {(0, 1): recording.heads[0][:, 1]}):
    ...     bool((model(x, x, x)[0] - before).abs().max() < 1e-6)
    True
    """
    attentions = [attention for _, attention in _attentions(model)]
    for layer, head in heads:
        if not (0 <= layer < len(attentions) and 0 <= head < attentions[layer].num_heads):
            raise ValueError(
                f"There is no head {head} in layer {layer}: this model has {len(attentions)} "
                f"layers of {attentions[0].num_heads} heads, both counted from 0."
            )
    changes = []
    for (layer, head), replacement in heads.items():
        change = partial(_replace_head, head, replacement)
        attentions[layer].changes.append(change)
        changes.append((attentions[layer], change))
    try:
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
    """Switch heads off, for a while: their outputs are zero.

    Args:
        model: any model with this package's `MultiheadAttention` inside.
        heads: pairs `(layer, head)`, both counted from 0.

    Raises:
        ValueError: the model has no such layer or head.

    Source: Michel et al. 2019, section 2.3.

    >>> import torch
    >>> model, x = MultiheadAttention(8, 2), torch.randn(1, 3, 8)
    >>> with ablate(model, {(0, 0), (0, 1)}):
    ...     model(x, x, x)[0].abs().sum().item()
    0.0
    """
    with patch(model, dict.fromkeys(heads, 0.0)):
        yield

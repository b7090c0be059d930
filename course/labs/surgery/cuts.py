"""Many interventions in one forward pass: each row of the batch has something else cut out.

Sources: Michel et al. 2019, "Are Sixteen Heads Really Better than One?", section 2.3 (heads set to
zero); Vig et al. 2020, "Investigating Gender Bias in Language Models Using Causal Mediation
Analysis", section 3 (a component's output taken from another text).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from encoder_core.inspect.interventions import attentions_of
from encoder_core.multihead import MultiheadAttention

__all__ = [
    "NOTHING",
    "Cut",
    "Outputs",
    "Replacement",
    "cut_rows",
    "keep_outputs",
    "layers_of",
    "outputs_of",
]

Replacement = Literal["zero", "mean", "other"]


@dataclass(frozen=True)
class Cut:
    """What is cut out in one row of a batch.

    Attributes:
        heads: pairs `(layer, head)`.
        feed_forward: layers whose feed-forward network adds nothing.
        neurons: pairs `(layer, neuron)` of the feed-forward networks.
    """

    heads: frozenset[tuple[int, int]] = frozenset()
    feed_forward: frozenset[int] = frozenset()
    neurons: frozenset[tuple[int, int]] = frozenset()

    def __or__(self, other: Cut) -> Cut:
        return Cut(
            self.heads | other.heads,
            self.feed_forward | other.feed_forward,
            self.neurons | other.neurons,
        )


NOTHING = Cut()


@dataclass
class Outputs:
    """What a model computes for one text, by layer.

    Attributes:
        heads: `(H, S, Dh)` each, the heads' outputs.
        neurons: `(S, F)` each, after the activation.
        added: `(S, D)` each, what the feed-forward network adds.
    """

    heads: list[Tensor] = field(default_factory=list)
    neurons: list[Tensor] = field(default_factory=list)
    added: list[Tensor] = field(default_factory=list)


def layers_of(model: nn.Module) -> list[nn.Module]:
    """The encoder layers of a model: the modules with an attention, `linear1` and `linear2`.

    Raises:
        ValueError: the model has none, or not one attention a layer.
    """
    found = [
        module
        for module in model.modules()
        if isinstance(getattr(module, "linear2", None), nn.Linear)
        and isinstance(getattr(module, "self_attn", None), MultiheadAttention)
    ]
    attentions = [module for module in model.modules() if isinstance(module, MultiheadAttention)]
    if not found or len(attentions) != len(found):
        raise ValueError(
            "The surgery table needs encoder layers with `self_attn`, an encoder_core "
            "MultiheadAttention, and `linear2`: in other layers it can't tell the parts apart."
        )
    return found


@torch.no_grad()
def outputs_of(model: nn.Module, ids: Tensor) -> Outputs:
    """Run the model on one text, ids `(1, S)`, and keep what its parts give."""
    with keep_outputs(model) as outputs:
        model(ids)
    return outputs


@contextmanager
def keep_outputs(model: nn.Module) -> Iterator[Outputs]:
    """Within the block, keep what the parts give in a run of the model on one text, ids `(1, S)`."""
    outputs = Outputs()

    def keep_heads(heads: Tensor) -> Tensor:
        outputs.heads.append(heads[0])  # (B, H, S, Dh) -> (H, S, Dh)
        return heads

    with ExitStack() as stack:
        for (_, attention), layer in zip(attentions_of(model), layers_of(model), strict=True):
            stack.enter_context(_appended(attention.changes, keep_heads))
            linear2: Any = layer.linear2
            before = linear2.register_forward_pre_hook(
                lambda _, inputs: outputs.neurons.append(inputs[0][0])
            )
            after = linear2.register_forward_hook(
                lambda _, __, output: outputs.added.append(output[0])
            )
            stack.callback(before.remove)
            stack.callback(after.remove)
        yield outputs


@contextmanager
def cut_rows(
    model: nn.Module,
    cuts: Sequence[Cut],
    replace: Replacement = "zero",
    other: Outputs | None = None,
) -> Iterator[None]:
    """Within the block, row i of each batch of `len(cuts)` rows runs with `cuts[i]` cut out.

    What is cut is replaced by zero, by its mean over the places of the text, or by what it was for
    another text, place by place (`other`; places that text lacks are left alone).

    Raises:
        ValueError: as `layers_of`; "other" without outputs.
    """
    if replace == "other" and other is None:
        raise ValueError('replace="other" needs the outputs of another text.')
    with ExitStack() as stack:
        pairs = zip(attentions_of(model), layers_of(model), strict=True)
        for number, ((_, attention), layer) in enumerate(pairs):
            heads = _kept(cuts, number, "heads", attention.num_heads)
            if heads is not None:  # (B, H)
                theirs = other.heads[number] if replace == "other" and other else None
                change = _Change(heads[:, :, None, None], replace, theirs)
                stack.enter_context(_appended(attention.changes, change))
            linear2: Any = layer.linear2
            neurons = _kept(cuts, number, "neurons", linear2.in_features)
            if neurons is not None:  # (B, F)
                theirs = other.neurons[number] if replace == "other" and other else None
                change = _Change(neurons[:, None, :], replace, theirs)
                handle = linear2.register_forward_pre_hook(
                    lambda _, inputs, change=change: (change(inputs[0]),)
                )
                stack.callback(handle.remove)
            added = torch.tensor([number not in cut.feed_forward for cut in cuts])  # (B,)
            if not added.all():
                theirs = other.added[number] if replace == "other" and other else None
                change = _Change(added[:, None, None], replace, theirs)
                handle = linear2.register_forward_hook(
                    lambda _, __, output, change=change: change(output)
                )
                stack.callback(handle.remove)
        yield


def _kept(cuts: Sequence[Cut], layer: int, kind: str, count: int) -> Tensor | None:
    """Booleans `(B, count)`, False where a row has that part of the layer cut; None if no row has."""
    kept = torch.ones(len(cuts), count, dtype=torch.bool)
    for row, cut in enumerate(cuts):
        for at, part in getattr(cut, kind):
            if at == layer:
                kept[row, part] = False
    return None if bool(kept.all()) else kept


@dataclass(frozen=True, eq=False)
class _Change:
    """Replaces outputs `(B, ..., S, E)` where `kept`, which broadcasts to them, is False."""

    kept: Tensor
    replace: Replacement
    theirs: Tensor | None

    def __call__(self, outputs: Tensor) -> Tensor:
        if self.replace == "zero":
            return outputs.masked_fill(~self.kept, 0.0)
        if self.theirs is None:
            replaced = outputs.mean(dim=-2, keepdim=True).expand_as(outputs)
        else:
            shared = min(outputs.shape[-2], self.theirs.shape[-2])
            replaced = outputs.clone()
            replaced[..., :shared, :] = self.theirs[..., :shared, :]
        return torch.where(self.kept, outputs, replaced)


@contextmanager
def _appended(changes: list[Any], change: Any) -> Iterator[None]:
    changes.append(change)
    try:
        yield
    finally:
        changes.remove(change)

"""On what an encoder layer is tried: two exercises ask for one.

In evaluation its output must be that of `torch.nn.TransformerEncoderLayer` with the same state
dict. In training, dropout is judged by its distribution (see `layer_dropout`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course.checking.exercise import Case, tags
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises.encoder_layer import dropout as layer_dropout
from course.content.stacking.exercises.encoder_layer import drops as layer_drops
from course.content.stacking.exercises.encoder_layer import parts as layer_parts
from course.content.stacking.exercises.encoder_layer.dropout import weights_of

SIGNATURE = (
    "(d_model, nhead, dim_feedforward, dropout=0.1, norm_first=False), "
    "forward(src, src_mask=None, src_key_padding_mask=None)"
)
RESULTS = ("output", "number of parameters that are trained")
CLUES = (
    (
        "evaluation mode",
        "what is wrong is dropout, or something else that is done in training only.",
    ),
)


def harness(cls: Any) -> Callable[..., Any]:
    """Make a layer, load a state dict into it, call it; an argument that is None is left to its default."""

    def run(
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float | None,
        norm_first: bool | None,
        src: Tensor,
        src_mask: Tensor | None,
        src_key_padding_mask: Tensor | None,
        weights: dict[str, Tensor],
        training: bool,
    ) -> tuple[Any, int]:
        sizes = d_model, nhead, dim_feedforward
        with torch._C.DisableTorchFunction():  # where a layer is made is not its own affair
            layer = _made(cls, sizes, dropout, norm_first, src, weights).train(training)
        masks: dict[str, Tensor] = {}
        if src_mask is not None:
            masks["src_mask"] = src_mask
        if src_key_padding_mask is not None:
            masks["src_key_padding_mask"] = src_key_padding_mask
        trained = sum(p.numel() for p in layer.parameters() if p.requires_grad)
        return layer(src, **masks), trained

    return run


def _made(
    cls: Any,
    sizes: tuple[int, int, int],
    dropout: float | None,
    norm_first: bool | None,
    src: Tensor,
    weights: dict[str, Tensor],
) -> Any:
    given: dict[str, Any] = {"dropout": dropout, "norm_first": norm_first}
    given = {name: value for name, value in given.items() if value is not None}
    layer = cls(*sizes, **given)
    layer = layer.to(device=src.device, dtype=src.dtype)
    _load(layer, weights)
    return layer


def finds(cls: Any, failed: Sequence[Case]) -> list[str]:
    """What the layer's parts are given wrongly, in the forms in which it fails; where dropout fails."""
    if all(layer_dropout.is_trained(case) for case in failed):
        seen = layer_drops.finds(cls, _made)
        return layer_dropout.finds(harness(cls), failed, seen)
    said: dict[str, list[str]] = {}
    for case in layer_parts.chosen(failed):
        dropout, norm_first, src, _, _, weights = case.args[3:9]
        layer = _made(cls, case.args[:3], dropout, norm_first, src, weights).eval()
        for sentence in layer_parts.finds(layer, case.args):
            said.setdefault(sentence, []).append("pre-norm" if norm_first else "post-norm")
    return [
        sentence if len(forms) > 1 else f"in {forms[0]}, {sentence}"
        for sentence, forms in said.items()
    ]


def _load(layer: Any, weights: dict[str, Tensor]) -> None:
    """Load a state dict; what does not fit is told in the learner's words."""
    given = {name: value.detach() for name, value in weights.items()}
    try:
        layer.load_state_dict(given)
    except RuntimeError:
        own = layer.state_dict()
        lacking = [name for name in given if name not in own]
        more = [name for name in own if name not in given]
        parts = []
        if lacking:
            parts.append(f"the layer has no {', '.join(lacking)}")
        if more:
            parts.append(f"it has {', '.join(more)}, which torch's layer has not")
        parts += [
            f"its {name} is {tuple(own[name].shape)} and should be {tuple(value.shape)}"
            for name, value in given.items()
            if name in own and own[name].shape != value.shape
        ]
        if not parts:
            raise
        raise ValueError(
            "it can't load the state dict of nn.TransformerEncoderLayer: " + "; ".join(parts)
        ) from None


def _evaluated(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int, int],
    norm_first: bool,
    *names: str,
    mask: Tensor | None = None,
    padding: Tensor | None = None,
    **more: Any,
) -> Case:
    batch, length, nhead, d_head, width = sizes
    d_model = nhead * d_head
    weights = more.pop("weights", None) or weights_of(draw, d_model, width)
    src = more.pop("src", None)
    src = draw.normal(batch, length, d_model) if src is None else src
    given = (None, None) if more.pop("no_keyword", False) else (0.1, norm_first)
    args = (d_model, nhead, width, *given, src, mask, padding, weights, False)
    named = {"B": batch, "S": length, "H": nhead, "D": d_model, "F": width}
    about = ("pre-norm" if norm_first else "post-norm", "evaluation mode")
    masks = [("src_mask", mask), ("src_key_padding_mask", padding)]
    masked = [name for name, tensor in masks if tensor is not None]
    idle = _idle(batch, length, mask, padding)
    regions = {"rows of tokens that may look at nothing": idle} if idle.any() else {}
    name = "pre-norm" if norm_first else "post-norm"
    return Case(
        args, f"{name}, {says}", named, tags(*about, *masked, *names), regions=regions, **more
    )


def _idle(batch: int, length: int, mask: Tensor | None, padding: Tensor | None) -> Tensor:
    """Which tokens may look at nothing, (B, S, 1)."""
    blocked = torch.zeros(batch, length, length, dtype=torch.bool)
    if mask is not None:
        blocked = blocked | mask
    if padding is not None:
        blocked = blocked | padding.unsqueeze(1)
    return blocked.all(-1, keepdim=True)


@functools.cache
def _first_use() -> None:
    """What torch loads when attention is first given a mask, seconds' worth: not on an answer's time."""
    padding = torch.zeros(1, 1, dtype=torch.bool)
    x = torch.zeros(1, 1, 2)
    with torch.random.fork_rng(devices=()):
        nn.MultiheadAttention(2, 1, batch_first=True)(x, x, x, key_padding_mask=padding)


def cases(seed: int) -> list[Case]:
    """All trials of an encoder layer."""
    _first_use()
    draw = Draw(seed)
    evaluated = [
        case
        for norm_first in (False, True)
        for case in (*_plain(draw, norm_first), *_masked(draw, norm_first))
    ]
    return [*evaluated, *_in_one_form(draw), *layer_dropout.cases()]


def _plain(draw: Draw, norm_first: bool) -> list[Case]:
    """Without masks: both parts, and each of them alone."""
    no_attention, no_network = weights_of(draw, 6, 8), weights_of(draw, 6, 8)
    for weights, part in ((no_attention, "self_attn.out_proj"), (no_network, "linear2")):
        weights[f"{part}.weight"].zero_()
        weights[f"{part}.bias"].zero_()
    sizes = (2, 3, 2, 3, 8)
    return [
        _evaluated(draw, "1 text of 2 tokens, 1 head", (1, 2, 1, 3, 4), norm_first, "no mask"),
        _evaluated(draw, "2 texts of 3 tokens, 2 heads", (2, 3, 2, 4, 5), norm_first, "no mask"),
        _evaluated(
            draw, "an attention that gives 0", sizes, norm_first, "no mask", weights=no_attention
        ),
        _evaluated(
            draw,
            "a feed-forward network that gives 0",
            sizes,
            norm_first,
            "no mask",
            weights=no_network,
        ),
    ]


def _masked(draw: Draw, norm_first: bool) -> list[Case]:
    """A mask, padding, both, and a token that may look at nothing."""
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    padding = torch.arange(4) >= torch.tensor([[4], [2], [3]])
    some = draw.mask(4, 4, blocked=0.2).logical_and(~torch.eye(4, dtype=torch.bool))
    nothing = draw.mask(4, 4)
    nothing[1] = True  # token 1 may look at nothing
    return [
        _evaluated(draw, "a causal mask", (2, 5, 2, 3, 8), norm_first, mask=causal),
        _evaluated(
            draw, "texts of 4, 2 and 3 tokens", (3, 4, 2, 3, 8), norm_first, padding=padding
        ),
        _evaluated(
            draw,
            "both masks",
            (2, 4, 3, 2, 8),
            norm_first,
            "both masks",
            mask=some,
            padding=padding[:2],
        ),
        _evaluated(
            draw,
            "a token that may look at nothing",
            (2, 4, 2, 3, 5),
            norm_first,
            "a token that may look at nothing",
            mask=nothing,
            differentiable=False,
        ),
    ]


def _in_one_form(draw: Draw) -> list[Case]:
    """What does not depend on where the norms stand."""
    no_attention = weights_of(draw, 6, 8)
    no_attention["self_attn.out_proj.weight"].zero_()
    no_attention["self_attn.out_proj.bias"].zero_()
    strong = weights_of(draw, 6, 8)
    strong["linear1.bias"][2] += 9.0
    empty = torch.arange(3) >= torch.tensor([[3], [0]])  # the second text is padding only
    return [
        _evaluated(draw, "as many texts as tokens", (3, 3, 2, 2, 7), False, "no mask", "B = S"),
        _evaluated(
            draw,
            "a neuron whose number is near 9",
            (2, 3, 2, 3, 8),
            True,
            "no mask",
            "a large hidden number",
            weights=strong,
            dtypes=("float64", "float32"),
        ),
        _evaluated(
            draw,
            "a text that is padding only",
            (2, 3, 2, 3, 5),
            True,
            "a token that may look at nothing",
            padding=empty,
            differentiable=False,
        ),
        _evaluated(
            draw,
            "tokens of the size 0.01, where eps counts",
            (2, 3, 2, 3, 8),
            False,
            "no mask",
            "small tokens",
            weights=no_attention,
            src=draw.normal(2, 3, 6) * 0.01,
            dtypes=("float64",),
            differentiable=False,
        ),
        _evaluated(
            draw,
            "made with d_model, nhead and dim_feedforward alone",
            (2, 3, 2, 3, 7),
            False,
            "no mask",
            "an argument left to its default",
            no_keyword=True,
            dtypes=("float64",),
            differentiable=False,
        ),
    ]

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
from course.checking.exercise.cases import DOUBLE, FLAT, FULL, holding
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


_NOTHING = "a token that may look at nothing"


def _evaluated(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int, int],
    norm_first: bool,
    names: tuple[str, ...] = (),
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
    form = "pre-norm" if norm_first else "post-norm"
    masks = [("src_mask", mask), ("src_key_padding_mask", padding)]
    masked = [name for name, tensor in masks if tensor is not None]
    masked += {0: ["no mask"], 1: [], 2: ["both masks"]}[len(masked)]
    idle = _idle(batch, length, mask, padding)
    if idle.any():
        more = {"regions": {"rows of tokens that may look at nothing": idle}, **FLAT, **more}
        masked.append(_NOTHING)
    about = tags(form, "evaluation mode", *masked, *names, *holding({"B = S": "B = S"}, named))
    return Case(args, f"{form}, {says}", named, about, **more)


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


def _silent(draw: Draw, part: str) -> dict[str, Tensor]:
    """Weights with which a part gives 0."""
    weights = weights_of(draw, 6, 8)
    for kind in ("weight", "bias"):
        weights[f"{part}.{kind}"].zero_()
    return weights


def _plain(draw: Draw, norm_first: bool) -> list[Case]:
    """Without masks: both parts, and each of them alone."""
    case = functools.partial(_evaluated, draw, norm_first=norm_first)
    quiet, mute = _silent(draw, "self_attn.out_proj"), _silent(draw, "linear2")
    return [
        case("1 text of 2 tokens, 1 head", (1, 2, 1, 3, 4)),
        case("2 texts of 3 tokens, 2 heads", (2, 3, 2, 4, 5)),
        case("an attention that gives 0", (2, 3, 2, 3, 8), weights=quiet),
        case("a feed-forward network that gives 0", (2, 3, 2, 3, 8), weights=mute),
    ]


def _masked(draw: Draw, norm_first: bool) -> list[Case]:
    """A mask, padding, both, and a token that may look at nothing."""
    case = functools.partial(_evaluated, draw, norm_first=norm_first)
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    padding = torch.arange(4) >= torch.tensor([[4], [2], [3]])
    some = draw.mask(4, 4, blocked=0.2).logical_and(~torch.eye(4, dtype=torch.bool))
    nothing = draw.mask(4, 4)
    nothing[1] = True  # token 1 may look at nothing
    return [
        case("a causal mask", (2, 5, 2, 3, 8), mask=causal),
        case("texts of 4, 2 and 3 tokens", (3, 4, 2, 3, 8), padding=padding),
        case("both masks", (2, 4, 3, 2, 8), mask=some, padding=padding[:2]),
        case(_NOTHING, (2, 4, 2, 3, 5), mask=nothing),
    ]


def _in_one_form(draw: Draw) -> list[Case]:
    """What does not depend on where the norms stand."""
    pre, post = (functools.partial(_evaluated, draw, norm_first=first) for first in (True, False))
    quiet = _silent(draw, "self_attn.out_proj")
    strong = weights_of(draw, 6, 8)
    strong["linear1.bias"][2] += 9.0
    empty = torch.arange(3) >= torch.tensor([[3], [0]])  # the second text is padding only
    sizes, of_7 = (2, 3, 2, 3, 8), (2, 3, 2, 3, 7)
    large, small = "a large hidden number", "small tokens"
    near_9, tiny = "a neuron whose number is near 9", "tokens of the size 0.01, where eps counts"
    alone = "made with d_model, nhead and dim_feedforward alone"
    default = "an argument left to its default"
    return [
        post("as many texts as tokens", (3, 3, 2, 2, 7)),
        pre(near_9, sizes, names=(large,), weights=strong, **FULL),
        pre("a text that is padding only", (2, 3, 2, 3, 5), padding=empty),
        post(tiny, sizes, names=(small,), weights=quiet, src=draw.normal(2, 3, 6) * 0.01, **DOUBLE),
        post(alone, of_7, names=(default,), no_keyword=True, **DOUBLE),
    ]

"""The walk itself: every step of an encoder on a batch, computed one by one and kept.

Between the steps nothing is hidden: each is one line of `encoder_core`. At the end of each layer
they are compared with what the layer itself gives, and it is the layer's own output that goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from course.labs.attention.encoders import Tokens, embed_fresh
from course.labs.faults import OwnFailed
from course.labs.shapes.encoders import Parts, batch_of, parts_of, weights_of
from course.labs.shapes.settings import Settings, check_settings
from course.labs.shapes.steps import ATTENTION, NETWORK, POST, PRE
from course.system.threads import one_thread
from encoder_core.attention import masked_softmax, merge_heads, split_heads
from encoder_core.embeddings import InputEmbedding
from encoder_core.models.bert import BertEmbeddings
from encoder_core.models.modes import evaluating
from encoder_core.models.pooling import masked_mean
from encoder_core.text.encodings import Batch

Floats = NDArray[np.float32]
ALIKE = (
    1e-3  # how far a layer's own output may be from the steps', as a share of its largest number
)


@dataclass(frozen=True)
class Step:
    """One step's result.

    Attributes:
        kind: a key of `steps.KINDS`.
        layer: which layer, or None outside of them.
        numbers: its numbers, with the axes that its kind names; tokens and ids as numbers.
        norm_first: whether its layer is pre-norm.
    """

    kind: str
    layer: int | None
    numbers: NDArray[Any]
    norm_first: bool = False


@dataclass(frozen=True)
class Trace:
    """A whole walk.

    Attributes:
        name: which encoder.
        steps: all steps, first to last.
        labels: the tokens of each text, with its [PAD]s.
        padding: `(B, S)` bool, True at padding.
        heads: H.
        layers: how many layers.
        sizes: the letters of the shapes and what they are here.
        remark: what does not fit, in a sentence; or nothing.
    """

    name: str
    steps: tuple[Step, ...]
    labels: tuple[tuple[str, ...], ...]
    padding: NDArray[np.bool_]
    heads: int
    layers: int
    sizes: dict[str, int]
    remark: str = ""


def compute(settings: Settings, model: nn.Module | None = None) -> Trace:
    """Send the texts through the encoder and keep every step.

    Args:
        settings: what was set.
        model: the learner's own encoder, where `settings.encoder` is `"own"`: it holds its layers
            in an `nn.ModuleList` called `layers`, each with the weights of
            `torch.nn.TransformerEncoderLayer`.

    Returns:
        The walk.

    Raises:
        InvalidSetting: the settings cannot be; the text says why.
        OwnFailed: the learner's own encoder raised or cannot be taken apart.

    >>> trace = compute(Settings("A cat.", "", "fresh", layers=1))
    >>> [step.numbers.shape for step in trace.steps if step.kind == "scores"]
    [(1, 4, 5, 5)]
    """
    check_settings(settings)
    batch = batch_of(settings.text, settings.second, settings.checkpoint)
    parts = parts_of(settings, model)
    norms = [] if parts.norm is None else [parts.norm]
    with one_thread(), torch.no_grad(), evaluating(*parts.layers, *norms):
        return _walk(parts, batch)


def _walk(parts: Parts, batch: Batch) -> Trace:
    steps = [Step("tokens", None, _numbers(batch.ids)), Step("ids", None, _numbers(batch.ids))]
    steps.append(Step("padding", None, batch.padding_mask.numpy()))
    x = batch.ids.float()
    for kind, x in _embed(parts, batch):
        steps.append(Step(kind, None, _numbers(x)))
    mask = batch.padding_mask[:, None, None, :] if bool(batch.padding_mask.any()) else None
    heads, remark = 1, ""
    for number, layer in enumerate(parts.layers):
        if parts.own:
            output = _call(layer, x, batch.padding_mask, number)
            of_layer, form, apart = _like(layer, x, mask, output, ~batch.padding_mask)
            remark = remark or _differs(parts.name, number, apart)
        else:  # a test holds the steps and these layers together
            form = next(_forms(layer, parts.d_model))
            of_layer = layer_steps(weights_of(layer), x, mask, form)
            output = of_layer[list(of_layer)[-1]]
        heads = form.heads
        steps += [Step(kind, number, _numbers(y), form.norm_first) for kind, y in of_layer.items()]
        x = output
    if parts.norm is not None:
        x = parts.norm(x)
        steps.append(Step("final", None, _numbers(x)))
    pooled = masked_mean(x, batch.padding_mask)  # (B, D)
    steps.append(Step("pooled", None, _numbers(pooled)))
    steps.append(Step("unit", None, _numbers(F.normalize(pooled, dim=-1))))
    inner = parts.layers[0].state_dict()["linear1.weight"].shape[0]
    size = {"B": len(batch.ids), "S": batch.ids.shape[1], "D": parts.d_model, "H": heads}
    return Trace(
        name=parts.name,
        steps=tuple(steps),
        labels=_labels(batch),
        padding=batch.padding_mask.numpy(),
        heads=heads,
        layers=len(parts.layers),
        sizes={**size, "Dh": parts.d_model // heads, "3D": 3 * parts.d_model, "F": inner},
        remark=remark,
    )


def _differs(name: str, number: int, apart: float) -> str:
    if apart <= ALIKE:
        return ""
    return (
        f"Layer {number} of {name} does not give what these steps give: its output differs by "
        f"{apart:.2g} of its largest number. The steps inside of it are those of an encoder layer "
        "with its weights; the next layer goes on with its own output."
    )


def _labels(batch: Batch) -> tuple[tuple[str, ...], ...]:
    length = batch.ids.shape[1]
    return tuple(
        (*encoding.tokens, *["[PAD]"] * (length - len(encoding))) for encoding in batch.encodings
    )


def _numbers(tensor: Tensor) -> NDArray[Any]:
    kept = tensor.detach().cpu()
    return kept.float().numpy() if kept.is_floating_point() else kept.numpy()


# Before the layers


def _embed(parts: Parts, batch: Batch) -> Iterator[tuple[str, Tensor]]:
    """The steps from ids to what goes into the first layer, `(B, S, D)`."""
    embeddings = parts.embeddings
    length = batch.ids.shape[1]
    if isinstance(embeddings, BertEmbeddings):
        rows = embeddings.token(batch.ids)  # (B, S, D)
        yield "bert.rows", rows
        place = embeddings.position(torch.arange(embeddings.first, embeddings.first + length))
        yield "bert.positions", place  # (S, D)
        x = rows + place
        yield "bert.sum", x
        if embeddings.segment is not None:
            x = x + embeddings.segment(torch.zeros_like(batch.ids))
            yield "bert.segments", x
        yield "bert.norm", embeddings.norm(x)
    elif isinstance(embeddings, InputEmbedding):
        x = embeddings.token(batch.ids)  # (B, S, D)
        yield "text.rows", x
        if embeddings.positions is not None:
            yield "text.positions", embeddings.positions(x)
    else:
        rows = [embed_fresh(_tokens(ids), parts.d_model, 0) for ids in batch.ids.tolist()]
        yield "own.embedded", torch.cat(rows)


def _tokens(ids: list[int]) -> Tokens:
    return Tokens(("",) * len(ids), tuple(ids), (0,) * len(ids), len(ids))


# A layer


@dataclass(frozen=True)
class Form:
    """What a layer's weights do not tell."""

    heads: int
    norm_first: bool
    activation: Callable[[Tensor], Tensor]
    eps: float


def _call(layer: nn.Module, x: Tensor, padding: Tensor, number: int) -> Tensor:
    """What the layer itself makes of x.

    Raises:
        OwnFailed: it raised or returned another shape.
    """
    try:
        output: Any = layer(x, src_key_padding_mask=padding if bool(padding.any()) else None)
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise OwnFailed(f"Your layer {number} raised {type(error).__name__}: {first}") from error
    if not isinstance(output, Tensor) or output.shape != x.shape:
        what = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise OwnFailed(f"Your layer {number} returned {what}; expected {tuple(x.shape)}.")
    return output


def _like(
    layer: nn.Module, x: Tensor, mask: Tensor | None, output: Tensor, real: Tensor
) -> tuple[dict[str, Tensor], Form, float]:
    """All steps of a layer in the form that gives its own output; else in the first, and how far off."""
    weights = weights_of(layer)
    size = float(output[real].abs().max()) or 1.0
    tried = []
    for form in _forms(layer, x.shape[-1]):
        steps = layer_steps(weights, x, mask, form)
        apart = float((steps[list(steps)[-1]] - output)[real].abs().max()) / size
        tried.append((steps, form, apart if math.isfinite(apart) else math.inf))
        if tried[-1][2] <= ALIKE:
            return tried[-1]
    return tried[0]


def _forms(layer: nn.Module, d_model: int) -> Iterator[Form]:
    """What the layer says of itself first, then all else that it could be."""
    attention = getattr(layer, "self_attn", None)
    said = getattr(attention, "num_heads", None) or getattr(layer, "nhead", None)
    divisors = [count for count in range(1, d_model + 1) if d_model % count == 0]
    heads = [said] if isinstance(said, int) and said in divisors else divisors
    first = bool(getattr(layer, "norm_first", False))
    eps = float(getattr(getattr(layer, "norm1", None), "eps", 1e-5))
    own = getattr(layer, "activation", None)
    bends: list[Callable[[Tensor], Tensor]] = [own] if callable(own) else []
    for norm_first, bend, count in product((first, not first), (*bends, F.relu, F.gelu), heads):
        yield Form(count, norm_first, bend, eps)


def layer_steps(
    weights: dict[str, Tensor], x: Tensor, mask: Tensor | None, form: Form
) -> dict[str, Tensor]:
    """Every step of one layer.

    Args:
        weights: by `torch.nn.TransformerEncoderLayer`'s names.
        x: `(B, S, D)`.
        mask: broadcasts to `(B, H, S, S)`, True is blocked; None blocks nothing.
        form: heads, place of the norms, activation.

    Returns:
        The steps of `steps.POST` or `steps.PRE` by name, in order; the last is the layer's output.
    """
    made: dict[str, Tensor] = {}

    def norm(name: str, y: Tensor) -> Tensor:
        made[name] = F.layer_norm(
            y, y.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], form.eps
        )
        return made[name]

    for number, sublayer in ((1, _attend), (2, _feed_forward)):
        went_in = norm(f"norm{number}", x) if form.norm_first else x
        made[f"residual{number}"] = x + sublayer(weights, went_in, mask, form, made)
        x = made[f"residual{number}"]
        if not form.norm_first:
            x = norm(f"norm{number}", x)
    return {name: made[name] for name in (PRE if form.norm_first else POST)}


def _attend(
    weights: dict[str, Tensor], x: Tensor, mask: Tensor | None, form: Form, made: dict[str, Tensor]
) -> Tensor:
    w_in, b_in = weights["self_attn.in_proj_weight"], weights["self_attn.in_proj_bias"]
    projected = F.linear(x, w_in, b_in)  # (B, S, 3D)
    query, key, value = projected.chunk(3, dim=-1)  # (B, S, D) each
    q, k, v = (split_heads(part, form.heads) for part in (query, key, value))  # (B, H, S, Dh)
    scaled = q / math.sqrt(q.shape[-1])  # (B, H, S, Dh)
    fit = scaled @ k.transpose(-2, -1)  # (B, H, S, S)
    masked = fit if mask is None else fit.masked_fill(mask, -torch.inf)  # (B, H, S, S)
    attention = masked_softmax(masked)  # (B, H, S, S)
    weighted = attention @ v  # (B, H, S, Dh)
    merged = merge_heads(weighted)  # (B, S, D)
    out = F.linear(merged, weights["self_attn.out_proj.weight"], weights["self_attn.out_proj.bias"])
    results = (
        projected, query, key, value, q, k, v, scaled, fit, masked, attention, weighted, merged, out,
    )  # fmt: skip
    made.update(zip(ATTENTION, results, strict=True))
    return out


def _feed_forward(
    weights: dict[str, Tensor], x: Tensor, _: Tensor | None, form: Form, made: dict[str, Tensor]
) -> Tensor:
    wide = F.linear(x, weights["linear1.weight"], weights["linear1.bias"])  # (B, S, F)
    bent = form.activation(wide)  # (B, S, F)
    narrow = F.linear(bent, weights["linear2.weight"], weights["linear2.bias"])  # (B, S, D)
    made.update(zip(NETWORK, (wide, bent, narrow), strict=True))
    return narrow

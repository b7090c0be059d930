"""Where a layer in training drops numbers: what goes into and comes out of its parts, held side by side.

One pass is enough: each number of what is added should be 0 or 1 / (1 - p) times what the part gave, and
what goes on should be what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course.checking.exercise.draw import Draw
from course.checking.exercise.wording import told_apart
from course.content.stacking.exercises.encoder_layer.dropout import PLACES, P, weights_of

_PARTS = ("norm1", "self_attn", "norm2", "linear1", "linear2")
_SIZES = (24, 1, 40)  # D, H, F
_SCALE = 1 / (1 - P)
_FAR = 0.15  # more than six standard deviations of the share that is dropped of 300 numbers
_PATH = "dropout belongs to what a sub-layer makes, before x is added to it, and the direct path stays whole"


class Pass(NamedTuple):
    """What went into each part and what it gave, (B, S, ...), and the layer's output (B, S, D)."""

    given: dict[str, Tensor]
    gave: dict[str, Tensor]
    output: Tensor


def finds(cls: Any, make: Callable[..., Any]) -> list[str]:
    """Where dropout is missing, wrong or too much, in each form; empty where nothing of it is seen.

    `make(cls, sizes, p, norm_first, src, weights)` makes a layer.
    """
    told: dict[str, list[str]] = {}
    for norm_first, form in ((True, "pre-norm"), (False, "post-norm")):
        draw = Draw(4)
        src = draw.normal(6, 5, _SIZES[0])
        weights = weights_of(draw, _SIZES[0], _SIZES[2])
        seen, layer = None, make(cls, _SIZES, P, norm_first, src, weights)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            seen = _passed(layer.train(), src)
        for sentence in [] if seen is None else _of(seen, layer, src, norm_first):
            told.setdefault(sentence, []).append(form)
    return [
        sentence if len(forms) > 1 else f"in {forms[0]}, {sentence}"
        for sentence, forms in told.items()
    ]


def _passed(layer: nn.Module, src: Tensor) -> Pass | None:
    """One pass through a layer that calls each of its parts once; None where it does not."""
    given: dict[str, Tensor] = {}
    gave: dict[str, Tensor] = {}
    called: list[str] = []
    handles = []
    for name in _PARTS:
        part = getattr(layer, name, None)
        if not isinstance(part, nn.Module):
            return None

        def note(_: Any, args: Any, named: dict[str, Any], output: Any, name: str = name) -> None:
            given[name] = next(iter((*args, *named.values()))).detach().clone()
            gave[name] = (output[0] if isinstance(output, tuple) else output).detach().clone()
            called.append(name)

        handles.append(part.register_forward_hook(note, with_kwargs=True))
    try:
        output = layer(src.clone()).detach()
    finally:
        for handle in handles:
            handle.remove()
    return Pass(given, gave, output) if sorted(called) == sorted(_PARTS) else None


def _of(seen: Pass, layer: Any, src: Tensor, norm_first: bool) -> list[str]:
    """What is wrong on the way through a layer, from its beginning to its end."""
    given, gave = seen.given, seen.gave
    into_attention = gave["norm1"] if norm_first else src
    into_network = gave["norm2"] if norm_first else gave["norm1"]
    first, second = (
        (given["norm2"], seen.output) if norm_first else (given["norm1"], given["norm2"])
    )
    told = [
        f"what goes into the {part} is dropped: {_PATH}"
        for part, came, right in (
            ("attention", given["self_attn"], into_attention),
            ("feed-forward network", given["linear1"], into_network),
        )
        if _is_dropped(came, right)
    ]
    told += _of_the_weights(layer.self_attn)
    told += _of_a_sum(PLACES[1], first, src, gave["self_attn"])
    told += _of_a_part(PLACES[2], given["linear2"], gave["linear1"].relu())
    told += _of_a_sum(
        PLACES[3], second, given["norm2"] if norm_first else gave["norm1"], gave["linear2"]
    )
    if not norm_first and _is_dropped(seen.output, gave["norm2"]):
        told.append(
            "something is dropped after the last norm: a post-norm layer ends with the norm"
        )
    return told


def _of_the_weights(attention: Any) -> list[str]:
    if not isinstance(attention, nn.MultiheadAttention) or attention.dropout == P:
        return []
    return [
        f"{PLACES[0]}: the rate of nn.MultiheadAttention's own dropout is {told_apart(attention.dropout, P, 2)[0]}, and should be {P:g}"
    ]


def _of_a_sum(place: str, came: Tensor, x: Tensor, made: Tensor) -> list[str]:
    """What is wrong with x + dropout(made); nothing where it is something else than dropout."""
    if _share(came) > P / 3:  # no number of x is 0
        return [f"{place}: the whole sum is dropped, x and all; {_PATH}"]
    if (came - x).abs().max() > 1e-9 and _consists_of(came, x, made):
        return [f"{place}: x itself is dropped; {_PATH}"]
    return _of_a_part(place, came - x, made)


def _consists_of(came: Tensor, x: Tensor, made: Tensor) -> bool:
    """Whether each number is dropout of x plus dropout of what was made, and x is dropped somewhere."""
    found = torch.zeros_like(came, dtype=torch.bool)
    for factor in (0.0, 1.0, _SCALE):
        found |= (came - _SCALE * x - factor * made).abs() < 1e-6
    return bool(found.double().mean() > (1 - P) / 2)


def _of_a_part(place: str, came: Tensor, made: Tensor) -> list[str]:
    """What is wrong with dropout(made); nothing where it is no multiple of what was made."""
    factors = _factors(came, made)
    left = factors[factors.abs() > 1e-9]
    if factors.numel() == 0 or (left.numel() and (left - left[0]).abs().max() > 1e-6):
        return []
    share = 1 - left.numel() / factors.numel()
    kept = left[0].item() if left.numel() else _SCALE
    said = _of_the_share(share, kept) or _of_rows(came, made)
    return [f"{place}: {said}"] if said else []


def _of_the_share(share: float, kept: float) -> str:
    """What a share of zeros and the factor of all others say of a dropout."""
    if share == 0 and abs(kept - 1) < 1e-6:
        return f"nothing is dropped, with a rate of {P:g}"
    if share in (0, 1):
        return "all numbers are dropped together or none is; each should be dropped by itself"
    if abs(kept - 1) < 1e-6:
        return "what is kept is not scaled by 1 / (1 - p)"
    if abs(kept - _SCALE**2) < 1e-6:
        return "something is dropped twice"
    rate = 1 - 1 / kept
    if abs(rate - P) > 1e-6 and abs(rate - share) < _FAR:
        return f"the rate is {told_apart(rate, P, 2)[0]}, and should be {P:g}"
    if abs(rate - P) > 1e-6:
        came, wanted = told_apart(kept, _SCALE, 3)
        return f"what is kept is multiplied by {came}, and should be by 1 / (1 - p) = {wanted}"
    return (
        f"{share:.0%} of the numbers are dropped, with a rate of {P:g}"
        if abs(share - P) > _FAR
        else ""
    )


def _of_rows(came: Tensor, made: Tensor) -> str:
    """Whether all numbers of a token, or the same numbers of every token, fall together."""
    zero = (came.abs() < 1e-9) & (made.abs() > 1e-6)
    some = made.abs() > 1e-6
    if bool(((zero == zero.any(-1, keepdim=True)) | ~some).all()):
        return "all numbers of a token are dropped together; each should be dropped by itself"
    across = zero.flatten(0, 1).any(0)
    if bool(((zero == across) | ~some).all()):
        return "the same numbers of every token are dropped; each should be dropped by itself"
    return ""


def _factors(came: Tensor, right: Tensor) -> Tensor:
    """By what each number that is not 0 was multiplied."""
    some = right.abs() > 1e-6
    return came[some] / right[some] if came.shape == right.shape else came.new_zeros(0)


def _share(came: Tensor) -> float:
    return (came == 0).double().mean().item()


def _is_dropped(came: Tensor, right: Tensor) -> bool:
    """Whether some numbers are 0 and all others a multiple of what they should be."""
    factors = _factors(came, right)
    left = factors[factors.abs() > 1e-9]
    return 0 < left.numel() < factors.numel() and bool((left - left[0]).abs().max() < 1e-6)

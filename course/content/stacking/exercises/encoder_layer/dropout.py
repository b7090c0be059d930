"""Dropout in an encoder layer, judged by its distribution, one place at a time.

The weights of each case are such that a dropped number at that place, and at no other of the four,
shows in the output. What goes into a sub-layer is 1 everywhere and shows too, so that a dropout that
should not be there is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, tags
from course.checking.exercise.draw import Draw
from course.checking.exercise.wording import told_apart

P = 0.3  # of the cases in training
DEFAULT_P = 0.1  # where the layer is told no rate
PLACES = (
    "dropout on the attention weights",
    "dropout on the attention's output",
    "dropout after the activation",
    "dropout after linear2",
    "no dropout, p = 0",
    "the default rate",
)
_TRIED_FIRST = (1, 3, 0, 2, 4, 5)  # what is wrong at 1 shows at 0 too, and what is wrong at 3 at 2
_SIZES = {  # of each place: B, S, D, H, F; heads of width 1 drop each number by itself
    PLACES[0]: (100, 4, 32, 32, 2),
    PLACES[1]: (100, 4, 32, 1, 2),
    PLACES[2]: (400, 1, 32, 1, 128),
    PLACES[3]: (100, 4, 32, 1, 2),
    PLACES[4]: (3, 4, 5, 5, 20),
    PLACES[5]: (100, 4, 32, 1, 2),
}
_PRE, _POST = "training mode, ", "training mode in post-norm, "


def weights_of(draw: Draw, d_model: int, width: int) -> dict[str, Tensor]:
    """A state dict of unit scale: every bias counts, and no norm is the identity."""
    small, wide = d_model**-0.5, width**-0.5
    return {
        "self_attn.in_proj_weight": draw.normal(3 * d_model, d_model) * small * 1.5,
        "self_attn.in_proj_bias": draw.normal(3 * d_model) * 0.5,
        "self_attn.out_proj.weight": draw.normal(d_model, d_model) * small,
        "self_attn.out_proj.bias": draw.normal(d_model) * 0.5,
        "linear1.weight": draw.normal(width, d_model) * small,
        "linear1.bias": draw.normal(width) * 0.5,
        "linear2.weight": draw.normal(d_model, width) * wide,
        "linear2.bias": draw.normal(d_model) * 0.5,
        "norm1.weight": draw.normal(d_model) * 0.3 + 1.2,
        "norm1.bias": draw.normal(d_model) * 0.5,
        "norm2.weight": draw.normal(d_model) * 0.3 + 1.2,
        "norm2.bias": draw.normal(d_model) * 0.5,
    }


def cases() -> list[Case]:
    """Pre-norm, where the output is 1 plus what a place lets through; then post-norm."""
    return [
        *(_trained(PLACES[i], norm_first=True) for i in _TRIED_FIRST),
        *(_trained(PLACES[i], norm_first=False) for i in _TRIED_FIRST[:-2]),
    ]


def _trained(place: str, norm_first: bool) -> Case:
    batch, length, d_model, nhead, width = _SIZES[place]
    weights = _weights(place, norm_first)
    src = torch.ones(batch, length, d_model, dtype=torch.float64)
    p = {PLACES[4]: 0.0, PLACES[5]: None}.get(place, P)
    args = (d_model, nhead, width, p, norm_first, src, None, None, weights, True)
    sizes = {"B": batch, "S": length, "H": nhead, "D": d_model, "F": width}
    return Case(
        args,
        (_PRE if norm_first else _POST) + place,
        sizes,
        tags(
            "training mode",
            *(() if norm_first else ("training mode in post-norm",)),
            *(("an argument left to its default",) if p is None else ()),
        ),
        differentiable=False,
        dtypes=("float64",),
        summary=_statistics,
        tolerance=1e-6 if p == 0.0 else _TOLERANCE,
    )


def _weights(place: str, norm_first: bool) -> dict[str, Tensor]:
    """What is not spoken of gives 0; a sub-layer gets 1 everywhere, from x or from its norm's bias."""
    _, _, d_model, _, width = _SIZES[place]
    weights = {
        name: torch.zeros_like(value) for name, value in weights_of(Draw(0), d_model, width).items()
    }
    one = torch.eye(d_model, dtype=torch.float64)
    if norm_first:
        weights["norm1.bias"] += 1.0
        weights["norm2.bias"] += 1.0
    else:
        # The norm after the place lets it through; the one before it gives 1.
        attends = place in PLACES[:2]
        weights["norm1.weight" if attends else "norm1.bias"] += 1.0
        weights["norm2.weight"] += 1.0
    if place in (PLACES[0], PLACES[4]):
        # Equal scores, values of 1: a head gives the share of its keys that were kept, over 1 - p.
        # The output projection keeps the heads apart.
        weights["self_attn.in_proj_weight"][2 * d_model :] = one
        weights["self_attn.out_proj.weight"] += one
    if place in (PLACES[1], PLACES[5]):
        weights["self_attn.out_proj.bias"] += 1.0
    if place in (PLACES[2], PLACES[4]):
        # Each feature is the mean of four hidden numbers of its own, all 1 after the ReLU.
        own = one.repeat_interleave(4, dim=1)  # (D, 4 D)
        weights["linear1.weight"] += own.T
        weights["linear2.weight"] += own / 4
    if place == PLACES[3]:
        weights["linear2.bias"] += 1.0
    return weights


def _statistics(value: tuple[Tensor, int], *args: Any) -> Mapping[str, float]:
    """Of what a pre-norm layer adds to x, which is 1 everywhere; of post-norm, what the norm leaves."""
    output = value[0].double()
    if not args[4]:
        low = (output < -1e-3).double()
        return {
            "share of numbers below their token's mean": low.mean().item(),
            "share of numbers at the mean": (output.abs() <= 1e-3).double().mean().item(),
        }
    added = output - 1.0
    largest = added.abs().max().clamp(min=1e-9)
    return {
        "mean of what is added to x": added.mean().item(),
        "mean square of it": added.square().mean().item(),
        "share of zeros in it": (added.abs() < 1e-6).double().mean().item(),
        "share of x that was dropped": (output.abs() < 1e-6).double().mean().item(),
        "largest number in it": largest.item(),
    }


# At least six standard deviations of the difference of two statistics of 12800 numbers each.
_TOLERANCE = {
    "mean of what is added to x": 0.06,
    "mean square of it": 0.11,
    "share of zeros in it": 0.04,
    "share of x that was dropped": 0.001,
    "largest number in it": 0.01,
    "share of numbers below their token's mean": 0.04,
    "share of numbers at the mean": 0.02,
}


def is_trained(case: Case) -> bool:
    """Whether a case is one of these."""
    return case.summary is _statistics


def finds(run: Callable[..., Any], failed: Sequence[Case], seen: Sequence[str] = ()) -> list[str]:
    """At which of the places dropout is not as it should be, and what is done there.

    `seen` is what a look at the layer's parts says of the places; where it says nothing, the outputs do.
    """
    pre = {case.says.removeprefix(_PRE): case for case in failed if case.args[4]}
    post = {case.says.removeprefix(_POST): case for case in failed if not case.args[4]}
    guilty = _guilty(set(pre or post))
    told = list(seen) if seen else _of_the_outputs(run, guilty, pre, post)
    if PLACES[4] in pre:
        told.append("it drops with dropout=0 too: is the rate taken from the argument?")
    if PLACES[5] in pre and not guilty:
        rate = _rate(run(*pre[PLACES[5]].args)[0].double() - 1.0)
        told.append(
            f"made without `dropout=` it drops at a rate of {told_apart(rate, DEFAULT_P, 2)[0]}: the default is {DEFAULT_P:g}"
        )
    return told


def _of_the_outputs(
    run: Callable[..., Any], guilty: list[str], pre: dict[str, Case], post: dict[str, Case]
) -> list[str]:
    """What the outputs of the failed cases, by their places, say of the guilty ones."""
    if not guilty:
        return []
    found, seen = (pre, _seen) if pre else (post, _seen_after_the_norm)
    where = "" if pre else " in post-norm, and in pre-norm it is"
    verb = "is" if len(guilty) == 1 else "are"
    says = {
        place: _together(run, found[place]) or seen(place, run(*found[place].args)[0])
        for place in guilty
    }
    return [
        f"in training mode the {' and the '.join(guilty)} {verb} not as it should be{where}",
        *(f"{place}: {said}" for place, said in says.items() if said),
    ]


def _guilty(failed: set[str]) -> list[str]:
    """The places that are wrong themselves, and not because of another."""
    wrong = [i for i in (1, 3) if PLACES[i] in failed]
    wrong += [i for i in (0, 2) if PLACES[i] in failed and i + 1 not in wrong]
    return [PLACES[i] for i in sorted(wrong)]


def _seen(place: str, output: Tensor) -> str:
    """What the output of a pre-norm layer says of the dropout at a place."""
    added = output.double() - 1.0
    if (output.abs() < 1e-6).double().mean() > _TOLERANCE["share of x that was dropped"]:
        return (
            "x itself is dropped. Dropout belongs to what a sub-layer makes, before x is added to it: the "
            "direct path stays whole"
        )
    if abs(added.mean().item() - 1.0) > _TOLERANCE["mean of what is added to x"]:
        return f"what is kept is not scaled by 1 / (1 - p): its mean is {added.mean():.2f} times what it should be"
    kept = 1.0 - _rate(added)
    if place in (PLACES[0], PLACES[2]):
        kept /= 1.0 - P  # what comes from there is dropped once more, before it is added
    return _of_the_rate(1.0 - kept)


def _rate(added: Tensor) -> float:
    """The rate at which ones were dropped: of a number that is never dropped 1 / (1 - p) is left."""
    return 1.0 - 1.0 / added.max().item()


def _together(run: Callable[..., Any], case: Case) -> str:
    """Whether a sub-layer is dropped as a whole, now and then."""
    shares = set()
    for _ in range(16):
        added = run(*case.args)[0] - 1.0
        shares.add((added.abs() < 1e-6).double().mean().item())
    together = case.args[4] and shares == {0.0, 1.0}
    return (
        "all numbers are dropped together or none is; each should be dropped by itself"
        if together
        else ""
    )


def _of_the_rate(rate: float) -> str:
    if abs(rate) < 1e-6:
        return f"nothing is dropped, with a rate of {P:g}"
    if abs(rate - (1.0 - (1.0 - P) ** 2)) < 1e-3:
        return "something is dropped twice, here or on the way there: what goes into a sub-layer stays whole"
    return (
        f"the rate is {told_apart(rate, P, 2)[0]}, and should be {P:g}"
        if abs(rate - P) > 1e-3
        else ""
    )


def _seen_after_the_norm(place: str, output: Tensor) -> str:
    """What the output of a post-norm layer says of the dropout at a place."""
    at_the_mean = (output.abs() <= 1e-3).double().mean().item()
    if at_the_mean > 0.99:
        return f"nothing is dropped, with a rate of {P:g}"
    if at_the_mean > P / 2:
        return "something is dropped after the last norm: a post-norm layer ends with the norm"
    return (
        "the numbers that are dropped are others, more or fewer: is it what the sub-layer makes, once, "
        "before x is added to it?"
    )

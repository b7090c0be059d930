"""Which share of x a GELU keeps: found out from its results, and read as the curve that it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.wording import same, told_apart

_EXACT = "asked is the exact share, made with erf"


def finds(function: Callable[[Tensor], Tensor], failed: Sequence[Case]) -> list[str]:
    """What an elementwise function does that should be x times a standard normal's share below x."""
    x = torch.cat([torch.arange(-12, 0), torch.arange(1, 13)]).double() / 6
    made = function(x.clone())
    if made.shape != x.shape or made.dtype is not x.dtype:
        return []
    alone = torch.cat([function(number.clone()) for number in x.unsqueeze(-1)])
    if not same(alone, made):
        return [
            "the result of a number depends on the numbers beside it: in a GELU each is by itself"
        ]
    if same(made, x * torch.special.ndtr(x)):
        return []
    told = _of_the_share(x, made / x)
    return [told] if told else [_at_some_places(function)]


def _of_the_share(x: Tensor, share: Tensor) -> str:
    """The share as a normal's, a sigmoid's or a tanh's; empty where it is none of these."""
    if not bool(((share > 0) & (share < 1)).all()):
        return ""
    line = _polynomial(x, torch.special.ndtri(share), 1)
    if line is not None and line[1].item() > 1e-6:
        return _normal(line[1].item(), line[0].item())
    curve = _polynomial(x, torch.logit(share), 3)
    if curve is None:
        return ""
    zeroth, first, second, third = curve.tolist()
    if abs(second) + abs(third) < 1e-6:
        at = f"{first:.4g} x" + (f" {zeroth:+.4g}" if abs(zeroth) > 1e-6 else "")
        return (
            f"what comes is x times sigmoid({at}), which only comes near a normal's share: {_EXACT}"
        )
    inside = [f"{first / 2:.4g} x"] if abs(first) > 1e-6 else []
    inside += [f"{second / 2:.4g} x²"] if abs(second) > 1e-6 else []
    inside += [f"{third / 2:.4g} x³"] if abs(third) > 1e-6 else []
    root = math.sqrt(2 / math.pi)
    return (
        f"what comes is x times (1 + tanh({' + '.join(inside)})) / 2; the approximation with a tanh has "
        f"{root:.4g} x + {root * 0.044715:.4g} x³ there, and {_EXACT}"
    )


def _normal(slope: float, at_zero: float) -> str:
    """Words for the share of another normal than the standard one."""
    spread, mean = 1 / slope, -at_zero / slope
    said = []
    if abs(spread - 1) > 1e-6:
        said.append(
            f"a spread of {spread:.4g}: before the erf, x is divided by {spread * math.sqrt(2):.4g} "
            f"and not by {math.sqrt(2):.4g}, the root of 2"
        )
    if abs(mean) > 1e-6:
        said.append(f"a mean of {mean:.4g}, where a standard normal has 0")
    if not said:
        return ""
    return f"the share that is kept is that of a normal with {'; and '.join(said)}"


def _polynomial(x: Tensor, y: Tensor, degree: int) -> Tensor | None:
    """The coefficients of the polynomial that goes through all points, if one does."""
    powers = torch.stack([x**k for k in range(degree + 1)], -1)
    if not y.isfinite().all():
        return None
    found = torch.linalg.lstsq(powers, y.unsqueeze(-1)).solution
    return found.squeeze(-1) if same((powers @ found).squeeze(-1), y) else None


def _at_some_places(function: Callable[[Tensor], Tensor]) -> str:
    """What comes where the GELU is easy to say."""
    x = torch.tensor([10.0, 1.0, -1.0, -10.0], dtype=torch.float64)
    came, right = function(x.clone()).tolist(), (x * torch.special.ndtr(x)).tolist()
    rows = zip(x.tolist(), right, came, strict=True)
    wrong = [(at, want, got) for at, want, got in rows if not abs(want - got) < 1e-6]
    if not wrong:
        return ""
    told = [(at, *told_apart(want, got)) for at, want, got in wrong]
    places = "; ".join(f"{want} for x = {at:g}, and {got} came" for at, want, got in told)
    return f"asked is {places}"

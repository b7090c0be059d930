"""efficient.quantize: a matrix as whole numbers from -127 to 127, with a scale for each row."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Remark, tags
from course.checking.exercise.cases import FLAT, FULL, holding
from course.checking.exercise.draw import Draw
from course.checking.trials.watching import Watching
from course.content.efficient.exercises.quantize import search

_OF_SIZES = {
    "a single row": "F = 1",
    "rows of a single number": "D = 1",
    "as many rows as columns": "F = D",
}


class _ToWholeNumbers(Watching):  # type: ignore[no-untyped-call]
    """While it is active, notes what else than finite numbers is made integers."""

    found = "finite numbers"

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        made = (
            isinstance(result, Tensor)
            and not result.is_floating_point()
            and result.dtype != torch.bool
        )
        if made and str(func).startswith(("aten._to_copy", "aten.copy_")):
            source = args[1] if len(args) > 1 and isinstance(args[1], Tensor) else args[0]
            if source.is_floating_point() and not bool(source.isfinite().all()):
                self.found = "NaN" if bool(source.isnan().any()) else "inf"
        return result


def _watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """What an answer returns, and what it made int8 of. A row of zeros may have any finite scale: it counts as 0."""

    def run(weight: Tensor) -> tuple[Any, Any, str]:
        zero = (weight == 0).all(dim=-1, keepdim=True)  # (F, 1)
        with _ToWholeNumbers() as conversions:  # type: ignore[no-untyped-call]
            result = function(weight)
        if not isinstance(result, tuple | list) or len(result) != 2:
            return result, None, conversions.found
        numbers, scale = result
        if isinstance(scale, Tensor) and scale.shape == zero.shape and scale.is_floating_point():
            scale = scale.masked_fill(zero & scale.isfinite(), 0.0)
        return numbers, scale, conversions.found

    return run


def _case(
    draw: Draw,
    says: str,
    sizes: tuple[int, int],
    *names: str,
    sign: int = 0,
    scales: tuple[float, ...] = (0.05,),
    zeros: tuple[int, ...] = (),
    exact: bool = False,
    **more: Any,
) -> Case:
    """Rows whose largest number is 127 steps from 0, `sign` or by chance on either side; no number near a half step.

    `scales` are the steps of the rows, in turn; a row in `zeros` has nothing but zeros.
    """
    rows, columns = sizes
    whole = torch.randint(-126, 127, sizes, generator=draw.generator).double()
    if sign:
        whole = sign * whole.abs()
    part = 0.8 * torch.rand(sizes, generator=draw.generator).double() - 0.4
    steps = whole if exact else whole + part
    place = torch.randint(columns, (rows, 1), generator=draw.generator)
    side = 2.0 * torch.randint(2, (rows, 1), generator=draw.generator).double() - 1
    steps.scatter_(1, place, 127.0 * sign if sign else 127.0 * side)
    scale = torch.tensor(scales, dtype=torch.float64).repeat(rows)[:rows, None]
    weight = (steps * scale).float().double()
    weight[list(zeros)] = 0.0
    named = {"F": rows, "D": columns}
    names = (*names, *holding(_OF_SIZES, named))
    names = (*names, *(["a row of zeros"] if zeros else []))
    names = (*names, *(["rows of different size"] if len(scales) > 1 and rows > 1 else []))
    return Case((weight,), says, named, tags(*names), **FLAT, **(more if exact else FULL | more))


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    case = functools.partial(_case, draw)
    several, powers = (0.05, 0.008, 0.3, 0.02), (0.25, 0.0625, 1.0, 0.5)
    left, right = "rows whose largest number is negative", "rows whose largest number is positive"
    exact = "whole multiples of the scale"
    return [
        case("two rows of three numbers", (2, 3), scales=several),
        case("one row of four numbers", (1, 4)),
        case("3 rows of 5 numbers", (3, 5), scales=several),
        case("rows whose largest number is negative", (3, 4), left, scales=several, sign=-1),
        case("nothing but positive numbers", (2, 5), right, scales=several, sign=1),
        case("5 rows of a single number", (5, 1), scales=several),
        case("as many rows as columns", (4, 4), scales=several),
        case("a row of zeros", (3, 4), scales=several, zeros=(1,)),
        case("a row of zeros first", (2, 3), scales=several, zeros=(0,)),
        case("nothing but zeros", (2, 3), "nothing but zeros", zeros=(0, 1)),
        case("rows that differ by a factor of a million", (3, 4), "rows of different size", scales=(500.0, 5e-4, 0.5)),
        case("whole multiples of a power of 2", (3, 6), exact, scales=powers, exact=True),
        case("whole multiples of 1", (2, 7), exact, scales=(1.0,), exact=True),
        case("whole multiples of a power of 2, with a row of zeros", (3, 5), exact, scales=powers, exact=True, zeros=(2,)),
        case("whole multiples of 1, none above 0", (2, 4), exact, left, scales=(1.0,), exact=True, sign=-1),
        case("16 rows of 40 numbers", (16, 40), scales=(0.01, 0.03, 0.002)),
        case("a row of very small numbers", (2, 5), "a row of very small numbers", "rows of different size",
             scales=(1e-9, 0.05)),
        _huge(draw),
    ]  # fmt: skip


def _huge(draw: Draw) -> Case:
    weight = 0.3 * (2 * torch.rand(2, 6, generator=draw.generator).double() - 1)
    weight[0, 4], weight[1, 1] = 127.0, -127.0
    names = tags("one huge number in a row")
    says = "one huge number in each row, beside which all others are nearly 0"
    return Case((weight.float().double(),), says, {"F": 2, "D": 6}, names, **FLAT, **FULL)


def _numbers(weight: Tensor, scale: Tensor) -> Tensor:
    return (weight / torch.where(scale == 0, 1.0, scale)).round().to(torch.int8)


def _scale(weight: Tensor) -> Tensor:
    return weight.abs().amax(-1, keepdim=True) / 127


def _pair(says: str, scale: Callable[[Tensor], Tensor]) -> tuple[Landmark, Landmark]:
    return (
        Landmark(f"the numbers of {says}", lambda w: _numbers(w, scale(w))),
        Landmark(says, scale),
    )


EXERCISE = Exercise(
    id="efficient.quantize",
    signature="(weight)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    harness=_watched,
    finds=search.search,
    results=("numbers", "scale", "what becomes int8"),
    landmarks=(
        *_pair("one scale for the whole matrix", lambda w: (w.abs().max() / 127).expand(len(w), 1)),
        *_pair("a scale of the largest number, whatever its sign", lambda w: w.amax(-1, keepdim=True) / 127),
        *_pair("a scale of 128 steps", lambda w: _scale(w) * 127 / 128),
        Landmark("the inverse of the scale, 127 / largest", lambda w: 1 / _scale(w)),
        Landmark("the largest number of each row, not divided by 127", lambda w: 127 * _scale(w)),
        Landmark("the root of the mean square of each row", lambda w: w.square().mean(-1, keepdim=True).sqrt()),
        Landmark("the numbers cut off towards 0, not rounded", lambda w: (w / _scale(w)).nan_to_num(0.0).to(torch.int8)),
    ),
    axes=(("F", "D"), ("F", "1")),
    remarks=(
        Remark(
            "ties-to-one-side",
            Case(
                (torch.tensor([[127.0, 0.5, 1.5, 2.5, -0.5, -1.5]], dtype=torch.float64),),
                "numbers that lie between two steps",
            ),
            lambda came, wanted: isinstance(came, tuple) and not torch.equal(came[0], wanted[0]),
            "Numbers exactly between two steps are rounded to one side, as floor(x + 0.5) does, or away from 0. "
            "`torch.round` takes the even neighbour, so that such errors cancel over many numbers. In bfloat16, "
            "where numbers lie far apart, exact halves are common.",
        ),
    ),
)  # fmt: skip

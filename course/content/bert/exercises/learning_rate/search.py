"""Where a schedule leaves the right one: its four corners, and whether it is straight between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from course.checking.exercise import Case

_WARMUP, _TOTAL, _PEAK = 8, 40, 4.0
_CORNERS = (
    (0, 0.0, "at step 0"),
    (_WARMUP, _PEAK, "at step == warmup"),
    (_TOTAL, 0.0, "at step == total"),
)
Rate = Callable[[int, int, int, float], float]


def search(function: Rate, failed: Sequence[Case]) -> list[str]:
    """The first corner that is wrong, the first bend, and what peak does."""
    return list(_search(function))[:2]


def _search(function: Rate) -> Iterator[str]:
    about = f"with warmup = {_WARMUP}, total = {_TOTAL} and peak = {_PEAK:g}"
    rates = [float(function(step, _WARMUP, _TOTAL, _PEAK)) for step in range(_TOTAL + 1)]
    for step, wanted, where in _CORNERS:
        if abs(rates[step] - wanted) > 1e-9:
            yield f"{about} the rate {where} is {rates[step]:.4g} and should be {wanted:g}"
            return
    for first, last, part in ((0, _WARMUP, "warm-up"), (_WARMUP, _TOTAL, "decay")):
        middle, wanted = rates[(first + last) // 2], (rates[first] + rates[last]) / 2
        if abs(middle - wanted) > 1e-9:
            yield f"{about} the {part} is no straight line: in its middle the rate is {middle:.4g} and should be {wanted:g}"
    twice = [float(function(step, _WARMUP, _TOTAL, 2 * _PEAK)) for step in (3, 20)]
    if any(abs(b - 2 * rates[s]) > 1e-9 for s, b in zip((3, 20), twice, strict=True)):
        yield "twice the peak does not give twice the rate"

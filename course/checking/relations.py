"""What no listed mistake explains, told by its relation to the right answer.

Each relation is a question asked of all failed trials at once; the answer is a sentence, or None.
The most telling questions come first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from course.checking.agreeing import close
from course.checking.diagnosis import Trial
from course.exercises.model import Exercise


def describe(exercise: Exercise, trials: list[Trial]) -> list[str]:
    """Sentences that tell how the submission's results relate to the expected ones."""
    failed = [
        trial
        for trial in trials
        if trial.difference is not None and trial.difference.kind == "values"
    ]
    plain = [
        trial
        for trial in failed
        if trial.probe.mode in ("plain", "strided") and not trial.probe.half
    ]
    chosen = plain or failed
    chosen = [trial for trial in chosen if _is_tensor_pair(trial)]
    if not chosen:
        return []
    index = min(trial.difference.index for trial in chosen if trial.difference)
    chosen = [trial for trial in chosen if trial.difference and trial.difference.index == index]
    told = next(
        (says for relation in RELATIONS if (says := relation(exercise, chosen, index))), None
    )
    if told is None:
        told = next(
            (says for relation in RELATIONS if (says := relation(exercise, chosen[:1], index))),
            None,
        )
        told = f"{told} (on the smallest input; not on all)" if told else None
    where = _where(exercise, chosen, index)
    return [sentence for sentence in (told, where) if sentence]


def _is_tensor_pair(trial: Trial) -> bool:
    assert trial.difference
    return isinstance(trial.difference.expected, Tensor) and isinstance(
        trial.difference.actual, Tensor
    )


def _pairs(trials: list[Trial]) -> Iterable[tuple[Trial, Tensor, Tensor]]:
    for trial in trials:
        assert trial.difference
        yield (
            trial,
            trial.difference.expected.double(),
            trial.difference.actual.detach().cpu().double(),
        )


def _all(trials: list[Trial], test: Callable[[Trial, Tensor, Tensor], bool]) -> bool:
    return all(test(trial, expected, actual) for trial, expected, actual in _pairs(trials))


def _near(expected: Tensor, actual: Tensor) -> bool:
    return expected.shape == actual.shape and bool(
        torch.allclose(actual.double(), expected.double(), 1e-4, 2e-5, equal_nan=True)
    )


def _not_a_number(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    bad = [(t, a) for t, e, a in _pairs(trials) if not a.isfinite().all() and e.isfinite().all()]
    if not bad:
        return None
    trial, actual = bad[0]
    kind = "NaN" if actual.isnan().any() else "inf"
    broken = ~actual.isfinite()
    for name, region in trial.probe.case.regions.items():
        spread = _spread(region, actual)
        if spread is not None and torch.equal(broken, spread):
            return f"there is {kind} exactly in the {name}"
    share = broken.double().mean().item()
    extent = "everywhere" if share == 1 else f"in {int(broken.sum())} of {broken.numel()} places"
    cause = (
        "0/0, inf - inf or 0 * inf makes NaN"
        if kind == "NaN"
        else "exp of a large number, or a division by 0, makes inf"
    )
    return f"there is {kind} {extent} ({cause})"


def _landmark(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    for landmark in exercise.landmarks:
        try:
            if _all(trials, lambda t, e, a, lm=landmark: _near(lm.compute(*t.probe.exact()), a)):  # type: ignore[misc]
                return f"what came is {landmark.says}"
        except Exception:
            continue
    return None


def _precision(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    if any(t.probe.dtype is not torch.float64 for t in trials):
        return None
    if _all(trials, lambda t, e, a: bool(torch.allclose(a, e, 1e-5, 1e-6))):
        return (
            "in float64 the result has no more digits than float32 gives: something in between is float32 "
            "(`torch.tensor(number)` and `.float()` are)"
        )
    return None


def _factor(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    factors = []
    for trial, expected, actual in _pairs(trials):
        scale = (expected * actual).sum() / (expected * expected).sum()
        if not scale.isfinite() or scale == 0 or not _near(expected * scale, actual):
            return None
        factors.append((trial, scale.item()))
    for name, value in _formulas(factors[0][0].probe.case.sizes):
        if all(
            (now := dict(_formulas(trial.probe.case.sizes)).get(name))
            and math.isclose(now, factor, rel_tol=1e-3)
            for trial, factor in factors
        ) and not math.isclose(value, 1.0):
            return f"every number is {name} times what it should be"
    numbers = {round(factor, 4) for _, factor in factors}
    if numbers == {-1.0}:
        return "every number has the wrong sign"
    return f"every number is {' or '.join(f'{n:g}' for n in sorted(numbers)[:3])} times what it should be"


def _formulas(sizes: Any) -> Iterable[tuple[str, float]]:
    for name, size in sizes.items():
        if size > 1:
            yield f"sqrt({name})", math.sqrt(size)
            yield name, float(size)
            yield f"1/sqrt({name})", 1 / math.sqrt(size)
            yield f"1/{name}", 1 / size
            yield f"1/{name}^2", 1 / size**2
            yield f"{name}^2", float(size**2)


def _offset(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    offsets = set()
    for _, expected, actual in _pairs(trials):
        gap = (actual - expected).flatten()
        if not gap.isfinite().all() or not torch.allclose(gap, gap[:1].expand_as(gap), 1e-4, 2e-5):
            return None
        offsets.add(round(gap[0].item(), 4))
    return f"every number is off by the same amount: {', '.join(f'{o:+g}' for o in sorted(offsets)[:3])}"


def _complement(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    if any(t.difference and t.difference.expected.dtype is not torch.bool for t in trials):
        return None
    if _all(trials, lambda t, e, a: bool((e != a).all())):
        return "True and False are exchanged: here True means blocked, or padding"
    missing = _all(trials, lambda t, e, a: not bool((a > e).any()))
    extra = _all(trials, lambda t, e, a: not bool((e > a).any()))
    if missing or extra:
        return (
            "it blocks too little: every wrong place should be True"
            if missing
            else "it blocks too much: every wrong place should be False"
        )
    return None


def _axes(exercise: Exercise, index: int, rank: int) -> list[str]:
    names = list(exercise.axes[index]) if index < len(exercise.axes) else []
    names = names[-rank:] if rank else []
    return [f"axis {i}" for i in range(rank - len(names))] + names


def _transposed(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    ranks = {e.dim() for _, e, _ in _pairs(trials)}
    rank = min(ranks)
    for first, second in itertools.combinations(range(-rank, 0), 2):
        if _all(trials, lambda t, e, a, i=first, j=second: _near(e.transpose(i, j), a)):  # type: ignore[misc]
            names = _axes(exercise, index, max(ranks))
            return f"the axes {names[first]} and {names[second]} are exchanged"
    return None


def _same_shape_jumble(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    """A permutation that a wrong reshape makes: the same numbers in other places."""

    def jumbled(t: Trial, e: Tensor, a: Tensor) -> bool:
        left, right = e.flatten().sort().values, a.flatten().sort().values
        return e.numel() > 1 and _near(left, right)

    if not _all(trials, jumbled):
        return None
    for axis in range(-min(e.dim() for _, e, _ in _pairs(trials)), 0):
        if _all(trials, lambda t, e, a, i=axis: _near(e.flip(i), a)):  # type: ignore[misc]
            return f"the order along the axis {_axes(exercise, index, 9)[axis]} is reversed"
        for step in (1, -1):
            if _all(trials, lambda t, e, a, i=axis, s=step: _near(e.roll(s, i), a)):  # type: ignore[misc]
                return (
                    f"everything is shifted by one along the axis {_axes(exercise, index, 9)[axis]}"
                )
        if _all(trials, lambda t, e, a, i=axis: _near(e.sort(i).values, a.sort(i).values)):  # type: ignore[misc]
            return f"the right numbers, in another order along the axis {_axes(exercise, index, 9)[axis]}"
    return (
        "all the right numbers are there, in the wrong places: a `view` or `reshape` where an axis has to be "
        "moved (`transpose`), or the axes in another order"
    )


def _rows(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    if exercise.rows_sum_to_one != index:
        return None
    totals = [a.sum(-1) for _, e, a in _pairs(trials) if e.dim() and e.numel()]
    alive = [e.sum(-1) > 0.5 for _, e, a in _pairs(trials) if e.dim() and e.numel()]
    wrong = [
        t[m] for t, m in zip(totals, alive, strict=True) if not _near(torch.ones_like(t[m]), t[m])
    ]
    if not wrong:
        return None
    columns = _all(
        trials, lambda t, e, a: a.dim() > 1 and _near(torch.ones_like(a.sum(-2)), a.sum(-2))
    )
    says = f"the weights of a query don't sum to 1 (one row sums to {wrong[0].flatten()[0].item():.3g})"
    return says + ("; the columns do: the sum runs along the wrong axis" if columns else "")


def _constant(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    if _all(trials, lambda t, e, a: a.numel() > 1 and bool((a == a.flatten()[0]).all())):
        values = {round(a.flatten()[0].item(), 4) for _, _, a in _pairs(trials)}
        if len(values) == 1:
            return f"every number is {next(iter(values)):g}, whatever the inputs are"
    return None


def _transforms(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    changes: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("the logarithm of what it should be", torch.log),
        ("the exponential of what it should be", torch.exp),
        ("the square of what it should be", torch.square),
        ("the square root of what it should be", torch.sqrt),
        ("the absolute value of what it should be", torch.abs),
        ("what it should be, rounded to whole numbers", torch.round),
        ("what it should be, cut off at 0 from below", torch.relu),
        ("1 minus what it should be", lambda e: 1 - e),
        ("the reciprocal of what it should be", torch.reciprocal),
        ("what it should be, in bits instead of nats", lambda e: e / math.log(2)),
        ("what it should be, put through another softmax", lambda e: torch.softmax(e, -1)),
    ]
    for says, change in changes:
        if _all(trials, lambda t, e, a, c=change: _near(c(e), a)):  # type: ignore[misc]
            return f"every number is {says}"
    return None


def _spread(region: Any, like: Tensor) -> Tensor | None:
    try:
        return torch.broadcast_to(torch.as_tensor(region), like.shape)
    except RuntimeError:
        return None


def _wrong(expected: Tensor, actual: Tensor) -> Tensor:
    return ~torch.isclose(actual, expected, 1e-4, 2e-5, equal_nan=True)


def _where(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    """Where in the result the wrong numbers stand, when that is a nameable place."""
    for name in trials[0].probe.case.regions:
        spreads = [
            (_spread(t.probe.case.regions.get(name), a), _wrong(e, a))
            for t, e, a in _pairs(trials)
            if name in t.probe.case.regions
        ]
        usable = [
            (region, wrong) for region, wrong in spreads if region is not None and wrong.any()
        ]
        if usable and all(not (wrong & ~region).any() for region, wrong in usable):
            return f"only the {name} {'are' if name.endswith('s') else 'is'} wrong"
    square = _triangles(trials)
    return square or _index(exercise, trials, index)


def _triangles(trials: list[Trial]) -> str | None:
    pairs = [(e, _wrong(e, a)) for _, e, a in _pairs(trials)]
    if any(e.dim() < 2 or e.shape[-1] != e.shape[-2] or e.shape[-1] < 3 for e, _ in pairs):
        return None
    diagonal = [wrong & ~torch.eye(e.shape[-1], dtype=torch.bool) for e, wrong in pairs]
    if not any(off.any() for off in diagonal):
        return "only the diagonal is wrong"
    if not any(wrong.triu().any() for _, wrong in pairs):
        return "only the part below the diagonal is wrong"
    if not any(wrong.tril().any() for _, wrong in pairs):
        return "only the part above the diagonal is wrong"
    return None


def _index(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    _, expected, actual = max(_pairs(trials), key=lambda pair: pair[1].numel())
    wrong = _wrong(expected, actual)
    if not wrong.any() or wrong.all():
        return None
    names = _axes(exercise, index, expected.dim())
    for axis, name in enumerate(names):
        others = tuple(i for i in range(expected.dim()) if i != axis)
        hit = wrong.any(dim=others) if others else wrong
        places = hit.nonzero().flatten().tolist()
        size = expected.shape[axis]
        if 0 < len(places) < size:
            if len(places) == size - 1 and not hit[0]:
                return f"along {name} only index 0 is right"
            which = ", ".join(map(str, places[:6]))
            return f"along {name} only index {which} (of 0 to {size - 1}) is wrong"
    return f"{int(wrong.sum())} of {wrong.numel()} numbers are wrong"


def _uniform(exercise: Exercise, trials: list[Trial], index: int) -> str | None:
    if exercise.rows_sum_to_one != index:
        return None
    if _all(
        trials, lambda t, e, a: a.dim() > 0 and _near(a.mean(-1, keepdim=True).expand_as(a), a)
    ):
        return "every key gets the same weight"
    if _all(trials, lambda t, e, a: bool(((a == 0) | (a == 1)).all())):
        return "all the weight falls on one key: an argmax, or scores that are far too large"
    return None


RELATIONS: tuple[Callable[[Exercise, list[Trial], int], str | None], ...] = (
    _not_a_number,
    _complement,
    _landmark,
    _precision,
    _factor,
    _offset,
    _transposed,
    _same_shape_jumble,
    _uniform,
    _constant,
    _transforms,
    _rows,
)

__all__ = ["close", "describe"]

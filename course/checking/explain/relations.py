"""What no listed mistake explains, told by its relation to the right answer.

Each relation is a question asked of all failed trials at once; the answer is a sentence, or None.
The most telling questions come first.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Exercise, Landmark
from course.checking.exercise.wording import told_apart
from course.checking.explain.agreeing import close
from course.checking.explain.diagnosis import Trial


@dataclass(frozen=True)
class Pair:
    """One result of one failed trial: expected and actual, in float64."""

    trial: Trial
    expected: Tensor
    actual: Tensor


def describe(exercise: Exercise, trials: list[Trial], right: Sequence[Trial] = ()) -> list[str]:
    """Sentences that tell how the submission's results relate to the expected ones.

    `trials` are those that failed; what is said to have come must have come in the `right` ones too.
    """
    usable = [t for t in trials if t.probe.mode in ("plain", "strided") and t.actual.error is None]
    count = len(exercise.results)
    order = sorted(range(count), key=lambda index: index != exercise.rows_sum_to_one)
    for index in order:
        pairs = [pair for t in usable if (pair := _pair(t, index)) is not None]
        pairs = [pair for pair in pairs if not pair.trial.probe.half] or pairs
        known = tuple(lm for lm in exercise.landmarks if pairs and _came_too(lm, right, index))
        told = _relation(replace(exercise, landmarks=known), pairs, index) if pairs else None
        where = _where(exercise, pairs, index) if pairs else None
        if told and where and "the largest difference is at" in where:
            where = None
        broken = [pair for pair in pairs if not pair.actual.double().isfinite().all()]
        nan = _not_a_number(exercise, broken, index) if 0 < len(broken) < len(pairs) else None
        if nan and nan != told:
            where = f"{nan}, in {len(broken)} of {len(pairs)} failed trials"
        if not told and index == 0 and (seen := _before_the_end(exercise, pairs)):
            told, where = seen, None
        if told or where:
            name = f"the {exercise.results[index]}: " if count > 1 else ""
            return [name + sentence for sentence in (told, where) if sentence]
    return []


def _came_too(landmark: Landmark, right: Sequence[Trial], index: int) -> bool:
    """Whether a landmark is the right result wherever the submission's result is right."""
    for trial in right:
        if trial.probe.mode != "plain" or trial.probe.dtype is not torch.float64:
            continue
        expected = trial.expected.exact
        expected = expected[index] if isinstance(expected, tuple) else expected
        with contextlib.suppress(Exception):  # it may not fit these sizes
            if not _near(expected, landmark.compute(*trial.probe.exact())):
                return False
    return True


def _before_the_end(exercise: Exercise, pairs: list[Pair]) -> str | None:
    """What can be told of the results once their last steps are taken back."""
    double = [pair for pair in pairs if pair.trial.probe.dtype is torch.float64]
    for undone in exercise.undone if double else ():
        try:
            earlier = [
                Pair(pair.trial, *(undone.compute(x.double(), *args) for x in (want, came)))
                for pair in double
                for want, came in [(pair.expected, pair.actual)]
                for args in [pair.trial.probe.exact()]
            ]
        except (RuntimeError, ValueError):
            continue
        as_seen = replace(exercise, axes=(undone.axes,), landmarks=())
        for relation in (_factor, _offset, _transposed, _same_shape_jumble, _index):
            says = relation(as_seen, earlier, 0)
            if says and not says[0].isdigit():
                return f"seen {undone.says}: {says}"
    return None


def _pair(trial: Trial, index: int) -> Pair | None:
    """The result `index` of a trial, when it has the right shape and the wrong numbers."""
    if trial.probe.case.summary is not None:
        return None  # each draw gives other numbers
    expected, actual = trial.expected.exact, trial.actual.value
    if isinstance(expected, tuple):
        if not isinstance(actual, tuple | list) or len(actual) != len(expected):
            return None
        expected, actual = expected[index], actual[index]
    if not isinstance(expected, Tensor) or not isinstance(actual, Tensor):
        return None
    if expected.shape != actual.shape or actual.layout is not torch.strided or actual.is_complex():
        return None
    if close(expected, actual, trial.probe.dtype):
        return None
    return Pair(trial, expected.cpu(), actual.detach().cpu())


def _rows_last(exercise: Exercise, pair: Pair) -> tuple[Tensor, Tensor]:
    """Weights with the axis along which they sum to 1 moved to the end."""
    axis = exercise.weights_axis(*pair.trial.probe.case.args)
    return pair.expected.double().movedim(axis, -1), pair.actual.double().movedim(axis, -1)


def _relation(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    """The first relation that holds in all failed trials, else in the ordinary ones among them."""
    ordinary = [pair for pair in pairs if pair.actual.double().isfinite().all()]
    ordinary = [pair for pair in ordinary if not pair.trial.probe.case.regions] or ordinary
    tiny = all(
        _near(e, a) for _, e, a in _pairs(pairs)
    )  # other relations are about larger differences
    for chosen in (pairs, ordinary if 2 * len(ordinary) >= len(pairs) else []):
        for relation in (_precision,) if tiny else RELATIONS if chosen else ():
            if chosen and (says := relation(exercise, chosen, index)):
                return (
                    says
                    if chosen is pairs
                    else f"{says} (in {len(chosen)} of {len(pairs)} failed trials)"
                )
    return None


def _pairs(pairs: list[Pair]) -> Iterable[tuple[Trial, Tensor, Tensor]]:
    for pair in pairs:
        yield pair.trial, pair.expected.double(), pair.actual.double()


def _all(trials: list[Pair], test: Callable[[Trial, Tensor, Tensor], bool]) -> bool:
    return all(test(trial, expected, actual) for trial, expected, actual in _pairs(trials))


def _near(expected: Tensor, actual: Tensor) -> bool:
    return expected.shape == actual.shape and bool(
        torch.allclose(actual.double(), expected.double(), 1e-4, 2e-5, equal_nan=True)
    )


def _not_a_number(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    bad = [(t, a) for t, e, a in _pairs(trials) if not a.isfinite().all() and e.isfinite().all()]
    if len(bad) < len(trials):
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


def _landmark(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    for landmark in exercise.landmarks:
        try:
            if _all(trials, lambda t, e, a, lm=landmark: _near(lm.compute(*t.probe.exact()), a)):  # type: ignore[misc]
                return f"the result is {landmark.says}"
        except Exception:
            continue
    return None


def _precision(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    errors = []
    for trial, expected, actual in _pairs(trials):
        if expected.dtype is torch.bool or not actual.isfinite().all() or trial.probe.half:
            return None
        off = (actual - expected).abs() > 1e-12 * expected.abs().max()
        if off.double().mean() < 0.25:
            return None  # a few numbers are wrong, and the others exact: no lack of digits
        errors.append(
            ((actual - expected).abs().max() / expected.abs().max().clamp(min=0.1)).item()
        )
    worst = max(errors)
    if worst > 2e-2 or worst < 1e-11:
        return None
    digits = max(1, round(-math.log10(worst)))
    in_double = all(pair.trial.probe.dtype is torch.float64 for pair in trials)
    if in_double and worst < 1e-4:
        return (
            f"it agrees to about {digits} digits only: something in between is float32 (`.float()`, or "
            "`torch.tensor(number)`), or a small constant (an epsilon) was added"
        )
    return f"it agrees to about {digits} digits only: a rounding, a lower precision in between, or a small constant (an epsilon)"


def _factor(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    factors: list[tuple[Any, float]] = []
    for trial, expected, actual in _pairs(trials):
        if _holds_no_number(expected):
            return None
        scale = (expected * actual).sum() / (expected * expected).sum()
        if not scale.isfinite() or scale == 0 or not _near(expected * scale, actual):
            return None
        factors.append((trial.probe.case.sizes, scale.item()))
    numbers = sorted({round(factor, 3) for _, factor in factors})
    if numbers in ([-1.0], [1.0]):
        return "every number has the wrong sign" if numbers == [-1.0] else None
    if len(numbers) == 1:
        return f"every number is {numbers[0]:g} times what it should be"
    single = all(
        pair.expected.numel() == 1 for pair in trials
    )  # of a single number each is a multiple
    return _formula(factors, vary=not single)


def _formula(factors: list[tuple[Any, float]], vary: bool = True) -> str | None:
    """The factor as a number times a root or power of one of the sizes; else, where it may vary, some."""
    for name, _ in _formulas(factors[0][0]):
        known = [dict(_formulas(sizes)).get(name) for sizes, _ in factors]
        if any(value is None for value in known):
            continue
        ratios = [
            factor / value for (_, factor), value in zip(factors, known, strict=True) if value
        ]
        if max(ratios) - min(ratios) < 1e-3 * abs(max(ratios)):
            times = "" if math.isclose(ratios[0], 1.0, rel_tol=1e-3) else f"{ratios[0]:.4g} times "
            return f"every number is {times}{name} times what it should be"
    if not vary:
        return None
    shown = {
        f"{factor:.3g} ({', '.join(f'{name}={size}' for name, size in sizes.items())})"
        for sizes, factor in factors
    }
    return f"every number is a factor away from what it should be, and the factor changes with the sizes: {'; '.join(sorted(shown)[:3])}"


def _holds_no_number(tensor: Tensor) -> bool:
    """Whether factors and sums make no sense for it."""
    return not bool(tensor.isfinite().any())


def _formulas(sizes: Any) -> Iterable[tuple[str, float]]:
    for name, size in sizes.items():
        if size > 1:
            yield f"sqrt({name})", math.sqrt(size)
            yield name, float(size)
            yield f"1/sqrt({name})", 1 / math.sqrt(size)
            yield f"1/{name}", 1 / size
            yield f"1/{name}^2", 1 / size**2
            yield f"1/{name}^(3/2)", size**-1.5
            yield f"{name}^2", float(size**2)
            yield f"sqrt({name})/log({name})", math.sqrt(size) / math.log(size)
            yield f"{name}^(1/4)", size**0.25
            yield f"{name}^(1/6)", size ** (1 / 6)


def _centred_logs(weights: Tensor, some: Tensor) -> Tensor:
    """Logarithms of the weights that are not 0, without their mean in each row."""
    logs = weights.masked_fill(~some, 1.0).log()
    mean = logs.sum(-1, keepdim=True) / some.sum(-1, keepdim=True).clamp(min=1)
    return (logs - mean).masked_fill(~some, 0.0)


def _temperature(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    """Weights whose logarithms are a multiple of the right ones: the scores had another scale."""
    if exercise.rows_sum_to_one != index:
        return None
    slopes = []
    for pair in trials:
        expected, actual = _rows_last(exercise, pair)
        some = expected > 0  # a weight of 0 has no logarithm
        if not torch.equal(some, actual > 0):
            return None
        right, came = (_centred_logs(x, some) for x in (expected, actual))
        if not right.any():
            continue
        slope = ((right * came).sum() / (right * right).sum()).item()
        if not torch.allclose(came, slope * right, 1e-3, 1e-4):
            return None
        slopes.append((pair.trial.probe.case.sizes, slope))
    if 2 * len(slopes) < len(trials):
        return None
    if max(s for _, s in slopes) - min(s for _, s in slopes) < 1e-3:
        if abs(slopes[0][1] - 1) < 1e-3:
            return None  # no other scale
        return f"the weights are those of scores that are {slopes[0][1]:.4g} times as large as they should be"
    return (
        (_formula(slopes) or "")
        .replace("every number is", "the weights are those of scores that are", 1)
        .replace("what it should be", "what they should be")
    )


def _offset(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    offsets = set()
    for _, expected, actual in _pairs(trials):
        gap = (actual - expected).flatten()
        if (
            _holds_no_number(expected)
            or gap.numel() < 2
            or not gap.isfinite().all()
            or not torch.allclose(gap, gap[:1].expand_as(gap), 1e-4, 2e-5)
        ):
            return None
        offsets.add(round(gap[0].item(), 4))
    if offsets <= {0.0, -0.0}:
        return None
    return f"every number is off by the same amount: {', '.join(f'{o:+g}' for o in sorted(offsets)[:3])}"


def _complement(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    if any(pair.expected.dtype is not torch.bool for pair in trials):
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


def axis_names(exercise: Exercise, index: int, rank: int) -> list[str]:
    """Names of a result's axes, the last axis last; leading ones without a name by their number."""
    names = list(exercise.axes[index]) if index < len(exercise.axes) else []
    names = names[-rank:] if rank else []
    return [f"axis {i}" for i in range(rank - len(names))] + names


def _transposed(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    ranks = {e.dim() for _, e, _ in _pairs(trials)}
    rank = min(ranks)
    for first, second in itertools.combinations(range(-rank, 0), 2):
        if _all(trials, lambda t, e, a, i=first, j=second: _near(e.transpose(i, j), a)):  # type: ignore[misc]
            names = axis_names(exercise, index, max(ranks))
            return f"the axes {names[first]} and {names[second]} are exchanged"
    return None


def _same_shape_jumble(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    """A permutation that a wrong reshape makes: the same numbers in other places."""

    def jumbled(t: Trial, e: Tensor, a: Tensor) -> bool:
        left, right = e.flatten().sort().values, a.flatten().sort().values
        return e.numel() > 1 and _near(left, right)

    if not _all(trials, jumbled):
        return None
    for axis in range(-min(e.dim() for _, e, _ in _pairs(trials)), 0):
        if _all(trials, lambda t, e, a, i=axis: _near(e.flip(i), a)):  # type: ignore[misc]
            return f"the order along the axis {axis_names(exercise, index, 9)[axis]} is reversed"
        for step in (1, -1):
            if _all(trials, lambda t, e, a, i=axis, s=step: _near(e.roll(s, i), a)):  # type: ignore[misc]
                return f"everything is shifted by one along the axis {axis_names(exercise, index, 9)[axis]}"
        if _all(trials, lambda t, e, a, i=axis: _near(e.sort(i).values, a.sort(i).values)):  # type: ignore[misc]
            return f"the right numbers, in another order along the axis {axis_names(exercise, index, 9)[axis]}"
    return (
        "all the right numbers are there, in the wrong places: a `view` or `reshape` where an axis has to be "
        "moved (`transpose`), or the axes in another order"
    )


def _rows(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    if exercise.rows_sum_to_one != index:
        return None
    turned = [_rows_last(exercise, pair) for pair in trials]
    totals = [came.sum(-1)[right.sum(-1) > 0.5] for right, came in turned]
    wrong = [total for total in totals if not _near(torch.ones_like(total), total)]
    if not wrong:
        return None
    sums = torch.cat([total.flatten() for total in wrong])
    worst = sums[(sums - 1).abs().nan_to_num(0.0).argmax()].item()
    columns = all(c.dim() > 1 and _near(torch.ones_like(c.sum(-2)), c.sum(-2)) for _, c in turned)
    says = f"the weights of a row don't sum to 1 (one row sums to {told_apart(worst, 1.0)[0]})"
    return says + ("; the columns do: the sum runs along the wrong axis" if columns else "")


def _constant(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    if _all(trials, lambda t, e, a: a.numel() > 1 and bool((a == a.flatten()[0]).all())):
        values = {round(a.flatten()[0].item(), 4) for _, _, a in _pairs(trials)}
        if len(values) == 1:
            return f"in every failed trial all numbers are {next(iter(values)):g}"
    return None


def _transforms(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    changes: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("the logarithm of what it should be", torch.log),
        ("the exponential of what it should be", torch.exp),
        ("what it should be, rounded down to whole numbers", torch.floor),
        ("the square of what it should be", torch.square),
        ("the square root of what it should be", torch.sqrt),
        ("the absolute value of what it should be", torch.abs),
        ("what it should be, rounded to whole numbers", torch.round),
        ("what it should be, cut off at 0 from below", torch.relu),
        ("1 minus what it should be", lambda e: 1 - e),
        ("the reciprocal of what it should be", torch.reciprocal),
        ("the tanh of what it should be", torch.tanh),
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


def _where(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    """Where in the result the wrong numbers stand, when that is a nameable place."""
    names = dict.fromkeys(name for pair in trials for name in pair.trial.probe.case.regions)
    for name in names:
        inside = [
            (region, _wrong(e, a))
            for t, e, a in _pairs(trials)
            if (region := _spread(t.probe.case.regions.get(name, False), a)) is not None
        ]
        seen = len(inside) == len(trials) and all(wrong.any() for _, wrong in inside)
        if seen and not any((wrong & ~region).any() for region, wrong in inside):
            return f"wrong are only the {name}"
    return (
        _by_input(trials)
        or _triangles(trials)
        or _index(exercise, trials, index)
        or _furthest(trials)
    )


def _by_input(trials: list[Pair]) -> str | None:
    """Where each number is made of one of the input: from which input on it is wrong."""
    seen, bad = [], []
    for trial, expected, actual in _pairs(trials):
        given = [arg for arg in trial.probe.exact() if isinstance(arg, Tensor)]
        if len(given) != 1 or given[0].shape != expected.shape or trial.probe.half:
            return None
        seen.append(given[0].double().flatten())
        bad.append(_wrong(expected, actual).flatten())
    x, wrong = torch.cat(seen), torch.cat(bad)
    if wrong.all() or not wrong.any() or not x.isfinite().all():
        return None
    for says, key in (("above", x), ("below", -x), ("beyond ±", x.abs())):
        edge = key[wrong].min()
        if key[~wrong].max() < edge:
            at = f"{(-edge if says == 'below' else edge).item():.3g}"
            beyond = f"{says}{at}" if says.endswith("±") else f"{at} or further {says}"
            return f"wrong are only the numbers whose input is {beyond}"
    return None


def _furthest(trials: list[Pair]) -> str:
    """The place of the largest difference, when there is nothing better to say."""
    gaps = [(a - e).abs().nan_to_num(math.inf) for _, e, a in _pairs(trials)]
    which = max(range(len(gaps)), key=lambda i: float(gaps[i].max()) if gaps[i].numel() else -1.0)
    _, expected, actual = list(_pairs(trials))[which]
    wrong, place = _wrong(expected, actual), int(gaps[which].argmax())
    # torch.unravel_index would import sympy first, for half a second.
    at = (torch.arange(expected.numel()).reshape(expected.shape) == place).nonzero()[0].tolist()
    came, right = told_apart(actual.flatten()[place].item(), expected.flatten()[place].item())
    if not expected.dim():
        return f"{came} comes out in place of {right}"
    many = "all" if wrong.all() else f"{int(wrong.sum())} of {wrong.numel()}"
    return f"{many} numbers are wrong; the largest difference is at {at}: {came} instead of {right}"


def _triangles(trials: list[Pair]) -> str | None:
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


def _index(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    _, expected, actual = max(_pairs(trials), key=lambda pair: pair[1].numel())
    wrong = _wrong(expected, actual)
    if not wrong.any() or wrong.all():
        return None
    names = axis_names(exercise, index, expected.dim())
    for axis, name in enumerate(names):
        others = tuple(i for i in range(expected.dim()) if i != axis)
        hit = wrong.any(dim=others) if others else wrong
        places = hit.nonzero().flatten().tolist()
        size = expected.shape[axis]
        if 0 < len(places) < size:
            if len(places) == size - 1 and not hit[0]:
                return f"along {name} only index 0 is right"
            if len(places) > 6:
                return f"along {name} {len(places)} of {size} indices are wrong"
            which = ", ".join(map(str, places))
            one = len(places) == 1
            subject, be = ("index", "is") if one else ("the indices", "are")
            return f"along {name} only {subject} {which} (of 0 to {size - 1}) {be} wrong"
    return f"{int(wrong.sum())} of {wrong.numel()} numbers are wrong"


def _uniform(exercise: Exercise, trials: list[Pair], index: int) -> str | None:
    if exercise.rows_sum_to_one != index:
        return None
    rows = [_rows_last(exercise, pair)[1] for pair in trials]
    if not all(_near(torch.ones(row.shape[:-1]), row.sum(-1)) for row in rows):
        return None
    if all(_near(row.mean(-1, keepdim=True).expand_as(row), row) for row in rows):
        return "every key gets the same weight"
    if len(rows) > 2 and all(bool(((row == 0) | (row == 1)).all()) for row in rows):
        return "all the weight falls on one key: an argmax, or scores that are far too large"
    return None


RELATIONS: tuple[Callable[[Exercise, list[Pair], int], str | None], ...] = (
    _landmark,
    _not_a_number,
    _complement,
    _precision,
    _factor,
    _offset,
    _transposed,
    _same_shape_jumble,
    _uniform,
    _constant,
    _temperature,
    _transforms,
    _rows,
)

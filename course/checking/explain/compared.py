"""How a tensor of the answer relates to the model's at whose place it stands."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Exercise
from course.checking.explain import relations
from course.checking.explain.diagnosis import Trial
from course.checking.explain.naming import Names
from course.checking.explain.relations import Pair
from course.checking.explain.tracing import Step, same

_OF_RESULTS = (relations._landmark, relations._complement, relations._constant)
Steps = Mapping[int, tuple[Sequence[Step], Sequence[Step]]]  # by the id of the trial
_COMPARED = "Compared with what belongs there: "
_AXES = (("-4", "-3", "-2", "-1"),)  # names of axes that have none
_SHOWN = 12  # whole numbers that are shown as they are
_FEW = 3  # trials, the smallest, in which a relation is looked for that does not hold in all
_RELATIONS = tuple(relation for relation in relations.RELATIONS if relation not in _OF_RESULTS)


def describe(
    exercise: Exercise,
    names: Names,
    wanted: Step,
    came: Step,
    pairs: list[Pair],
    steps: Steps,
    last: bool,
) -> str:
    """A sentence on the answer's tensor beside the model's; empty where there is none.

    `pairs`: the two in each trial, the traced ones first. `steps`: the model's and the answer's in those.
    """
    pairs = [p for p in pairs if not same(p.expected, p.actual)]
    if not pairs:
        return ""
    if wanted.truth and came.truth:
        return _of_truths(exercise, pairs)
    if step := _another_step(names, wanted, came, pairs, steps):
        return step
    for name, value in _inputs(exercise, pairs[0]):
        if all(same(_input(exercise, pair, name), pair.actual) for pair in pairs):
            return f"It is `{name}` itself"
        if value.dim() <= came.value.dim() and (often := _often(exercise, pairs, name)):
            return f"`{name}` is {often}"
    if all(uniform(p.expected) for p in pairs) or all(uniform(p.actual) for p in pairs):
        return ""  # a single number stands in many relations
    bare = replace(
        exercise,
        landmarks=(),
        axes=exercise.axes[:1] if last else _AXES,
        rows_sum_to_one=0 if all(map(_shares, pairs)) else None,
        weights_axis=lambda *args: -1,
    )
    if says := _relation(bare, pairs):
        return says
    traced = [p for p in pairs if id(p.trial) in steps]
    if not traced:
        return ""
    largest = max(traced, key=lambda p: p.actual.numel())  # at the smallest sizes much is alike
    return _of_its_source(bare, names, came, largest, steps)


def _relation(exercise: Exercise, pairs: list[Pair]) -> str:
    """What holds in all trials; else where all numbers are finite, if most are; else in the smallest."""
    finite = [p for p in pairs if bool(p.actual.isfinite().all() and p.expected.isfinite().all())]
    finite = finite if len(pairs) > len(finite) >= len(pairs) / 2 else []
    share = f" (in {len(finite)} of {len(pairs)} trials)"
    smallest = pairs[:_FEW] if len(pairs) > _FEW else []
    for groups in ([(pairs, ""), (finite, share)], [(smallest, " (in the smallest trials)")]):
        for relation in (
            _other_axis,
            *_RELATIONS,
            _cut,
            _shifted,
            _linear,
            _inside_a_root,
            _changed,
        ):
            for chosen, where in groups:
                if chosen and (says := _safely(relation, exercise, chosen)):
                    return f"{_COMPARED}{says}{where}"
    return ""


def _safely(relation: Any, exercise: Exercise, pairs: list[Pair]) -> str:
    try:
        return relation(exercise, pairs, 0) or ""
    except Exception:  # a relation is made for results, and this may be any tensor
        return ""


def _of_its_source(
    exercise: Exercise,
    names: Names,
    came: Step,
    pair: Pair,
    steps: Steps,
) -> str:
    """How the answer's tensor relates to a right value, or to an input, of which it was made."""
    model, answer = steps[id(pair.trial)]
    came = next((s for s in answer if s.place == came.place and same(s.value, pair.actual)), came)
    known = [(names.of(step), step.value) for step in model if not step.inner]
    known += [(f"`{name}`", value) for name, value in _inputs(exercise, pair)]
    made_of = [answer[index].value for index in came.sources]
    made_of += [value for name, value in _inputs(exercise, pair)] if came.of_input else []
    for name, value in known:
        if value.shape != came.value.shape or uniform(value) or uniform(came.value):
            continue
        if not any(same(value, source) for source in made_of):
            continue
        seen = [Pair(pair.trial, value, came.value)]
        for relation in (relations._transforms, _cut, _changed):
            if says := _safely(relation, exercise, seen):
                return f"Compared with {name}: {says.replace('what it should be', 'that')}"
    return ""


def of_input(exercise: Exercise, name: str, pairs: list[Pair]) -> str:
    """The end of a sentence on what stands for an input: how it relates to that, or both as numbers."""
    first = pairs[0]
    few = first.expected.numel() <= _SHOWN
    if few and same(first.expected, first.expected.round()):
        came, given = (x.long().tolist() for x in (first.actual, first.expected))
        return f", as {came} for {given}"
    bare = replace(exercise, landmarks=(), axes=_AXES, rows_sum_to_one=None)
    says = _relation(bare, pairs).removeprefix(_COMPARED)
    return f". Compared with `{name}`: {says.replace('what it should be', 'that')}" if says else ""


def uniform(value: Tensor) -> bool:
    """Whether a tensor holds one number, be it over and over."""
    return value.numel() < 2 or bool((value == value.flatten()[0]).all())


def _another_step(names: Names, wanted: Step, came: Step, pairs: list[Pair], steps: Steps) -> str:
    """Which of the model's other steps the answer's tensor is, in each trial that was traced."""
    answer = steps[id(pairs[0].trial)][1] if id(pairs[0].trial) in steps else ()
    if any(same(answer[i].value, came.value) for i in came.sources if i < len(answer)):
        return ""  # a step that adds next to nothing is there
    traced = [(steps[id(p.trial)][0], p.actual) for p in pairs if id(p.trial) in steps]
    for step in traced[0][0] if traced else ():
        if step.inner or step.number == wanted.number:
            continue
        again = [
            any(s.place == step.place and same(s.value, value) for s in model)
            for model, value in traced
        ]
        if not all(again):
            continue
        if step.index in wanted.sources:
            return f"It is {names.of(step)}: {names.operation(wanted)} is missing"
        return f"It is {names.of(step)}"
    return ""


def arguments(exercise: Exercise, trial: Trial) -> Iterator[tuple[str, Any]]:
    """A trial's arguments by the names that the model solution gives them; nothing for a class."""
    yield from zip(_parameters(exercise.model_source), trial.probe.exact(), strict=False)


@functools.cache
def _parameters(source: str) -> tuple[str, ...]:
    node = ast.parse(source).body[-1]
    return tuple(a.arg for a in node.args.args) if isinstance(node, ast.FunctionDef) else ()


def _inputs(exercise: Exercise, pair: Pair) -> Iterator[tuple[str, Tensor]]:
    for name, arg in arguments(exercise, pair.trial):
        if isinstance(arg, Tensor) and arg.is_floating_point():
            yield name, arg.double()


def _input(exercise: Exercise, pair: Pair, name: str) -> Tensor:
    return dict(_inputs(exercise, pair))[name]


def _often(exercise: Exercise, pairs: list[Pair], name: str) -> str:
    """How often an input is in the answer's tensor that should be in it once."""
    counts = []
    for pair in pairs:
        gap, value = pair.actual - pair.expected, _input(exercise, pair, name)
        try:
            spread = value.expand_as(gap)
        except RuntimeError:
            return ""
        times = ((gap * spread).sum() / spread.square().sum()).item()
        if not math.isfinite(times) or not same(gap, round(times) * spread):
            return ""
        counts.append((pair.trial.probe.case.sizes, round(times)))
    numbers = {times for _, times in counts}
    if len(numbers) > 1:
        formula = relations._formula([(sizes, times + 1.0) for sizes, times in counts]) or ""
        found = re.fullmatch(r"every number is (.*) times what it should be", formula)
        return f"added {found[1]} times in place of once" if found else ""
    known = {1: "added to it", -1: "missing in it", -2: "subtracted where it belongs added"}
    (times,) = numbers
    return known.get(times, f"added {times + 1} times in place of once" if times > 1 else "")


def _of_truths(exercise: Exercise, pairs: list[Pair]) -> str:
    more = any(bool((p.actual > p.expected).any()) for p in pairs)
    less = any(bool((p.actual < p.expected).any()) for p in pairs)
    if all(bool((p.actual != p.expected).all()) for p in pairs):
        return "True and False are exchanged"
    if more and less:
        for relation in (relations._transposed, relations._same_shape_jumble):
            says = _safely(relation, replace(exercise, axes=_AXES), pairs)
            if says and not says.startswith("all the right"):  # of truths many are alike
                return f"{_COMPARED}{says}"
        return ""
    place = relations._triangles(pairs) or ""
    where = f", and {place}" if place else ""
    return f"It is True in {'more' if more else 'fewer'} places than it should be{where}"


def _shares(pair: Pair) -> bool:
    """Whether the right tensor holds shares along its last axis."""
    total = pair.expected.sum(-1) if pair.expected.dim() else pair.expected
    return bool((pair.expected >= 0).all()) and same(total, (total > 0.5).to(total))


def _changed(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    changes: dict[str, Callable[[Tensor], Tensor]] = {
        "layer-normalised": lambda x: torch.nn.functional.layer_norm(x, x.shape[-1:]),
        "scaled to length 1": lambda x: torch.nn.functional.normalize(x, dim=-1),
        "without its mean": lambda x: x - x.mean(-1, keepdim=True),
        "put through a sigmoid": torch.sigmoid,
        "put through a GELU": torch.nn.functional.gelu,
        "put through a sine": torch.sin,
        "negated": torch.neg,
    }
    for says, change in changes.items():
        if all(same(change(p.expected), p.actual) for p in pairs):
            return f"it is {says}"
    return None


def _cut(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    """Right numbers, or a multiple of them, but where a limit stands in their place."""
    return _limited(pairs, [1.0] * len(pairs)) or _limited_from_below(pairs)


def _limited(pairs: list[Pair], factors: list[float]) -> str | None:
    low, high = -torch.inf, torch.inf
    for pair, factor in zip(pairs, factors, strict=True):
        right = factor * pair.expected
        apart = ~torch.isclose(right, pair.actual, 1e-6, 1e-8, equal_nan=True)
        up, down = (apart & (pair.actual > right), apart & (pair.actual < right))
        low = max(low, pair.actual[up].min().item()) if bool(up.any()) else low
        high = min(high, pair.actual[down].max().item()) if bool(down.any()) else high
    limits = [f"below {low:.3g}"] if low > -torch.inf else []
    limits += [f"above {high:.3g}"] if high < torch.inf else []
    if not limits or low > high:
        return None
    kept = 0
    for pair, factor in zip(pairs, factors, strict=True):
        right = (factor * pair.expected).clamp(low, high)
        if not same(right, pair.actual):
            return None
        kept += int(((right > low) & (right < high)).sum())
    of = "" if all(factor == 1.0 for factor in factors) else "a multiple of what it should be, "
    return f"it is {of}cut off {' and '.join(limits)}" if kept > 2 else None


def _limited_from_below(pairs: list[Pair]) -> str | None:
    if not all(bool((p.expected > 0).all()) for p in pairs):
        return None
    return _limited(pairs, [(p.actual / p.expected).min().item() for p in pairs])


def _shifted(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    """What it should be, plus one number that is the same everywhere."""
    gaps = torch.cat([(p.actual - p.expected).flatten() for p in pairs])
    if gaps.numel() < 4 or not same(gaps, gaps[:1].expand_as(gaps)) or not bool(gaps.any()):
        return None
    return f"every number is what it should be, plus {gaps[0].item():.4g}"


def _linear(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    """A multiple of what it should be, plus one number that is the same everywhere."""
    offsets, factors = [], []
    for pair in pairs:
        x, y = pair.expected.flatten(), pair.actual.flatten()
        if x.numel() < 3:
            continue
        apart = x - x.mean()
        if not bool(apart.any()):
            return None
        factor = (apart * y).sum() / apart.square().sum()
        offset = (y - factor * x).mean()
        if not same(factor * x + offset, y):
            return None
        factors.append(factor.item())
        offsets.append(offset.item())
    if not factors or max(offsets) - min(offsets) > 1e-6 * max(1.0, abs(offsets[0])):
        return None
    if abs(offsets[0]) < 1e-6 or min(map(abs, factors)) < 1e-6:
        return None
    alike = max(factors) - min(factors) < 1e-6 * abs(factors[0])
    often = f"{factors[0]:.4g} times" if alike else "a multiple of"
    often = {"1 times ": "", "-1 times ": "minus "}.get(f"{often} ", f"{often} ")
    return f"every number is {often}what it should be, plus {offsets[0]:.4g}"


def _inside_a_root(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    """The root of the square of what it should be plus one number, as with eps in a root."""
    gaps = torch.cat([(p.actual.square() - p.expected.square()).flatten() for p in pairs])
    if gaps.numel() < 4 or not same(gaps, gaps[:1].expand_as(gaps)) or abs(gaps[0]) < 1e-6:
        return None
    if not all(bool((p.actual >= 0).all() and (p.expected >= 0).all()) for p in pairs):
        return None
    return f"every number is the root of what its square should be, plus {gaps[0].item():.4g}"


def _other_axis(exercise: Exercise, pairs: list[Pair], index: int) -> str | None:
    """Shares that sum to 1 along another axis than they should."""
    for right, came in ((p.expected, p.actual) for p in pairs):
        if right.dim() < 2 or bool((right < 0).any()) or bool((came < 0).any()):
            return None

    def axes(x: Tensor) -> set[int]:
        return {
            axis
            for axis in range(-x.dim(), 0)
            if x.shape[axis] > 1 and bool(x.any()) and same(x.sum(axis), x.any(axis).to(x))
        }

    wanted = set.intersection(*(axes(p.expected) for p in pairs))
    found = set.intersection(*(axes(p.actual) for p in pairs))
    if not wanted or not found or wanted & found:
        return None
    return (
        f"it sums to 1 along axis {max(found)} and should along axis {max(wanted)}, as if it were "
        "normalised over the wrong axis"
    )

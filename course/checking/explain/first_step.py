"""The first step at which an answer leaves the model solution: one search for all exercises.

Two ways lead there, and each is verified on all plain trials before a word is said. A tensor of the
answer takes the place of a step in the model solution, which then returns what the answer returns: the
answer's own line is the first wrong one. Or a small change of the model solution returns it.
Where neither does, the first of the model's values that the answer never makes is named.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Exercise
from course.checking.explain import relations, variants
from course.checking.explain.agreeing import alike
from course.checking.explain.diagnosis import Trial
from course.checking.explain.tracing import Step, arrangements, run, same
from course.checking.trials import running
from course.sandbox import guards

SECONDS = 0.3  # of computing, for the whole search
EACH = 0.05  # ... for one call of a changed model, which may have lost the end of a loop


@dataclass(frozen=True)
class _Seen:
    """One failed trial, with the steps of both sides."""

    trial: Trial
    model: list[Step]
    answer: list[Step]


def describe(exercise: Exercise, function: Callable[..., Any], trials: list[Trial]) -> list[str]:
    """Where the answer first goes wrong and how; empty where that cannot be verified."""
    if not running.searching:  # it ended its process in a search before
        return []
    usable = [
        t
        for t in trials
        if t.probe.mode == "plain"
        and t.probe.dtype is torch.float64
        and t.probe.case.raises is None
        and t.probe.case.summary is None
    ]
    failed = sorted((t for t in usable if _values(t)), key=lambda t: (_bare(t), _size(t)))
    if not failed or any(t.failed and not _values(t) and t.actual.timed_out for t in usable):
        return []
    ends = time.process_time() + SECONDS
    seen: list[_Seen] = []
    with _contained():
        seen = [s for t in failed[:3] if (s := _traced(exercise, function, t)) is not None]
        if seen and (says := _changed_afterwards(seen)):
            return [says]
        if seen and (says := _changed_input(exercise, seen)):
            return [says]
        place, related = _substituted(exercise, seen, ends - SECONDS / 2) if seen else ("", "")
    if related:
        return [f"{place}. {related}"]
    with _contained():
        if says := _varied(exercise, failed, usable, ends):
            return [f"{place}. {says[0].upper()}{says[1:]}" if place else says]
    return [place] if place else _first_missing(exercise, seen) if seen else []


def _changed_input(exercise: Exercise, seen: list[_Seen]) -> str:
    """Whether the answer is the model's for another input, one that the answer makes."""
    first = seen[0]
    if exercise.is_class or _bare(first.trial):
        return ""
    for index, (name, arg) in enumerate(_arguments(exercise, first.trial)):
        if not isinstance(arg, Tensor):
            continue
        for came in first.answer:
            if _stands_for(exercise, first, index, came) and all(
                _stands_for(exercise, other, index, again)
                for other in seen[1:]
                for again in other.answer
                if _key(again) == _key(came)
            ):
                return (
                    f"line {came.place[0]}, `{_cut(came.code)}`, is where it goes wrong: your result is the "
                    f"right one for that in place of `{name}`"
                )
    return ""


def _stands_for(exercise: Exercise, seen: _Seen, index: int, came: Step) -> bool:
    """Whether the model gives the answer's result when it is given this tensor of the answer."""
    args = list(seen.trial.probe.arguments())
    arg, value = args[index], came.value
    if not isinstance(arg, Tensor) or value.shape != arg.shape or same(value, arg.double()):
        return False
    if not arg.is_floating_point() and not same(value.to(arg.dtype).double(), value):
        return False
    if _is_final(seen, value) or any(same(value, step.value) for step in seen.model):
        return False
    args[index] = value.to(arg.dtype)
    return _returns(exercise, seen.trial, tuple(args))


def _masks(wanted: Tensor, came: Tensor) -> bool:
    """Whether a tensor holds inf, or NaN, in some places where another does not."""
    kept = came.isfinite()
    return bool(wanted.isfinite().all()) and not bool(kept.all()) and bool(kept.any())


def _is_final(seen: _Seen, value: Tensor) -> bool:
    """Whether a tensor is the whole of what the answer returns."""
    result = seen.trial.actual.value
    parts = result if isinstance(result, tuple | list) else (result,)
    return any(isinstance(part, Tensor) and same(part.double(), value) for part in parts)


def _returns(exercise: Exercise, trial: Trial, args: tuple[Any, ...]) -> bool:
    model = exercise.model()
    try:
        with guards.time_limit(EACH), guards.seeded(running.SEED):
            result = trial.probe.callable(model)(*args)
    except (Exception, guards.TimeLimit):
        return False
    return alike(trial.probe, running.Outcome(result), trial.actual)


def _arguments(exercise: Exercise, trial: Trial) -> Iterator[tuple[str, Any]]:
    node = ast.parse(exercise.model_source).body[-1]
    names = [a.arg for a in node.args.args] if isinstance(node, ast.FunctionDef) else []
    yield from zip(names, trial.probe.exact(), strict=False)


class _contained:
    """A block in which the answer may run; what goes wrong in it ends the block."""

    def __enter__(self) -> None:
        self._inner = running.contained()
        self._inner.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        try:
            self._inner.__exit__(kind, error, trace)
        except (Exception, guards.TimeLimit):
            return True
        return kind is None or issubclass(kind, Exception | guards.TimeLimit)


def _values(trial: Trial) -> bool:
    return trial.difference is not None and trial.difference.kind == "values"


def _bare(trial: Trial) -> bool:
    """Whether so little came that it fits much: one number over and over, or NaN."""
    value = trial.difference.actual if trial.difference is not None else None
    if not isinstance(value, Tensor):
        return False
    return _uniform(value) or not bool(value.isfinite().all())


def _uniform(value: Tensor) -> bool:
    """Whether a tensor holds one number, be it over and over."""
    return value.numel() < 2 or bool((value == value.flatten()[0]).all())


def _size(trial: Trial) -> int:
    return sum(x.numel() for x in trial.probe.case.args if isinstance(x, Tensor)) or len(
        repr(trial.probe.case.args)
    )


def _traced(exercise: Exercise, function: Callable[..., Any], trial: Trial) -> _Seen | None:
    sides = []
    for one in (exercise.model(), function):
        with guards.seeded(running.SEED):
            _, steps = run(
                one, trial.probe.callable(one), trial.probe.arguments(), running._files(one)
            )
        sides.append(steps)
    return _Seen(trial, *sides)


def _changed_afterwards(seen: list[_Seen]) -> str:
    """Whether the answer makes the right result, and goes on."""
    found: Step | None = None
    after: Step | None = None
    for one in seen:
        wanted = one.trial.expected.exact
        if not isinstance(wanted, Tensor) or _uniform(wanted) or not one.answer:
            return ""
        right = [i for i, s in enumerate(one.answer) if same(s.value, wanted.double())]
        if not right or right[-1] + 1 >= len(one.answer):
            return ""
        found, after = one.answer[right[-1]], one.answer[right[-1] + 1]
    if found is None or after is None:
        return ""
    return (
        f"line {found.place[0]}, `{_cut(found.code)}`, makes the right result, and what follows, from "
        f"line {after.place[0]}, `{_cut(after.code)}`, on, changes it"
    )


def _substituted(exercise: Exercise, seen: list[_Seen], ends: float) -> tuple[str, str]:
    """The earliest step of the model that one of the answer's own tensors replaces."""
    first = seen[0]
    names = _Names(exercise)
    outer = [step for step in first.model if not step.inner]
    own = [
        step
        for step in first.answer
        if not any(same(step.value, other.value) for other in first.model)
    ]
    final = first.trial.expected.exact
    results = final if isinstance(final, tuple) else (final,)
    for exact in (True, False):
        for wanted in outer:
            last = any(isinstance(f, Tensor) and same(f.double(), wanted.value) for f in results)
            for came in own:
                if (came.value.shape == wanted.value.shape) != exact:
                    continue
                if not last and _is_final(first, came.value):
                    continue  # what normalises twice would fit too
                if exact and not last and _masks(wanted.value, came.value):
                    continue  # so would what is masked twice
                if time.process_time() > ends:
                    return "", ""
                pairs = _pairs(exercise, seen, wanted, came)
                if pairs is not None:
                    return _told(exercise, names, wanted, came, pairs, first, last)
    return "", ""


def _gives(exercise: Exercise, trial: Trial, wanted: Step, value: Tensor) -> bool:
    """Whether the model returns what the answer returned, with this value in place of its own."""
    model = exercise.model()
    try:
        with guards.time_limit(EACH), guards.seeded(running.SEED):
            result, _ = run(
                model,
                trial.probe.callable(model),
                trial.probe.arguments(),
                running._files(model),
                {(wanted.number, wanted.part): value},
            )
    except (Exception, guards.TimeLimit):
        return False
    return alike(trial.probe, running.Outcome(result), trial.actual)


def _pairs(
    exercise: Exercise, seen: list[_Seen], wanted: Step, came: Step
) -> list[relations.Pair] | None:
    """The two tensors in each failed trial that was traced; None where the exchange does not explain it."""
    pairs = []
    for one in seen:
        model = [s for s in one.model if _key(s) == _key(wanted)]
        answer = [s for s in one.answer if _key(s) == _key(came)]
        if not model or not answer:
            continue  # another branch
        for value in arrangements(answer[0].value, model[0].value.shape):
            if _gives(exercise, one.trial, model[0], value):
                pairs.append(relations.Pair(one.trial, model[0].value, value))
                break
        else:
            return None
    return pairs or None


def _key(step: Step) -> tuple[Any, ...]:
    return (step.place, step.occurrence, step.part)


def _arranged(one: Tensor, other: Tensor) -> bool:
    return one.numel() == other.numel() and any(
        same(turned, other) for turned in arrangements(one, other.shape)
    )


def _told(
    exercise: Exercise,
    names: _Names,
    wanted: Step,
    came: Step,
    pairs: list[relations.Pair],
    first: _Seen,
    last: bool,
) -> tuple[str, str]:
    own = f"line {came.place[0]}, `{_cut(came.code)}`"
    relation = _relation(exercise, names, wanted, came, pairs, first, last)
    if last and not isinstance(first.trial.expected.exact, tuple):
        return f"{own}, should make {names.of(wanted)} and makes something else", relation
    place = (
        f"{own}, is where it goes wrong: it stands in the place of {names.of(wanted)}, and all that "
        "follows fits"
    )
    return place, relation


def _relation(
    exercise: Exercise,
    names: _Names,
    wanted: Step,
    came: Step,
    pairs: list[relations.Pair],
    first: _Seen,
    last: bool,
) -> str:
    """How the answer's tensor relates to the model's."""
    if axes := _other_axis(pairs):
        return axes
    for step in first.model:
        if step.number < wanted.number and same(step.value, came.value):
            return f"It is {names.of(step)}: the next step is missing"
    for trial_arg, arg in _inputs(exercise, first.trial):
        value = arg.double()
        if same(value, came.value):
            return f"It is `{trial_arg}` itself"
        if value.dim() <= came.value.dim() and bool(value.any()):
            with_it = _plus(pairs[0], value)
            if with_it:
                return f"`{trial_arg}` is {with_it} it"
    if all(_uniform(p.expected) for p in pairs):
        return ""  # a single number stands in many relations
    bare = replace(
        exercise,
        landmarks=(),
        axes=exercise.axes[:1] if last else (),
        rows_sum_to_one=0 if all(map(_shares, pairs)) else None,
        weights_axis=lambda *args: -1,
    )
    for relation in (*relations.RELATIONS, _normed):
        try:
            says = relation(bare, pairs, 0)
        except Exception:
            continue
        if says:
            return f"Compared with what belongs there: {says}"
    return ""


def _shares(pair: relations.Pair) -> bool:
    """Whether the right tensor holds shares along its last axis."""
    total = pair.expected.sum(-1) if pair.expected.dim() else pair.expected
    return bool((pair.expected >= 0).all()) and same(total, (total > 0.5).to(total))


def _normed(exercise: Exercise, pairs: list[relations.Pair], index: int) -> str | None:
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


def _plus(pair: relations.Pair, value: Tensor) -> str:
    """Whether an input was added too often or is missing."""
    gap = pair.actual - pair.expected
    try:
        spread = value.expand_as(gap)
    except RuntimeError:
        return ""
    return "added to" if same(gap, spread) else "missing in" if same(gap, -spread) else ""


def _other_axis(pairs: list[relations.Pair]) -> str:
    """Shares that sum to 1 along another axis than they should."""
    for right, came in ((p.expected, p.actual) for p in pairs):
        if right.dim() < 2 or bool((right < 0).any()) or bool((came < 0).any()):
            return ""

    def axes(x: Tensor) -> set[int]:
        return {
            axis
            for axis in range(-x.dim(), 0)
            if x.shape[axis] > 1 and bool(x.any()) and same(x.sum(axis), x.any(axis).to(x))
        }

    wanted = set.intersection(*(axes(p.expected) for p in pairs))
    found = set.intersection(*(axes(p.actual) for p in pairs))
    if wanted and found and not wanted & found:
        return (
            f"It sums to 1 along axis {max(found)} and should along axis {max(wanted)}: it is normalised "
            "over the wrong axis"
        )
    return ""


def _inputs(exercise: Exercise, trial: Trial) -> Iterator[tuple[str, Tensor]]:
    node = ast.parse(exercise.model_source).body[-1]
    names = [a.arg for a in node.args.args] if isinstance(node, ast.FunctionDef) else []
    for name, arg in zip(names, trial.probe.exact(), strict=False):
        if isinstance(arg, Tensor) and arg.is_floating_point():
            yield name, arg


class _Names:
    """Human names of the model's steps: the variable that gets the value, and the comment beside it."""

    def __init__(self, exercise: Exercise) -> None:
        source = exercise.model_source
        self._lines = source.splitlines()
        self._statements: list[ast.stmt] = [
            n
            for n in ast.walk(ast.parse(source))
            if isinstance(n, ast.Assign | ast.Return | ast.AugAssign | ast.Expr)
        ]
        self._nodes = {
            (n.lineno, n.end_lineno, n.col_offset, n.end_col_offset): n
            for n in ast.walk(ast.parse(source))
            if isinstance(n, ast.expr)
        }

    def of(self, step: Step) -> str:
        """What a step of the model makes."""
        statement = self.statement(step.place[0])
        if statement is None:
            return "a step"
        node = self._nodes.get(step.place)
        whole = getattr(statement, "value", None)
        exact = whole is not None and (
            (whole.lineno, whole.end_lineno, whole.col_offset, whole.end_col_offset) == step.place
        )
        name = variants.made(statement)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            parts = statement.targets[0].elts
            if exact and step.part < len(parts):
                name = f"`{ast.unparse(parts[step.part])}`"
        comment = self._lines[step.place[0] - 1].partition("  # ")[2]
        if exact:
            kind = variants.word(node) if node is not None else "step"
            comment = f", {comment}" if comment and not comment.startswith("(") else ""
            if kind == "step" or isinstance(statement, ast.Return):
                return name
            article = "an" if kind[0] in "aeiou" else "a"
            return f"{name} ({article} {kind}{comment})"
        kind = variants.word(node) if node is not None else "step"
        return f"the {kind} on the way to {name}"

    def statement(self, line: int) -> ast.stmt | None:
        """The statement that stands on a line."""
        inside = [s for s in self._statements if s.lineno <= line <= (s.end_lineno or s.lineno)]
        return min(inside, key=lambda s: (s.end_lineno or 0) - s.lineno) if inside else None


def _varied(exercise: Exercise, failed: list[Trial], usable: list[Trial], ends: float) -> str:
    """A small change of the model solution that returns what the answer returned, in each plain trial."""
    others = [t for t in usable if t not in failed and t.actual.error is None]
    broken = [t for t in usable if t.difference is not None and not _values(t)]
    model = exercise.model()
    names = dict(getattr(model, "__globals__", {}) or {})
    if isinstance(model, type):
        names = dict(model.__dict__["forward"].__globals__)
    best: variants.Variant | None = None
    for variant in variants.variants(exercise.model_source):
        if time.process_time() > ends or (best is not None and best.rank == 0):
            break
        if best is not None and variant.rank >= best.rank:
            continue
        space = dict(names)
        try:
            exec(compile(variant.source, "<variant>", "exec", dont_inherit=True), space)
            changed = space[exercise.name]
        except Exception:
            continue
        if all(_agrees(changed, t) for t in (*failed, *others)) and all(
            not _agrees(changed, t, right=True) for t in broken
        ):
            best = variant
    if best is None:
        return ""
    return f"the right solution gives your results with one change: {best.says}"


def _agrees(function: Callable[..., Any], trial: Trial, right: bool = False) -> bool:
    try:
        with guards.time_limit(EACH), guards.seeded(running.SEED):
            value = trial.probe.callable(function)(*trial.probe.arguments())
    except (Exception, guards.TimeLimit):
        return False
    wanted = trial.expected if right else trial.actual
    return alike(trial.probe, running.Outcome(value), wanted)


def _first_missing(exercise: Exercise, seen: list[_Seen]) -> list[str]:
    """The first of the model's values that the answer never makes, if it made something of the model's."""
    first = seen[0]
    names = _Names(exercise)
    outer = [step for step in first.model if not step.inner]
    made = [any(_arranged(a.value, step.value) for a in first.answer) for step in outer]
    if not any(made) or not first.answer:
        return []
    start = max(i for i, there in enumerate(made) if there)
    if start + 1 >= len(outer):
        return []
    wanted, before = outer[start + 1], outer[start]
    own = next((i for i, a in enumerate(first.answer) if _arranged(a.value, before.value)), None)
    after = first.answer[own + 1 :] if own is not None else []
    after = [a for a in after if not a.inner]
    where = (
        f"; your next step is line {after[0].place[0]}, `{_cut(after[0].code)}`" if after else ""
    )
    return [
        f"up to {names.of(before)} your values are right, and {names.of(wanted)} is not among "
        f"the values that your code makes{where}"
    ]


def _cut(code: str) -> str:
    return code if len(code) <= 70 else code[:67] + "..."

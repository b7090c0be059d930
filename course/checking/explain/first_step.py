"""The first step at which an answer leaves the model solution: one search for all exercises.

Two ways lead there, and each is verified on the plain trials before a word is said. A tensor of the
answer takes the place of a step in the model solution, which then returns what the answer returns: the
answer's own line is the first wrong one. Or a small change of the model solution returns it.
Where neither does, a value of the model is named that the answer never makes.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Exercise
from course.checking.explain import compared, variants
from course.checking.explain.agreeing import alike
from course.checking.explain.compared import uniform
from course.checking.explain.diagnosis import Trial
from course.checking.explain.naming import Names, line_of
from course.checking.explain.relations import Pair
from course.checking.explain.tracing import Step, arrangements, behind, run, same
from course.checking.trials import running
from course.sandbox import guards

SECONDS = 0.3  # of computing, for the whole search
EACH = 0.05  # ... for one call of a changed model, which may have lost the end of a loop
TRACED = 3  # failed trials of which all steps are kept


class _Late(Exception):
    """The next call would end after the search's time."""


@dataclass
class _Clock:
    """The search's computing time, and the longest call of each kind so far."""

    ends: float
    longest: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """A block for one call; _Late instead where a call like the longest so far would not fit."""
        started = time.process_time()
        if started + self.longest.get(kind, 0.0) > self.ends:
            raise _Late
        try:
            yield
        finally:
            took = time.process_time() - started
            self.longest[kind] = max(took, self.longest.get(kind, 0.0))


@dataclass(frozen=True)
class _Seen:
    """One trial, with the steps of both sides."""

    trial: Trial
    model: list[Step]
    answer: list[Step]


@dataclass(frozen=True)
class _Found:
    """A step of the answer that does what a step of the model should do."""

    wanted: Step
    came: Step
    pairs: list[Pair]  # both tensors, trial by trial
    changes: bool  # the answer had made the model's step before


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
    return _Search(exercise, function, failed, usable).result()


class _Search:
    """The search for one answer: `result` ends with what is found when its time is over."""

    def __init__(
        self,
        exercise: Exercise,
        function: Callable[..., Any],
        failed: list[Trial],
        usable: list[Trial],
    ) -> None:
        self.exercise, self.function = exercise, function
        self.failed, self.usable = failed, usable
        self.model, self.names = exercise.model(), Names(exercise)
        self.clock = _Clock(time.process_time() + SECONDS)
        self.seen: list[_Seen] = []
        self.place = self.related = self.begins = self.missing = ""
        self.telling = False  # whether `related` leaves little to ask

    def result(self) -> list[str]:
        """The sentence that the search ends with, if any."""
        with contextlib.suppress(_Late), _contained():
            if says := self._from_steps():
                return [says]
        varied = ""
        index = self.place and isinstance(self.failed[0].expected.value, int)
        if not self.telling and not index:  # an index is the same for many a change
            with contextlib.suppress(_Late), _contained():
                varied = self._varied()
        if self.place:
            varied = varied and f"{varied[0].upper()}{varied[1:]}"
            more = [self.related, self.begins, varied]  # the first says "there", of the place
            return [". ".join(part for part in (self.place, *more) if part)]
        return [says] if (says := varied or self.missing) else []

    def _from_steps(self) -> str:
        """What the steps of both sides show; `place` and `missing` are set on the way."""
        half = _Clock(time.process_time() + SECONDS / 2)
        whole, self.clock = self.clock, half
        try:
            for trial in self.failed[:TRACED]:
                self.seen.append(self._traced(trial))
            if says := self._changed_afterwards() or self._changed_input():
                return says
            self.missing = self._never_made()
            if (found := self._substituted()) is not None:
                self._tell(found)
            return ""
        finally:
            self.clock = whole

    def _traced(self, trial: Trial) -> _Seen:
        sides = []
        for one in (self.model, self.function):
            with self.clock.timed("traced"), guards.seeded(running.SEED):
                called, files = trial.probe.callable(one), running._files(one)
                sides.append(run(one, called, trial.probe.arguments(), files)[1])
        return _Seen(trial, *sides)

    # --- a right result that is changed, a right function of a wrong input ---

    def _changed_afterwards(self) -> str:
        """Whether the answer makes the right result, and goes on."""
        found: Step | None = None
        after: Step | None = None
        for one in self.seen:
            wanted = one.trial.expected.exact
            if not isinstance(wanted, Tensor) or uniform(wanted) or not one.answer:
                return ""
            right = [i for i, s in enumerate(one.answer) if same(s.value, wanted.double())]
            if not right or right[-1] + 1 >= len(one.answer):
                return ""
            found, after = one.answer[right[-1]], one.answer[right[-1] + 1]
        if found is None or after is None:
            return ""
        if found.place == after.place:
            return (
                f"{line_of(found)}, makes the right result, and changes it when it runs once more"
            )
        return (
            f"{line_of(found)}, makes the right result, and what follows, from {line_of(after)}, on, "
            "changes it"
        )

    def _changed_input(self) -> str:
        """Whether the answer is the model's for another input, one that the answer makes."""
        first = self.seen[0]
        if self.exercise.is_class or _bare(first.trial):
            return ""
        for index, (name, arg) in enumerate(compared.arguments(self.exercise, first.trial)):
            for came in first.answer if isinstance(arg, Tensor) else ():
                if came.inner or not self._stands_for(first, index, came):
                    continue
                pairs = self._everywhere(index, came)
                if pairs is not None:
                    relation = compared.of_input(self.exercise, name, pairs)
                    return (
                        f"{line_of(came)}, is where it goes wrong: your result is the right one for that in "
                        f"place of `{name}`{relation}"
                    )
        return ""

    def _everywhere(self, index: int, came: Step) -> list[Pair] | None:
        """An input and what stands for it, in each trial; None where one of them speaks against it."""
        pairs = []
        with contextlib.suppress(_Late):
            for seen in itertools.chain(self.seen, self._others()):
                again = _again(seen.answer, came)
                arg = seen.trial.probe.exact()[index]
                if again is None or not isinstance(arg, Tensor):
                    continue
                if not seen.trial.failed and same(again.value, arg.double()):
                    continue
                if not self._stands_for(seen, index, again):
                    return None
                pairs.append(Pair(seen.trial, arg.double(), again.value))
        return pairs or None

    def _others(self) -> Iterator[_Seen]:
        """The trials that were not traced at first, as far as there is time."""
        ends = time.process_time() + SECONDS / 6
        right = [t for t in self.usable if not t.failed]
        for trial in (*self.failed[len(self.seen) :], *right):
            if time.process_time() > ends:
                return
            yield self._traced(trial)

    def _stands_for(self, seen: _Seen, index: int, came: Step) -> bool:
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
        return self._gives(seen.trial, {}, tuple(args))

    # --- a step of the answer in the place of a step of the model ---

    def _substituted(self) -> _Found | None:
        """The earliest of the answer's steps that explains its results in the place of a step of the model."""
        first = self.seen[0]
        outer = [step for step in first.model if not step.inner]
        found = self._first_of([s for s in first.answer if not s.inner], outer)
        if found is None or not (strange := self._strange(found.came)):
            return found
        within = [s for s in first.model if s.inner and s.place == found.wanted.place]
        again = [_again(first.answer, step) for step in strange]
        with contextlib.suppress(_Late):
            return self._first_of([s for s in again if s is not None], within, True) or found
        return found

    def _first_of(
        self, candidates: list[Step], places: list[Step], of_one_shape: bool = False
    ) -> _Found | None:
        unfit: list[tuple[Step, Step]] = []
        for came in candidates:
            for wanted, changes in self._places(came, places):
                if of_one_shape and came.value.shape != wanted.value.shape:
                    continue
                if any(w is wanted and self._always_same(c, came) for w, c in unfit):
                    continue
                pairs = self._pairs(self.seen, wanted, came)
                if not pairs:
                    unfit.append((wanted, came))
                elif (more := self._confirmed(wanted, came)) is not None:
                    return _Found(wanted, came, pairs + more, changes)
        return None

    def _always_same(self, one: Step, other: Step) -> bool:
        """Whether two steps of the answer make the same values in each trial that was traced."""
        if one.truth != other.truth or not same(one.value, other.value):
            return False
        for seen in self.seen[1:]:
            values = [_again(seen.answer, step) for step in (one, other)]
            if values[0] is None or values[1] is None:
                continue
            if not same(values[0].value, values[1].value):
                return False
        return True

    def _places(self, came: Step, places: list[Step]) -> list[tuple[Step, bool]]:
        """Steps of the model for which a step of the answer may stand, the likeliest first."""
        first = self.seen[0]
        right = any(same(came.value, step.value) for step in first.model)
        final = _is_final(first, came.value)
        found = []
        for wanted in places:
            exact = came.value.shape == wanted.value.shape
            last = self._is_last(wanted)
            if same(came.value, wanted.value) or came.value.numel() != wanted.value.numel():
                continue
            if came.truth != wanted.truth or (uniform(came.value) and not uniform(wanted.value)):
                continue  # what holds few numbers fits by chance
            if right and any(arranged(wanted.value, step.value) for step in _used(first.answer)):
                continue  # it is right itself, and so is this
            if not last and final:
                continue  # what normalises twice would fit too
            if exact and not last and _masks(wanted.value, came.value):
                continue  # so would what is masked twice
            found.append((self._changes(wanted, came), not exact, wanted))
        found.sort(key=lambda entry: entry[:2])
        return [(wanted, changes) for changes, _, wanted in found]

    def _changes(self, wanted: Step, came: Step) -> bool:
        """Whether a step of the answer is made of the model's step, in each trial that was traced."""
        for seen in self.seen:
            model, answer = _again(seen.model, wanted), _again(seen.answer, came)
            if model is None or answer is None:
                continue
            if not any(same(step.value, model.value) for step in behind(answer, seen.answer)):
                return False
        return True

    def _is_last(self, wanted: Step) -> bool:
        """Whether a step of the model is one of its results, in each trial that was traced."""
        found = [(one.trial.expected.exact, _again(one.model, wanted)) for one in self.seen]
        return all(
            any(isinstance(r, Tensor) and same(r.double(), step.value) for r in _several(results))
            for results, step in found
            if step is not None
        )

    def _pairs(self, seen: list[_Seen], wanted: Step, came: Step) -> list[Pair] | None:
        """The two tensors in each trial; None where the exchange does not explain its result."""
        pairs = []
        unfit = 0  # trials at whose sizes the two can't be exchanged
        for one in seen:
            model, answer = _again(one.model, wanted), _again(one.answer, came)
            if model is None or answer is None:
                continue  # another branch
            if model.value.numel() != answer.value.numel():
                unfit += 1
                continue
            for value in arrangements(answer.value, model.value.shape):
                instead = {(model.number, model.part): value}
                if self._gives(one.trial, instead) and self._goes_on(one, answer, instead):
                    pairs.append(Pair(one.trial, model.value, value))
                    break
            else:
                return None
        return pairs if len(pairs) > unfit or len(seen) == 1 else None

    def _goes_on(self, seen: _Seen, came: Step, instead: Mapping[tuple[int, int], Tensor]) -> bool:
        """Whether the model makes what the answer makes of a step, where that step is a right one elsewhere."""
        if not any(same(came.value, step.value) for step in seen.model):
            return True
        after = [step for step in _used(seen.answer) if came.index in step.sources]
        with self.clock.timed("traced"), guards.seeded(running.SEED):
            called, files = seen.trial.probe.callable(self.model), running._files(self.model)
            made = run(self.model, called, seen.trial.probe.arguments(), files, instead)[1]
        return not after or any(arranged(a.value, b.value) for a in after for b in made)

    def _confirmed(self, wanted: Step, came: Step) -> list[Pair] | None:
        """The two tensors in the other trials; None where one of them speaks against the exchange."""
        pairs: list[Pair] = []
        with contextlib.suppress(_Late):
            for seen in self._others():
                more = self._pairs([seen], wanted, came)
                if more is None:
                    return None
                pairs.extend(more)
        return pairs

    def _gives(
        self,
        trial: Trial,
        instead: Mapping[tuple[int, int], Tensor],
        args: tuple[Any, ...] | None = None,
        right: bool = False,
    ) -> bool:
        """Whether the model, with these values in place of its own, returns the answer's result, or the right one."""
        model = self.model
        with self.clock.timed("model"):
            try:
                with guards.time_limit(EACH), guards.seeded(running.SEED):
                    called, files = trial.probe.callable(model), running._files(model)
                    given = trial.probe.arguments() if args is None else args
                    result, _ = run(model, called, given, files, instead, noted=False)
            except (Exception, guards.TimeLimit):
                return False
        wanted = trial.expected if right else trial.actual
        return alike(trial.probe, running.Outcome(result), wanted)

    def _strange(self, came: Step) -> list[Step]:
        """The values behind a step, made of the input, that hold numbers which the right solution has not."""
        for seen in reversed(self.seen):  # at the smallest sizes much is alike
            again = _again(seen.answer, came)
            if again is None:
                continue
            known = [step.value for step in seen.model]
            known += [x.double() for x in seen.trial.probe.exact() if isinstance(x, Tensor)]
            numbers = torch.cat([value.flatten() for value in known])
            return [
                step
                for step in behind(again, seen.answer)
                if step.of_input and not step.inner and not step.truth
                if not _holds(numbers, step.value)
            ]
        return []

    def _last_alone(self, found: _Found) -> bool:
        """Whether what a step is made of would be right in its place: its last operation is the mistake."""
        for seen in self.seen:
            model, came = _again(seen.model, found.wanted), _again(seen.answer, found.came)
            if model is None or came is None:
                continue
            if not any(
                self._gives(seen.trial, {(model.number, model.part): value}, right=True)
                for index in came.sources
                for value in arrangements(seen.answer[index].value, model.value.shape)
            ):
                return False
        return True

    def _tell(self, found: _Found) -> None:
        first = self.seen[0]
        wanted, came = found.wanted, found.came
        last = self._is_last(wanted)
        what, strange = self.names.of(wanted), self._strange(came)
        with contextlib.suppress(_Late):
            strange = [] if strange and self._last_alone(found) else strange
        alone = last and not isinstance(first.trial.expected.exact, tuple)
        if (
            strange
            and (alone or strange[0].place[0] != came.place[0])
            and strange[0].code != came.code
        ):
            self.begins = (
                "The first value on the way to it that the right solution never makes is that of "
                f"{line_of(strange[0])}"
            )
        place = f"{line_of(came)}, is where it goes wrong: "
        if alone:
            self.place = f"{line_of(came)}, makes {what}, and it is wrong there: look at this line, and at what it is made of"
        elif found.changes:
            self.place = f"{place}{what} is right before it, and this stands in its place"
        elif self.begins:
            self.place = (
                f"by {line_of(came)}, it has gone wrong: that stands in the place of {what}, and all that "
                "follows fits"
            )
        else:
            self.place = f"{place}it stands in the place of {what}, and all that follows fits"
        self.related = compared.describe(
            self.exercise, self.names, wanted, came, found.pairs, self._steps(), last
        )
        self.telling = bool(self.related) and not wanted.truth

    def _steps(self) -> dict[int, tuple[list[Step], list[Step]]]:
        return {id(seen.trial): (seen.model, seen.answer) for seen in self.seen}

    # --- small changes of the model ---

    def _varied(self) -> str:
        """A small change of the model solution that returns what the answer returned, in each plain trial."""
        right = [t for t in self.usable if t.difference is None]
        broken = [t for t in self.usable if t.difference is not None and not _values(t)]
        space = dict(getattr(self.model, "__globals__", {}) or {})
        if isinstance(self.model, type):
            space = dict(self.model.__dict__["forward"].__globals__)
        found: list[variants.Variant] = []
        with contextlib.suppress(_Late):
            for variant in variants.variants(self.exercise.model_source):
                changed = self._made(variant, dict(space))
                if changed is not None and self._fits(changed, right, broken):
                    found.append(variant)
        return _either(found)

    def _made(self, variant: variants.Variant, space: dict[str, Any]) -> Any:
        try:
            exec(compile(variant.source, "<variant>", "exec", dont_inherit=True), space)
            return space[self.exercise.name]
        except Exception:
            return None

    def _fits(self, changed: Callable[..., Any], right: list[Trial], broken: list[Trial]) -> bool:
        return all(self._agrees(changed, t) for t in (*self.failed, *right)) and not any(
            self._agrees(changed, t, right=True) for t in broken
        )

    def _agrees(self, function: Callable[..., Any], trial: Trial, right: bool = False) -> bool:
        with self.clock.timed("variant"):
            try:
                with guards.time_limit(EACH), guards.seeded(running.SEED):
                    value = trial.probe.callable(function)(*trial.probe.arguments())
            except (Exception, guards.TimeLimit):
                return False
        wanted = trial.expected if right else trial.actual
        return alike(trial.probe, running.Outcome(value), wanted)

    # --- what is missing ---

    def _never_made(self) -> str:
        """The first of the model's values that the answer never makes, though it makes all that it needs."""
        first = self.seen[0]
        outer = [step for step in first.model if not step.inner]
        made = {
            step.index
            for step in first.model
            if any(arranged(a.value, step.value) for a in first.answer)
        }
        needed = {
            s.index for step in outer if step.index in made for s in behind(step, first.model)
        }
        for wanted in outer:
            if wanted.index in made | needed or not wanted.sources or self._is_last(wanted):
                continue
            if wanted.sources <= made:
                before = self.names.of(first.model[max(wanted.sources)])
                what = self.names.of(wanted)
                vague = before == what or "step" in before + what or "on the way" in what
                missing = f"your code makes {before}, as it should, but no tensor equal to {what}, the next step"
                return "" if vague else missing
            return ""
        return ""


def _either(found: list[variants.Variant]) -> str:
    """The changes that fit, those of the first rank; empty where they are too many to tell one."""
    rank = min((variant.rank for variant in found), default=0)
    first = {v.says.partition(" runs ")[0]: v.says for v in reversed(found) if v.rank == rank}
    says = list(first.values())[::-1]  # of an axis by two names one
    if not 0 < len(says) < 3:
        return ""
    return f"the right solution gives your results with one change: {', or else '.join(says)}"


def _masks(wanted: Tensor, came: Tensor) -> bool:
    """Whether a tensor holds inf, or NaN, in some places where another does not."""
    kept = came.isfinite()
    return bool(wanted.isfinite().all()) and not bool(kept.all()) and bool(kept.any())


def _is_final(seen: _Seen, value: Tensor) -> bool:
    """Whether a tensor is the whole of what the answer returns."""
    result = seen.trial.actual.value
    return any(isinstance(part, Tensor) and same(part.double(), value) for part in _several(result))


def _several(result: Any) -> Any:
    return result if isinstance(result, tuple | list) else (result,)


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
    return uniform(value) or not bool(value.isfinite().all())


def _size(trial: Trial) -> int:
    return sum(x.numel() for x in trial.probe.case.args if isinstance(x, Tensor)) or len(
        repr(trial.probe.case.args)
    )


def _again(steps: list[Step], one: Step) -> Step | None:
    """The same step in another trial: of a loop's last round, in the last round there."""
    here = [s for s in steps if (s.place, s.part) == (one.place, one.part)]
    return next((s for s in here if (s.last if one.last else s.occurrence == one.occurrence)), None)


def arranged(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers, their axes exchanged, joined or split."""
    if one.numel() != other.numel() or not same(one.nansum(), other.nansum()):
        return False
    return any(same(turned, other) for turned in arrangements(one, other.shape))


def _holds(numbers: Tensor, value: Tensor) -> bool:
    """Whether each number of a tensor is among some others."""
    if value.numel() == 0 or numbers.numel() == 0:
        return value.numel() == 0
    known, own = (x.flatten().nan_to_num(0.0) for x in (numbers, value))
    known = known.sort().values
    at = torch.searchsorted(known, own).clamp(max=len(known) - 1)
    near = [torch.isclose(known[(at - k).clamp(min=0)], own, 1e-6, 1e-8) for k in (0, 1)]
    return bool((near[0] | near[1]).all())


def _used(steps: list[Step]) -> list[Step]:
    """The steps of which the last one is made, and itself."""
    return [*behind(steps[-1], steps), steps[-1]] if steps else []

"""From trials to sentences: what went wrong, in which trials, and on what smallest input."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from course.checking import submissions
from course.checking.exercise import Exercise
from course.checking.exercise.wording import told_apart
from course.checking.explain import errors, first_step, plain, relations
from course.checking.explain.agreeing import Difference, apart, difference, wrong_results
from course.checking.explain.diagnosis import Trial
from course.checking.trials import running
from course.checking.trials.probes import tensors
from course.sandbox import guards

GENERIC = "the right shape and wrong numbers"
_LAYOUTS = {"plain": "", "strided": ", not contiguous in memory"}
VISIBLE = 1e-3  # of the largest number: a smaller difference hides in its digits


def describe(exercise: Exercise, function: Callable[..., Any], trials: list[Trial]) -> list[str]:
    """What is wrong with a submission that no listed mistake explains, the weightiest first."""
    return list(sentences(exercise, function, trials))


def sentences(
    exercise: Exercise, function: Callable[..., Any], trials: list[Trial]
) -> Iterator[str]:
    """The same, each sentence looked for when it is asked for: the searches take the most time."""
    said: set[str] = set()
    for sentence in _found(exercise, function, trials):
        if sentence and sentence not in said:
            said.add(sentence)
            yield sentence


def _found(exercise: Exercise, function: Callable[..., Any], trials: list[Trial]) -> Iterator[str]:
    failed = [trial for trial in trials if trial.failed]
    first = _weightiest(failed)
    varying = [f.says for trial in failed for f in trial.actual.faults if f.id == "varies"]
    if first.difference is not None:
        if first.probe.mode == "gradient" and not any(_in_values(trial) for trial in failed):
            yield _gradient(function, first)
        elif varying:
            yield varying[0]
        elif first.difference.kind == "values":
            yield from _of_values(exercise, function, trials, first)
        else:
            yield _sentence(exercise, function, first)
    yield from sorted(
        {fault.says for trial in failed for fault in _faults(exercise, trial, failed)}
    )
    yield from _leak(function, failed)
    yield from _only_when(trials)
    yield from _clue(exercise, trials)
    yield from _literal(exercise, function, trials)


def _of_values(
    exercise: Exercise, function: Callable[..., Any], trials: list[Trial], first: Trial
) -> Iterator[str]:
    """What is wrong with a submission whose weightiest trial gives wrong numbers."""
    failed = [trial for trial in trials if trial.failed]
    plainly = plain.describe(exercise, failed)
    yield from plainly or [_sentence(exercise, function, first)]
    own = _of_its_own(exercise, function, failed)
    statistics = [] if _settled(exercise, failed, own) else _statistics(failed)
    # What is wrong without any randomness comes before what the random results say.
    if first.probe.case.summary is not None and not plainly:
        yield from statistics
    yield from own
    yield from first_step.describe(exercise, function, trials)
    right = [trial for trial in trials if not trial.failed]
    yield from relations.describe(exercise, failed, right)
    yield from _right_ones(exercise, failed)
    yield from statistics
    yield from _errors_elsewhere(exercise, failed)


def _of_its_own(exercise: Exercise, function: Callable[..., Any], failed: list[Trial]) -> list[str]:
    """What the exercise's own search finds, on the failed cases as they are."""
    cases = [
        trial.probe.case
        for trial in sorted(failed, key=_volume)
        if trial.probe.mode == "plain"
        and trial.probe.dtype is torch.float64
        and trial.actual.error is None
    ]
    if exercise.finds is None or not cases:
        return []
    try:
        with running.contained():
            return exercise.finds(function, cases)
    except (Exception, guards.TimeLimit):  # an answer can be stranger than the search knows
        return []


def _wrong_without_chance(failed: list[Trial]) -> bool:
    """Whether a trial fails in which nothing is drawn."""
    return any(
        t.difference is not None and t.probe.case.summary is None and t.probe.mode == "plain"
        for t in failed
    )


def _settled(exercise: Exercise, failed: list[Trial], own: list[str]) -> bool:
    """Whether the statistics of random results would say nothing more.

    A layer that is wrong in evaluation has other statistics in training for that reason alone.
    """
    return exercise.is_class and (bool(own) or _wrong_without_chance(failed))


def _faults(exercise: Exercise, trial: Trial, failed: list[Trial]) -> list[running.Fault]:
    """The faults of a trial; of a layer that is wrong in evaluation none that speaks of its draws."""
    if not exercise.is_class or not _wrong_without_chance(failed):
        return list(trial.actual.faults)
    return [fault for fault in trial.actual.faults if fault.id != running.FROZEN.id]


def _statistics(failed: list[Trial]) -> list[str]:
    """In which statistics a random result leaves the reference's."""
    for trial in failed:
        found = apart(trial.probe, trial.expected, trial.actual)
        if found and trial.probe.mode == "plain":
            return [
                f"with {trial.probe.case.says}, {name}: expected about {want}, got {came}"
                for name, numbers in found.items()
                for want, came in [told_apart(*numbers, digits=3)]
            ]
    return []


def _right_ones(exercise: Exercise, failed: list[Trial]) -> list[str]:
    """Which of several results is right wherever another is wrong."""
    wrong: set[int] = set()
    for trial in failed:
        if trial.probe.half or trial.probe.mode not in ("plain", "strided"):
            continue
        if trial.difference is not None and trial.difference.kind == "error":
            continue
        if trial.difference is None or trial.difference.kind not in ("values", "shape", "dtype"):
            return []
        wrong |= wrong_results(trial.probe, trial.expected, trial.actual)
    right = [name for index, name in enumerate(exercise.results) if index not in wrong]
    if not wrong or not right:
        return []
    be = "are" if len(right) > 1 or right[0].endswith("s") else "is"
    named = plain.listed([plain.the(name) for name in right])
    of = " and ".join(plain.the(exercise.results[index]) for index in sorted(wrong))
    return [f"{named} {be} right everywhere: the mistake is in what makes {of}"]


def _errors_elsewhere(exercise: Exercise, failed: list[Trial]) -> list[str]:
    """An exception on other inputs than the one that is spoken of."""
    broken = [
        trial
        for trial in failed
        if trial.probe.mode in _LAYOUTS and trial.difference and trial.difference.kind == "error"
    ]
    if not broken:
        return []
    trial = min(broken, key=lambda t: (t.probe.half, t.probe.mode != "plain", _volume(t)))
    assert trial.difference is not None
    where = f"{trial.probe.case.says}{_LAYOUTS[trial.probe.mode]}"
    return [f"with {where}: {_raised(exercise, trial, trial.difference)}"]


def _in_values(trial: Trial) -> bool:
    return trial.difference is not None and trial.probe.mode != "gradient"


def _weightiest(failed: list[Trial]) -> Trial:
    """The failed trial to speak of: a plain one, small, rather than one with a special memory layout."""
    order = ["plain", "strided", "again", "host", "gradient", "cuda"]
    differing = [trial for trial in failed if trial.difference is not None]
    precise = [t for t in differing if not t.probe.half] or differing
    kinds = Counter(t.difference.kind for t in precise if t.difference and t.probe.mode == "plain")
    common = kinds.most_common(1)[0][0] if kinds else None
    differing = [t for t in differing if t.difference and t.difference.kind == common] or differing
    return min(
        differing or failed,
        key=lambda t: (
            t.probe.half,
            order.index(t.probe.mode),
            not _visible(t),
            t.probe.dtype is not torch.float64,
            _holds_nothing(t),
            _volume(t) * (1 + len(t.probe.case.tags)),  # a special circumstance is more to read
        ),
    )


def _visible(trial: Trial) -> bool:
    """Whether the difference can be seen: tables that look equal show nothing."""
    found = trial.difference
    if found is None or found.kind != "values":
        return True
    if not isinstance(found.expected, Tensor) or not isinstance(found.actual, Tensor):
        return True
    want, came = (x.detach().cpu().double().flatten() for x in (found.expected, found.actual))
    if want.shape != came.shape or not torch.equal(want.isfinite(), came.isfinite()):
        return True
    gap, size = ((came - want)[want.isfinite()].abs(), want[want.isfinite()].abs())
    return bool(gap.numel() and gap.max() > VISIBLE * size.max())


def _holds_nothing(trial: Trial) -> bool:
    """Whether the result that was asked for is a tensor without a number, which shows little."""
    want = trial.difference.expected if trial.difference else None
    return isinstance(want, Tensor) and want.numel() == 0


def _volume(trial: Trial) -> int:
    args = trial.probe.case.args
    numbers = sum(tensor.numel() for tensor in tensors(args))
    # Only where there are no tensors: writing them out takes longer than a trial.
    return numbers or sum(len(str(arg)) for arg in args if isinstance(arg, str | list | set | dict))


def smallest(trials: list[Trial]) -> Trial:
    """The failed trial with the smallest input."""
    return _weightiest([trial for trial in trials if trial.failed])


def _sentence(exercise: Exercise, function: Callable[..., Any], trial: Trial) -> str:
    found = trial.difference
    assert found is not None
    what = result_name(exercise, found.index)
    if found.kind == "error":
        return _raised(exercise, trial, found)
    if found.kind == "no-error":
        kind = type(found.expected).__name__
        return f"it should raise {kind} for {trial.probe.case.says}, and returns {named(found.actual)} instead"
    if found.kind == "silent":
        kind = type(found.expected).__name__
        at = f" ({trial.actual.where})" if trial.actual.where else ""
        return (
            f"for {trial.probe.case.says} it should raise {kind} with a message that says what is wrong, and "
            f"raises one without a message{at}: who meets it has to guess"
        )
    if found.kind == "type":
        return _type(exercise, function, found)
    if found.kind == "count":
        return f"it returns {len(found.actual)} results; {_asked(exercise, found.expected)}"
    if found.kind == "shape":
        return f"the shape of {plain.the(what)} is wrong: " + _shape(exercise, found)
    if found.kind == "dtype":
        floating = any(tensor.is_floating_point() for tensor in tensors(trial.probe.case.args))
        given = "the inputs are " + str(trial.probe.dtype).removeprefix("torch.")
        given = given if floating else "the exercise asks for the default dtype"
        wanted, came = (str(t.dtype).removeprefix("torch.") for t in (found.expected, found.actual))
        reason = given if found.expected.is_floating_point() else f"the exercise asks for {wanted}"
        return f"the dtype of {plain.the(what)} is {came} and should be {wanted}: {reason}"
    if not isinstance(found.expected, Tensor):
        return f"{plain.the(what)} is wrong"
    if trial.probe.case.summary is not None:
        of_all = len(exercise.results) > 1  # its statistics don't say which of them is wrong
        return f"the {'results have' if of_all else 'result has'} another distribution than {'they' if of_all else 'it'} should have"
    return f"{plain.the(what)} {'have' if plain.is_plural(what) else 'has'} {GENERIC}"


def result_name(exercise: Exercise, index: int) -> str:
    """What a result is called in a sentence."""
    single = len(exercise.results) == 1 or index >= len(exercise.results)
    return "result" if single else exercise.results[index]


def _raised(exercise: Exercise, trial: Trial, found: Difference) -> str:
    error = found.actual
    if trial.actual.timed_out:
        return _stopped(trial)
    said = guards.safe_error(error)
    if isinstance(error, TypeError) and not trial.actual.where:
        said += f"; the signature is {exercise.name}{exercise.signature}"
    at = _where(trial)
    if isinstance(found.expected, BaseException):
        return f"it should raise {type(found.expected).__name__} for {trial.probe.case.says}, and raises {said}{at}"
    return f"it raised {said}{at}"


def _where(trial: Trial) -> str:
    """The answer's own line in which an error arose, and the error in words."""
    at = f" ({trial.actual.where})" if trial.actual.where else ""
    words = errors.in_words(trial.actual.error) if trial.actual.error is not None else ""
    return at + (f": {words}" if words else "")


def _stopped(trial: Trial) -> str:
    return (
        "it had not come to an end after some seconds, so it was stopped"
        + (f" in {trial.actual.where}" if trial.actual.where else "")
        + ": is there a loop whose condition never becomes false?"
    )


def _type(exercise: Exercise, function: Callable[..., Any], found: Difference) -> str:
    if len(exercise.results) > 1 and isinstance(found.expected, Tensor):
        name = result_name(exercise, found.index)
        return f"the {name} should be {named(found.expected)} and is {named(found.actual)}"
    if found.actual is None:
        return "it returns None: is there a `return` on every path?"
    if isinstance(found.actual, nn.Module) and isinstance(found.expected, Tensor):
        return (
            f"it returns {named(found.actual)}, a module, and should return a tensor: a module is made first and then "
            "called, as in `nn.ReLU()(x)`"
        )
    if inspect.iscoroutine(found.actual) or inspect.isgenerator(found.actual):
        return f"it returns a {type(found.actual).__name__}, not a result: `return` it rather than `yield` or `async`"
    if isinstance(found.expected, tuple):
        return f"it returns {named(found.actual)}; {_asked(exercise, found.expected)}"
    if isinstance(found.expected, Tensor) and isinstance(found.actual, Tensor):
        where = "" if found.actual.device.type == "cpu" else f" on {found.actual.device}"
        return f"it returns {named(found.actual)}{where}; the exercise asks for a plain tensor"
    if isinstance(found.actual, tuple | list) and isinstance(found.expected, Tensor):
        return f"it returns {named(found.actual)}; the exercise asks for one tensor"
    return f"it returns {named(found.actual)}; the exercise asks for {named(found.expected)}"


def _asked(exercise: Exercise, expected: Any) -> str:
    """What is asked for where that is several results, or one that is a list."""
    if len(exercise.results) != len(expected):
        return f"the exercise asks for a list of {len(expected)}"
    return f"the exercise asks for {len(expected)} results: {', '.join(exercise.results)}"


def named(value: Any) -> str:
    """A value's kind in words: 'a tensor (2, 3) of float32'."""
    if value is None:
        return "None"
    if isinstance(value, Tensor) and (value.is_nested or value.layout is not torch.strided):
        return f"a {'nested' if value.is_nested else 'sparse'} tensor"
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if type(value).__module__ == "numpy":
        return f"a numpy {type(value).__name__}"
    article = "an" if type(value).__name__[0] in "aeiouAEIOU" else "a"
    return f"{article} {type(value).__name__}"


def _shape(exercise: Exercise, found: Difference) -> str:
    want, came = tuple(found.expected.shape), tuple(found.actual.shape)
    names = exercise.axes[found.index][-len(want) :] if found.index < len(exercise.axes) else ()
    shown = f"{came}, and should be {want}" + (
        f", that is ({', '.join(names)})" if len(names) == len(want) else ""
    )
    if sorted(want) == sorted(came) and len(set(want)) == len(want) and len(names) == len(want):
        order = ", ".join(names[want.index(size)] for size in came)
        return f"{shown}: yours has the axes in the order ({order})"
    if len(came) < len(want) and tuple(size for size in want if size != 1) == tuple(
        size for size in came if size != 1
    ):
        return f"{shown}: an axis of size 1 was lost (`squeeze`?)"
    if len(came) != len(want):
        more = "too many" if len(came) > len(want) else "too few"
        return f"{shown}: {more} axes"
    off = [i for i in range(len(want)) if want[i] != came[i]]
    if len(off) == 1 and len(names) == len(want):
        return f"{shown}: the axis {names[off[0]]} is {came[off[0]]} long instead of {want[off[0]]}"
    return shown


def _gradient(function: Callable[..., Any], trial: Trial) -> str:
    if trial.actual.timed_out:
        return f"its results are right, but with inputs that require gradients {_stopped(trial)}"
    if trial.actual.error is not None:
        said = guards.safe_error(trial.actual.error) + _where(trial)
        return f"its results are right, but with inputs that require gradients it raised {said}"
    came = trial.actual.value if isinstance(trial.actual.value, tuple) else (trial.actual.value,)
    wanted = trial.expected.value
    none = all(gradient is None or not gradient.any() for gradient in came)
    clue = _gradient_clue(function)
    if none:
        return f"its results are right, but no gradient flows back through it{clue}"
    nan = any(isinstance(gradient, Tensor) and bool(gradient.isnan().any()) for gradient in came)
    if nan:
        return f"its results are right, but the gradient that flows back holds NaN{clue}"
    lost = sum(1 for w, c in zip(wanted, came, strict=False) if w is not None and c is None)
    if not lost:
        return f"its results are right, but the gradient that flows back is wrong{clue}"
    part = f"{lost} of the {len(wanted)} gradients are missing"
    return f"its results are right, but {part}: a part of the computation is cut off from it{clue}"


# Each cuts the record of the computation for sure; a number that is taken out may be harmless.
_CUTS = r"\.detach\(|\.data\b|no_grad|inference_mode|\.numpy\(|requires_grad_\(False"
_MAY_CUT = r"\.tolist\(|torch\.tensor\(|\.item\(|\bfloat\(|nn\.Parameter\("


def _gradient_clue(function: Callable[..., Any]) -> str:
    """The line that cuts the gradient, where only one line can; otherwise all that might."""
    try:
        lines = inspect.getsource(function).splitlines()
    except (OSError, TypeError):
        return ""
    first = submissions.first_line(function)
    for signs in (_CUTS, _MAY_CUT):
        found = [
            (number, line.strip())
            for number, line in enumerate(lines, first)
            if re.search(signs, line.partition("#")[0])
        ]
        if len(found) == 1 and signs is _CUTS:
            return f"; look at `{found[0][1]}` (line {found[0][0]})"
        if found:
            places = " and ".join(f"`{line}` (line {number})" for number, line in found[:3])
            return f"; does one of these take a tensor's numbers out of it: {places}?"
    return ""


def _leak(function: Callable[..., Any], failed: list[Trial]) -> list[str]:
    """Whether what is blocked moves the result: found by changing it and calling again."""
    for trial in failed:
        if trial.probe.mode != "plain" or trial.actual.error is not None or trial.probe.half:
            continue
        if trial.difference is None or trial.difference.kind != "values":
            continue
        for what, args in trial.probe.case.same:
            other = running.run(lambda *a: function(*a), _Elsewise(trial.probe, args))  # type: ignore[arg-type]
            reference = running.Outcome(trial.actual.value, exact=trial.actual.value)
            apart = None if other.error else difference(trial.probe, reference, other)
            if apart is not None and apart.kind == "values":
                return [f"what is blocked leaks: {what}, and your result changes"]
    return []


class _Elsewise:
    """A probe with other arguments."""

    def __init__(self, probe: Any, args: tuple[Any, ...]) -> None:
        self.mode, self.case, self._probe, self._args = probe.mode, probe.case, probe, args
        self.random, self.callable = probe.random, probe.callable

    def arguments(self) -> tuple[Any, ...]:
        return self._probe.arguments(self._args)  # type: ignore[no-any-return]


def _only_when(trials: list[Trial]) -> list[str]:
    """The one circumstance that separates the failed trials from the others, if there is one."""
    modes = ("plain", "strided")
    if not any(t.difference is not None and t.probe.mode in modes for t in trials):
        return []  # the gradient or a fault alone, of which there is a sentence already
    valued = [t for t in trials if t.probe.mode in modes or t.failed]
    failed = [trial.failed for trial in valued]  # nor is a wrong gradient or a fault "right"
    if all(failed) or not any(failed):
        return []
    if in_dtype := _in_one_dtype(valued):
        return [in_dtype]
    tags = list(dict.fromkeys(tag for trial in valued for tag in sorted(trial.probe.tags)))
    has = {tag: [tag in trial.probe.tags for trial in valued] for tag in tags}
    for tag in tags:
        if has[tag] == failed:
            return [f"it is right except with {tag}"]
    for tag in tags:
        if [not there for there in has[tag]] == failed:
            return [f"it is right only with {tag}"]
    speaking = [tag for tag in tags if not tag.startswith(("float", "bfloat"))]
    if always := _separating(has, failed, speaking):
        return [f"where it fails there is always {' and '.join(always[:2])}"]
    precise = {tag for t in valued if t.probe.dtype is torch.float64 for tag in t.probe.tags}
    if fatal := _fatal(valued, speaking):
        return [f"it fails with {' and with '.join(fatal)}, and is right without"]
    right = [
        tag
        for tag in speaking
        if tag in precise
        and not any(bad for there, bad in zip(has[tag], failed, strict=True) if there)
    ]
    right = [tag for tag in right if not tag.startswith(("non-", "a d_model"))]
    return [f"it is right with {' and with '.join(right[:3])}"] if right else []


def _separating(has: dict[str, list[bool]], failed: list[bool], tags: list[str]) -> list[str]:
    """The circumstances of all failed trials that many a right one lacks, those first that most lack."""
    right = failed.count(False)
    lacking = {
        tag: sum(not there for there in has[tag])
        for tag in tags
        if all(there for there, bad in zip(has[tag], failed, strict=True) if bad)
    }
    telling = [tag for tag, count in lacking.items() if count >= right / 4]
    return sorted(telling, key=lambda tag: -lacking[tag])


def _in_one_dtype(trials: list[Trial]) -> str:
    """The dtypes in which alone it fails, where they are half precision or float64; else ""."""
    failed = [t for t in trials if t.difference is not None]
    dtypes = {t.probe.dtype for t in failed}
    if dtypes == {torch.float16}:
        return "it fails in float16 alone, where numbers below 6e-8 are 0 and those above 65504 infinite"
    if dtypes <= {torch.float16, torch.bfloat16}:
        return "it fails in half precision alone (float16, bfloat16)"
    cases = {id(t.probe.case) for t in failed if t.probe.mode == "plain"}
    plain_ones = [t for t in trials if t.probe.mode == "plain"]
    single = {id(t.probe.case) for t in plain_ones if t.probe.dtype is torch.float32}
    if dtypes == {torch.float64} and cases and cases <= single:
        return "it fails in float64 alone: it is less precise than its inputs"
    return ""


def _fatal(trials: list[Trial], tags: list[str]) -> list[str]:
    """Two or three circumstances that explain each failure between them: with each it always fails."""
    double = [
        t
        for t in trials
        if t.probe.dtype is torch.float64 and (t.probe.mode == "plain" or t.failed)
    ]
    bad = [t.failed for t in double]
    if all(bad) or not any(bad):
        return []
    always = [
        tag
        for tag in tags
        if (there := [b for t, b in zip(double, bad, strict=True) if tag in t.probe.tags])
        and all(there)
    ]
    for count in (2, 3):
        for some in itertools.combinations(always, count):
            if all(b == bool(t.probe.tags & set(some)) for t, b in zip(double, bad, strict=True)):
                return list(some)
    return []


def _clue(exercise: Exercise, trials: list[Trial]) -> list[str]:
    """Which part of the computation is left to be wrong, from what is right."""
    plain = [t for t in trials if t.probe.mode == "plain" and t.probe.dtype is torch.float64]
    if not any(trial.failed for trial in plain):
        return []
    for tag, says in exercise.clues:
        with_it = [trial for trial in plain if tag in trial.probe.tags]
        if with_it and not any(trial.failed for trial in with_it) and _alone(tag, with_it, plain):
            return [f"with {tag} it is right: {says}"]
    for tag, says in exercise.clues_if_wrong:
        with_it = [trial for trial in plain if tag in trial.probe.tags]
        if with_it and all(t.difference and t.difference.kind == "values" for t in with_it):
            return [f"with {tag} it is wrong too: {says}"]
    return []


def _alone(tag: str, with_it: list[Trial], trials: list[Trial]) -> bool:
    """Whether something fails that differs in nothing but this tag: then it is the tag that tells."""
    others = [trial.probe.tags - {tag} for trial in with_it]
    return any(
        trial.failed and any(trial.probe.tags <= other for other in others) for trial in trials
    )


def _literal(exercise: Exercise, function: Callable[..., Any], trials: list[Trial]) -> list[str]:
    """A size of the chapter's example, written into the code, when only that example is right."""
    example = [
        t for t in trials if "the chapter's example" in t.probe.tags and t.probe.mode == "plain"
    ]
    others = [
        t for t in trials if "the chapter's example" not in t.probe.tags and t.probe.mode == "plain"
    ]
    if (
        not example
        or any(t.failed for t in example)
        or not others
        or not any(t.failed for t in others)
    ):
        return []
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return []
    sizes = set(example[0].probe.case.sizes.values()) - {0, 1, 2}
    numbers = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and type(n.value) in (int, float) and n.value in sizes
    ]
    if not numbers:
        return []
    line = numbers[0].lineno + submissions.first_line(function) - 1
    return [
        f"it is right for the example's sizes: the {numbers[0].value!r} in line {line} should be taken from the input"
    ]

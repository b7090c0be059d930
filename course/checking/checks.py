"""Judge a submission: try it, say what is right or which mistake was made."""

from __future__ import annotations

import contextlib
import functools
import itertools
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking import submissions
from course.checking.exercise import Exercise, Mistake
from course.checking.explain import diagnosis, findings, pictures, plain, relations, remarks
from course.checking.explain.diagnosis import Trial
from course.checking.report import Comparison, Kinds, Picture, Report, as_text
from course.checking.trials import running
from course.checking.trials.probes import Probe, probes, tensors
from course.checking.trials.running import Outcome
from course.learner.plain import is_definition
from course.sandbox import answering, guards
from course.sandbox import board as boards

QUICK = 0.5  # seconds of computing up to which an answer is tried on heavy cases too
PATIENCE = 45.0  # seconds of computing for all trials of one check together
SLOW = 10.0  # ... when one of them has failed


def judge(
    exercise: Exercise, submission: Any, seed: int = 0, then: Callable[[], object] = lambda: None
) -> Report:
    """The report on a submission, without remembering anything; `then` is called after the trials."""
    with guards.time_limit():  # an object's attributes may run code of its own
        at_once = without_trials(exercise, submission)
    if at_once is not None:
        return at_once
    budget = diagnosis.Budget()
    with guards.apart():
        trials = tried(exercise, submission, seed)
        if trials is None:
            return not_attempted(exercise)
        then()
        if any("borrowed" in trial.actual.fault_ids for trial in trials):
            return _borrowed(exercise, trials)
        if not any(trial.failed for trial in trials):
            return _passed(exercise, submission, trials)
        return _failed(exercise, submission, trials, seed, budget)


def without_trials(exercise: Exercise, submission: Any) -> Report | None:
    """The report on what need not be called to be judged; None for what must be tried."""
    if not callable(submission):
        says = f"check({exercise.id!r}, ...) takes the function itself, and was given {findings.named(submission)}"
        called = (
            " (without the brackets that call it)" if isinstance(submission, Tensor | tuple) else ""
        )
        return make_report(
            exercise,
            "failed",
            [("Not yet.", f"{says}: write check({exercise.id!r}, {exercise.name}){called}.")],
        )
    if submissions.is_reference(submission):
        text = f"this is the reference that use({exercise.id!r}) gave. Run the cell with your own function, then check."
        return make_report(exercise, "not attempted", [("Your turn:", text)])
    if submissions.is_stub(submission):
        return not_attempted(exercise)
    if exercise.is_class and not isinstance(submission, type):
        says = f"the check takes the class itself, and was given {findings.named(submission)}"
        called = f"check({exercise.id!r}, {exercise.name}), without brackets after the name"
        return make_report(exercise, "failed", [("Not yet.", f"{says}: write {called}.")])
    return None


def tried(exercise: Exercise, submission: Callable[..., Any], seed: int) -> list[Trial] | None:
    """The trials of a submission; None when it says itself that it is not written yet."""
    warm_up()
    # Before all references are computed, which takes seconds.
    if exercise.is_class and unattempted(exercise, submission, seed):
        return None
    trials: list[Trial] = []
    spent = 0.0  # by the submission alone
    for probe, expected in diagnosis.references(exercise.id, seed):
        if probe.case.heavy and spent > QUICK:
            trials.append(Trial(probe, expected, expected, None))
            continue
        started = time.process_time()
        _note(trials)
        actual = _tried(exercise, submission, probe)
        spent += time.process_time() - started
        if not trials and running.unattempted(submission, actual):
            return None
        with guards.time_limit():  # a result may answer for itself, and without end
            trials.append(diagnosis.judged(probe, expected, actual))
        if _enough(trials, spent):
            break
    return trials


def _enough(trials: list[Trial], spent: float) -> bool:
    """Whether more trials would only make a learner wait."""
    actual = trials[-1].actual
    if actual.timed_out or isinstance(actual.error, MemoryError) or "borrowed" in actual.fault_ids:
        return True
    return spent > (SLOW if any(trial.failed for trial in trials) else PATIENCE)


def unattempted(exercise: Exercise, submission: Callable[..., Any], seed: int = 0) -> bool:
    """Whether a submission says of itself that it is not written yet, when it is called once."""
    first = next(probes(exercise, seed))
    return running.unattempted(submission, running.run(submission, first))


def _tried(exercise: Exercise, submission: Callable[..., Any], probe: Probe) -> Outcome:
    """What a submission gives; what it took from the reference is a fault."""
    own = submission is exercise.model()
    with contextlib.nullcontext() if own else answering.answering(exercise.id):
        actual = running.run(submission, probe)
    how = answering.borrowed(exercise.id)
    if how is not None:
        actual.faults += (running.Fault("borrowed", how),)
    return actual


def _note(trials: list[Trial]) -> None:
    board = boards.here()
    if board is not None:
        board.at(trial=len(trials), failed=sum(trial.failed for trial in trials))


@functools.cache
def warm_up() -> None:
    """Let torch import what it needs for a first gradient: time that no answer should pay for."""
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.ones(1, requires_grad=True)
        torch.autograd.grad((2 * x).sum(), x)


def _borrowed(exercise: Exercise, trials: list[Trial]) -> Report:
    """An answer that has its own reference do the work: a later kernel would find nothing in it."""
    how = next(f.says for trial in trials for f in trial.actual.faults if f.id == "borrowed")
    text = (
        f"your {exercise.name} {how} of this same exercise, so it is not your own work that would be "
        f"checked. Write it yourself: hint({exercise.id!r}) gives a first idea. What use(...) gives for "
        "other exercises you may call."
    )
    return make_report(exercise, "failed", [("Not yet:", text)])


def not_attempted(exercise: Exercise) -> Report:
    """The report on what is not written yet."""
    text = f"{exercise.id} is not attempted yet. hint({exercise.id!r}) gives a first idea."
    return make_report(exercise, "not attempted", [("Your turn:", text)])


def _passed(exercise: Exercise, submission: Callable[..., Any], trials: list[Trial]) -> Report:
    sections = [("Passed:", f"{exercise.id} is right in all {len(trials)} trials.")]
    found = remarks.deserved(exercise, submission)
    if found:
        sections.append((remarks.HEADING, "\n".join(remark.says for remark in found)))
    printed = next(
        (t.actual.printed for t in trials if t.actual.printed and t.actual.printed.written), None
    )
    if printed is not None:
        sections.append(("It prints", f"{printed.kept[:120].strip()} ... (kept out of the report)"))
    report = make_report(exercise, "passed", sections)
    report.remarks = tuple(remark.id for remark in found)
    report.comparison = compare_to_model(exercise, submission)
    return report


def _failed(
    exercise: Exercise,
    submission: Callable[..., Any],
    trials: list[Trial],
    seed: int,
    budget: diagnosis.Budget,
) -> Report:
    complete = len(trials) == len(diagnosis.references(exercise.id, seed))
    found = diagnosis.explain(exercise, trials, budget) if complete else ()
    left = diagnosis.unexplained(exercise, trials, found)
    sections = [("Not yet:", _headline(exercise, found, trials, len(left)))]
    told = _light([trial for trial in trials if not any(trial is other for other in left)])
    details = findings.sentences(exercise, submission, told)
    for mistake in found:
        sections.append(
            (
                "The mistake" if len(found) == 1 else "One of two mistakes",
                _with_line(mistake, exercise, submission),
            )
        )
    if found:
        asked = dict.fromkeys(mistake.asks for mistake in found)  # two may ask the same
        sections.append(("Ask yourself", "\n".join(asked)))
        shows = next(details)  # the others would be looked for, and not told
        if findings.GENERIC not in shows:
            sections.append(("What shows it", _sentence(shows)))
    else:
        sections.append(("What was found", "\n".join(map(_sentence, details))))
        near = diagnosis.nearest(exercise, trials, budget) if complete else None
        if near is not None:
            sections.append(("Part of it looks like this", f"{near.says} {near.asks}"))
    if left:
        rest = [trial for trial in trials if not trial.failed] + left
        besides = findings.describe(exercise, submission, rest)
        sections.append(("What is left", "\n".join(map(_sentence, besides))))
    small = findings.smallest(told)
    sections.append(("The smallest input that shows it", show_input(exercise, small)))
    report = make_report(exercise, "failed", sections, found, _pictures(exercise, small))
    report.comparison = compare_to_model(exercise, submission)
    return report


def _light(trials: list[Trial]) -> list[Trial]:
    """The trials without the failed heavy ones, where others fail too: millions of numbers say no more."""
    if not any(trial.failed and not trial.probe.case.heavy for trial in trials):
        return trials
    return [trial for trial in trials if not (trial.failed and trial.probe.case.heavy)]


def _headline(
    exercise: Exercise, found: tuple[Mistake, ...], trials: list[Trial], unexplained: int
) -> str:
    wrong = sum(trial.failed for trial in trials)
    recognised = {
        0: "",
        1: "One known mistake explains all of it.",
        2: "Two known mistakes together explain all of it.",
    }
    if unexplained:
        recognised[1] = (
            "One known mistake explains all of it in full precision; in half precision "
            f"{unexplained} of the trials fail for another reason."
        )
    return f"{exercise.id} is wrong in {wrong} of {len(trials)} trials. {recognised[len(found)]}".strip()


def _with_line(mistake: Mistake, exercise: Exercise, submission: Callable[..., Any]) -> str:
    """The mistake's sentence, with the learner's own line where its text shows the same edit."""
    source = submissions.source_of(submission) or ""
    right = _squeezed(exercise.model_source)
    for number, line in enumerate(source.splitlines(), submissions.first_line(submission)):
        for old, new in mistake.edits:
            fresh = new.strip()
            if (
                len(fresh) > 6
                and "\n" not in fresh
                and fresh not in old
                and _squeezed(fresh) not in right  # which holds it elsewhere
                and _squeezed(fresh) in _squeezed(line)
            ):
                return f"{mistake.says} Look at line {number}: `{line.strip()}`"
    return mistake.says


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _sentence(text: str) -> str:
    return _capital(text) + ("" if text.endswith((".", "?")) else ".")


def _capital(sentence: str) -> str:
    """Begin with a capital, unless a name of the code comes first, as in "n = 1"."""
    first, _, rest = sentence.partition(" ")
    if "_" in first or rest.startswith("="):
        return sentence
    return sentence[:1].upper() + sentence[1:]


def show_input(exercise: Exercise, trial: Trial) -> str:
    """The arguments of a trial, small ones in full."""
    parts = (part.split(":")[0].split("=")[0] for part in _parameters(exercise.signature))
    names = [part.rpartition("(")[2].strip(" )") for part in parts]
    way = {
        "strided": ", not contiguous in memory",
        "gradient": ", with gradients",
        "again": ", called twice",
        "host": ", as if on a GPU",
    }
    floats = any(tensor.is_floating_point() for tensor in tensors(trial.probe.case.args))
    dtype = f" ({str(trial.probe.dtype).removeprefix('torch.')})" if floats else ""
    lines = [f"{_capital(trial.probe.case.says)}{way.get(trial.probe.mode, '')}{dtype}:"]
    for name, arg in itertools.zip_longest(names, trial.probe.case.args):
        if name is None or arg is None:
            continue
        lines.append(f"  {name} = {exercise.shown.get(name) or _value(arg)}")
    found = trial.difference
    if found is not None and found.kind == "values" and not isinstance(found.expected, Tensor):
        want, came = pictures.beside(found.expected, found.actual)
        lines += [f"  expected: {want}", f"  yours:    {came}"]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, Tensor):
        return (
            pictures.numbers(value).replace("\n", "\n      ")
            if value.numel() <= 48
            else findings.named(value)
        )
    if any(True for _ in tensors(value)):
        return findings.named(value)
    return pictures.numbers(value)


def _parameters(signature: str) -> list[str]:
    inside = signature.split("->")[0].strip().strip("()")
    return [part for part in inside.split(",") if part.strip()]


def _pictures(exercise: Exercise, trial: Trial) -> list[Picture]:
    """Expected, yours and the difference, where the result is a matrix; of a wrong kind, the kinds."""
    found = trial.difference
    if found is None or not isinstance(found.expected, Tensor) or trial.probe.mode == "gradient":
        return []
    if trial.probe.case.summary is not None:
        return []  # each draw looks different
    if found.kind not in ("values", "shape", "dtype"):
        return []
    if not isinstance(found.actual, Tensor):
        return []
    caption = _capital(plain.the(findings.result_name(exercise, found.index)))
    both = (found.expected, found.actual)
    if found.kind != "values" or found.actual.shape != found.expected.shape:
        kinds: list[Picture] = [Kinds(f"{caption}:", _kinds(*both))]
        # Of one rank, the numbers show which axes are exchanged or cut.
        if (
            found.kind != "dtype"
            and all(part.numel() for part in both)
            and found.actual.dim() == found.expected.dim() > 1
        ):
            titles = ("expected", "yours")
            matrices = [(t, pictures.matrix_of(part)) for t, part in zip(titles, both, strict=True)]
            kinds.append(pictures.Shown("Its numbers:", matrices))
        return kinds
    expected, actual = found.expected.double(), found.actual.detach().cpu().double()
    place = _first_wrong(expected, actual)
    slices = [pictures.matrix_of(part, place) for part in (expected, actual)]
    names = relations.axis_names(exercise, found.index, expected.dim())
    at = ", ".join(f"{name} {i}" for name, i in zip(names, place[:-2], strict=False))
    row, column = pictures.first_shown(expected.shape, place) if place else (0, 0)
    if row or column:
        at += f"{', ' if at else ''}rows from {row}, columns from {column}"
    matrices = [
        ("expected", slices[0]),
        ("yours", slices[1]),
        ("difference", slices[1] - slices[0]),
    ]
    return [pictures.Shown(caption + (f" at {at}:" if at else ":"), matrices, *names[-2:])]


def _kinds(expected: Tensor, actual: Tensor) -> list[tuple[str, str, str]]:
    """The rows of a table of what kind two tensors are."""
    dtype, other = (str(tensor.dtype).removeprefix("torch.") for tensor in (expected, actual))
    shapes = str(tuple(expected.shape)), str(tuple(actual.shape))
    return [("dtype", dtype, other), ("shape", *shapes)]


def _first_wrong(expected: Tensor, actual: Tensor) -> tuple[int, ...]:
    """The index of the first wrong number, () where all are near or there is but one."""
    wrong = ~torch.isclose(actual, expected, 1e-4, 2e-5, equal_nan=True)
    if not expected.dim() or not wrong.any():
        return ()
    return tuple(int(i) for i in wrong.nonzero()[0])


def make_report(
    exercise: Exercise,
    status: str,
    sections: list[tuple[str, str]],
    found: tuple[Mistake, ...] = (),
    shown: list[Picture] | None = None,
) -> Report:
    """A report with these sections, as (heading, text)."""
    shown = shown or []
    return Report(
        exercise.id, status, as_text(sections, shown), tuple(m.id for m in found), sections, shown
    )


def compare_to_model(exercise: Exercise, submission: Callable[..., Any]) -> Comparison:
    """The submission's text beside the model solution's."""
    with guards.time_limit():  # its attributes may run code of its own
        yours = submissions.source_of(submission)
    return Comparison(yours or f"# no source text: {_kind(submission)}", exercise.model_source)


def _kind(submission: Any) -> str:
    """What a submission without a source text is; printing an object would run its own code."""
    if is_definition(submission):
        return guards.safe_text(submission)
    name = type.__dict__["__name__"].__get__(type(submission))
    return guards.safe_text(f"an object of class {name}")

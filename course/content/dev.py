"""For whoever writes exercises: the skeleton of a new one, and a quick proof of one that is there.

python3 -m course dev new attention.my_function
python3 -m course dev check attention.softmax
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from course import content
from course.checking import checks
from course.checking.exercise import Exercise, build, wrong
from course.checking.exercise.wrong import Wrong
from course.checking.explain import diagnosis, findings
from course.checking.report import Report
from course.checking.trials import running
from course.checking.trials.probes import Probe
from course.content import exercises
from course.sandbox import guards
from course.system.sections import TextError

SECONDS = 10.0  # after which `check` says what it has not tried

_FOUND = "What was found"
_SMALLEST = "The smallest input that shows it"
_EMPTY = (
    "right shape and wrong numbers",
    "numbers are wrong",
    "the largest difference is at",
    "comes out in place of",
)
_EXERCISE = '''"""{id}: what it computes, in one line."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw

_OF_SIZES = {{"a single row": "N = 1"}}


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, length: int, width: int) -> Case:
        sizes = {{"N": length, "D": width}}
        x = draw.normal(length, width)
        return Case((x,), says, sizes, tags(*holding(_OF_SIZES, sizes)))

    return [
        case("two rows of three numbers", 2, 3),
        case("a single row", 1, 5),
    ]


EXERCISE = Exercise(
    id="{id}",
    signature="(x)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    axes=(("N", "D"),),
)
'''
_TEXT = """\
# hints

## idea
What happens, in words.

## shapes
x is (N, D); so is the result.

## pseudo-code
    for each row: ...

## decisive line
    return x

# mistakes

## an-edit-of-the-model-solution
- what stands in it
+ what a learner writes instead

What is wrong with that.

? Which question leads on?

## cut-from-the-gradient
~ detach x
"""
_WRONG = """\
## a-wrong-answer-that-no-mistake-is
says: words of the report
def {name}(x):
    return x + 1
"""
_RIGHT = '''"""Right answers to {id} in other styles than the model solution's."""


def {name}_in_another_style(x):
    return x


RIGHT = ({name}_in_another_style,)
'''
_CELL = '''# %% id="{dashed}-exercise" exercise="{id}"
def {name}(x: Tensor) -> Tensor:
    """What it computes, (N, D) -> (N, D)."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# %% id="{dashed}-check"
check("{id}", {name})

# %% id="{dashed}-use"
{name} = use("{id}")
'''


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m course dev new|check EXERCISE`: 0 when all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m course dev", description=__doc__.split("\n")[0]
    )
    parser.add_argument("what", choices=["new", "check"])
    parser.add_argument("exercise", help="such as attention.softmax")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of `check`; default 10")
    options = parser.parse_args(argv)
    try:
        if options.what == "new":
            return new(options.exercise)
        return check(options.exercise, options.seconds)
    except (LookupError, ValueError, FileExistsError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 1


def new(exercise_id: str) -> int:
    """Write the files of a new exercise and show its cells.

    Raises:
        ValueError: the id is malformed.
        LookupError: there is no such chapter.
        FileExistsError: the exercise has a folder already.
    """
    name = exercise_id.partition(".")[2]
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(f"{exercise_id!r} should be a chapter, a point and a name in Python")
    folder = exercises.path(exercise_id)
    folder.mkdir(parents=True)
    files = {
        "__init__.py": "",
        "exercise.py": _EXERCISE,
        "mistakes.txt": _TEXT,
        "right.py": _RIGHT,
        "wrong.txt": _WRONG,
    }
    for file, text in files.items():
        words = text if file == "mistakes.txt" else text.format(id=exercise_id, name=name)
        (folder / file).write_text(words, encoding="utf-8")
        print(f"Wrote {folder.relative_to(content.FOLDER.parents[1])}/{file}")
    print(
        f"Put these cells into {content.shown(content.file(content.topic(exercise_id), 'chapter.py'))}:\n"
    )
    print(_CELL.format(id=exercise_id, name=name, dashed=name.replace("_", "-").lower()))
    return 0


@dataclass(frozen=True)
class Trial:
    """One thing to be tried: a right answer that must pass, or a wrong one of which something must be said."""

    exercise: str
    kind: str  # "model", "start", "right", "mistake" or "wrong"
    place: int
    name: str


def check(exercise_id: str, seconds: float = SECONDS) -> int:
    """Try the model solution, the other right answers, every mistake and wrong answer; print what is amiss.

    The trials run in as many processes as there are cores. What `seconds` did not suffice for is counted.
    """
    started = time.monotonic()
    try:
        trials = _trials(exercise_id)
    except TextError as error:
        print(error)
        return 1
    amiss, done = 0, 0
    cores = min(os.cpu_count() or 1, 8)
    tried = functools.partial(_tried, started + seconds)
    with ProcessPoolExecutor(cores, initializer=_single_threaded) as pool:
        for trial, said in zip(trials, pool.map(tried, trials), strict=True):
            done += said is not None
            if said:
                amiss += 1
                print(f"{trial.kind} {trial.name}: {said}")
    took = time.monotonic() - started
    print(f"{exercise_id}: {done - amiss} of {done} are as they should be, in {took:.1f} s.")
    if done < len(trials):
        where = "tests/checking tests/content/test_wrong.py"
        rest = f"python3 -m course test {where} -k {exercise_id.partition('.')[2]}"
        print(f"{len(trials) - done} were not tried; `{rest}` tries all.")
    return 1 if amiss else 0


def _trials(exercise_id: str) -> list[Trial]:
    exercise = exercises.get(exercise_id)
    right = exercises.right_answers(exercise_id)
    return [
        Trial(exercise_id, "model", 0, "solution"),
        Trial(exercise_id, "start", 0, "of wrong.txt"),
        *(Trial(exercise_id, "right", i, one.__name__) for i, one in enumerate(right)),
        *(Trial(exercise_id, "mistake", i, one.id) for i, one in enumerate(exercise.mistakes)),
        *(
            Trial(exercise_id, "wrong", i, one.name)
            for i, one in enumerate(wrong_answers(exercise_id))
        ),
    ]


def wrong_answers(exercise_id: str) -> tuple[Wrong, ...]:
    """The wrong answers that no listed mistake is, with what must be said of them, from `wrong.txt`."""
    return _wrong(exercise_id)[1]


def start(exercise_id: str) -> str:
    """The right answer that the wrong ones in `wrong.txt` are edits of."""
    return _wrong(exercise_id)[0]


@functools.cache
def _wrong(exercise_id: str) -> tuple[str, tuple[Wrong, ...]]:
    model = exercises.get(exercise_id).model_source
    return wrong.read(exercises.path(exercise_id) / "wrong.txt", model)


def _single_threaded() -> None:
    import torch

    torch.set_num_threads(1)


def _tried(deadline: float, trial: Trial) -> str | None:
    """What is amiss, "" for nothing, None when there was no time left to try it."""
    if time.monotonic() > deadline:
        return None
    exercise = exercises.get(trial.exercise)
    if trial.kind == "mistake":
        return next(_named(trial), "")
    if trial.kind == "wrong":
        return report_faults(exercise.id, wrong_answers(exercise.id)[trial.place])
    if trial.kind == "right":
        answer = exercises.right_answers(exercise.id)[trial.place]
    else:
        source = start(exercise.id) if trial.kind == "start" else exercise.model_source
        answer = build(exercise.id, source)
    report = checks.judge(exercise, answer)
    return "" if report.passed else f"it is turned down:\n{report.message}"


def _named(trial: Trial) -> Iterator[str]:
    """Why a mistake is not caught and named, alone."""
    exercise = exercises.get(trial.exercise)
    mistake = exercise.mistakes[trial.place]
    try:
        answer = exercise.mistaken(mistake)
    except (ValueError, SyntaxError) as error:
        yield str(error)
        return
    with guards.apart():
        trials = checks.tried(exercise, answer, 0) or []
        if not any(one.failed for one in trials):
            yield "it passes"
            return
        found = diagnosis.explain(exercise, trials)
    if found != (mistake,):
        yield f"it is named {' and '.join(one.id for one in found) or 'by nothing'}"


def report_faults(exercise_id: str, answer: Wrong) -> str:
    """What the report on a wrong answer lacks or should not say; "" where all is well."""
    return "; ".join(_faults(exercise_id, answer))


def _faults(exercise_id: str, answer: Wrong) -> Iterator[str]:
    exercise = exercises.get(exercise_id)
    # Pairs of mistakes are looked for only where it is said which: how far the search gets depends on the machine.
    with _pairs_for(diagnosis.PAIR_SECONDS if answer.names else 0.0):
        report = _report(exercise, build(exercise_id, answer.source))
    told = report.message
    if report.status != "failed":
        yield f"its report is {report.status!r}"
        return
    named = report.mistakes or (wrong.NOTHING,)
    if answer.names and named != answer.names:
        yield f"it is named {' and '.join(named)}, not {' and '.join(answer.names)}:\n{told}"
    near = (exercise.mistake(answer.near).says,) if answer.near else ()
    for words in (*answer.says, *near):
        if words not in told:
            yield f"nothing says {words!r}:\n{told}"
    for words in answer.never:
        if words in told:
            yield f"it says {words!r}:\n{told}"
    if not exercise.is_class and _SMALLEST not in told:
        yield f"it shows no smallest input:\n{told}"
    if not report.mistakes and not _is_told(report):
        yield f"it is told no more than that it is wrong:\n{told}"


@contextlib.contextmanager
def _pairs_for(seconds: float) -> Iterator[None]:
    """Look for pairs of mistakes that long."""
    before, diagnosis.PAIR_SECONDS = diagnosis.PAIR_SECONDS, seconds
    try:
        yield
    finally:
        diagnosis.PAIR_SECONDS = before


def _report(exercise: Exercise, answer: Callable[..., Any]) -> Report:
    """The report; of a class only what was found in its cases as they are, in float64, which takes less time."""
    if not exercise.is_class:
        return checks.judge(exercise, answer)
    with guards.apart():
        trials = [
            diagnosis.judged(probe, expected, running.run(answer, probe))
            for probe, expected in _plain(exercise.id)
        ]
        if not any(trial.failed for trial in trials):
            return checks.make_report(exercise, "passed", [])
        found = "\n".join(findings.describe(exercise, answer, trials))
    return checks.make_report(exercise, "failed", [(_FOUND, found)])


@functools.cache
def _plain(exercise_id: str) -> list[tuple[Probe, running.Outcome]]:
    import torch

    exercise = exercises.get(exercise_id)
    usual = [p for p in diagnosis.plain_probes(exercise, 0) if p.dtype is torch.float64]
    return [(probe, running.reference(exercise.model(), probe)) for probe in usual]


def _is_told(report: Report) -> bool:
    """Whether anything is found beyond what every wrong answer is told."""
    found = dict(report.sections)[_FOUND].splitlines()
    return any(not any(empty in line for empty in _EMPTY) for line in found)


if __name__ == "__main__":
    sys.exit(main())

"""For whoever writes exercises: the skeleton of a new one, and a quick proof of one that is there.

python3 -m course dev new attention.my_function
python3 -m course dev check attention.softmax
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from course import content
from course.checking import checks
from course.checking.exercise import build
from course.checking.exercise.text import TextError
from course.checking.explain import diagnosis
from course.content import exercises
from course.sandbox import guards

SECONDS = 10.0  # after which `check` says what it has not tried

_EXERCISE = '''"""{id}: what it computes, in one line."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.draw import Draw


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    return [
        Case((draw.normal(2, 3),), "two rows of three numbers", {{"N": 2, "D": 3}}),
        Case((draw.normal(1, 5),), "a single row", {{"N": 1, "D": 5}}, tags("a single row")),
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
    chapter, _, name = exercise_id.partition(".")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(f"{exercise_id!r} should be a chapter, a point and a name in Python")
    folder = exercises.path(exercise_id)
    folder.mkdir(parents=True)
    files = {"__init__.py": "", "exercise.py": _EXERCISE, "mistakes.txt": _TEXT, "right.py": _RIGHT}
    for file, text in files.items():
        words = text.format(id=exercise_id, name=name) if file.endswith(".py") else text
        (folder / file).write_text(words, encoding="utf-8")
        print(f"Wrote {folder.relative_to(content.FOLDER.parents[1])}/{file}")
    print(f"Put these cells into {content.shown(content.file(chapter, 'chapter.py'))}:\n")
    print(_CELL.format(id=exercise_id, name=name, dashed=name.replace("_", "-").lower()))
    return 0


@dataclass(frozen=True)
class Trial:
    """One thing to be tried: a right answer that must pass, or a mistake that must be named."""

    exercise: str
    kind: str  # "model", "right" or "mistake"
    place: int
    name: str


def check(exercise_id: str, seconds: float = SECONDS) -> int:
    """Try the model solution, the other right answers and every mistake; print what is amiss.

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
        rest = f"python3 -m course test tests/checking -k {exercise_id.partition('.')[2]}"
        print(f"{len(trials) - done} were not tried; `{rest}` tries all.")
    return 1 if amiss else 0


def _trials(exercise_id: str) -> list[Trial]:
    exercise = exercises.get(exercise_id)
    right = exercises.right_answers(exercise_id)
    return [
        Trial(exercise_id, "model", 0, "solution"),
        *(Trial(exercise_id, "right", i, one.__name__) for i, one in enumerate(right)),
        *(Trial(exercise_id, "mistake", i, one.id) for i, one in enumerate(exercise.mistakes)),
    ]


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
    answer = (
        build(exercise.id, exercise.model_source)
        if trial.kind == "model"
        else exercises.right_answers(exercise.id)[trial.place]
    )
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


if __name__ == "__main__":
    sys.exit(main())

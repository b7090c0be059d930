"""check(): have a submission judged where it can do no harm, remember what passed, record what was said."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from course import learner
from course.checking import answers, checks, verdict
from course.checking.exercise import Exercise
from course.checking.report import Comparison, Report, as_text
from course.learner import catalogue
from course.learner.plain import NotPlain, is_definition
from course.sandbox import answering, guards, isolated, marker
from course.sandbox import board as boards


def check(exercise_id: str, submission: Any) -> Report:
    """Try a submission and report; see `Report`.

    It never raises because of what the submission does (with COURSE_STRICT=1 in the environment it
    raises AssertionError with the message when the submission has not passed). KeyError names the nearest
    exercises when `exercise_id` is none.

    On Linux the submission runs in a child process that is killed when it does not come back; what it
    changes, ends or fills stays there. Elsewhere, with a GPU, off the main thread, under a debugger or
    with COURSE_CHECK_IN_PROCESS=1 it runs in this process: what it changes is put back, and after some
    seconds an exception stops it; what no exception stops ends the kernel after a minute, and the next
    one says so.
    """
    exercise = catalogue.exercise(exercise_id)
    if answering.running() or boards.here() is not None:
        raise RuntimeError(
            f"check({exercise_id!r}, ...) was called inside of an answer; call it in a cell after it"
        )
    marker.tell()
    with marker.noted(exercise_id, "check"):
        report = verdict.judged(exercise, submission)
        if report.status != "not attempted" and report.comparison is None:
            with contextlib.suppress(Exception, guards.TimeLimit), guards.time_limit():
                report.comparison = _comparison(exercise, submission)
        if report.passed:
            _remember(exercise, submission, report)
    _record(report)
    if os.environ.get("COURSE_STRICT") == "1" and not report.passed:
        raise AssertionError(report.message)
    return report


def _comparison(exercise: Exercise, submission: Any) -> Comparison:
    """A submission beside the model solution; an object's own code runs in no process but a child."""
    if is_definition(submission) or not isolated.possible():
        return checks.compare_to_model(exercise, submission)
    return Comparison("# no source text", exercise.model_source)


def _remember(exercise: Exercise, submission: Any, report: Report) -> None:
    """Keep a passed answer for `use`, and say where."""
    try:
        text = _text(exercise, submission)
        with guards.time_limit():
            said = answers.remember(exercise, submission, text)
    except (Exception, guards.TimeLimit) as error:
        reason = guards.safe_error(error)
        said = f"use({exercise.id!r}) gives your own function until this kernel ends. It could not be saved: {reason}"
    report.sections.append(("From here on", said))
    report.message = as_text(report.sections, report.shown)


def _text(exercise: Exercise, submission: Any) -> dict[str, str]:
    """A passed answer's text, taken in a child where an object that it uses may run code when it is read."""
    with contextlib.suppress(NotPlain):
        return answers.captured(exercise, submission, careful=True)
    if isolated.possible():
        taken = isolated.run(lambda: answers.captured(exercise, submission))
        if isinstance(taken, dict):
            return taken
        if taken is not None:
            return {"reason": f"reading what it uses fails. {verdict.how_it_ended(taken)}"}
    return answers.captured(exercise, submission)


def _record(report: Report) -> None:
    """Note what was said; a file that cannot be read or written takes no report away."""
    try:
        learner.record_check(report.exercise, report.status, list(report.mistakes), report.message)
    except Exception as error:
        folder = Path(learner.home())
        said = guards.safe_error(error)
        print(f"Your progress could not be noted in {folder} ({said}).", file=sys.stderr)

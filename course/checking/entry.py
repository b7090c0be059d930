"""check(): have a submission judged where it can do no harm, remember what passed, record what was said."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course import answering, exercises, learner
from course.checking import answers, checks, diagnosis, guards, isolated, marker, running, wire
from course.checking import board as boards
from course.checking.diagnosis import Trial
from course.checking.isolated import Ended
from course.checking.report import Comparison, Report, as_text
from course.exercises.model import Exercise


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
    exercise = exercises.get(exercise_id)
    if answering.running() or boards.here() is not None:
        raise RuntimeError(
            f"check({exercise_id!r}, ...) was called inside of an answer; call it in a cell after it"
        )
    marker.tell()
    with marker.noted(exercise_id, "check"):
        report = judged(exercise, submission)
        if report.status != "not attempted" and report.comparison is None:
            with contextlib.suppress(Exception, guards.TimeLimit), guards.time_limit():
                report.comparison = _comparison(exercise, submission)
        if report.passed:
            _remember(exercise, submission, report)
    _record(report)
    if os.environ.get("COURSE_STRICT") == "1" and not report.passed:
        raise AssertionError(report.message)
    return report


def judged(exercise: Exercise, submission: Any) -> Report:
    """The report on a submission, made in a child process where that is possible."""
    apart = isolated.possible()
    if answers.is_plain(submission) or not apart:
        with contextlib.suppress(Exception, guards.TimeLimit), guards.time_limit():
            at_once = checks.without_trials(exercise, submission)
            if at_once is not None:
                return at_once
    if not apart:
        return in_process(exercise, submission)
    if exercise.is_class and not diagnosis.known(exercise.id):
        first = isolated.run(lambda: {"unattempted": checks.unattempted(exercise, submission)})
        if isinstance(first, dict) and first.get("unattempted"):
            return checks.not_attempted(exercise)
    with guards.apart():
        checks.warm_up()
        diagnosis.references(exercise.id)  # computed once in this kernel, and not in each child
    return _from_child(exercise, submission)


def _comparison(exercise: Exercise, submission: Any) -> Comparison:
    """A submission beside the model solution; an object's own code runs in no process but a child."""
    if answers.is_plain(submission) or not isolated.possible():
        return checks.compare_to_model(exercise, submission)
    return Comparison("# no source text", exercise.model_source)


def in_process(
    exercise: Exercise, submission: Any, then: Callable[[], object] = lambda: None
) -> Report:
    """The report, whatever the submission is; KeyboardInterrupt is for the person at the keyboard."""
    try:
        return checks.judge(exercise, submission, then=then)
    except BaseException as error:  # an answer can be stranger than the checker knows
        if isinstance(error, KeyboardInterrupt) and boards.here() is None:
            raise
        return _unjudged(exercise, f"{type(error).__name__}: {guards.safe_text(error)}")


def _from_child(exercise: Exercise, submission: Any) -> Report:
    def work(*, searching: bool) -> dict[str, Any]:
        def trials_over() -> None:
            board = boards.here()
            if board is not None:
                board.searching()
            running.searching = searching

        return wire.packed(in_process(exercise, submission, trials_over))

    ended = isolated.run(lambda: work(searching=True))
    if isinstance(ended, Ended) and ended.searching:  # the trials are told without the search
        ended = isolated.run(lambda: work(searching=False))
    if ended is None:
        return in_process(exercise, submission)
    if isinstance(ended, Ended):
        return _of_the_end(exercise, submission, ended)
    if "error" in ended:
        return _unjudged(exercise, str(ended["error"]))
    try:
        return wire.unpacked(ended)
    except Exception:  # the answer wrote a text of its own there
        return _unjudged(exercise, isolated.UNREADABLE)


def _unjudged(exercise: Exercise, said: str) -> Report:
    asked = f"Asked is {exercise.name}{exercise.signature}."
    text = f"what it returns could not be judged ({said}). {asked}"
    return checks.make_report(exercise, "failed", [("Not yet:", text)])


def _of_the_end(exercise: Exercise, submission: Any, ended: Ended) -> Report:
    """The report on an answer whose process did not live to report."""
    probes = diagnosis.references(exercise.id)
    if not ended.in_call and ended.hung:
        return _unjudged(exercise, "the checker itself took too long over it")
    probe, expected = probes[min(ended.trial, len(probes) - 1)]
    actual = running.Outcome(error=guards.TimeLimit())
    sections = [
        (
            "Not yet:",
            f"{exercise.id} is wrong in {ended.failed + 1} of {ended.trial + 1} trials.",
        ),
        ("What was found", how_it_ended(ended, _where(submission, ended.trace))),
        (
            "The smallest input that shows it",
            checks.show_input(exercise, Trial(probe, expected, actual, None)),
        ),
    ]
    return checks.make_report(exercise, "failed", sections)


def how_it_ended(ended: Ended, where: str = "") -> str:
    """One sentence on an answer that did not come back."""
    at = f" in {where}" if where else ""
    if ended.forks:
        return f"It starts processes without end, so they were stopped{at}."
    if ended.hung:
        loop = "is there a loop, or an iteration, without an end?"
        return f"It had not come to an end after some seconds, so it was stopped{at}: {loop}"
    if not os.WIFSIGNALED(ended.status):
        code = os.waitstatus_to_exitcode(ended.status)
        return (
            f"It ends Python itself, with exit status {code}, as os._exit does{at}: outside of a check "
            "the kernel would be gone. `return` the result instead."
        )
    number = os.WTERMSIG(ended.status)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL and ended.memory > _memory() // 4:
        return f"It filled the memory, {ended.memory >> 20} MB, until the system ended it{at}."
    if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL):
        return (
            f"It crashed the process of Python{at} ({name}): recursion beyond all limits, os.abort, or a "
            "write into memory that is not its own."
        )
    return f"It ended its own process by a signal ({name}){at}: outside of a check the kernel would be gone."


def _where(submission: Any, trace: str) -> str:
    """The submission's own line in what the process wrote down before it ended."""
    with contextlib.suppress(Exception):
        if answers.is_plain(submission):
            return running.line_of(submission, trace)
    return ""


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _remember(exercise: Exercise, submission: Any, report: Report) -> None:
    """Keep a passed answer for `use`, and say where."""
    try:
        text = _text(exercise, submission)
        with guards.time_limit():
            said = answers.remember(exercise, submission, text)
    except (Exception, guards.TimeLimit) as error:
        reason = f"{type(error).__name__}: {guards.safe_text(error)}"
        said = f"use({exercise.id!r}) gives your own function until this kernel ends. It could not be saved: {reason}"
    report.sections.append(("From here on", said))
    report.message = as_text(report.sections, report.shown)


def _text(exercise: Exercise, submission: Any) -> dict[str, str]:
    """A passed answer's text, taken in a child: an object that it uses may run code when it is read."""
    if isolated.possible():
        taken = isolated.run(lambda: answers.captured(exercise, submission))
        if isinstance(taken, dict):
            return taken
        if taken is not None:
            return {"reason": f"reading what it uses fails. {how_it_ended(taken)}"}
    return answers.captured(exercise, submission)


def _record(report: Report) -> None:
    """Note what was said; a file that cannot be read or written takes no report away."""
    try:
        learner.record_check(report.exercise, report.status, list(report.mistakes), report.message)
    except Exception as error:
        folder = Path(learner.home())
        said = f"{type(error).__name__}: {guards.safe_text(error)}"
        print(f"Your progress could not be noted in {folder} ({said}).", file=sys.stderr)

"""The report on a submission, made in a child process where that is possible."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable
from typing import Any

from course.checking import checks, wire
from course.checking.exercise import Exercise
from course.checking.explain import diagnosis
from course.checking.explain.diagnosis import Trial
from course.checking.report import Report
from course.checking.trials import running
from course.learner.plain import is_definition
from course.sandbox import board as boards
from course.sandbox import guards, isolated
from course.sandbox.isolated import Ended


def judged(exercise: Exercise, submission: Any) -> Report:
    """The report on a submission, made in a child process where that is possible."""
    apart = isolated.possible()
    if is_definition(submission) or not apart:
        with contextlib.suppress(Exception, guards.TimeLimit), guards.time_limit():
            at_once = checks.without_trials(exercise, submission)
            if at_once is not None:
                return at_once
    if not apart:
        gc.freeze()  # what the notebook holds need not be looked through after each answer that is stopped
        try:
            return in_process(exercise, submission)
        finally:
            gc.unfreeze()
    if exercise.is_class and not diagnosis.known(exercise.id):
        first = isolated.run(lambda: {"unattempted": checks.unattempted(exercise, submission)})
        if isinstance(first, dict) and first.get("unattempted"):
            return checks.not_attempted(exercise)
    with guards.apart():
        checks.warm_up()
        diagnosis.references(exercise.id)  # computed once in this kernel, and not in each child
    return _from_child(exercise, submission)


def in_process(
    exercise: Exercise, submission: Any, then: Callable[[], object] = lambda: None
) -> Report:
    """The report, whatever the submission is; KeyboardInterrupt is for the person at the keyboard."""
    try:
        return checks.judge(exercise, submission, then=then)
    except BaseException as error:  # an answer can be stranger than the checker knows
        if isinstance(error, KeyboardInterrupt) and boards.here() is None:
            raise
        return _unjudged(exercise, guards.safe_error(error))


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
    signature = f"The signature is {exercise.name}{exercise.signature}."
    text = f"what it returns could not be judged ({said}). {signature}"
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
        if is_definition(submission):
            return running.line_of(submission, trace)
    return ""


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

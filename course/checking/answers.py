"""Answers that passed: kept in memory and in the learner's folder, and handed out by use()."""

from __future__ import annotations

import contextlib
import functools
import io
import traceback
from collections.abc import Callable
from typing import Any

from course import learner
from course.checking import submissions, verdict
from course.checking.exercise import Exercise, build
from course.checking.explain import diagnosis
from course.learner import catalogue
from course.learner.plain import is_definition
from course.learner.spelling import library_place
from course.sandbox import answering, guards, marker
from course.sandbox import board as boards

_live: dict[str, Callable[..., Any]] = {}  # what passed while this process runs
_reviving: set[str] = set()  # saved answers that are being read just now


def captured(
    exercise: Exercise, submission: Callable[..., Any], *, careful: bool = False
) -> dict[str, str]:
    """The `source` of an answer with all that it uses, or the `reason` why it cannot be saved.

    With `careful` NotPlain is raised where reading what it uses may run code of its own.
    """
    from course.learner.capture import CannotCapture, capture

    try:
        with guards.time_limit():
            text = capture(submission, exercise.name, exercise.id, careful=careful)
            return {"source": text}
    except CannotCapture as reason:
        return {"reason": guards.safe_text(reason)}
    except guards.TimeLimit:
        return {"reason": "reading what it uses does not come to an end"}


def remember(exercise: Exercise, submission: Callable[..., Any], text: dict[str, str]) -> str:
    """Keep an answer that passed, and its text as `captured` returns it; says for how long it will be used."""
    _live[exercise.id] = submission
    here = f"use({exercise.id!r}) gives your own function"
    if "source" not in text:
        reason = text.get("reason") or text.get("error")
        return (
            f"{here} until this kernel ends. It could not be saved for the later chapters: {reason}"
        )
    source = text["source"]
    if is_definition(submission) or type(submission) is functools.partial:
        _marked(submission, exercise.id, source)
    path = learner.save_answer(exercise.id, source)
    if not learner.answer_is_written(exercise.id):
        return f"{here} until this kernel ends. The later chapters will not have it: {path} could not be written."
    return f"{here}, here and in the later chapters ({_near(path)})."


def _near(path: Any) -> str:
    return f"{path.parent.parent.name}/{path.parent.name}/{path.name}"


def use(exercise_id: str) -> Callable[..., Any]:
    """The learner's own answer once it has passed, the model solution until then; a line says which.

    An answer saved by an earlier kernel, or for an earlier version of the course, is checked again before
    it is handed out. KeyError names the nearest exercises when `exercise_id` is none.
    """
    exercise = catalogue.exercise(exercise_id)
    if answering.reached(exercise_id, f"calls use({exercise_id!r})"):
        raise answering.BorrowedError(
            f"use({exercise_id!r}) was called inside of the answer to {exercise_id}: write it yourself"
        )
    if exercise_id in _live:
        print(f"{exercise.name}: yours, passed.")
        return _live[exercise_id]
    marker.tell()
    saved = None if exercise_id in _reviving else learner.load_answer(exercise_id)
    if saved is not None:
        with marker.noted(exercise_id, "use"):
            function, trouble = _revived(exercise, saved)
        if function is not None:
            print(f"{exercise.name}: yours, passed earlier and saved.")
            _live[exercise_id] = function
            return function
        print(f"{exercise.name}: the reference. Your saved answer could not be used: {trouble}")
    else:
        print(f"{exercise.name}: the reference, until yours has passed.")
    return _standing_in(exercise)


def _standing_in(exercise: Exercise) -> Callable[..., Any]:
    """The model solution, with a note by which check() knows it again."""
    with answering.paused():
        source = exercise.model_source
        function = build(exercise.id, source, watched=True)
    function.__course_reference__ = True  # type: ignore[attr-defined]
    _marked(function, exercise.id, source)
    return function


def _revived(exercise: Exercise, saved: str) -> tuple[Callable[..., Any] | None, str]:
    """A saved answer that still passes; else None, and what is amiss."""
    from course.sandbox import isolated

    if isolated.possible():
        with guards.apart():
            diagnosis.references(exercise.id)
        tried = isolated.run(lambda: {"trouble": _judged_again(exercise, saved)[1]})
        if isinstance(tried, isolated.Ended):
            return None, _lowered(verdict.how_it_ended(tried))
        trouble = (tried or {}).get("trouble") or (tried or {}).get("error")
        if trouble:
            return None, str(trouble)
        if tried is not None:  # it came to its end there, and so it will here
            return _read(exercise, saved)
    return _judged_again(exercise, saved)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _judged_again(exercise: Exercise, saved: str) -> tuple[Callable[..., Any] | None, str]:
    """A saved answer, run and judged in this process."""
    function, trouble = _read(exercise, saved)
    if function is None:
        return None, trouble
    report = verdict.in_process(exercise, function)
    if report.passed:
        return function, ""
    return None, f"it no longer passes. check({exercise.id!r}, ...) in the chapter says why."


def _read(exercise: Exercise, saved: str) -> tuple[Callable[..., Any] | None, str]:
    """The function that a saved text defines; its own statements may do anything, and for any time."""
    from course.learner.capture import revive

    _reviving.add(exercise.id)  # two answers may be built on one another
    try:
        with contextlib.redirect_stdout(io.StringIO()), guards.kept_alive(), guards.time_limit():
            function = revive(saved, exercise.name)
    except guards.TimeLimit:
        return None, "it did not come to an end"
    except BaseException as error:  # the file may hold anything
        frames = traceback.extract_tb(error.__traceback__)
        own = bool(frames) and frames[-1].filename.startswith(f"<answer {exercise.name} ")
        if isinstance(error, KeyboardInterrupt) and not own and boards.here() is None:
            raise  # the person at the keyboard wants it to stop
        return None, guards.safe_error(error)
    finally:
        _reviving.discard(exercise.id)
    return _marked(function, exercise.id, saved), ""


def _marked(function: Any, exercise_id: str, source: str) -> Any:
    """Leave a note on the function that tells capture() where it comes from."""
    if library_place(function) is not None:
        return function  # torch's own function is everybody's: no note on that
    try:
        function.__course_exercise__ = exercise_id
        function.__course_source__ = source
    except (AttributeError, TypeError):
        pass  # a built-in takes no attributes
    return function


def forget() -> None:
    """Forget the answers of this process (their files stay); for tests."""
    _live.clear()


def compare(exercise_id: str, submission: Any = None) -> Any:
    """An answer beside the model solution: the one given, or the last that passed."""
    from course.checking.report import Comparison

    exercise = catalogue.exercise(exercise_id)
    if submission is not None:
        yours = submissions.source_of(submission)
    elif exercise_id in _live and submissions.source_of(_live[exercise_id]):
        yours = submissions.source_of(_live[exercise_id])
    else:
        yours = learner.load_answer(exercise_id)
    return Comparison(yours or "# no answer has passed yet", exercise.model_source)

"""Remarks on an answer that passed: the traps that it has beside being right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from course.checking.exercise import Exercise, Remark
from course.checking.trials import running
from course.checking.trials.probes import Probe
from course.sandbox import guards

HEADING = "Passed, with a remark"


def deserved(exercise: Exercise, submission: Callable[..., Any]) -> list[Remark]:
    """The exercise's remarks whose trap is in a submission that passed all trials."""
    return [remark for remark in exercise.remarks if _springs(exercise, submission, remark)]


@contextlib.contextmanager
def _default(dtype: str) -> Iterator[None]:
    """Another default dtype for the block; none when none is named."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype) if dtype else before)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _springs(exercise: Exercise, submission: Callable[..., Any], remark: Remark) -> bool:
    probe = Probe(
        remark.case,
        getattr(torch, remark.dtype),
        remark.mode,
        random=exercise.random,
        harness=exercise.harness,
    )
    with _default(remark.default_dtype):
        came, wanted = running.run(submission, probe), running.reference(exercise.model(), probe)
    if remark.case.raises is not None:
        return bool(remark.springs(*(guards.safe_text(one.error) for one in (came, wanted))))
    if came.error is not None or wanted.error is not None:
        return False
    right = wanted.value if remark.mode == "gradient" else wanted.exact
    try:
        return bool(remark.springs(came.value, right))
    except (TypeError, ValueError, RuntimeError):  # a value of another kind than in the trials
        return False

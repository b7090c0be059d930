"""A sample of many cases for daily work; all of them where all tests run, or at night."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

SEEDS = int(os.environ.get("COURSE_SEEDS", "16"))  # of what is drawn; 200 at night
NIGHT = SEEDS > 40
at_night = pytest.mark.skipif(not NIGHT, reason="takes minutes: at night, with COURSE_SEEDS=200")


def thinned(cases: Iterable[Any], every: int) -> list[Any]:
    """Each `every`-th case; all of them at night.

    >>> thinned("abcdefg", 3)
    ['a', 'd', 'g']
    """
    return list(cases)[:: 1 if NIGHT else every]


def by_day(cases: Sequence[Any], count: int) -> Sequence[Any]:
    """The first so many cases; all of them at night, where COURSE_SEEDS asks for more than 40."""
    return cases if NIGHT else cases[:count]


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """The cases as parameters, all but each `every`-th marked slow, so that --quick leaves them out.

    >>> [len(case.marks) for case in sampled("abcd", 3)]
    [0, 1, 1, 0]
    """
    return [
        _parameter(case, [pytest.mark.slow] * (place % every > 0))
        for place, case in enumerate(cases)
    ]


def _parameter(case: Any, marks: list[Any]) -> Any:
    if hasattr(case, "marks"):  # a pytest.param already
        return pytest.param(*case.values, marks=[*case.marks, *marks], id=case.id)
    return (
        pytest.param(*case, marks=marks)
        if isinstance(case, tuple)
        else pytest.param(case, marks=marks)
    )

"""A sample of many cases for daily work; all of them where all tests run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


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

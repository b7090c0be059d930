"""Plain results (numbers, text, lists, dicts) that are wrong: how they relate to the right ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from course.checking.exercise import Exercise
from course.checking.exercise.wording import told_apart
from course.checking.explain.diagnosis import Trial

Result = tuple[Any, Any, Trial]  # expected, actual, where


def describe(exercise: Exercise, failed: list[Trial]) -> list[str]:
    """Sentences on the wrong plain results; empty where the results are tensors."""
    wrong = [(trial.difference.index, trial) for trial in failed if trial.difference]
    for index, name in enumerate(exercise.results):  # of several results, the first that is wrong
        sentences = _told([trial for place, trial in wrong if place == index])
        if sentences:
            of = f"{the(name)}: " if len(exercise.results) > 1 else ""
            return [of + sentence for sentence in sentences]
    return []


def the(result: str) -> str:
    """The name of a result in a sentence; one is a clause of its own: what they share."""
    return result if result.startswith("what ") else f"the {result}"


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    >>> listed(["the output", "the keys", "the values"])
    'the output, the keys and the values'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def is_plural(result: str) -> bool:
    """Whether a result's name is a plural, such as "indices"; "number of calls" is none."""
    return result.endswith("s") and not result.startswith(("what ", "number "))


def _told(failed: list[Trial]) -> list[str]:
    found = [result for trial in failed for result in _results(trial)]
    if not found:
        return []
    if all(_number(want) and _number(came) for want, came, _ in found):
        told = _factor(found) or _offset(found) or _furthest(found)
        return [told]
    want, came, trial = min(found, key=lambda result: len(repr(result[0])))
    where = f"with {trial.probe.case.says}: "
    if isinstance(want, dict):
        return [where + sentence for sentence in _dicts(want, came)]
    if isinstance(want, list | tuple):
        return [_every(found) or where + _lists(list(want), list(came))]
    return [f"{where}expected {_cut(want)}, got {_cut(came)}"]


def _results(trial: Trial) -> Iterator[Result]:
    """The plain results of a trial that have the right type and are wrong."""
    if trial.difference is None or trial.difference.kind != "values":
        return
    if trial.probe.mode in ("plain", "strided") and not trial.probe.half:
        want, came = trial.difference.expected, trial.difference.actual
        if not isinstance(want, Tensor) and not isinstance(came, Tensor):
            yield want, came, trial


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cases(found: list[Result]) -> int:
    """How many cases there are: the same one in several dtypes shows no rule."""
    return len({id(trial.probe.case) for _, _, trial in found})


def _factor(found: list[Result]) -> str | None:
    if _cases(found) < 2 or any(want == 0 for want, _, _ in found):
        return None
    ratios = [came / want for want, came, _ in found]
    if not math.isclose(min(ratios), max(ratios), rel_tol=1e-9) or ratios[0] == 0:
        return None
    return f"every result is {ratios[0]:.6g} times what it should be"


def _offset(found: list[Result]) -> str | None:
    """The difference as a small multiple of sizes, or of a product of two, or a sum of two such."""
    gaps = [came - want for want, came, _ in found]
    cases = _cases(found)
    if cases < 2:
        return None
    if len(set(gaps)) == 1:
        return f"every result is {abs(gaps[0]):g} too {_much(gaps[0])}"
    terms = dict(_terms([dict(trial.probe.case.sizes) for _, _, trial in found]))
    for name, values in terms.items():
        for factor in (1, 2, 3, 4, 5, 6, 0.5):
            for sign in (1, -1):
                if all(
                    math.isclose(gap, sign * factor * v)
                    for gap, v in zip(gaps, values, strict=True)
                ):
                    times = "" if factor == 1 else f"{factor:g} * "
                    return f"every result is {times}{name} too {_much(sign)}"
    for one, two in itertools.combinations(terms, 2) if cases > 2 else ():
        pairs = list(zip(gaps, terms[one], terms[two], strict=True))
        for a, b in itertools.product(range(-4, 5), repeat=2):
            if a and b and all(math.isclose(gap, a * x + b * y) for gap, x, y in pairs):
                return (
                    f"every result is off by {a} * {one} {'+' if b > 0 else '-'} {abs(b)} * {two}"
                )
    return None


def _terms(sizes: list[dict[str, int]]) -> Iterator[tuple[str, list[int]]]:
    names = sorted(set.intersection(*(set(one) for one in sizes)))
    yield "1", [1] * len(sizes)
    for name in names:
        yield name, [one[name] for one in sizes]
    for a, b in itertools.combinations_with_replacement(names, 2):
        yield f"{a} * {b}", [one[a] * one[b] for one in sizes]


def _much(gap: float) -> str:
    return "large" if gap > 0 else "small"


def _furthest(found: list[Result]) -> str:
    want, came, trial = found[0]
    shown = (repr(want), repr(came))
    if isinstance(want, float) or isinstance(came, float):
        shown = told_apart(want, came)
    return f"with {trial.probe.case.says}: expected {shown[0]}, got {shown[1]}"


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]} ..."


def _dicts(want: dict[Any, Any], came: dict[Any, Any]) -> Iterator[str]:
    missing = [key for key in want if key not in came]
    more = [key for key in came if key not in want]
    other = [key for key in want if key in came and want[key] != came[key]]
    if missing:
        yield f"{_some(missing)} should be in it and {'is' if len(missing) == 1 else 'are'} not"
    if more:
        yield f"{_some(more)} should not be in it"
    if other:
        key = other[0]
        count = "" if len(other) == 1 else f" (and {len(other) - 1} more differ)"
        yield f"{key!r} should have {want[key]!r} and has {came[key]!r}{count}"


def _some(keys: list[Any]) -> str:
    shown = ", ".join(repr(key) for key in keys[:3])
    return shown if len(keys) <= 3 else f"{shown} and {len(keys) - 3} more"


def _every(found: list[Result]) -> str | None:
    """One relation that holds between all the lists."""
    pairs = [(list(want), list(came)) for want, came, _ in found]
    if len(pairs) > 1 and all(came == want[::-1] for want, came in pairs):
        return "every list is in the reverse order"
    if all(not came for _, came in pairs):
        return "every list is empty"
    if len(pairs) > 1 and all(sorted(map(repr, w)) == sorted(map(repr, c)) for w, c in pairs):
        return "every list has the right entries in another order"
    return None


def _lists(want: list[Any], came: list[Any]) -> str:
    if came == want[: len(came)]:
        return f"the list ends too early: it has {len(came)} of {len(want)} entries, {want[len(came)]!r} is missing"
    if want == came[: len(want)]:
        return f"the list is too long: after {len(want)} right entries it goes on with {came[len(want)]!r}"
    at = next(i for i, (w, c) in enumerate(zip(want, came, strict=False)) if w != c)
    return f"the first wrong entry has index {at}: expected {want[at]!r}, got {came[at]!r}"

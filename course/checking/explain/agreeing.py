"""When two results are the same: the catalogue's tolerances, and what kind of difference there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course.checking.trials.probes import HALF, Probe
from course.checking.trials.running import Outcome, raises
from course.sandbox import guards

TOLERANCES = {torch.float64: (1e-8, 1e-9), torch.float32: (1e-4, 2e-5)}
HALF_TOLERANCE = 2e-2  # of the largest absolute expected value


@dataclass(frozen=True)
class Difference:
    """Where a result leaves the expected one: its kind, which result, both sides."""

    kind: str  # type | count | shape | dtype | values | error | no-error | silent
    index: int
    expected: Any
    actual: Any


def difference(probe: Probe, expected: Outcome, actual: Outcome) -> Difference | None:
    """The first difference between a reference's outcome and a submission's, or None."""
    if expected.error is not None:
        if actual.error is None:
            return Difference("no-error", 0, expected.error, actual.value)
        if not isinstance(actual.error, type(expected.error)):
            return Difference("error", 0, expected.error, actual.error)
        silent = probe.case.explained and _silent(actual)
        return Difference("silent", 0, expected.error, actual.error) if silent else None
    if actual.error is not None:
        return Difference("error", 0, expected.value, actual.error)
    wanted = expected.value if isinstance(expected.value, tuple) else (expected.value,)
    exact = expected.exact if isinstance(expected.exact, tuple) else (expected.exact,)
    if isinstance(expected.value, tuple):
        if not isinstance(actual.value, tuple | list):
            return Difference("type", 0, expected.value, actual.value)
        if len(actual.value) != len(wanted):
            return Difference("count", 0, expected.value, actual.value)
        given = tuple(actual.value)
    else:
        given = (actual.value,)
    if probe.case.summary is not None and expected.summary is not None:
        return _statistical(probe, expected, actual, wanted, given)
    gradient = probe.mode == "gradient"
    for index, (want, precise, got) in enumerate(zip(wanted, exact, given, strict=True)):
        kind = (
            _gradient_kind(precise, got) if gradient else leaf_kind(want, precise, got, probe.dtype)
        )
        if kind:
            return Difference(kind, index, precise if kind == "values" else want, got)
    return None


def wrong_results(probe: Probe, expected: Outcome, actual: Outcome) -> set[int]:
    """Which of several results are wrong, where as many came as are asked for."""
    if not isinstance(expected.value, tuple):
        return {0}  # a list is one result
    wanted, exact, given = map(_leaves, (expected.value, expected.exact, actual.value))
    if not len(wanted) == len(exact) == len(given):
        return set(range(len(wanted)))
    triples = enumerate(zip(wanted, exact, given, strict=True))
    return {i for i, (want, x, got) in triples if leaf_kind(want, x, got, probe.dtype)}


def _statistical(
    probe: Probe, expected: Outcome, actual: Outcome, wanted: Any, given: Any
) -> Difference | None:
    """A random result: of the right kind, and with the reference's statistics."""
    if probe.mode != "gradient":
        for index, (want, got) in enumerate(zip(wanted, given, strict=True)):
            kind = leaf_kind(want, want, got, probe.dtype)
            if kind not in (None, "values"):
                return Difference(str(kind), index, want, got)
    if _agree(probe, expected.summary, actual.summary):
        return None
    return Difference("values", 0, wanted[0], given[0])


def apart(probe: Probe, expected: Outcome, actual: Outcome) -> dict[str, tuple[float, float]]:
    """The statistics in which a random result leaves the reference's: expected and actual."""
    wanted, came = expected.summary or {}, actual.summary or {}
    return {
        name: (want, came[name])
        for name, want in wanted.items()
        if name in came and not _agree(probe, {name: want}, {name: came[name]})
    }


def _agree(
    probe: Probe, wanted: Mapping[str, float] | None, came: Mapping[str, float] | None
) -> bool:
    if wanted is None or came is None or list(wanted) != list(came):
        return wanted is None and came is None
    allowed = probe.case.tolerance
    for name, want in wanted.items():
        atol = allowed if isinstance(allowed, int | float) else allowed.get(name, 0.0)
        atol = max(atol, HALF_TOLERANCE * abs(want) if probe.half else 1e-6 * abs(want))
        both_nan = math.isnan(want) and math.isnan(came[name])
        if not (both_nan or want == came[name] or abs(want - came[name]) <= atol):
            return False
    return True


def leaf_kind(want: Any, precise: Any, got: Any, dtype: torch.dtype) -> str | None:
    """How one result differs from the one wanted, `precise` in float64: a kind, or None."""
    if isinstance(want, Tensor):
        if not isinstance(got, Tensor):
            return "type"
        if got.is_nested or got.layout is not torch.strided or got.is_quantized:
            return "type"
        if got.shape != want.shape:
            return "shape"
        if got.dtype != want.dtype:
            return "dtype"
        if got.device != want.device and "meta" in (got.device.type, want.device.type):
            return "type"
        return None if close(precise, got, dtype) else "values"
    if isinstance(want, float) and isinstance(got, int | float) and not isinstance(got, bool):
        return (
            None
            if math.isclose(want, got, rel_tol=1e-6, abs_tol=1e-9)
            or want == got
            or (want != want and got != got)
            else "values"
        )
    if isinstance(want, dict | list | str | int | bool):
        if type(got) is not type(want) and not (
            isinstance(got, type(want)) and not isinstance(got, bool)
        ):
            return "type"
        return None if _equal(want, got) else "values"
    return None if want is None and got is None else "type"


def _equal(want: Any, got: Any) -> bool:
    """Equality of plain data, in which there may be tensors."""
    if isinstance(want, Tensor) or isinstance(got, Tensor):
        same = isinstance(want, Tensor) and isinstance(got, Tensor)
        return same and want.shape == got.shape and bool((want == got).all())
    if isinstance(want, list | tuple) and isinstance(got, list | tuple):
        return len(want) == len(got) and all(map(_equal, want, got))
    if isinstance(want, dict) and isinstance(got, dict):
        try:
            held = dict.copy(got)  # a defaultdict has every key that it is asked for
            return len(want) == len(held) and all(_equal(want[key], held[key]) for key in want)
        except Exception:  # KeyError, or what a key of the answer's raises
            return False
    try:
        compare: Any = type(want).__eq__
        equal = compare(want, got)  # the expected value decides, whatever the other says
        return bool(want == got if equal is NotImplemented else equal)
    except Exception:
        return False


def close(expected: Tensor, actual: Tensor, dtype: torch.dtype, loosened: float = 1.0) -> bool:
    """Whether a tensor agrees with the exact one, within the tolerance of its dtype."""
    if not expected.is_floating_point() and not expected.is_complex():
        return bool(torch.equal(expected.cpu(), actual.cpu()))
    single = actual.dtype is torch.float32
    expected, actual = expected.detach().cpu().double(), actual.detach().cpu().to(torch.float64)
    if expected.numel() == 0:
        return True
    if dtype in HALF:
        finite = expected[expected.isfinite()]
        atol = HALF_TOLERANCE * (finite.abs().max().item() if finite.numel() else 0.0)
        rtol = 0.0
    else:
        single = single or dtype is torch.float32  # a table in the default dtype, of whole numbers
        rtol, atol = TOLERANCES[torch.float32 if single else dtype]
    return bool(torch.allclose(actual, expected, rtol * loosened, atol * loosened, equal_nan=True))


def steady(probe: Probe, expected: Outcome) -> bool:
    """Whether a reference in half precision lies well within the tolerance of its own exact value."""
    exact, value = _leaves(expected.exact), _leaves(expected.value)
    return probe.case.summary is not None or all(
        not isinstance(came, Tensor) or close(want, came, probe.dtype, loosened=0.3)
        for want, came in zip(exact, value, strict=True)
    )


def _gradient_kind(expected: Tensor | None, got: Tensor | None) -> str | None:
    """Gradients: none and zero are the same; twice the values' tolerance, for a longer chain of rounding."""
    if expected is None and got is None:
        return None
    some = expected if expected is not None else got
    assert some is not None
    left = torch.zeros_like(some) if expected is None else expected
    right = torch.zeros_like(some) if got is None else got
    scale = max(1.0, float(left.abs().max())) if left.numel() else 1.0
    if left.shape != right.shape:
        return "shape"
    scale = scale if math.isfinite(scale) else 1.0
    agree = torch.allclose(right.double(), left.double(), 1e-6, 1e-7 * scale, equal_nan=True)
    return None if agree else "values"


def alike(probe: Probe, one: Outcome, other: Outcome) -> bool:
    """Whether a mistake's outcome and a submission's are the same, faults left aside."""
    if one.error is not None or other.error is not None:
        quiet = probe.case.explained and _silent(one) != _silent(other)
        return _same_error(one, other) and not quiet
    if probe.case.summary is not None and (one.summary or other.summary):
        return _agree(probe, one.summary, other.summary)
    ones, others = _leaves(one.value), _leaves(other.value)
    if len(ones) != len(others) or isinstance(one.value, tuple | list) != isinstance(
        other.value, tuple | list
    ):
        return False
    if probe.mode == "gradient":
        return all(
            _gradient_kind(left, right) is None for left, right in zip(ones, others, strict=True)
        )
    return all(
        leaf_kind(left, left, right, probe.dtype) is None
        for left, right in zip(ones, others, strict=True)
    )


def _leaves(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _silent(outcome: Outcome) -> bool:
    """Whether an error has no message."""
    return not guards.safe_text(outcome.error).strip()


def _same_error(one: Outcome, other: Outcome) -> bool:
    """Errors of one type, both raised by a `raise` of the answer's own or both from inside."""
    if one.error is None or other.error is None:
        return False
    own = [raises(outcome.where) for outcome in (one, other)]
    return type(one.error) is type(other.error) and own[0] == own[1]

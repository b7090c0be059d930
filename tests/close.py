"""One rule for "equal up to rounding", so that the tests of numbers hold on every CPU.

Machines differ in the order in which they add, and in whether they round between a product and a sum. A
rounding errs by at most half an eps of the value, evenly spread: 1/sqrt(12) of an eps as a standard
deviation. The errors of `terms` roundings add up like the steps of a random walk, two results each carry
their own, and six standard deviations are allowed:

    tolerance = 6 * sqrt(2) * sqrt(terms) * eps / sqrt(12) * scale  =  sqrt(6 * terms) * eps * scale

`terms` counts the products and sums on the longest way from an input to a result, all layers of it: a
linear layer has as many as its inputs. `scale` is the largest value on that way, by default the largest
expected one.
"""

from __future__ import annotations

import inspect
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

MINILM = 6 * (384 + 1536)  # the widest sums of its six layers
TERMS = 256  # a small model: a few layers, tens of features wide


def tolerance(dtype: torch.dtype, scale: float, terms: int = TERMS) -> float:
    """By how much two right results of `terms` roundings may differ."""
    return math.sqrt(6 * terms) * torch.finfo(dtype).eps * scale


def assert_close(
    actual: Any,
    expected: Any,
    *,
    terms: int = TERMS,
    scale: float | None = None,
    dtype: torch.dtype | None = None,
    msg: str = "",
) -> None:
    """Hold that two tensors, arrays or numbers are equal up to the rounding of `terms` operations.

    Tensors must agree in shape, dtype and device too; arrays and numbers are broadcast. Lists and dicts
    are compared item by item, with one scale for all: a gradient that is zero but for rounding is
    measured by the others. `dtype` is that of the computation where it is coarser than the results' own,
    for example float32 numbers read from a page. NaN equals NaN, and an infinity equals itself.
    """
    scale = _largest(expected) if scale is None else scale
    if isinstance(expected, dict | list | tuple) and not _plain(expected):
        assert type(actual) is type(expected), f"{type(actual)} instead of {type(expected)}"
        assert list(_keys(actual)) == list(_keys(expected)), msg
        for key in _keys(expected):
            said = f"{msg} {key}".strip()
            assert_close(
                actual[key], expected[key], terms=terms, scale=scale, dtype=dtype, msg=said
            )
        return
    allowed = tolerance(dtype or _coarsest(actual, expected), scale, terms)
    if log := os.environ.get("TESTS_CLOSE_LOG"):
        _note(log, actual, expected, terms, allowed)
    said = f"{msg}: " if msg else ""
    if isinstance(actual, Tensor) and isinstance(expected, Tensor):
        torch.testing.assert_close(
            actual, expected, rtol=0, atol=allowed, equal_nan=True, msg=lambda why: said + why
        )
    else:
        np.testing.assert_allclose(
            _array(actual), _array(expected), rtol=0, atol=allowed, err_msg=msg
        )


def assert_minilm_close(actual: Any, expected: Any, *, terms: int = MINILM, **how: Any) -> None:
    """`assert_close` for what the pretrained encoder computes."""
    assert_close(actual, expected, terms=terms, **how)


def _coarsest(*values: Any) -> torch.dtype:
    """The floating dtype with the largest eps; float64 for Python's numbers."""
    kinds = [torch.as_tensor(_array(v) if not isinstance(v, Tensor) else v).dtype for v in values]
    floats = [kind for kind in kinds if kind.is_floating_point]
    return max(floats, key=lambda kind: torch.finfo(kind).eps, default=torch.float64)


def _keys(value: Any) -> Any:
    return value.keys() if isinstance(value, dict) else range(len(value))


def _plain(value: Any) -> bool:
    """Whether it is a list of numbers, which numpy makes an array of."""
    return isinstance(value, list | tuple) and all(isinstance(x, int | float) for x in value)


def _largest(expected: Any) -> float:
    if isinstance(expected, dict):
        expected = list(expected.values())
    if isinstance(expected, list | tuple) and not _plain(expected):
        return max((_largest(part) for part in expected if part is not None), default=0.0)
    values = np.abs(_array(expected)).astype(np.float64)
    return float(np.max(values, where=np.isfinite(values), initial=0.0))


def _array(value: Any) -> Any:
    if isinstance(value, Tensor):
        plain = value.detach().cpu()
        return (plain.double() if plain.is_floating_point() else plain).numpy()
    return np.asarray(value)


def _note(log: str, actual: Any, expected: Any, terms: int, allowed: float) -> None:
    """Append which share of the tolerance was used, and the terms that it stands for."""
    try:
        off = np.abs(_array(actual) - _array(expected)).astype(np.float64)
    except ValueError:
        return
    worst = float(np.max(off, where=np.isfinite(off), initial=0.0))
    caller = next(f for f in inspect.stack()[2:] if f.filename != __file__)
    share = worst / allowed if allowed else math.inf if worst else 0.0
    place = f"{Path(caller.filename).parent.name}/{Path(caller.filename).name}:{caller.lineno}"
    used = math.ceil(terms * share**2) if math.isfinite(share) else -1
    with open(log, "a", encoding="utf-8") as file:
        file.write(json.dumps([place, worst, allowed, share, used]) + "\n")

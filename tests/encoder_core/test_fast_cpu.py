"""The fast CPU path: switched on only where it is exact and faster, and it says what it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from encoder_core import attention
from encoder_core.fast import fast_cpu
from encoder_core.fast.fast_cpu import use_fast_cpu

pytestmark = pytest.mark.skipif(
    not fast_cpu._can_switch(), reason="this torch has no oneDNN, or no switch for it"
)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = torch.backends.mkldnn.matmul.fp32_precision
    yield
    use_fast_cpu(enable=False)
    torch.backends.mkldnn.matmul.fp32_precision = before


def pretend(monkeypatch: pytest.MonkeyPatch, before: float, after: float, error: float) -> None:
    """Stand in for the measurements: a test must not depend on the machine's speed."""
    times = iter([before, after])
    monkeypatch.setattr(fast_cpu, "_seconds", lambda: next(times))
    monkeypatch.setattr(fast_cpu, "_error", lambda: error)


def switched_on() -> bool:
    on = bool(torch.backends.mkldnn.matmul.fp32_precision == "bf16")
    assert on == (attention.explicit_is_faster is not None)
    return on


def test_faster_and_exact_is_switched_on_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 2.0, 1.0, 2e-6)
    report = use_fast_cpu()
    assert report.enabled
    assert switched_on()
    assert "2.0 times as fast, error 2.0e-06" in str(report)
    assert str(use_fast_cpu(enable=False)) == (
        "Float32 products stay as they were: the switch is off."
    )
    assert not switched_on()


def test_short_texts_take_the_explicit_form_while_it_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def noted(*inputs: Tensor) -> tuple[Tensor, None]:
        taken.append(inputs[1].shape[-2])
        return inputs[0], None

    monkeypatch.setattr(attention, "scaled_dot_product_attention", noted)
    pretend(monkeypatch, 2.0, 1.0, 2e-6)
    query, short, long = torch.randn(2, 5, 4), torch.randn(2, 7, 4), torch.randn(2, 300, 4)
    compiled = torch.compile(attention.fused_attention, backend="eager")
    attention.fused_attention(query, short, short)
    assert use_fast_cpu().enabled
    attention.fused_attention(query, long, long)
    attention.fused_attention(query.double(), short.double(), short.double())
    compiled(query, short, short)
    assert taken == []
    attention.fused_attention(query, short, short)
    assert taken == [7]
    use_fast_cpu(enable=False)
    attention.fused_attention(query, short, short)
    assert taken == [7]


def test_rounding_to_bfloat16_is_refused_however_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 10.0, 1.0, 3e-3)
    report = use_fast_cpu()
    assert not report.enabled
    assert not switched_on()
    assert "rounds them here, to an error of 3.0e-03" in str(report)


def test_no_gain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 1.0, 1.0, 1e-7)
    assert "not faster here (1.00 times)" in str(use_fast_cpu())
    assert not switched_on()


def test_a_machine_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> float:
        raise RuntimeError("could not create a primitive")

    pretend(monkeypatch, 2.0, 1.0, 0.0)
    monkeypatch.setattr(fast_cpu, "_error", fail)
    report = use_fast_cpu()
    assert "cannot compute them here (could not create a primitive)" in str(report)
    assert not switched_on()
    monkeypatch.setattr(fast_cpu, "_can_switch", lambda: False)
    assert "no oneDNN" in str(use_fast_cpu())


def test_the_error_is_measured_against_exact_products(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < fast_cpu._error() < 1e-5
    linear = torch.nn.functional.linear

    def rounded(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.float64:
            return linear(x, w, b)
        return linear(x.bfloat16(), w.bfloat16(), b.bfloat16()).float()

    monkeypatch.setattr(fast_cpu.F, "linear", rounded)
    assert fast_cpu._error() > 1e-4


def test_on_this_machine_whatever_it_does_the_numbers_stay_those_of_float32() -> None:
    report = use_fast_cpu()
    assert report.enabled == switched_on()
    x, weight = torch.randn(300, 500), torch.randn(400, 500)
    exact = x.double() @ weight.double().T
    assert float((x @ weight.T - exact).abs().max() / exact.abs().max()) < 1e-5

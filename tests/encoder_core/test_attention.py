"""Attention: the form to read equals the form that runs, in values and in gradients."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from encoder_core import attention as A
from encoder_core import masks
from tests.close import assert_close

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]
TERMS = 8 + 7  # products of 8 features, sums over 7 keys
MASKS = ["none", "padding", "row", "ragged", "added", "smallest"]


def draw(dtype: torch.dtype, *shape: int, device: str = "cpu") -> Tensor:
    return torch.randn(*shape).to(device, dtype).requires_grad_()


def make_mask(kind: str, dtype: torch.dtype, device: str) -> Tensor | None:
    """Masks for L = 5 queries and S = 7 keys; all but the first two block a whole row."""
    ragged = torch.rand(2, 1, 5, 7) < 0.4
    ragged[0, 0, 2] = True
    by_kind = {
        "none": None,
        "padding": torch.tensor([[4], [7]])[:, :, None, None] <= torch.arange(7),  # (2, 1, 1, 7)
        "row": torch.arange(5)[:, None].eq(3).expand(5, 7),
        "ragged": ragged,
        "added": torch.randn(5, 7).masked_fill(ragged[0, 0], -torch.inf).to(dtype),
        "smallest": torch.zeros(5, 7, dtype=dtype).masked_fill(
            ragged[0, 0], torch.finfo(dtype).min
        ),
    }
    mask = by_kind[kind]
    return None if mask is None else mask.to(device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mask_kind", MASKS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_explicit_and_fused_agree_in_values_and_gradients(
    dtype: torch.dtype, mask_kind: str, device: str
) -> None:
    query, key = draw(dtype, 2, 3, 5, 8, device=device), draw(dtype, 2, 3, 7, 8, device=device)
    value = draw(dtype, 2, 3, 7, 8, device=device)
    mask = make_mask(mask_kind, dtype, device)
    explicit, weights = A.scaled_dot_product_attention(query, key, value, mask)
    fused = A.fused_attention(query, key, value, mask)
    assert explicit.dtype == fused.dtype == weights.dtype == dtype
    assert_close(explicit, fused, terms=TERMS)
    into = torch.randn_like(explicit)
    by_explicit = torch.autograd.grad(explicit, (query, key, value), into)
    by_fused = torch.autograd.grad(fused, (query, key, value), into)
    assert all(one.isfinite().all() for one in by_explicit)
    assert_close(by_explicit, by_fused, terms=TERMS)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", ["row", "ragged", "added", "smallest"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_case_01_a_fully_blocked_row_gives_zeros_and_finite_gradients(
    dtype: torch.dtype, kind: str, device: str
) -> None:
    query, key = draw(dtype, 2, 3, 5, 8, device=device), draw(dtype, 2, 3, 7, 8, device=device)
    value = draw(dtype, 2, 3, 7, 8, device=device)
    mask = make_mask(kind, dtype, device)
    assert mask is not None
    empty = masks.blocked_rows(masks.additive_mask(mask, dtype)).expand(2, 3, 5, 1)
    assert empty.any()
    explicit, weights = A.scaled_dot_product_attention(query, key, value, mask)
    for output in (explicit, A.fused_attention(query, key, value, mask)):
        assert output.isfinite().all()
        assert not output.masked_select(empty).any()
        gradients = torch.autograd.grad(output.square().sum(), (query, key, value))
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert not gradients[0].masked_select(empty).any()
    assert not weights.masked_select(empty).any()
    assert_close(weights.sum(-1, keepdim=True), (~empty).to(dtype), terms=TERMS, scale=1.0)


def test_case_02_both_forms_agree_on_a_batch_that_is_all_padding() -> None:
    query = torch.randn(2, 3, 4, 8)
    mask = torch.ones(2, 1, 1, 4, dtype=torch.bool)
    explicit, _ = A.scaled_dot_product_attention(query, query, query, mask)
    assert torch.equal(explicit, A.fused_attention(query, query, query, mask))
    assert not explicit.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_case_03_half_precision_blocks_without_the_smallest_number(dtype: torch.dtype) -> None:
    value = torch.tensor([[1.0], [3.0]], dtype=dtype)
    query, key = torch.full((1, 4), 50.0, dtype=dtype), torch.full((2, 4), -50.0, dtype=dtype)
    half_blocked = torch.tensor([[0.0, torch.finfo(dtype).min]], dtype=dtype)
    blocked = torch.full((1, 2), torch.finfo(dtype).min, dtype=dtype)
    both = torch.ones(1, 2, dtype=torch.bool)
    merged = masks.merge_masks(both, torch.zeros(1, 2, dtype=dtype))  # boolean and floating
    raised = masks.merge_masks(both, torch.full((1, 2), 1e4, dtype=dtype))
    cases = [(half_blocked, 1.0), (blocked, 0.0), (both, 0.0), (merged, 0.0), (raised, 0.0)]
    for mask, expected in cases:
        explicit, _ = A.scaled_dot_product_attention(query, key, value, mask)
        assert explicit.item() == expected
        assert A.fused_attention(query, key, value, mask).item() == expected


def test_case_04_masks_that_would_mean_something_else_are_refused() -> None:
    x = torch.randn(3, 4)
    for function in (A.scaled_dot_product_attention, A.fused_attention):
        with pytest.raises(ValueError, match="holds only 0 and 1"):
            function(x, x, x, torch.ones(3, 3))
        with pytest.raises(TypeError, match="boolean"):
            function(x, x, x, torch.ones(3, 3, dtype=torch.long))


def test_case_04_true_means_blocked() -> None:
    query, value = torch.zeros(1, 2), torch.tensor([[1.0], [2.0]])
    mask = torch.tensor([[False, True]])
    assert A.scaled_dot_product_attention(query, torch.zeros(2, 2), value, mask)[0].item() == 1.0
    assert A.fused_attention(query, torch.zeros(2, 2), value, mask).item() == 1.0


@given(
    seed=st.integers(0, 999),
    lead=st.lists(st.integers(1, 3), max_size=3),
    length=st.integers(1, 5),
    keys=st.integers(1, 6),
    width=st.integers(1, 5),
)
def test_attention_equals_the_formula_row_by_row(
    seed: int, lead: list[int], length: int, keys: int, width: int
) -> None:
    torch.manual_seed(seed)
    query = torch.randn(*lead, length, width, dtype=torch.float64)
    key = torch.randn(*lead, keys, width, dtype=torch.float64)
    value = torch.randn(*lead, keys, width, dtype=torch.float64)
    output, weights = A.scaled_dot_product_attention(query, key, value)
    for q, k, v, out, w in zip(
        query.reshape(-1, length, width),
        key.reshape(-1, keys, width),
        value.reshape(-1, keys, width),
        output.reshape(-1, length, width),
        weights.reshape(-1, length, keys),
        strict=True,
    ):
        for row in range(length):
            fit = [math.exp(float(q[row] @ k[column]) / math.sqrt(width)) for column in range(keys)]
            expected = torch.tensor([part / sum(fit) for part in fit], dtype=torch.float64)
            assert_close(w[row], expected, scale=1.0)
            assert_close(out[row], expected @ v, scale=v.abs().max().item())


def test_reordering_the_keys_changes_nothing_and_reordering_the_queries_reorders() -> None:
    query, key, value = torch.randn(5, 4), torch.randn(7, 4), torch.randn(7, 3)
    output, _ = A.scaled_dot_product_attention(query, key, value)
    order = torch.randperm(7)
    again, _ = A.scaled_dot_product_attention(query, key[order], value[order])
    assert_close(again, output)
    turned, _ = A.scaled_dot_product_attention(query.flip(0), key, value)
    assert_close(turned, output.flip(0))


def test_large_scores_do_not_overflow() -> None:
    query = torch.full((1, 4), 1e3)
    key = torch.stack([torch.full((4,), 1e3), torch.full((4,), -1e3)])
    _, weights = A.scaled_dot_product_attention(query, key, torch.eye(2))
    assert weights.tolist() == [[1.0, 0.0]]
    half = torch.full((1, 64), 200.0, dtype=torch.float16)  # 64 * 200**2 is no float16, / 8 neither
    assert A.scores(half / 8, half).isfinite().all()


def test_case_06_dropout_falls_only_when_it_is_asked_for() -> None:
    x = torch.randn(2, 6, 4)
    outputs = {p: A.scaled_dot_product_attention(x, x, x, None, p)[0] for p in (0.0, 0.5)}
    assert torch.equal(outputs[0.0], A.scaled_dot_product_attention(x, x, x)[0])
    assert not torch.allclose(outputs[0.0], outputs[0.5])
    weights = A.scaled_dot_product_attention(x, x, x, None, 0.5)[1]
    assert torch.equal(weights, A.scaled_dot_product_attention(x, x, x)[1])  # as before dropout
    assert not torch.allclose(A.fused_attention(x, x, x, None, 0.5), outputs[0.0])


def test_dropout_keeps_the_mean() -> None:
    x = torch.randn(4, 3, dtype=torch.float64)
    many = x.expand(20000, 4, 3)
    dropped, _ = A.scaled_dot_product_attention(many, many, many, None, 0.3)
    expected, _ = A.scaled_dot_product_attention(x, x, x)
    torch.testing.assert_close(dropped.mean(0), expected, rtol=0, atol=0.03)


@pytest.mark.parametrize("kind", ["none", "row", "ragged", "added"])
def test_gradcheck(kind: str) -> None:
    mask = make_mask(kind, torch.float64, "cpu")
    query, key, value = (draw(torch.float64, 2, 1, length, 2) for length in (5, 7, 7))

    def explicit(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        return A.scaled_dot_product_attention(*inputs, mask)

    assert torch.autograd.gradcheck(explicit, (query, key, value))
    assert torch.autograd.gradcheck(lambda *x: A.fused_attention(*x, mask), (query, key, value))


def test_a_mask_of_keys_alone_serves_every_query_in_both_forms() -> None:
    q, mask = torch.randn(2, 3, 4, 5), torch.tensor([True, False, False, True])
    for one in (mask, torch.zeros(4).masked_fill(mask, -torch.inf)):
        output = A.scaled_dot_product_attention(q, q, q, one)[0]
        assert_close(A.fused_attention(q, q, q, one), output)
        assert_close(output, A.scaled_dot_product_attention(q, q, q, mask[None])[0])


def test_more_values_than_keys_are_refused_in_both_forms() -> None:
    q, k, v = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 5, 4), torch.randn(1, 2, 6, 4)
    with pytest.raises(ValueError, match="5 keys came with 6 values"):
        A.fused_attention(q, k, v)
    with pytest.raises(RuntimeError, match="size"):
        A.scaled_dot_product_attention(q, k, v)


def test_inputs_and_masks_are_left_as_they_came_and_need_not_be_contiguous() -> None:
    query, key, value = (torch.randn(8, 5).t() for _ in range(3))
    mask = torch.zeros(5, 5).masked_fill(masks.causal_mask(5), -torch.inf)
    before = [x.clone() for x in (query, key, value, mask)]
    explicit, _ = A.scaled_dot_product_attention(query, key, value, mask)
    assert_close(A.fused_attention(query, key, value, mask), explicit)
    for x, copy in zip((query, key, value, mask), before, strict=True):
        assert torch.equal(x, copy)


def test_a_learned_bias_gets_its_gradient_in_both_forms() -> None:
    x, bias = torch.randn(3, 4), torch.randn(3, 3, requires_grad=True)
    (one,) = torch.autograd.grad(A.scaled_dot_product_attention(x, x, x, bias)[0].sum(), bias)
    (other,) = torch.autograd.grad(A.fused_attention(x, x, x, bias).sum(), bias)
    assert one.abs().sum() > 0
    assert_close(one, other)


@pytest.mark.parametrize("explicit", [True, False])
def test_another_may_say_when_the_explicit_form_is_the_faster_one(
    monkeypatch: pytest.MonkeyPatch, explicit: bool
) -> None:
    asked: list[tuple[Tensor, Tensor]] = []

    def is_faster(query: Tensor, key: Tensor) -> bool:
        asked.append((query, key))
        return explicit

    query, key = torch.randn(2, 5, 4), torch.randn(2, 7, 4)
    expected = A.fused_attention(query, key, key)
    monkeypatch.setattr(A, "explicit_is_faster", is_faster)
    monkeypatch.setattr(A, "_fused" if explicit else "scaled_dot_product_attention", None)
    assert_close(A.fused_attention(query, key, key), expected)
    assert len(asked) == 1
    assert asked[0][0] is query
    assert asked[0][1] is key


class TestFunctionsFromOutside:
    """`attend` with a function of the caller's own."""

    def test_its_output_and_weights_are_used(self) -> None:
        x, mask = torch.randn(2, 3, 5, 4), masks.causal_mask(5)
        own = A.scaled_dot_product_attention(x, x, x, mask)
        assert torch.equal(A.attend(lambda q, k, v, m: own[0], x, x, x, mask)[0], own[0])
        output, weights = A.attend(lambda q, k, v, m: own, x, x, x, mask, need_weights=True)
        assert torch.equal(output, own[0])
        assert weights is own[1]

    def test_dropout_falls_on_the_weights_that_it_gives(self) -> None:
        x = torch.randn(2, 3, 5, 4)
        torch.manual_seed(1)
        by_function, _ = A.attend(A.scaled_dot_product_attention, x, x, x, None, False, 0.5)
        torch.manual_seed(1)
        expected = F.dropout(A.scaled_dot_product_attention(x, x, x)[1], 0.5) @ x
        assert torch.equal(by_function, expected)

    def test_what_it_lacks_is_said_in_a_sentence(self) -> None:
        x = torch.randn(2, 3, 5, 4)
        with pytest.raises(TypeError, match="must return \\(output, weights\\)"):
            A.attend(A.fused_attention, x, x, x, need_weights=True)
        with pytest.raises(TypeError, match="drop some of them in training"):
            A.attend(A.fused_attention, x, x, x, dropout_p=0.1)
        with pytest.raises(ValueError, match=r"shape \(2, 3, 4, 5\); expected \(2, 3, 5, 4\)"):
            A.attend(lambda q, k, v, m: q.transpose(-2, -1), x, x, x)

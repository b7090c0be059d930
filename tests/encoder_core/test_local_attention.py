"""Attention by blocks equals attention with a mask, in values and gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from encoder_core import local_attention as L
from encoder_core.attention import fused_attention, scaled_dot_product_attention
from encoder_core.masks import local_mask, padding_mask
from encoder_core.multihead import MultiheadAttention
from tests.close import assert_close


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@given(length=st.integers(1, 23), window=st.integers(1, 9), padded=st.booleans())
def test_blocks_equal_the_mask(length: int, window: int, padded: bool) -> None:
    query, key, value = (draw(3, 2, length, 4) for _ in range(3))
    mask, padding = local_mask(length, window), None
    if padded:
        padding = padding_mask(torch.tensor([0, length // 2, length]), length)
        mask = mask | padding[:, None, None, :]
    by_blocks = L.windowed_attention(query, key, value, window, padding)
    by_mask, _ = scaled_dot_product_attention(query, key, value, mask)
    assert_close(by_blocks, by_mask)
    into = torch.randn_like(by_mask)
    ours = torch.autograd.grad(by_blocks, (query, key, value), into)
    others = torch.autograd.grad(by_mask, (query, key, value), into)
    assert all(one.isfinite().all() for one in ours)
    assert_close(list(ours), list(others))  # with one scale for all: one of them may be 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_lower_precision_is_near(dtype: torch.dtype) -> None:
    x = torch.randn(2, 2, 40, 8).to(dtype)
    expected = fused_attention(x, x, x, local_mask(40, 3))
    output = L.windowed_attention(x, x, x, 3)
    assert output.dtype == dtype
    assert_close(output, expected, terms=8 + 7)  # of 8 features and 7 neighbours


def test_a_window_of_nothing_is_refused() -> None:
    x = torch.randn(1, 1, 3, 2)
    with pytest.raises(ValueError, match="at least 1"):
        L.windowed_attention(x, x, x, 0)


def test_long_texts_take_the_blocks_and_all_else_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    by_blocks = L.windowed_attention

    def noted(*arguments: Tensor) -> Tensor:
        taken.append(arguments[0].shape[2])
        return by_blocks(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("encoder_core.multihead.windowed_attention", noted)
    local = MultiheadAttention(8, 2, window=2).double()
    plain = MultiheadAttention(8, 2).double()
    plain.load_state_dict(local.state_dict())
    padding = padding_mask(torch.tensor([20, 9]))
    x = torch.randn(2, 20, 8, dtype=torch.float64)
    for blocked in (None, padding):
        expected, weights = plain(x, x, x, blocked, True, local_mask(20, 2))
        assert_close(local(x, x, x, blocked)[0], expected)
        assert taken == [20]
        output, own = local(x, x, x, blocked, True)
        assert_close(output, expected)
        assert_close(own, weights)
        assert taken == [20]
        taken.clear()
    mask = torch.rand(20, 20) < 0.2
    expected, _ = plain(x, x, x, padding, False, mask | local_mask(20, 2))
    assert_close(local(x, x, x, padding, False, mask)[0], expected)
    short = x[:, :11]
    local(short, short, short)
    with pytest.raises(ValueError, match="for self-attention"):
        local(x, short, short)
    assert taken == []
    local.attention = scaled_dot_product_attention
    assert_close(local(x, x, x)[0], plain(x, x, x, attn_mask=local_mask(20, 2))[0])
    assert taken == []


def test_dropout_falls_in_training_only() -> None:
    local = MultiheadAttention(8, 2, dropout=0.5, window=1)
    x = torch.randn(2, 20, 8)
    assert torch.equal(local.eval()(x, x, x)[0], local(x, x, x)[0])
    assert not torch.equal(local.train()(x, x, x)[0], local(x, x, x)[0])

"""Attention has derivatives of every order with its defaults, in both modes, as torch.nn's has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

from encoder_core.attention import fused_attention, scaled_dot_product_attention
from encoder_core.decoder import TransformerDecoderLayer
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.masks import causal_mask
from encoder_core.multihead import MultiheadAttention
from encoder_core.second_derivative import attention_gradient
from tests.close import assert_close

D, H = 8, 2
PADDING = torch.tensor([[False] * 4, [True] * 4, [False, False, True, True]])


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def attention(**how: Any) -> MultiheadAttention:
    return MultiheadAttention(D, H, **how).double()


MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "causal": {"is_causal": True},
    "padding, one text of nothing else": {"key_padding_mask": PADDING},
    "boolean": {"attn_mask": torch.rand(4, 4, generator=torch.Generator().manual_seed(0)) < 0.3},
    "floating": {"attn_mask": torch.linspace(-1, 1, 16).double().reshape(4, 4)},
}


@pytest.mark.parametrize("mask", MASKS)
def test_self_attention(mask: str) -> None:
    model = attention()
    assert gradgradcheck(lambda x: model(x, x, x, **MASKS[mask])[0], drawn(3, 4, D))


def test_cross_attention_and_a_learned_bias() -> None:
    model, x, memory = attention(), drawn(2, 4, D), drawn(2, 3, D)
    assert gradgradcheck(lambda a, b: model(a, b, b)[0], (x, memory))
    bias = drawn(4, 4)
    assert gradgradcheck(lambda a, b: model(a, a, a, attn_mask=b)[0], (x, bias))


def test_parameters() -> None:
    model, x = attention(), drawn(2, 4, D)
    names = [name for name, _ in model.named_parameters()]

    def call(*values: Tensor) -> Tensor:
        output: Tensor = functional_call(model, dict(zip(names, values, strict=True)), (x, x, x))[0]
        return output

    assert gradgradcheck(call, tuple(p.detach().requires_grad_() for p in model.parameters()))


def test_a_window_and_packed_texts() -> None:
    local = attention(window=1)
    assert gradgradcheck(lambda x: local(x, x, x)[0], drawn(1, 9, D))
    layer = TransformerEncoderLayer(D, H, 16, 0.0, "gelu").double()
    stack = TransformerEncoder.from_layers([layer])
    assert gradgradcheck(lambda x: stack(x, None, PADDING, packed=True), drawn(3, 4, D))


def test_layers() -> None:
    encoder = TransformerEncoderLayer(D, H, 16, 0.0, "gelu").double()
    decoder = TransformerDecoderLayer(D, H, 16, 0.0, "gelu").double()
    x, memory = drawn(2, 3, D), drawn(2, 2, D)
    assert gradgradcheck(encoder, x)
    assert gradgradcheck(lambda a, b: decoder(a, b, tgt_is_causal=True), (x, memory))


def test_first_derivatives_in_forward_mode_and_in_batches() -> None:
    model = attention()
    assert gradcheck(
        lambda x: model(x, x, x)[0],
        drawn(2, 3, D),
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )


HESSIANS: dict[str, Callable[..., Any]] = {
    "autograd": torch.autograd.functional.hessian,
    "autograd, at once": lambda f, x: torch.autograd.functional.hessian(f, x, vectorize=True),
    "func": lambda f, x: hessian(f)(x),
    "reverse twice": lambda f, x: jacrev(jacrev(f))(x),
    "forward twice": lambda f, x: jacfwd(jacfwd(f))(x),
    "reverse over forward": lambda f, x: jacrev(jacfwd(f))(x),
}


@pytest.mark.parametrize("way", HESSIANS)
def test_every_way_to_a_hessian_gives_that_of_torchs_attention(way: str) -> None:
    theirs = nn.MultiheadAttention(D, H, batch_first=True).double()
    ours = attention()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 4, D, dtype=torch.float64)
    expected = torch.autograd.functional.hessian(lambda a: theirs(a, a, a)[0].square().sum(), x)
    actual = HESSIANS[way](lambda a: ours(a, a, a)[0].square().sum(), x)
    assert_close(actual, expected)


def test_third_derivatives() -> None:
    model = attention()

    def gradient(x: Tensor) -> Tensor:
        total = model(x, x, x)[0].square().sum()
        return torch.autograd.grad(total, x, create_graph=True)[0]

    assert gradgradcheck(gradient, drawn(1, 3, D))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_penalty_on_the_gradient_equals_that_of_the_form_to_read(dtype: torch.dtype) -> None:
    model, x, found = MultiheadAttention(D, H).to(dtype), torch.randn(2, 5, D, dtype=dtype), []
    for function in (None, scaled_dot_product_attention):
        model.attention = function
        leaf = x.clone().requires_grad_()
        output = model(leaf, leaf, leaf, is_causal=True)[0]
        (first,) = torch.autograd.grad(output.square().sum(), leaf, create_graph=True)
        model.zero_grad()
        (first.norm() - 1).square().backward()
        found.append([first.detach(), leaf.grad, model.in_proj_weight.grad.clone()])
    assert_close(*found)


def test_gradients_by_sample_and_directional_derivatives() -> None:
    model, x = attention(), torch.randn(3, 4, D, dtype=torch.float64)

    def loss(a: Tensor, need_weights: bool = False) -> Tensor:
        return model(a[None], a[None], a[None], need_weights=need_weights)[0].square().sum()

    one_by_one = torch.stack([grad(lambda a: loss(a, True))(a) for a in x])
    assert_close(vmap(grad(loss))(x), one_by_one)
    assert_close(jvp(loss, (x[0],), (x[1],))[1], (one_by_one[0] * x[1]).sum())


def test_plain_training_computes_no_gradient_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder_core.second_derivative.attention_gradient", None)
    model, x = MultiheadAttention(D, H), torch.randn(2, 5, D)
    output = model(x, x, x)[0]
    output.sum().backward(retain_graph=True)
    output.sum().backward()
    assert model.in_proj_weight.grad is not None


def test_nothing_outlives_the_backward_pass() -> None:
    freed: list[bool] = []

    class Kept(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            return gradient

    import weakref

    q = Kept.apply(torch.randn(1, 1, 3, 2, requires_grad=True))
    weakref.finalize(q, lambda: freed.append(True))
    output = fused_attention(q, q, q).sum()
    del q
    output.backward()
    assert freed == [True]  # although `output` and its graph are still here


def test_checkpointed_layers_keep_their_first_derivative() -> None:
    model, x = attention(), drawn(2, 4, D)
    output = torch.utils.checkpoint.checkpoint(lambda a: model(a, a, a)[0], x, use_reentrant=False)
    (first,) = torch.autograd.grad(output.square().sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad(model(x, x, x)[0].square().sum(), x)
    assert_close(first.detach(), expected)


def test_the_gradient_written_out_is_that_of_autograd() -> None:
    q, k, v = drawn(2, 5, 4), drawn(2, 3, 4), drawn(2, 3, 6)
    mask = torch.randn(5, 3, dtype=torch.float64).masked_fill(causal_mask(5)[:, :3], -torch.inf)
    output, _ = scaled_dot_product_attention(q, k, v, mask)
    gradient = torch.randn_like(output)
    expected = torch.autograd.grad(output, (q, k, v), gradient)
    assert_close(attention_gradient(q, k, v, mask, gradient), expected)

"""Multi-head attention equals torch.nn's and the textbook's, and answers what cannot be."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core import masks
from encoder_core.attention import (
    fused_attention,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)
from encoder_core.multihead import MultiheadAttention
from encoder_core.positions import Rotary
from tests.close import assert_close


def pair(dropout: float = 0.0, bias: bool = True) -> tuple[MultiheadAttention, nn.Module]:
    """Ours and torch's with the same weights and with biases that are not zero, in float64."""
    theirs = nn.MultiheadAttention(12, 3, dropout, bias, batch_first=True).double()
    if bias:
        nn.init.normal_(theirs.in_proj_bias)
        nn.init.normal_(theirs.out_proj.bias)
    ours = MultiheadAttention(12, 3, dropout, bias).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_splitting_and_merging_heads_undo_one_another(b: int, s: int, h: int, width: int) -> None:
    x = torch.randn(b, s, h * width)
    heads = split_heads(x, h)
    assert heads.shape == (b, h, s, width)
    for head in range(h):
        assert torch.equal(heads[:, head], x[..., head * width : (head + 1) * width])
    assert torch.equal(merge_heads(heads), x)


def test_a_width_that_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="width 10 cannot be cut into 3"):
        split_heads(torch.randn(1, 2, 10), 3)
    with pytest.raises(ValueError, match="embed_dim=10 is not divisible by num_heads=3"):
        MultiheadAttention(10, 3)
    with pytest.raises(ValueError, match="batch-first throughout"):
        MultiheadAttention(12, 3, batch_first=False)


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [
        ((2, 3, 12), (2, 4, 12), (2, 5, 12)),  # not a value for each key
        ((2, 3, 12), (3, 3, 12), (3, 3, 12)),  # another batch
        ((2, 3, 12), (3, 12), (3, 12)),  # unbatched keys would broadcast to something else
        ((3, 12), (2, 3, 12), (2, 3, 12)),
        ((2, 3, 7), (2, 3, 7), (2, 3, 7)),  # another width
        ((2, 3, 12), (2, 3, 7), (2, 3, 7)),
        ((12,), (12,), (12,)),
        ((1, 2, 3, 12), (1, 2, 3, 12), (1, 2, 3, 12)),
    ],
)
def test_what_does_not_belong_together_is_refused(
    query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...]
) -> None:
    inputs = [torch.randn(shape) for shape in (query, key, value)]
    with pytest.raises(ValueError, match=r"takes a query \(B, L, 12\).*without B; got \("):
        MultiheadAttention(12, 3)(*inputs)


@pytest.mark.parametrize("bias", [True, False])
def test_parameters_have_torchs_names_order_and_first_values(bias: bool) -> None:
    torch.manual_seed(3)
    theirs = nn.MultiheadAttention(12, 3, bias=bias, batch_first=True)
    torch.manual_seed(3)
    ours = MultiheadAttention(12, 3, bias=bias)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["none", "bool", "per_head", "float", "padding", "both"])
@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("batched", [True, False])
def test_equals_torchs(bias: bool, kind: str, cross: bool, batched: bool) -> None:
    ours, theirs = pair(bias=bias)
    query = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    source = torch.randn(2, 7, 12, dtype=torch.float64, requires_grad=True) if cross else query
    keys = source.shape[1]
    attn = {
        "bool": torch.rand(5, keys) < 0.3,
        "both": torch.rand(5, keys) < 0.3,
        "per_head": torch.rand(6 if batched else 3, 5, keys) < 0.3,
        "float": torch.randn(5, keys, dtype=torch.float64),
    }.get(kind)
    if attn is not None and attn.dtype == torch.bool:
        attn[..., 0] = False  # torch gives NaN for a row that is blocked whole
    padding = masks.padding_mask(torch.tensor([3, keys])) if kind in ("padding", "both") else None
    if not batched:
        query, source = query[0], source[0]
        padding = None if padding is None else padding[0]
    source = source if cross else query
    options = {"attn_mask": attn, "key_padding_mask": padding}
    for need_weights in (False, True):
        output, weights = ours(query, source, source, need_weights=need_weights, **options)
        expected, their_weights = theirs(query, source, source, need_weights=True, **options)
        assert_close(output, expected)
        if need_weights:
            assert_close(weights, their_weights)
        else:
            assert weights is None
    per_head = ours(query, source, source, None, True, None, False)[1]
    assert per_head.shape == theirs(query, source, source, average_attn_weights=False)[1].shape
    into = torch.randn_like(expected)
    ours_gradient = torch.autograd.grad(output, [*ours.parameters(), query], into)
    their_gradient = torch.autograd.grad(expected, [*theirs.parameters(), query], into)
    for one, other in zip(ours_gradient, their_gradient, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("need_weights", [False, True])
def test_case_01_a_fully_blocked_row_gives_the_output_bias_and_finite_gradients(
    need_weights: bool,
) -> None:
    ours, theirs = pair()
    x = torch.randn(2, 4, 12, dtype=torch.float64, requires_grad=True)
    padding = masks.padding_mask(torch.tensor([0, 4]))
    output, weights = ours(x, x, x, padding, need_weights)
    assert_close(output[0], ours.out_proj.bias.expand(4, 12))
    output.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in ours.parameters())
    assert x.grad is not None
    assert x.grad.isfinite().all()
    if weights is not None:
        assert not weights[0].any()
    assert theirs(x, x, x, key_padding_mask=padding)[0][0].isnan().all()  # what is avoided here


def test_case_06_dropout_stops_in_evaluation_on_every_path() -> None:
    ours, _ = pair(dropout=0.5)
    x = torch.randn(2, 6, 12, dtype=torch.float64)
    for function in (None, scaled_dot_product_attention):
        for need_weights in (False, True):
            ours.attention = function
            first = ours.eval()(x, x, x, need_weights=need_weights)[0]
            assert torch.equal(first, ours(x, x, x, need_weights=need_weights)[0])
            assert not torch.allclose(first, ours.train()(x, x, x, need_weights=need_weights)[0])


def test_case_07_is_causal_blocks_the_future_beside_a_mask() -> None:
    ours, theirs = pair()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    past = masks.causal_mask(5).t()
    both, _ = ours(x, x, x, attn_mask=past, is_causal=True)
    assert_close(both, ours(x, x, x, attn_mask=past | masks.causal_mask(5))[0])
    causal, _ = ours(x, x, x, is_causal=True)
    assert_close(causal, theirs(x, x, x, attn_mask=masks.causal_mask(5))[0])


def test_case_10_weights_are_built_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _ = pair()
    x = torch.randn(2, 5, 12, dtype=torch.float64)

    def never(*_: object) -> None:
        raise AssertionError("the weights were built")

    monkeypatch.setattr("encoder_core.attention.scaled_dot_product_attention", never)
    assert ours(x, x, x)[1] is None
    with pytest.raises(AssertionError, match="weights were built"):
        ours(x, x, x, need_weights=True)


def test_case_16_padding_does_not_change_real_rows() -> None:
    ours, _ = pair()
    x = torch.randn(1, 4, 12, dtype=torch.float64)
    padded = torch.cat([x, torch.full((1, 3, 12), 1e3, dtype=torch.float64)], dim=1)
    output, _ = ours(padded, padded, padded, masks.padding_mask(torch.tensor([4]), 7))
    assert_close(output[:, :4], ours(x, x, x)[0])


def test_an_attention_function_from_outside_is_used_and_can_be_taken_away() -> None:
    seen: list[tuple[torch.Size, Tensor | None]] = []

    def function(
        query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        seen.append((query.shape, mask))
        return scaled_dot_product_attention(query, key, value, mask)

    ours, _ = pair()
    x, padding = torch.randn(2, 5, 12, dtype=torch.float64), torch.zeros(2, 5, dtype=torch.bool)
    own, _ = ours(x, x, x, padding)
    ours.attention = function
    assert_close(ours(x, x, x, padding)[0], own)
    shape, mask = seen[0]
    assert shape == (2, 3, 5, 4)
    assert mask is not None
    assert mask.shape == (2, 1, 1, 5)
    ours.attention = fused_attention
    assert torch.equal(ours(x, x, x, padding)[0], own)
    ours.attention = None
    ours(x, x, x)
    assert len(seen) == 1


def test_rotary_turns_queries_and_keys_only() -> None:
    plain, _ = pair()
    turned = copy.deepcopy(plain)
    turned.rotary = turn = Rotary(4, pairing="half")
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    q, k, v = plain.project(x, x, x)
    expected, _ = scaled_dot_product_attention(turn(q), turn(k), v)
    assert_close(turned(x, x, x)[0], plain.out_proj(merge_heads(expected)))
    assert list(turned.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("window", [0, 1, 3, 4, 9])
def test_a_window_blocks_what_is_further_away(window: int) -> None:
    plain, _ = pair()
    local = copy.deepcopy(plain)
    local.window = window
    x, padding = (
        torch.randn(2, 5, 12, dtype=torch.float64),
        masks.padding_mask(torch.tensor([3, 5])),
    )
    expected, weights = plain(x, x, x, padding, True, masks.local_mask(5, window))
    output, local_weights = local(x, x, x, padding, True)
    assert_close(output, expected)
    assert_close(local_weights, weights)


def test_gradcheck() -> None:
    ours = MultiheadAttention(4, 2).double()
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    padding = masks.padding_mask(torch.tensor([0, 2]), 3)
    assert torch.autograd.gradcheck(lambda x: ours(x, x, x, padding)[0], (x,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_near_to_float64(dtype: torch.dtype) -> None:
    ours, _ = pair()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    padding = masks.padding_mask(torch.tensor([0, 3]), 5)
    expected, _ = ours(x, x, x, padding)
    half = ours.to(dtype)(x.to(dtype), x.to(dtype), x.to(dtype), padding)[0]
    assert half.dtype == dtype
    assert_close(half.double(), expected, dtype=dtype, terms=12 + 12)  # two projections


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_the_cpu() -> None:
    ours, _ = pair()
    x, padding = torch.randn(2, 5, 12), masks.padding_mask(torch.tensor([0, 3]), 5)
    ours = ours.float()
    expected, weights = ours(x, x, x, padding, need_weights=True)
    there = x.cuda()
    output, their_weights = ours.cuda()(there, there, there, padding.cuda(), need_weights=True)
    assert_close(output.cpu(), expected)
    assert_close(their_weights.cpu(), weights)

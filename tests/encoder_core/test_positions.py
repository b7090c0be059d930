"""Positions of every kind against independent computations and the laws that they obey."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from encoder_core import positions as P
from tests.close import assert_close


def by_hand(length: int, d_model: int, base: float = 10000.0) -> Tensor:
    """One number at a time, as the paper's formula says."""
    rows = [
        [
            (math.cos if column % 2 else math.sin)(position / base ** (2 * (column // 2) / d_model))
            for column in range(d_model)
        ]
        for position in range(length)
    ]
    return torch.tensor(rows, dtype=torch.float64).reshape(length, d_model)


@given(length=st.integers(0, 70), d_model=st.integers(1, 33))
def test_case_12_sinusoid_equals_the_formula_for_even_and_odd_d_model(
    length: int, d_model: int
) -> None:
    table = P.sinusoidal_positions(length, d_model, dtype=torch.float64)
    assert_close(table, by_hand(length, d_model))


def test_case_12_sinusoid_exponent_counts_pairs_not_columns() -> None:
    table = P.sinusoidal_positions(50, 16, dtype=torch.float64)
    ones = table[:, 0::2] ** 2 + table[:, 1::2] ** 2  # the two of a pair share one wave
    assert_close(ones, torch.ones_like(ones))


def test_sinusoid_default_dtype_and_refusals() -> None:
    assert P.sinusoidal_positions(3, 4).dtype == torch.get_default_dtype()
    assert P.sinusoidal_positions(3, 4, dtype=torch.bfloat16).dtype == torch.bfloat16
    with pytest.raises(ValueError, match="d_model >= 1"):
        P.sinusoidal_positions(3, 0)
    with pytest.raises(ValueError, match="length >= 0"):
        P.sinusoidal_positions(-1, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_sinusoidal_module_adds_the_table_and_continues_at_an_offset(dtype: torch.dtype) -> None:
    module = P.SinusoidalPositions(7)
    x = torch.randn(2, 90, 7, dtype=dtype)
    whole = module(x)
    assert whole.dtype == dtype
    assert_close(whole - x, (x + P.sinusoidal_positions(90, 7, dtype=dtype)) - x)
    assert_close(module(x[:, 30:], offset=30), whole[:, 30:])
    assert module.state_dict() == {}


def test_learned_positions_add_rows_and_name_the_limit() -> None:
    module = P.LearnedPositions(10, 4)
    x = torch.zeros(2, 6, 4)
    assert_close(module(x)[1], module.weight[:6])
    assert_close(module(x, offset=4)[0], module.weight[4:10])
    with pytest.raises(ValueError, match=r"learned 10 positions.*11 tokens"):
        module(x, offset=5)


def test_learned_positions_gradient_reaches_only_the_rows_in_use() -> None:
    module = P.LearnedPositions(10, 4)
    module(torch.zeros(3, 2, 4), offset=1).sum().backward()
    expected = torch.zeros(10, 4)
    expected[1:3] = 3.0
    assert module.weight.grad is not None
    assert_close(module.weight.grad, expected)


def test_case_15_roberta_positions_start_after_padding_idx() -> None:
    ids = torch.tensor([[0, 9, 9, 2, 1, 1], [0, 9, 9, 9, 9, 2], [1, 1, 1, 1, 1, 1]])
    expected = torch.tensor([[2, 3, 4, 5, 1, 1], [2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1]])
    assert torch.equal(P.positions_from_ids(ids, padding_idx=1), expected)


@pytest.mark.parametrize("padding_idx", [0, 1, 3])
def test_case_15_roberta_positions_equal_those_of_transformers(padding_idx: int) -> None:
    roberta = pytest.importorskip("transformers.models.roberta.modeling_roberta")
    ids = torch.randint(0, 5, (4, 12), generator=torch.Generator().manual_seed(0))
    theirs = roberta.RobertaEmbeddings.create_position_ids_from_input_ids(ids, padding_idx)
    assert torch.equal(P.positions_from_ids(ids, padding_idx), theirs)


# Rotary ----------------------------------------------------------------------------------------


def by_complex_numbers(x: Tensor, positions: Tensor, base: float) -> Tensor:
    """A turn is a product with e^{it}: another way to say the same."""
    dim = x.shape[-1]
    pairs = torch.view_as_complex(x.double().reshape(*x.shape[:-1], dim // 2, 2).contiguous())
    rates = base ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    turn = torch.polar(torch.ones(()).double(), positions.double()[..., None] * rates)
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


@given(
    length=st.integers(1, 40),
    half=st.integers(1, 8),
    base=st.sampled_from([10.0, 10000.0, 160000.0]),
    seed=st.integers(0, 99),
)
def test_rotary_interleaved_is_the_turn_of_complex_numbers(
    length: int, half: int, base: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, length, 2 * half, dtype=torch.float64, generator=generator)
    positions = torch.randint(0, 5000, (length,), generator=generator)
    expected = by_complex_numbers(x, positions, base)
    assert_close(P.rotate_interleaved(x, positions, base), expected)
    assert_close(P.rotary(x, positions, base), expected)
    reordered = P.rotary(P.interleaved_to_half(x), positions, base, pairing="half")
    assert_close(P.half_to_interleaved(reordered), expected)


def test_rotary_half_equals_that_of_transformers() -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    x, positions = torch.randn(2, 3, 11, 8), torch.arange(11)
    angles = P.rotary_angles(positions, 8, 500.0)
    cos, sin = (torch.cat((f(angles), f(angles)), -1)[None] for f in (torch.cos, torch.sin))
    theirs, _ = llama.apply_rotary_pos_emb(x, x, cos, sin)
    assert_close(P.rotary(x, positions, 500.0, pairing="half"), theirs)


@pytest.mark.parametrize("pairing", ["interleaved", "half"])
def test_rotary_scores_depend_on_the_distance_alone(pairing: P.Pairing) -> None:
    query, key = torch.randn(2, 1, 16, dtype=torch.float64)

    def score(i: int, j: int) -> Tensor:
        turned = P.rotary(query, torch.tensor([i]), pairing=pairing)
        return (turned * P.rotary(key, torch.tensor([j]), pairing=pairing)).sum()

    # Angles of a thousand radians carry a thousand times the rounding of 1.
    assert_close(score(7, 3), score(1004, 1000), scale=1004.0)
    assert (score(7, 3) - score(3, 7)).abs() > 1e-3  # and on its direction


@pytest.mark.parametrize("pairing", ["interleaved", "half"])
def test_rotary_keeps_lengths_and_dtype_and_inputs(pairing: P.Pairing) -> None:
    x = torch.randn(2, 5, 6, dtype=torch.bfloat16)
    before = x.clone()
    turned = P.rotary(x, torch.arange(5), pairing=pairing)
    assert turned.dtype == torch.bfloat16
    assert torch.equal(x, before)
    assert_close(turned.norm(dim=-1), x.norm(dim=-1), terms=6)


def test_rotary_in_half_precision_keeps_far_positions_apart() -> None:
    x = torch.ones(2, 4, dtype=torch.bfloat16)
    turned = P.rotary(x, torch.tensor([1000, 1001]))  # in bfloat16 both would be position 1000
    expected = P.rotary(x.double(), torch.tensor([1000, 1001]))
    assert_close(turned.double(), expected, dtype=torch.bfloat16, terms=2)
    assert (turned[0] - turned[1]).abs().max() > 0.1


@pytest.mark.parametrize("pairing", ["interleaved", "half"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rotary_module_equals_the_function(pairing: P.Pairing, dtype: torch.dtype) -> None:
    module = P.Rotary(6, base=50.0, pairing=pairing)
    for length in (3, 100, 5):  # grows, and is cut
        x = torch.randn(2, 4, length, 6, dtype=dtype)
        assert_close(module(x), P.rotary(x, torch.arange(length), 50.0, pairing))
    assert_close(module(x[..., 2:, :], offset=2), module(x)[..., 2:, :])
    assert module.state_dict() == {}


def test_rotary_module_first_used_in_inference_mode_can_train_afterwards() -> None:
    module = P.Rotary(4)
    with torch.inference_mode():
        module(torch.ones(3, 4))
    x = torch.ones(3, 4, requires_grad=True)
    copy.deepcopy(module)(x).square().sum().backward()
    assert x.grad is not None
    assert_close(x.grad, 2 * torch.ones(3, 4))


def test_rotary_gradcheck() -> None:
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    for pairing in ("interleaved", "half"):
        assert torch.autograd.gradcheck(
            lambda x, p=pairing: P.rotary(x, torch.arange(3), 7.0, p), x
        )


def test_rotary_refusals() -> None:
    with pytest.raises(ValueError, match="must be even; got 5"):
        P.rotary(torch.ones(2, 5), torch.arange(2))
    with pytest.raises(ValueError, match="must be even; got 3"):
        P.Rotary(3)
    with pytest.raises(ValueError, match="'interleaved' or 'half', got 'neox'"):
        P.rotary(torch.ones(2, 4), torch.arange(2), pairing="neox")  # type: ignore[arg-type]


# ALiBi -----------------------------------------------------------------------------------------


def test_alibi_slopes_of_the_paper() -> None:
    assert P.alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert_close(P.alibi_slopes(16), 2.0 ** (-0.5 * torch.arange(1, 17)))
    twelve = [2.0**-i for i in range(1, 9)] + [2.0**-i for i in (0.5, 1.5, 2.5, 3.5)]
    assert_close(P.alibi_slopes(12), torch.tensor(twelve))
    with pytest.raises(ValueError, match="at least 1"):
        P.alibi_slopes(0)


@given(
    nhead=st.integers(1, 12), queries=st.integers(1, 9), extra=st.integers(0, 4),
    offset=st.integers(0, 6),
)  # fmt: skip
def test_alibi_bias_is_minus_slope_times_distance(
    nhead: int, queries: int, extra: int, offset: int
) -> None:
    bias = P.alibi_bias(nhead, queries, offset + queries + extra, offset=offset)
    assert bias.shape == (nhead, queries, offset + queries + extra)
    slopes = P.alibi_slopes(nhead)
    for head in range(nhead):
        for i in range(queries):
            for j in range(bias.shape[2]):
                expected = -slopes[head].item() * abs(offset + i - j)
                assert bias[head, i, j].item() == pytest.approx(expected)


def test_alibi_bias_of_a_cached_step_is_the_last_row() -> None:
    whole = P.alibi_bias(3, 7)
    assert_close(P.alibi_bias(3, 1, offset=6), whole[:, 6:])
    assert P.alibi_bias(2, 3, dtype=torch.float64).dtype == torch.float64

"""The nucleus at its edges: exact boundaries, ties, half precision, extreme temperatures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from encoder_core import generate_nucleus
from encoder_core.generation import decoding
from encoder_core.generation.decoding import sample, top_p
from encoder_core.models.encoder_decoder import EncoderDecoder

WIDE = [torch.float32, torch.float64]
HALF = [torch.float16, torch.bfloat16]


def kept(logits: Tensor, p: float) -> int:
    return int((top_p(logits, p) > -torch.inf).sum())


def boundaries(parts: int, of: int) -> list[tuple[list[Fraction], int]]:
    """All ways to share `of` pieces, each with every count of tokens short of all."""
    shares = itertools.combinations_with_replacement(range(1, of), parts - 1)
    cases = []
    for some in shares:
        if sum(some) < of:
            pieces = sorted((*some, of - sum(some)), reverse=True)
            probabilities = [Fraction(piece, of) for piece in pieces]
            cases += [(probabilities, count) for count in range(1, parts)]
    return cases


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(("parts", "of"), [(3, 10), (4, 16), (4, 20), (5, 12), (6, 30)])
def test_a_set_that_reaches_p_exactly_is_the_nucleus(
    dtype: torch.dtype, parts: int, of: int
) -> None:
    wrong = []
    for probabilities, count in boundaries(parts, of):
        logits = torch.tensor([float(x) for x in probabilities], dtype=torch.float64).log()
        p = float(sum(probabilities[:count]))
        if kept(logits.to(dtype), p) != count:
            wrong.append((probabilities, count))
    assert not wrong


@pytest.mark.parametrize("dtype", WIDE)
def test_a_p_that_is_clearly_above_a_boundary_needs_the_next_token(dtype: torch.dtype) -> None:
    for probabilities, count in boundaries(4, 16):
        logits = torch.tensor([float(x) for x in probabilities], dtype=dtype).log()
        above = float(sum(probabilities[:count])) + 100 * torch.finfo(dtype).eps
        assert kept(logits, above) == count + 1


@pytest.mark.parametrize("dtype", WIDE + HALF)
@pytest.mark.parametrize("size", [2, 4, 8, 64, 1024, 32768])
def test_equal_tokens_are_kept_by_number_and_the_first_ids_stay(
    dtype: torch.dtype, size: int
) -> None:
    logits = torch.full((size,), 3.0, dtype=dtype)
    for count in {1, size // 2, size - 1}:
        finite = (top_p(logits, count / size) > -torch.inf).nonzero().flatten()
        assert finite.tolist() == list(range(count))


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_adds_up_in_a_wide_type(dtype: torch.dtype) -> None:
    """Sums of a thousand small numbers in half precision would stand still long before p."""
    logits = torch.zeros(50_000, dtype=dtype)
    assert kept(logits, 0.9) == 45_000
    assert kept(logits, 0.99998) == 49_999


def test_blocked_tokens_stay_blocked_and_take_no_place() -> None:
    logits = torch.tensor([-torch.inf, 0.0, -torch.inf, 0.0, 0.0, 0.0])
    assert kept(logits, 0.5) == 2
    assert kept(logits, 1.0) == 4
    assert kept(logits, 0.0) == 1
    assert top_p(logits[:1], 0.5).tolist() == [-torch.inf]


def test_each_row_has_a_nucleus_of_its_own() -> None:
    rows = torch.tensor([[0.5, 0.3, 0.1, 0.1], [0.2, 0.2, 0.2, 0.4]]).log()
    both = top_p(rows, 0.8)
    assert [(row > -torch.inf).tolist() for row in both] == [
        [True, True, False, False],
        [True, True, False, True],
    ]
    assert torch.equal(top_p(rows.T.contiguous().T, 0.8), both)


@pytest.mark.parametrize("dtype", WIDE + HALF)
@pytest.mark.parametrize("temperature", [1e-3, 1e-6, 1e-40, 5e-324])
def test_a_tiny_temperature_is_greedy(dtype: torch.dtype, temperature: float) -> None:
    after = {1: 5, 5: 6, 6: 3, 3: 2}

    def language(ids: list[int]) -> Tensor:
        logits = torch.linspace(-40, 40, 7)
        logits[after[ids[-1]]] = 50.0
        return logits.to(dtype)

    assert sample(language, 1, 2, 9, p=1.0, temperature=temperature) == [5, 6, 3]


@pytest.mark.parametrize("dtype", WIDE + HALF)
def test_a_large_temperature_makes_all_tokens_alike(dtype: torch.dtype) -> None:
    logits = torch.tensor([40.0, -40.0, 0.0, -torch.inf], dtype=dtype)
    probabilities = decoding.nucleus_probabilities(logits, 1.0, 1e30)
    assert torch.equal(probabilities, torch.tensor([1, 1, 1, 0], dtype=probabilities.dtype) / 3)


@pytest.mark.parametrize("temperature", [0.0, -0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("max_length", [0, 3])
def test_a_temperature_that_is_none_is_refused(temperature: float, max_length: int) -> None:
    language: Callable[[list[int]], Tensor] = lambda ids: torch.zeros(7)  # noqa: E731
    with pytest.raises(ValueError, match="temperature must be a finite number above 0"):
        sample(language, 1, 2, max_length, temperature=temperature)
    model = EncoderDecoder(7, 8, 2, 1, 1).eval()
    with pytest.raises(ValueError, match="temperature must be a finite number above 0"):
        generate_nucleus(model, torch.tensor([[3]]), 1, 2, max_length, temperature=temperature)


def test_a_p_that_is_none_is_refused() -> None:
    for p in (-1e-9, 1 + 1e-9, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            top_p(torch.zeros(3), p)


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_is_drawn_from_in_float32(dtype: torch.dtype) -> None:
    logits = torch.zeros(4096, dtype=dtype)
    probabilities = decoding.nucleus_probabilities(logits, 1.0, 1.0)
    assert probabilities.dtype == torch.float32
    assert float(probabilities.double().sum()) == pytest.approx(1, abs=4096 * 2**-24)

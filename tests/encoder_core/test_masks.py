"""Masks: what they block, how they join, and which ones are refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from encoder_core import masks
from tests.close import assert_close


@given(length=st.integers(0, 9), window=st.integers(0, 9))
def test_causal_and_local_masks_say_what_is_blocked(length: int, window: int) -> None:
    causal, local = masks.causal_mask(length), masks.local_mask(length, window)
    assert causal.dtype == local.dtype == torch.bool
    assert causal.shape == local.shape == (length, length)
    for query in range(length):
        for key in range(length):
            assert causal[query, key].item() == (key > query)
            assert local[query, key].item() == (abs(key - query) > window)


def test_padding_mask_is_true_after_each_end() -> None:
    mask = masks.padding_mask(torch.tensor([0, 2, 3]), 3)
    assert mask.tolist() == [[True] * 3, [False, False, True], [False] * 3]
    assert masks.padding_mask(torch.tensor([1, 2])).shape == (2, 2)
    assert masks.padding_mask(torch.tensor([], dtype=torch.long)).shape == (0, 0)


def test_a_negative_window_is_refused() -> None:
    with pytest.raises(ValueError, match="window must be 0 or more"):
        masks.local_mask(3, -1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_case_04_a_zero_one_float_mask_is_refused_with_a_sentence(dtype: torch.dtype) -> None:
    for mask in (torch.ones(2, 2, dtype=dtype), torch.eye(3, dtype=dtype)):
        with pytest.raises(ValueError, match=r"holds only 0 and 1.*mask\.bool"):
            masks.check_mask(mask)
    masks.check_mask(torch.zeros(2, 2, dtype=dtype))  # nothing is blocked, nothing is added
    masks.check_mask(torch.tensor([0.0, 1.0, -torch.inf], dtype=dtype))
    masks.check_mask(torch.tensor([0.0, 0.5], dtype=dtype))


def test_case_04_an_integer_mask_is_refused_since_its_meaning_cannot_be_told() -> None:
    with pytest.raises(TypeError, match=r"boolean .* or floating .* got torch.int64"):
        masks.check_mask(torch.tensor([0, 1]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("made_in", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_case_03_the_smallest_number_blocks_in_every_dtype(
    dtype: torch.dtype, made_in: torch.dtype
) -> None:
    mask = torch.tensor([0.0, torch.finfo(made_in).min, -torch.inf], dtype=made_in)
    assert masks.additive_mask(mask, dtype).tolist() == [0.0, -torch.inf, -torch.inf]
    assert masks.additive_mask(mask, dtype).dtype == dtype


def test_masks_join_to_what_any_of_them_blocks() -> None:
    padding = torch.tensor([[False, False, True]])
    assert masks.merge_masks() is None
    assert masks.merge_masks(None, padding) is padding
    both = masks.merge_masks(masks.causal_mask(3), padding)
    assert torch.equal(both, masks.causal_mask(3) | padding)  # type: ignore[arg-type]
    bias = torch.tensor([[0.5, 0.0, 0.25]])
    added = masks.merge_masks(masks.causal_mask(3), bias, padding)
    blocked = torch.zeros(3, 3).masked_fill(masks.causal_mask(3) | padding, -torch.inf)
    assert_close(added, bias + blocked)
    assert torch.equal(masks.merge_masks(bias, bias), 2 * bias)  # type: ignore[arg-type]


HEAD_MASKS = [(2, 3), (8, 2, 3), (2, 2, 3), (2, 4, 2, 3), (2, 1, 1, 3), (1, 3), (3,)]


@pytest.mark.parametrize("shape", HEAD_MASKS)
def test_head_masks_of_every_shape_broadcast(shape: tuple[int, ...]) -> None:
    mask = torch.rand(shape) < 0.5
    joined = masks.join_head_masks((2, 4, 2, 3), attn_mask=mask)
    assert isinstance(joined, Tensor)
    full = joined.expand(2, 4, 2, 3)
    if len(shape) == 3:
        for batch in range(2):
            for head in range(4):
                row = mask[batch * 4 + head] if shape[0] == 8 else mask[batch]
                assert torch.equal(full[batch, head], row)


@pytest.mark.parametrize("shape", [(3, 2), (5, 2, 3), (2, 3, 2, 3), (1, 2, 4, 2, 3)])
def test_head_masks_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"attn_mask has shape .* expected \(L, S\) = \(2, 3\)"):
        masks.join_head_masks((2, 4, 2, 3), attn_mask=torch.zeros(shape, dtype=torch.bool))
    with pytest.raises(ValueError, match="key_padding_mask has shape"):
        masks.join_head_masks((2, 4, 2, 3), torch.zeros(3, 2, dtype=torch.bool))


def test_case_07_causal_is_added_to_the_masks_and_replaces_none() -> None:
    mask = torch.tensor([[False, False, False], [True, False, False], [False, True, False]])
    padding = torch.tensor([[False, False, True], [False, False, False]])
    joined = masks.join_head_masks((2, 1, 3, 3), padding, mask, is_causal=True)
    expected = masks.causal_mask(3) | mask | padding[:, None, None, :]
    assert torch.equal(joined, expected)  # type: ignore[arg-type]


def test_padding_that_blocks_nothing_is_dropped_where_it_can_be_read() -> None:
    empty, some = torch.zeros(2, 3, dtype=torch.bool), torch.tensor([[False, True]])
    assert masks.drop_empty_padding(empty) is None
    assert masks.drop_empty_padding(None) is None
    for kept in (some, torch.zeros(2, 3), empty.to("meta")):
        assert masks.drop_empty_padding(kept) is kept
    traced = torch.jit.trace(  # type: ignore[no-untyped-call]
        lambda x, mask: x if masks.drop_empty_padding(mask) is None else x.masked_fill(mask, 0),
        (torch.ones(1, 2), torch.zeros(1, 2, dtype=torch.bool)),
    )
    assert traced(torch.ones(1, 2), some).tolist() == [[1, 0]]
    kept = torch.func.vmap(lambda m: masks.drop_empty_padding(m) | False)(torch.stack([some, some]))
    assert torch.equal(kept[0], some)

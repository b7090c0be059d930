"""The model solutions of chapter 10, held against torch, and against their definitions written out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from course.content import exercises
from encoder_core import TransformerEncoderLayer
from tests.close import assert_close

PADDED = [
    [[0, 0, 1], [0, 1, 1], [1, 1, 1]],  # a text that is all padding
    [[1, 0, 0, 1, 0], [0, 1, 0, 0, 1]],  # padding before and between the tokens
    [[1, 1], [1, 1]],
    [[0, 0, 0]],
]


def model(name: str) -> Any:
    return exercises.get(f"efficient.{name}").model()


@pytest.mark.parametrize("nhead", [1, 3, 6])
def test_attention_flops_are_torchs_count_of_a_layers_products(nhead: int) -> None:
    batch, length, width = 3, 7, 24
    attention = TransformerEncoderLayer(width, nhead, 40).self_attn
    x = torch.randn(batch, length, width)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        joined = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)  # (B, S, 3D)
        heads = joined.reshape(batch, length, 3, nhead, -1).permute(2, 0, 3, 1, 4)
        query, key, value = heads  # (B, H, S, Dh) each
        weights = (query @ key.mT).softmax(dim=-1)  # (B, H, S, S)
        attention.out_proj((weights @ value).transpose(1, 2).flatten(2))
    assert model("attention_flops")(batch, length, width) == counter.get_total_flops()


def test_a_float_has_no_room_for_the_largest_count_that_is_tried() -> None:
    """So that a count that went through a float is caught by its digits."""
    case = exercises.get("efficient.attention_flops").cases(0)[-1]
    count = model("attention_flops")(*case.args)
    assert count > 2**53
    assert int(float(count)) != count


@pytest.mark.parametrize("block", [1, 3, 4, 11, 20])
def test_attention_in_blocks_is_attention(block: int) -> None:
    torch.manual_seed(block)
    query, key = (torch.randn(2, 3, rows, 5, dtype=torch.float64) for rows in (6, 11))
    key *= 10  # scores far apart
    value = torch.randn(2, 3, 11, 4, dtype=torch.float64)
    output = model("blockwise_attention")(query, key, value, block)
    # An exponent carries the rounding of its score.
    scale = float((query @ key.mT).abs().max() * value.abs().max())
    expected = F.scaled_dot_product_attention(query, key, value)
    assert_close(output, expected, terms=11, scale=scale)


@pytest.mark.parametrize("rows", PADDED)
def test_repad_undoes_unpad(rows: list[list[int]]) -> None:
    padding = torch.tensor(rows, dtype=torch.bool)
    x = torch.randn(*padding.shape, 3)
    packed, indices = model("unpad")(x, padding)
    assert packed.shape == (int((~padding).sum()), 3)
    back = model("repad")(packed, indices, *padding.shape)
    assert torch.equal(back, x.masked_fill(padding[:, :, None], 0.0))
    again, places = model("unpad")(back, padding)
    assert torch.equal(again, packed)
    assert torch.equal(places, indices)


def test_the_packed_mask_pair_by_pair() -> None:
    generator = torch.Generator().manual_seed(0)
    documents = torch.randint(-1, 4, (6, 9), generator=generator)
    mask = model("packed_mask")(documents)
    for row, ids in enumerate(documents.tolist()):
        for query, mine in enumerate(ids):
            for key, theirs in enumerate(ids):
                allowed = mine >= 0 and mine == theirs
                assert bool(mask[row, query, key]) is not allowed, (ids, query, key)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_quantized_weight_is_off_by_half_a_step_at_most(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight = torch.randn(40, 300, dtype=dtype) * torch.logspace(-6, 3, 40, dtype=dtype)[:, None]
    weight[7] = 0.0
    numbers, scale = model("quantize")(weight)
    assert numbers.dtype == torch.int8
    assert torch.equal(
        numbers.abs().amax(dim=-1)[weight.any(dim=-1)], torch.full((39,), 127).char()
    )
    # Rounding of the division and of the product adds a few units in the last place of 127 steps.
    room = 4 * 127 * torch.finfo(dtype).eps
    off = (weight.double() - numbers.double() * scale.double()).abs()
    assert bool((off <= scale.double() * (0.5 + room)).all())

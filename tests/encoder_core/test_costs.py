"""What is counted is what torch counts and what autograd keeps; a machine's times follow from its two rates."""

from __future__ import annotations

import re
from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from encoder_core.attention import scaled_dot_product_attention
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.inspect.costs import (
    AttentionKind,
    Cost,
    encoder_memory,
    layer_costs,
    saved_numbers,
)
from encoder_core.inspect.machine import Machine, copy_bandwidth, measure_machine

Size = tuple[int, int, int, int, int]  # batch, length, d_model, nhead, dim_feedforward
SIZES: list[Size] = [(1, 1, 4, 1, 3), (2, 48, 32, 4, 80), (3, 130, 24, 3, 7), (1, 64, 16, 16, 64)]
PRODUCTS = {"attention", "scores", "weighted values", "query, key, value", "output projection",
            "feed-forward 1", "feed-forward 2"}  # fmt: skip


def build(size: Size, explicit: bool = True) -> tuple[nn.Module, Tensor]:
    batch, length, d_model, nhead, inner = size
    layer = TransformerEncoderLayer(d_model, nhead, inner, dropout=0.0, activation="gelu")
    layer.self_attn.attention = scaled_dot_product_attention if explicit else None
    return layer, torch.randn(batch, length, d_model, requires_grad=True)


@pytest.mark.parametrize("size", SIZES)
def test_products_equal_those_that_torch_counts(size: Size) -> None:
    layer, x = build(size)
    with FlopCounterMode(display=False) as forward:
        y = layer(x)
    assert sum(cost.flops for cost in layer_costs(*size)) == forward.get_total_flops()
    with FlopCounterMode(display=False) as backward:
        y.sum().backward()
    counted = forward.get_total_flops() + backward.get_total_flops()
    assert sum(cost.flops for cost in layer_costs(*size, training=True)) == counted


@pytest.mark.parametrize("size", SIZES)
def test_parameters_are_the_layers(size: Size) -> None:
    layer, _ = build(size)
    expected = sum(parameter.numel() for parameter in layer.parameters())
    for kind in get_args(AttentionKind):
        costs = layer_costs(*size, attention=kind)
        assert sum(cost.parameters for cost in costs) == expected


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("size", SIZES[1:3])
def test_what_is_saved_for_the_backward_pass_is_what_autograd_saves(
    size: Size, explicit: bool
) -> None:
    layer, x = build(size, explicit)
    weights = {parameter.untyped_storage().data_ptr() for parameter in layer.parameters()}
    saved: dict[int, Tensor] = {}  # one a storage: views share it

    def keep(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layer(x)
    numbers = {at: tensor.untyped_storage().nbytes() // 4 for at, tensor in saved.items()}
    found = sum(count for at, count in numbers.items() if at not in weights)
    assert found == saved_numbers(*size, "explicit" if explicit else "fused")
    assert saved_numbers(*size, "blockwise") > saved_numbers(*size, "explicit")


def test_bytes_are_read_and_written_once_each() -> None:
    batch, length, d_model, nhead, inner = size = 2, 6, 8, 2, 10
    n, scores = batch * length, batch * nhead * length**2
    by_part = {cost.part: cost for cost in layer_costs(*size, bytes_per_number=2)}
    read = n * d_model + d_model * inner + inner
    assert by_part["feed-forward 1"].bytes == 2 * (read + n * inner)
    assert by_part["scores"].bytes == 2 * (2 * n * d_model + scores)
    assert by_part["softmax"].bytes == 2 * 2 * scores
    fused = {cost.part: cost for cost in layer_costs(*size, attention="fused")}
    assert fused["attention"].bytes == 4 * 4 * n * d_model
    assert set(by_part) >= PRODUCTS - {"attention"}
    assert all((cost.flops > 0) == (cost.part in PRODUCTS) for cost in by_part.values())


def test_kinds_of_attention_compute_the_same_and_move_different_amounts() -> None:
    size = (1, 2048, 64, 4, 256)
    kinds: dict[AttentionKind, list[Cost]] = {
        "explicit": layer_costs(*size),
        "blockwise": layer_costs(*size, attention="blockwise"),
        "fused": layer_costs(*size, attention="fused"),
    }
    assert len({sum(cost.operations for cost in costs) for costs in kinds.values()}) == 1
    assert len({sum(cost.square for cost in costs) for costs in kinds.values()}) == 1
    moved = {kind: sum(cost.bytes for cost in costs) for kind, costs in kinds.items()}
    assert moved["fused"] < moved["explicit"] < moved["blockwise"]
    held = {kind: encoder_memory(*size, 1, attention=kind).scores for kind in kinds}
    assert held["fused"] == 0 < held["blockwise"] * 16 == held["explicit"]
    assert layer_costs(*size, attention="blockwise", block=4096) == kinds["explicit"]
    again = layer_costs(*size, attention="fused", training=True)
    (attention,) = (cost for cost in again if cost.part == "attention")
    assert attention.flops * 2 == 7 * kinds["fused"][1].flops


def test_what_grows_with_the_square_grows_fourfold_and_the_rest_twofold() -> None:
    for training in (False, True):
        short, long = (layer_costs(2, s, 32, 4, 64, training=training) for s in (128, 256))
        square = [sum(cost.square for cost in costs) for costs in (short, long)]
        rest = [sum(cost.operations - cost.square for cost in costs) for costs in (short, long)]
        assert square[1] == 4 * square[0]
        assert rest[1] == 2 * rest[0]


def test_training_holds_all_layers_and_inference_one() -> None:
    size = (4, 64, 32, 4, 128)
    one, six = (encoder_memory(*size, layers) for layers in (1, 6))
    assert six.activations == one.activations
    assert six.weights == 6 * one.weights
    for size_of_number in (2, 4):
        trained = encoder_memory(*size, 6, size_of_number, training=True)
        parameters = six.weights // 4
        assert trained.weights + trained.training_state == 16 * parameters
        assert trained.activations == 6 * size_of_number * saved_numbers(*size)
        assert trained.total == 16 * parameters + trained.activations


def test_impossible_settings_say_why() -> None:
    with pytest.raises(ValueError, match=re.escape("d_model=10 is not divisible by nhead=3")):
        layer_costs(1, 1, 10, 3, 4)
    with pytest.raises(ValueError, match="attention must be one of explicit, blockwise, fused"):
        layer_costs(1, 1, 4, 2, 4, attention="flash")  # type: ignore[arg-type]


def test_a_part_takes_the_longer_of_its_two_times() -> None:
    machine = Machine(peak=100.0, bandwidth=10.0)
    product, sum_ = Cost("product", 200, 10), Cost("sum", 0, 40, elementwise=10)
    assert (machine.seconds(product), machine.limit(product)) == (2.0, "compute")
    assert (machine.seconds(sum_), machine.limit(sum_)) == (4.0, "memory")
    assert machine.limit(Cost("both", 100, 10)) == "compute"
    assert machine.ridge == 10


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_machine_is_measured(dtype: torch.dtype) -> None:
    machine = measure_machine(dtype=dtype, seconds=0.002)
    assert machine.peak > 0
    assert machine.bandwidth > 0
    assert str(dtype).removeprefix("torch.") in machine.name
    assert copy_bandwidth(torch.device("cpu"), size=4096, rounds=1) > 0

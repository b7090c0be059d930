"""Our decoder against torch.nn's, step by step against all at once, and where it could go wrong."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core.cache import KeyValueCache, LayerCache
from encoder_core.decoder import TransformerDecoder, TransformerDecoderLayer
from tests.close import assert_close

B, T, S, D, H, FF = 3, 4, 6, 12, 3, 20
GRID = list(itertools.product([False, True], [True, False], ["relu", "gelu"]))
NORM_AND_BIAS = list(itertools.product([False, True], [True, False]))
MASKS = ["none", "causal", "padding", "everything", "float", "per-head"]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def make_masks(kind: str, batched: bool = True) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    causal = torch.ones(T, T, dtype=torch.bool).triu(1)
    target = torch.arange(T) >= torch.tensor([[4], [2], [3]])
    memory = torch.arange(S) >= torch.tensor([[1], [6], [4]])
    if not batched:
        target, memory = target[1], memory[2]
    look = torch.rand(T, S, generator=generator) < 0.4
    look[:, 0] = False
    heads = torch.rand((B if batched else 1) * H, T, S, generator=generator) < 0.4
    heads[..., 0] = False
    slopes = torch.randn(T, T, dtype=torch.float64, generator=generator)
    masks: dict[str, dict[str, Tensor]] = {
        "none": {},
        "causal": {"tgt_mask": causal},
        "padding": {"tgt_key_padding_mask": target, "memory_key_padding_mask": memory},
        "float": {"tgt_mask": slopes.masked_fill(causal, -torch.inf)},
        "per-head": {"memory_mask": heads},
    }
    masks["everything"] = {"tgt_mask": causal, "memory_mask": look, **masks["padding"]}
    return masks[kind]


def pair(
    norm_first: bool, bias: bool, activation: str = "relu", layers: int = 0
) -> tuple[nn.Module, nn.Module]:
    options = {"dropout": 0.0, "activation": activation, "norm_first": norm_first, "bias": bias}
    theirs: nn.Module = nn.TransformerDecoderLayer(D, H, FF, batch_first=True, **options)  # type: ignore[arg-type]
    ours: nn.Module = TransformerDecoderLayer(D, H, FF, batch_first=True, **options)  # type: ignore[arg-type]
    if layers:
        theirs = nn.TransformerDecoder(theirs, layers, nn.LayerNorm(D))
        ours = TransformerDecoder(ours, layers, nn.LayerNorm(D))
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours.load_state_dict(theirs.state_dict())
    return ours.double(), theirs.double()


def assert_equal_with_gradients(
    ours: nn.Module, theirs: nn.Module, inputs: list[Tensor], masks: dict[str, Tensor]
) -> None:
    results = []
    for module in (ours, theirs):
        leaves = [x.clone().requires_grad_() for x in inputs]
        output = module(*leaves, **masks)
        weighting = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
        targets = [*leaves, *module.parameters()]
        results.append([output, *torch.autograd.grad((output * weighting).sum(), targets)])
    assert_close(results[0], results[1])


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("norm_first", "bias", "activation"), GRID)
def test_layer_equals_torchs_in_outputs_and_gradients(
    norm_first: bool, bias: bool, activation: str, mask: str
) -> None:
    for training, batched in itertools.product([True, False], [True, False]):
        ours, theirs = pair(norm_first, bias, activation)
        ours.train(training), theirs.train(training)
        shapes = [(T, D), (S, D)] if not batched else [(B, T, D), (B, S, D)]
        inputs = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
        assert_equal_with_gradients(ours, theirs, inputs, make_masks(mask, batched))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("norm_first", "bias"), NORM_AND_BIAS)
def test_stack_equals_torchs_in_outputs_and_gradients(
    norm_first: bool, bias: bool, mask: str
) -> None:
    ours, theirs = pair(norm_first, bias, layers=2)
    for training, batched in itertools.product([True, False], [True, False]):
        ours.train(training), theirs.train(training)
        shapes = [(T, D), (S, D)] if not batched else [(B, T, D), (B, S, D)]
        inputs = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
        assert_equal_with_gradients(ours, theirs, inputs, make_masks(mask, batched))


def test_stack_has_torchs_state_dict_both_ways() -> None:
    layer = nn.TransformerDecoderLayer(D, H, FF, batch_first=True)
    theirs = nn.TransformerDecoder(layer, 3, nn.LayerNorm(D))
    ours = TransformerDecoder(TransformerDecoderLayer(D, H, FF), 3, nn.LayerNorm(D))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())


def test_parameters_have_torchs_names_order_shapes_and_first_values() -> None:
    for bias in (True, False):
        torch.manual_seed(5)
        theirs = nn.TransformerDecoderLayer(D, H, FF, batch_first=True, bias=bias)
        torch.manual_seed(5)
        ours = TransformerDecoderLayer(D, H, FF, bias=bias)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for mine, yours in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            assert mine[0] == yours[0]
            assert torch.equal(mine[1], yours[1]), mine[0]
    with pytest.raises(ValueError, match="batch-first throughout"):
        TransformerDecoderLayer(D, H, batch_first=False)


@given(
    seed=st.integers(0, 99), length=st.integers(1, 9), norm_first=st.booleans(),
    bias=st.booleans(), pieces=st.integers(1, 4),
)  # fmt: skip
def test_steps_with_a_cache_equal_all_at_once(
    seed: int, length: int, norm_first: bool, bias: bool, pieces: int
) -> None:
    torch.manual_seed(seed)
    decoder, _ = pair(norm_first, bias, layers=2)
    tgt = torch.randn(2, length, D, dtype=torch.float64)
    memory = torch.randn(2, S, D, dtype=torch.float64)
    padding = torch.tensor([[False] * S, [False, False] + [True] * (S - 2)])
    whole = decoder(tgt, memory, tgt_is_causal=True, memory_key_padding_mask=padding)
    cache = KeyValueCache.empty(2)
    parts = [decoder.step(x, memory, cache, padding) for x in tgt.split(pieces, dim=1)]  # type: ignore[operator]
    assert_close(torch.cat(parts, dim=1), whole)
    assert cache.length == length


def test_cache_follows_its_rows_when_a_beam_search_reorders_them() -> None:
    decoder, _ = pair(True, True, layers=2)
    tgt, memory = torch.randn(3, 3, D).double(), torch.randn(3, S, D).double()
    cache, rows = KeyValueCache.empty(2), torch.tensor([2, 2, 0])
    decoder.step(tgt[:, :2], memory, cache)  # type: ignore[operator]
    cache.reorder(rows)
    again = decoder.step(tgt[rows, 2:], memory[rows], cache)  # type: ignore[operator]
    whole = decoder(tgt[rows], memory[rows], tgt_is_causal=True)
    assert_close(again, whole[:, 2:])


@pytest.mark.parametrize("norm_first", [False, True])
def test_case_01_fully_padded_memory_and_target_are_finite(norm_first: bool) -> None:
    layer, _ = pair(norm_first, True)
    tgt = torch.randn(2, T, D, dtype=torch.float64, requires_grad=True)
    memory = torch.randn(2, S, D, dtype=torch.float64, requires_grad=True)
    padding = {
        "tgt_key_padding_mask": torch.tensor([[True] * T, [False] * T]),
        "memory_key_padding_mask": torch.tensor([[False] * S, [True] * S]),
    }
    output = layer(tgt, memory, tgt_is_causal=True, **padding)
    output.square().sum().backward()
    assert output.isfinite().all()
    for tensor in (tgt, memory, *layer.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
    assert memory.grad is not None
    assert memory.grad[1].eq(0).all()  # what is blocked learns nothing


def test_a_stack_of_torchs_takes_our_layers() -> None:
    layer = TransformerDecoderLayer(D, H, FF).eval()
    tgt, memory = torch.randn(B, T, D), torch.randn(B, S, D)
    causal = {"tgt_mask": torch.ones(T, T, dtype=torch.bool).triu(1)}
    theirs, ours = nn.TransformerDecoder(layer, 2), TransformerDecoder(layer, 2)
    assert_close(theirs(tgt, memory, **causal), ours(tgt, memory, **causal))


def test_case_07_is_causal_never_replaces_a_mask() -> None:
    layer, _ = pair(False, True)
    tgt, memory = torch.randn(B, T, D).double(), torch.randn(B, S, D).double()
    causal = torch.ones(T, T, dtype=torch.bool).triu(1)
    other = torch.zeros(T, T, dtype=torch.bool)
    other[:, 1] = True
    assert_close(layer(tgt, memory, other, tgt_is_causal=True), layer(tgt, memory, causal | other))
    look = torch.ones(T, S, dtype=torch.bool).triu(1)
    assert_close(layer(tgt, memory, memory_is_causal=True), layer(tgt, memory, memory_mask=look))


def test_case_16_padded_memory_does_not_change_the_output() -> None:
    layer, _ = pair(True, True)
    tgt, memory = torch.randn(B, T, D).double(), torch.randn(B, S, D).double()
    longer = torch.cat((memory, 100 * torch.randn(B, 3, D).double()), dim=1)
    padding = torch.arange(S + 3).expand(B, -1) >= S
    assert_close(layer(tgt, longer, memory_key_padding_mask=padding), layer(tgt, memory))


def test_dropout_stops_in_evaluation_and_falls_on_every_sublayer_in_training() -> None:
    layer = TransformerDecoderLayer(D, H, FF, dropout=0.5)
    tgt, memory = torch.randn(B, T, D), torch.randn(B, S, D)
    assert (layer(tgt, memory) - layer(tgt, memory)).abs().max() > 0.1
    assert {name for name, m in layer.named_modules() if isinstance(m, nn.Dropout)} == {
        "dropout", "dropout1", "dropout2", "dropout3",
    }  # fmt: skip
    assert layer.self_attn.dropout == layer.multihead_attn.dropout == 0.5
    layer.eval()
    assert torch.equal(layer(tgt, memory), layer(tgt, memory))


def test_clones_and_fresh_layers() -> None:
    layer = TransformerDecoderLayer(D, H, FF)
    first, second = TransformerDecoder(layer, 2).layers
    assert torch.equal(first.linear1.weight, second.linear1.weight)
    assert first.linear1.weight is not second.linear1.weight
    fresh = [TransformerDecoderLayer(D, H, FF) for _ in range(2)]
    stack = TransformerDecoder.from_layers(fresh, nn.LayerNorm(D))
    assert stack.layers[1] is fresh[1]
    assert stack.num_layers == 2
    assert not torch.equal(fresh[0].linear1.weight, fresh[1].linear1.weight)


def test_gradcheck() -> None:
    layer = TransformerDecoderLayer(4, 2, 5, dropout=0.0, activation=torch.tanh).double()
    tgt = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    memory = torch.randn(2, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t, m: layer(t, m, tgt_is_causal=True), (tgt, memory))


def test_wrong_shapes_are_answered_with_a_sentence() -> None:
    layer = TransformerDecoderLayer(D, H, FF)
    with pytest.raises(ValueError, match=r"memory must be .*got \(2, 3, 7\)"):
        layer(torch.randn(2, 3, D), torch.randn(2, 3, 7))
    with pytest.raises(ValueError, match=r"got \(2, 3, 12\), \(3, 12\), \(3, 12\)"):
        layer(torch.randn(2, 3, D), torch.randn(3, D))  # memory without its batch
    with pytest.raises(ValueError, match="With a cache the one mask"):
        layer(torch.randn(2, 1, D), torch.randn(2, 3, D), torch.zeros(1, 1), cache=LayerCache())
    with pytest.raises(ValueError, match=r"KeyValueCache.empty\(2\), got 3"):
        TransformerDecoder(layer, 2).step(
            torch.randn(2, 1, D), torch.randn(2, 3, D), KeyValueCache.empty(3)
        )
    with pytest.raises(ValueError, match=r"tgt must be .*got \(2, 3, 7\)"):
        layer(torch.randn(2, 3, 7), torch.randn(2, 3, D))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("mask", MASKS)
def test_cuda_equals_the_cpu(mask: str) -> None:
    ours, _ = pair(True, True, layers=2)
    tgt, memory = torch.randn(B, T, D).double(), torch.randn(B, S, D).double()
    expected = ours(tgt, memory, **make_masks(mask))
    masks = {name: m.cuda() for name, m in make_masks(mask).items()}
    output = ours.cuda()(tgt.cuda(), memory.cuda(), **masks)
    assert_close(output.cpu(), expected)

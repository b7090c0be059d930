"""Our encoder against torch.nn's over a grid of options: outputs and every gradient."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from tests.close import assert_close

B, S, D, H, FF = 3, 5, 12, 3, 20
GRID = list(itertools.product([False, True], [True, False], ["relu", "gelu", torch.tanh]))
NORM_AND_BIAS = list(itertools.product([False, True], [True, False]))
MASKS = ["none", "causal", "bool", "float", "per-head", "padding", "causal+padding", "float+float"]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """torch.nn warns of nested tensors and of mixed mask types; it is only the peer here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def make_masks(kind: str, batched: bool = True) -> tuple[Tensor | None, Tensor | None]:
    """Source mask and padding mask of a kind; no row is fully blocked, where torch gives NaN."""
    generator = torch.Generator().manual_seed(1)
    causal = torch.ones(S, S, dtype=torch.bool).triu(1)
    random = torch.rand(S, S, generator=generator) < 0.4
    random.fill_diagonal_(False)
    random[:, 0] = False
    lengths = torch.tensor([5, 3, 1]) if batched else torch.tensor([3])
    padding = torch.arange(S) >= lengths[:, None]  # (B, S)
    padding = padding if batched else padding[0]
    floating = torch.randn(S, S, dtype=torch.float64, generator=generator)
    heads = torch.rand((B if batched else 1) * H, S, S, generator=generator) < 0.4
    heads[..., 0] = False
    added = torch.zeros(padding.shape, dtype=torch.float64).masked_fill(padding, -torch.inf)
    return {
        "none": (None, None),
        "causal": (causal, None),
        "bool": (random, None),
        "float": (floating.masked_fill(random, -torch.inf), None),
        "per-head": (heads, None),
        "padding": (None, padding),
        "causal+padding": (causal, padding),
        "float+float": (floating, added),
    }[kind]


def pair(
    norm_first: bool, bias: bool, activation: str, layers: int = 0
) -> tuple[nn.Module, nn.Module]:
    """Ours and torch's, float64, dropout 0, with the same random weights; biases not zero."""
    options = {"dropout": 0.0, "activation": activation, "norm_first": norm_first, "bias": bias}
    theirs: nn.Module = nn.TransformerEncoderLayer(D, H, FF, batch_first=True, **options)  # type: ignore[arg-type]
    ours: nn.Module = TransformerEncoderLayer(D, H, FF, batch_first=True, **options)  # type: ignore[arg-type]
    if layers:
        theirs = nn.TransformerEncoder(theirs, layers, nn.LayerNorm(D))
        ours = TransformerEncoder(ours, layers, nn.LayerNorm(D))
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours.load_state_dict(theirs.state_dict())
    return ours.double(), theirs.double()


def assert_equal_with_gradients(
    ours: nn.Module, theirs: nn.Module, x: Tensor, masks: dict[str, Tensor | None]
) -> None:
    """Same output, same gradient at the input and at every parameter."""
    results = []
    for module in (ours, theirs):
        leaf = x.clone().requires_grad_()
        output = module(leaf, **masks)
        weighting = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
        module.zero_grad()
        (output * weighting).sum().backward()
        gradients = {name: p.grad for name, p in module.named_parameters()}
        results.append({"output": output.detach(), "input": leaf.grad, **gradients})
    assert list(results[0]) == list(results[1])
    assert_close(results[0], results[1])


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("norm_first", "bias", "activation"), GRID)
def test_layer_equals_torchs_in_outputs_and_gradients(
    norm_first: bool, bias: bool, activation: str, mask: str
) -> None:
    for training, batched in itertools.product([True, False], [True, False]):
        ours, theirs = pair(norm_first, bias, activation)
        ours.train(training), theirs.train(training)
        x = torch.randn(*([B] if batched else []), S, D, dtype=torch.float64)
        src_mask, padding = make_masks(mask, batched)
        masks = {"src_mask": src_mask, "src_key_padding_mask": padding}
        assert_equal_with_gradients(ours, theirs, x, masks)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("norm_first", "bias"), NORM_AND_BIAS)
def test_stack_equals_torchs_in_outputs_and_gradients(
    norm_first: bool, bias: bool, mask: str
) -> None:
    ours, theirs = pair(norm_first, bias, "gelu", layers=2)
    for training, batched in itertools.product([True, False], [True, False]):
        ours.train(training), theirs.train(training)
        x = torch.randn(*([B] if batched else []), S, D, dtype=torch.float64)
        src_mask, padding = make_masks(mask, batched)
        masks = {"mask": src_mask, "src_key_padding_mask": padding}
        assert_equal_with_gradients(ours, theirs, x, masks)


@pytest.mark.parametrize("norm_first", [False, True])
def test_case_05_real_rows_equal_torchs_fast_path_and_padded_rows_its_slow_one(
    norm_first: bool,
) -> None:
    ours, theirs = pair(norm_first, True, "relu", layers=2)
    ours.eval(), theirs.eval()
    x, padding = torch.randn(B, S, D, dtype=torch.float64), make_masks("padding")[1]
    assert padding is not None
    slow = theirs(x, src_key_padding_mask=padding).detach()
    with torch.inference_mode():  # where torch's fast path cuts and zeroes the padded rows
        fast = theirs(x, src_key_padding_mask=padding)
        without_gradients = ours(x, src_key_padding_mask=padding)
    with_gradients = ours(x, src_key_padding_mask=padding).detach()
    assert without_gradients.shape == x.shape  # the full length, also where torch's is cut
    assert_close(without_gradients, with_gradients)
    assert_close(with_gradients, slow)
    assert_close(with_gradients[~padding], fast[:, :S][~padding])
    everywhere_padded = torch.ones(1, S, dtype=torch.bool).logical_not()
    everywhere_padded[:, 3:] = True  # every row shorter than S: nested output was once cut
    with torch.inference_mode():
        short = ours(x, src_key_padding_mask=everywhere_padded.expand(B, S))
    assert short.shape == x.shape


def test_parameters_have_torchs_names_order_shapes_and_first_values() -> None:
    for bias in (True, False):
        torch.manual_seed(5)
        theirs = nn.TransformerEncoderLayer(D, H, FF, batch_first=True, bias=bias)
        torch.manual_seed(5)
        ours = TransformerEncoderLayer(D, H, FF, batch_first=True, bias=bias)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for mine, yours in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            assert mine[0] == yours[0]
            assert torch.equal(mine[1], yours[1]), mine[0]


def test_stack_has_torchs_state_dict_both_ways() -> None:
    theirs = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(D, H, FF, batch_first=True), 3, nn.LayerNorm(D)
    )
    ours = TransformerEncoder(TransformerEncoderLayer(D, H, FF), 3, nn.LayerNorm(D))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())


def test_positional_arguments_stand_in_torchs_order() -> None:
    arguments = (D, H, FF, 0.0, F.gelu, 1e-3, True, True, False)
    theirs = nn.TransformerEncoderLayer(*arguments)
    ours = TransformerEncoderLayer(*arguments)
    ours.load_state_dict(theirs.state_dict())
    x, (mask, padding) = torch.randn(B, S, D), make_masks("causal+padding")
    assert_close(ours(x, mask, padding, False), theirs(x, mask, padding, False))


def test_default_dropout_is_torchs_in_place_and_amount() -> None:
    """The same draws in the same places: with one seed both drop the very same elements.

    One sequence only, since torch lays out a batch the other way round inside; and without the
    attention's own dropout, which torch's kernel draws for itself.
    """
    for norm_first in (False, True):
        ours, theirs = pair(norm_first, True, "relu")
        for module in (ours, theirs):
            for name in ("dropout", "dropout1", "dropout2"):
                getattr(module, name).p = 0.4
        x = torch.randn(1, S, D, dtype=torch.float64)
        torch.manual_seed(3)
        expected = theirs(x)
        torch.manual_seed(3)
        assert_close(ours(x), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("mask", ["none", "padding", "causal"])
def test_lower_precision_is_as_near_to_float64_as_torchs(dtype: torch.dtype, mask: str) -> None:
    ours, theirs = pair(False, True, "gelu", layers=2)
    ours.eval(), theirs.eval()
    x = torch.randn(B, S, D, dtype=torch.float64)
    source, padding = make_masks(mask)
    masks = {"mask": source, "src_key_padding_mask": padding}
    exact = theirs(x, **masks)
    outputs = [module.to(dtype)(x.to(dtype), **masks) for module in (ours, theirs)]
    assert outputs[0].dtype == dtype
    errors = [(output.double() - exact).abs().max().item() for output in outputs]
    unit = torch.finfo(dtype).eps
    assert errors[0] <= 2 * errors[1] + 8 * unit


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("mask", MASKS)
def test_cuda_equals_the_cpu(dtype: torch.dtype, mask: str) -> None:
    ours, _ = pair(True, True, "gelu", layers=2)
    x = torch.randn(B, S, D, dtype=torch.float64)
    source, padding = make_masks(mask)
    expected = ours(x, source, padding)
    on_gpu = ours.cuda().to(dtype)
    source, padding = (None if m is None else m.cuda() for m in (source, padding))
    leaf = x.cuda().to(dtype).requires_grad_()
    output = on_gpu(leaf, source, padding)
    assert_close(output.double().cpu(), expected, dtype=dtype)
    output.sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.isfinite().all()

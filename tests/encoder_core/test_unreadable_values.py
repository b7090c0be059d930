"""Where values cannot be read (vmap, meta, FakeTensor, tracers) the core computes without; where they can, it looks."""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.func import functional_call, grad, jvp, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from encoder_core.checks import has_values, read_bool
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.fast.layouts import BlockedLinear, Layout, TransposedLinear
from encoder_core.fast.packing import pack
from encoder_core.fast.prepacked import prepack
from encoder_core.masks import check_mask, padding_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.modernbert import ModernBert, ModernBertConfig
from encoder_core.positions import Rotary, SinusoidalPositions
from tests.close import assert_close
from tests.sampled import thinned

D, H, S = 16, 2, 5
BERT = BertConfig(vocab_size=50, d_model=D, nhead=H, num_layers=2, dim_feedforward=32)
MODERN = ModernBertConfig(
    vocab_size=50, d_model=D, nhead=H, dim_feedforward=32, windows=(None, 2), padding_idx=0
)
MODELS = {"bert": lambda: Bert(BERT, seed=0), "modernbert": lambda: ModernBert(MODERN, seed=0)}
IDS = torch.randint(1, 50, (3, 2, S), generator=torch.Generator().manual_seed(0))
PADDING = padding_mask(torch.tensor([[5, 2], [1, 5], [3, 3]]), S)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop")
        yield


def layer() -> TransformerEncoderLayer:
    return TransformerEncoderLayer(D, H, 32, dropout=0.0)


@pytest.mark.parametrize("where", ["src_mask", "src_key_padding_mask"])
def test_a_floating_mask_can_be_batched_by_vmap(where: str) -> None:
    model, x = layer(), torch.randn(3, 2, S, D)
    masks = torch.randn(3, S, S) if where == "src_mask" else torch.randn(3, 2, S)
    actual = vmap(lambda a, m: model(a, **{where: m}))(x, masks)
    expected = torch.stack([model(a, **{where: m}) for a, m in zip(x, masks, strict=True)])
    assert_close(actual, expected)
    by_sample = vmap(grad(lambda m, a: model(a, **{where: m}).square().sum()))(masks, x)
    one = grad(lambda m: model(x[1], **{where: m}).square().sum())(masks[1])
    assert_close(by_sample[1], one)


@pytest.mark.parametrize("packed", [None, True, False])
@pytest.mark.parametrize("kind", MODELS)
def test_vmap_over_texts_and_their_padding_equals_one_by_one(
    kind: str, packed: bool | None
) -> None:
    model = MODELS[kind]().eval()
    actual = vmap(lambda i, p: model(i, padding_mask=p, packed=packed))(IDS, PADDING)
    for text, pad, hidden in zip(IDS, PADDING, actual, strict=True):
        expected = model(text, padding_mask=pad, packed=False)
        assert_close(hidden[~pad], expected[~pad])


@pytest.mark.parametrize("packed", [None, True, False])
@pytest.mark.parametrize("kind", MODELS)
def test_models_compute_shapes_without_values(kind: str, packed: bool | None) -> None:
    meta = MODELS[kind]().eval().to("meta")
    hidden = meta(IDS[0].to("meta"), padding_mask=PADDING[0].to("meta"), packed=packed)
    assert hidden.is_meta
    assert hidden.shape == (2, S, D)
    model = MODELS[kind]().eval()
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        ids, padding = mode.from_tensor(IDS[0]), mode.from_tensor(PADDING[0])
        assert model(ids, padding_mask=padding, packed=packed).shape == (2, S, D)
    assert model(IDS[0], padding_mask=PADDING[0], packed=packed).isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize(  # by day both models, and each way to pack
    ("kind", "packed"), thinned(itertools.product(MODELS, (None, True, False)), 2)
)
def test_what_is_traced_serves_other_padding_too(kind: str, packed: bool | None) -> None:
    model = MODELS[kind]().eval()

    def call(ids: Tensor, padding: Tensor) -> Tensor:
        hidden: Tensor = model(ids, padding_mask=padding, packed=packed)
        return hidden

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Tensor, padding: Tensor) -> Tensor:
            return call(ids, padding)

    first = IDS[0], PADDING[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = {
            "export": torch.export.export(Whole(), first).module(),
            "compile": torch.compile(Whole(), backend="eager", fullgraph=True),
            "symbolic": make_fx(call, tracing_mode="symbolic", _allow_non_fake_inputs=True)(*first),
            "jit": torch.jit.trace(Whole(), first),
        }
    for name, program in traced.items():
        for ids, pad in zip(IDS, PADDING, strict=True):
            expected = model(ids, padding_mask=pad, packed=False)
            assert_close(program(ids, pad)[~pad], expected[~pad], msg=name)


@pytest.mark.parametrize("strict", [True, False])
def test_a_stack_with_a_floating_mask_can_be_exported(strict: bool) -> None:
    model = TransformerEncoder(layer(), 2).eval()
    x, mask = torch.randn(2, S, D), torch.randn(S, S)
    program = torch.export.export(model, (x, mask), {"is_causal": True}, strict=strict).module()
    other = torch.randn(S, S)
    assert_close(program(x, other, is_causal=True), model(x, other, is_causal=True))


def test_where_values_can_be_read_a_mask_of_zeros_and_ones_is_still_refused() -> None:
    model, x = layer(), torch.randn(2, S, D)
    wrong = torch.ones(S, S).tril()
    for transform in (lambda f: f, grad, lambda f: vmap(f)):
        with pytest.raises(ValueError, match="holds only 0 and 1"):
            transform(lambda a: model(a, src_mask=wrong).sum())(x)
    with pytest.raises(ValueError, match="holds only 0 and 1"):
        grad(lambda m: model(x, src_mask=m).sum())(wrong)
    for mask in (wrong, wrong.half(), torch.ones(1, S), torch.nn.Parameter(wrong)):
        with pytest.raises(ValueError, match="holds only 0 and 1"):
            check_mask(mask)
    for mask in (torch.zeros(S, S), torch.full((S, S), -torch.inf), wrong - 1, torch.zeros(0)):
        check_mask(mask)


def test_an_integer_mask_is_refused_even_where_its_values_cannot_be_read() -> None:
    with pytest.raises(TypeError, match="mask == 0"):
        check_mask(torch.ones(2, 2, dtype=torch.long, device="meta"))
    with pytest.raises(TypeError, match="mask == 0"):
        vmap(lambda m: check_mask(m) or m)(torch.ones(3, 2, dtype=torch.long))
    model = TransformerEncoder(layer(), 1)
    with pytest.raises(TypeError, match="mask == 0"):
        torch.compile(model, backend="eager")(torch.randn(2, S, D), torch.ones(S, S).int())


@pytest.mark.parametrize("module", [SinusoidalPositions(D), Rotary(D), Rotary(D, pairing="half")])
def test_tables_of_positions_are_not_kept_from_a_call_without_values(module: nn.Module) -> None:
    x = torch.randn(2, S, D)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        module(mode.from_tensor(x))
    expected = module(x)
    assert type(expected) is Tensor
    with FakeTensorMode() as mode:
        module(mode.from_tensor(x))  # nor does a kept one meet a FakeTensor
    make_fx(module, tracing_mode="symbolic")(x)
    assert torch.equal(module(x), expected)


def test_a_length_that_cannot_be_read_is_asked_for() -> None:
    for call in (
        lambda: padding_mask(torch.tensor([1, 2], device="meta")),
        lambda: vmap(padding_mask)(torch.tensor([[1, 2], [2, 3]])),
    ):
        with pytest.raises(ValueError, match="Pass max_length"):
            call()
    masks = vmap(lambda lengths: padding_mask(lengths, 3))(torch.tensor([[1, 2], [2, 3]]))
    assert torch.equal(masks, padding_mask(torch.tensor([[1, 2], [2, 3]]), 3))


def test_no_plan_is_made_of_padding_that_cannot_be_read() -> None:
    assert pack(PADDING[0].to("meta")) is None
    assert pack(PADDING[0]) is not None
    assert not has_values(PADDING.to("meta"))
    assert read_bool(torch.tensor(False)) is False


@pytest.mark.parametrize("layout", [BlockedLinear, TransposedLinear])
def test_laid_out_weights_leave_transformed_and_traced_calls_to_the_layer(layout: Layout) -> None:
    if layout is BlockedLinear and not BlockedLinear.known():
        pytest.skip("this torch has no such operations")
    plain = TransformerEncoder(layer(), 2).eval()
    fast, x = copy.deepcopy(plain), torch.randn(2, S, D)
    assert prepack(fast, layout, layout) == 2
    others = [TransformerEncoder(layer(), 2).eval() for _ in range(2)]
    weights = stack_module_state(others)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_close(fast(x), plain(x))
        assert fast.layers[0].laid_out.suits  # it does serve plain calls
        assert_close(vmap(fast)(torch.stack((x, 2 * x)))[1], plain(2 * x))
        made = vmap(lambda p, b: functional_call(fast, (p, b), (x,)))(*weights)
        assert_close(made, torch.stack([other(x) for other in others]))
        assert_close(jvp(fast, (x,), (x,))[1], jvp(plain, (x,), (x,))[1])
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(x, x)
            tangents = [
                torch.autograd.forward_ad.unpack_dual(m(dual)).tangent for m in (fast, plain)
            ]
        assert_close(*tangents)
        symbolic = make_fx(fast, tracing_mode="symbolic", _allow_non_fake_inputs=True)(x)
        assert_close(symbolic(2 * x), plain(2 * x))
        assert_close(torch.jit.trace(fast, x)(2 * x), plain(2 * x))
